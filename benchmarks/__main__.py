"""The command line."""

from enum import StrEnum
from pathlib import Path

import click
from rich.console import Console

from benchmarks import contest, failover, flatness, report, restoring, tables
from benchmarks.attempt import BUILD, AttemptError
from benchmarks.broker import broker
from benchmarks.contestants import CONTESTANTS, WHOLE_MACHINE
from benchmarks.install import InstallError
from benchmarks.report import Whole
from benchmarks.trips import hold as trips
from benchmarks.trips.city import City
from stack.api import ServerName

NAMES = [each.name for each in CONTESTANTS]
FAIR_COMMANDS, FAIR_ROUNDS = 1_200_000, 2


class Part(StrEnum):
    """What can be measured apart from the rest."""

    LEDGER = "ledger"
    FAIR_CONTEST = "fair_contest"
    TRIP_LIFE = "trip_life"
    FLATNESS = "flatness"


@click.command("benchmarks")
@click.option("--part", "parts", multiple=True, type=click.Choice(list(Part)), help="Leave out the others.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Runs of each contestant.")
@click.option("--commands", default=300_000, show_default=True, type=click.IntRange(100), help="Of a ledger run.")
@click.option("--lives", default=trips.LIVES, show_default=True, type=click.IntRange(100), help="Of a trip life run.")
@click.option("--seed", default=1, show_default=True, help="Decides the order of the contestants in each round.")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Ledger work: leave out the others.")
@click.option("--latency/--no-latency", default=True, show_default=True, help="At 200 and 2,000 a second.")
@click.option("--profile/--no-profile", default=True, show_default=True, help="Where the time of a worker goes.")
@restoring.option
@failover.option
@click.option("--report", "path", default=BUILD / "report.json", type=click.Path(path_type=Path), help="File to write.")
def main(
    *,
    parts: tuple[Part, ...],
    rounds: int,
    commands: int,
    lives: int,
    seed: int,
    only: tuple[str, ...],
    latency: bool,
    profile: bool,
    path: Path,
) -> None:
    """Measure Millrace and its peers on servers of their own; exit 1 if one is not exact."""
    console = Console(width=max(tables.WIDTH, Console().width), highlight=False)
    wanted = [each for each in CONTESTANTS if each.name in (only or NAMES)]
    ledger = contest.Plan(wanted, commands, rounds, seed, latency=latency, profile=profile)
    fair = contest.Plan(WHOLE_MACHINE, FAIR_COMMANDS, min(rounds, FAIR_ROUNDS), seed)
    lived = trips.Plan(lives, rounds, latency=latency, profile=profile)
    whole = Whole(report.machine())
    chosen = parts or tuple(Part)
    try:
        with broker(*([ServerName.REGISTRY] if Part.TRIP_LIFE in chosen else [])) as shared:
            topics = contest.Work(shared)
            if Part.LEDGER in chosen:
                whole.ledger = contest.hold(ledger, topics, console.print)
            if Part.FAIR_CONTEST in chosen:
                whole.fair_contest = contest.hold(fair, topics, console.print)
            if Part.TRIP_LIFE in chosen:
                whole.trip_life = trips.hold(lived, City(shared), console.print)
        if Part.FLATNESS in chosen:
            console.print("flatness")
            whole.flatness = flatness.apart()
    except (AttemptError, InstallError) as error:
        raise click.ClickException(str(error)) from error
    report.write(path, whole)
    tables.show(console, whole)
    console.print(f"written to {path}")


if __name__ == "__main__":
    main()
