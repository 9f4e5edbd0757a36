"""The command line."""

from pathlib import Path

import click
from rich.console import Console

from benchmarks import contest, failover, report, restoring
from benchmarks.attempt import BUILD, AttemptError
from benchmarks.broker import broker
from benchmarks.contestants import CONTESTANTS

WIDTH = 120
"""Of the tables at least, where output goes to a file."""
NAMES = [each.name for each in CONTESTANTS]


@click.command("benchmarks")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Runs of each contestant.")
@click.option("--commands", default=300_000, show_default=True, type=click.IntRange(100), help="Commands of a run.")
@click.option("--seed", default=1, show_default=True, help="Decides the order of the contestants in each round.")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Leave out the others.")
@click.option("--latency", is_flag=True, help="Also measure latency at 200 commands a second.")
@click.option("--profile", is_flag=True, help="Also show where the time of a Millrace worker goes.")
@restoring.option
@failover.option
@click.option("--report", "path", default=BUILD / "report.json", type=click.Path(path_type=Path), help="File to write.")
def main(
    *,
    rounds: int,
    commands: int,
    seed: int,
    only: tuple[str, ...],
    latency: bool,
    profile: bool,
    path: Path,
) -> None:
    """Measure Millrace and its peers on the same work, on a Kafka of their own; exit 1 if one is not exact."""
    console = Console(width=max(WIDTH, Console().width))
    wanted = [each for each in CONTESTANTS if each.name in (only or NAMES)]
    plan = contest.Plan(wanted, commands, rounds, seed, latency=latency, profile=profile)
    try:
        machine = report.machine()
        with broker() as shared:
            results = contest.hold(plan, shared, lambda line: console.print(line, highlight=False))
    except AttemptError as error:
        raise click.ClickException(str(error)) from error
    report.write(path, results, machine)
    report.show(console, results, machine)
    console.print(f"written to {path}")


if __name__ == "__main__":
    main()
