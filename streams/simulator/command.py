"""`python -m streams simulate`."""

import sys
from collections import Counter
from collections.abc import Iterable
from time import monotonic

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from streams.demo.day import Programme, make_day
from streams.demo.month import MONTH, make_month
from streams.demo.show import report, show_outcomes, show_verdict
from streams.demo.world import Scale
from streams.simulator.day import run_day
from streams.simulator.many import run_seeds
from streams.simulator.run import Outcome, run, script_of
from streams.simulator.shrink import shrink

DAY_SEED = 7
SHOWN = 40
COLUMNS = TextColumn("{task.description:36}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()


class SeedRange(click.ParamType):
    """`A..B`, both included, or one number."""

    name = "A..B"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> range:
        first, dots, last = str(value).partition("..")
        try:
            return range(int(first), int(last if dots else first) + 1)
        except ValueError:
            self.fail(f"{value!r} is not two numbers, as 0..999", param, ctx)


@click.command()
@click.option("--seed", type=int, help="Run this one with its faults, and tell everything about it.")
@click.option("--seeds", type=SeedRange(), help="Run all of these with their faults.")
@click.option("--scale", default=1.0, show_default=True, help="Of the demo's day: 1 is a few thousand riders.")
@click.option("--month", is_flag=True, help="Four weeks of three prisons with 1,200 people each, instead of the day.")
@click.option("--processes", default=2, show_default=True, help="That run seeds side by side.")
def simulate(*, seed: int | None, seeds: range | None, scale: float, month: bool, processes: int) -> None:
    """The whole pipeline in this process, without any server: the demo's day, or seeds with faults. Exit 0 if clean."""
    console = Console()
    if seed is not None:
        sys.exit(tell(console, run(script_of(seed))))
    if seeds is not None:
        sys.exit(survive(console, seeds, processes))
    size, programme = (MONTH, make_month) if month else (Scale(), make_day)
    sys.exit(play(console, size.times(scale), programme))


def play(console: Console, scale: Scale, programme: Programme) -> int:
    """The demo's day, or month; the exit code."""
    with Progress(*COLUMNS, console=console) as progress:
        tasks: dict[str, int] = {}

        def said(name: str, done: int, total: int) -> None:
            task = tasks.setdefault(name, len(tasks))
            if task == len(progress.tasks):
                progress.add_task(name, total=total)
            progress.update(progress.task_ids[task], completed=done)

        result, balances = run_day(DAY_SEED, scale, said, programme)
    figures = report(result)
    show_outcomes(console, balances, figures)
    console.print("Left out, as they need servers: Postgres, Debezium, Connect, invoices and ADI files.", style="dim")
    show_verdict(console, result, figures)
    balanced = figures["inputs"] == figures["outcomes"] + figures["dead_letters"]
    return 0 if result.audit.clean and balanced else 1


def survive(console: Console, seeds: range, processes: int) -> int:
    """Runs of many seeds, up to the first that fails; the exit code."""
    began, survived = monotonic(), Counter[str]()
    commands, transactions, runs = 0, 0, 0
    with Progress(*COLUMNS, console=console) as progress:
        task = progress.add_task("seeds", total=len(seeds))
        for outcome in run_seeds(seeds, processes):
            runs += 1
            progress.update(task, advance=1)
            survived.update(outcome.survived)
            commands += outcome.commands
            transactions += outcome.transactions
            if outcome.problems:
                progress.stop()
                return tell(console, outcome)
    seconds = monotonic() - began
    console.print(_faults(survived))
    console.print(
        f"\n[bold green]{runs:,} seeds are clean[/]: {commands:,} records sent, {transactions:,} transactions; "
        f"{seconds:.0f} s, {60 * runs / seconds:,.0f} seeds a minute"
    )
    return 0


def tell(console: Console, outcome: Outcome) -> int:
    """All about one run; a failed one is made smaller first. The exit code."""
    if not outcome.problems:
        console.print(_faults(outcome.survived))
        console.print(f"[bold green]Seed {outcome.seed} is clean[/]: {outcome.commands} records sent")
        return 0
    console.print(f"[bold red]Seed {outcome.seed} fails[/]:")
    _list(console, outcome.problems)
    smaller = shrink(script_of(outcome.seed), outcome)
    script = smaller.script
    console.print(f"\nAs small as {smaller.runs} runs could make it, it fails with:")
    _list(console, smaller.outcome.problems)
    console.print(f"\nFaults ({len(script.faults)}):")
    _list(console, (str(fault) for fault in script.faults))
    console.print(f"\nRecords ({len(script.sends)}), by the second at which they are sent:")
    _list(console, (f"{send.at_s:7.3f}  {send.topic}  {send.text}" for send in script.sends))
    console.print(f"\nAgain: python -m streams simulate --seed {outcome.seed}", highlight=False)
    return 1


def _list(console: Console, lines: Iterable[str]) -> None:
    every = list(lines)
    for line in every[:SHOWN]:
        console.print(f"  {line}", highlight=False, markup=False)
    if len(every) > SHOWN:
        console.print(f"  and {len(every) - SHOWN} more")


def _faults(survived: Counter[str]) -> Table:
    table = Table(title="Faults survived", title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    table.add_column("what happened")
    table.add_column("times", justify="right")
    for name, count in sorted(survived.items()):
        table.add_row(name, f"{count:,}")
    return table
