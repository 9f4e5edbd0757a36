"""Trip life alone: `python -m benchmarks.trips`."""

import click
from rich.console import Console

from benchmarks.attempt import AttemptError
from benchmarks.broker import broker
from benchmarks.trips import run as trips
from benchmarks.trips.city import City
from stack.api import ServerName


@click.command("trips")
@click.option("--lives", default=40_000, show_default=True, type=click.IntRange(100), help="Three events each.")
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(1))
@click.option("--audit/--no-audit", default=True, show_default=True, help="Let the auditor prove each round.")
@click.option("--profile", is_flag=True, help="Also show where the time of the worker goes.")
def main(*, lives: int, rounds: int, audit: bool, profile: bool) -> None:
    """Measure one worker of the real app on trip lives; exit 1 if an outcome is wrong."""
    console = Console(width=140, highlight=False)
    try:
        with broker(ServerName.REGISTRY) as shared:
            city = City(shared)
            for number in range(rounds):
                found = trips.run(city, lives, seed=trips.SEED + number, audit=audit)
                console.print(f"round {number + 1}: {found.speed}, audited {found.audited}")
            if profile:
                seen = trips.profile(city, lives)
                console.print(f"{seen.records_per_cycle:.0f} records a cycle, us a record: {seen.phases_us}")
                for call in seen.calls:
                    console.print(f"{call['thread']:7} {call['calls']:9,} {call['own_s']:8.3f} {call['total_s']:8.3f}  "
                                  f"{call['function']}")  # fmt: skip
    except AttemptError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
