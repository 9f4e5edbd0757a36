"""`python -m streams demo`."""

import sys

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.settings import settings
from streams.demo.day import make_day
from streams.demo.month import MONTH, make_month
from streams.demo.run import Crash, Demo
from streams.demo.show import report, show, write
from streams.demo.world import Scale


@click.command()
@click.option("--seed", default=7, show_default=True, help="the same seed gives the same day")
@click.option("--scale", default=1.0, show_default=True, help="1 is a few thousand riders")
@click.option("--month", is_flag=True, help="four weeks of three prisons with 1,200 people each, instead of the day")
@click.option("--crash", default="", metavar="NAMES", help="kill -9 these in the middle: worker,invoices,adi,billing")
def demo(*, seed: int, scale: float, month: bool, crash: str) -> None:
    """A believable day through the whole system, on running servers; ends with the audit. Exit 0 if it is clean."""
    console = Console()
    names = frozenset(name for name in crash.split(",") if name)
    columns = TextColumn("{task.description:36}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        size, programme = (MONTH, make_month) if month else (Scale(), make_day)
        result = Demo(settings(), seed, size.times(scale), Crash(names), progress, programme).run()
    figures = report(result)
    write(figures)
    show(console, settings(), result, figures)
    balanced = figures["inputs"] == figures["outcomes"] + figures["dead_letters"]
    sys.exit(0 if result.audit.clean and balanced else 1)
