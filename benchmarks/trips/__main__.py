"""Trip life alone: `python -m benchmarks.trips`."""

import click
from rich.console import Console

from benchmarks import report
from benchmarks.attempt import AttemptError
from benchmarks.broker import broker
from benchmarks.tables import WIDTH, show_trips
from benchmarks.trips.city import City
from benchmarks.trips.hold import LIVES, Plan, hold
from stack.api import ServerName


@click.command("trips")
@click.option("--lives", default=LIVES, show_default=True, type=click.IntRange(100), help="Three events each.")
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(1))
@click.option("--audit/--no-audit", default=True, show_default=True, help="Let the auditor prove each round.")
@click.option("--latency", is_flag=True, help="Also measure latency at 200 and 2,000 events a second.")
@click.option("--profile", is_flag=True, help="Also show where the time of the worker goes.")
def main(*, lives: int, rounds: int, audit: bool, latency: bool, profile: bool) -> None:
    """Measure one worker of the real app on trip lives; exit 1 if an outcome is wrong."""
    console = Console(width=max(WIDTH, Console().width), highlight=False)
    machine = report.machine()
    try:
        with broker(ServerName.REGISTRY) as shared:
            results = hold(Plan(lives, rounds, audit, latency, profile), City(shared), console.print)
    except AttemptError as error:
        raise click.ClickException(str(error)) from error
    show_trips(console, results, machine)


if __name__ == "__main__":
    main()
