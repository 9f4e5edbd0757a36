"""The report as tables for the eye."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.contest import Results, Spread, spreads
from benchmarks.latency import Latency
from benchmarks.profiling import Profile
from benchmarks.report import Whole, ratios
from benchmarks.speed import Speed
from benchmarks.trips import hold as trips

WIDTH = 140
"""Of the tables at least, where output goes to a file."""
COLUMNS = ("commands", "events/s min / median / max", "second half", "CPU s/million", "MB", "p50 / p99 ms (per s)")


def show(console: Console, whole: Whole) -> None:
    """Print all that was measured."""
    if whole.ledger is not None:
        _show_contest(console, whole.ledger, _title("ledger work", whole.machine))
    if whole.fair_contest is not None:
        _show_contest(console, whole.fair_contest, _title("fair contest: the whole machine", whole.machine))
    if whole.trip_life is not None:
        show_trips(console, whole.trip_life, whole.machine)
    if whole.flatness is not None:
        console.print(_flatness(whole.flatness))


def show_trips(console: Console, results: trips.Results, machine: dict[str, Any]) -> None:
    """Print what was measured of trip life."""
    table = _table(_title("trip life", machine), "", *COLUMNS)
    table.add_row("one worker", *_figures(trips.events(results.plan), results.speeds, results.latencies))
    console.print(table)
    if results.profile is not None:
        _show_profile(console, results.profile)


def _show_contest(console: Console, results: Results, title: str) -> None:
    table = _table(title, "contestant", "guarantee", *COLUMNS)
    for each in results.plan.contestants:
        count = min(results.plan.commands, each.most_commands)
        latencies = results.latencies.get(each.name, ())
        table.add_row(each.name, each.guarantee, *_figures(count, results.speeds[each.name], latencies))
    console.print(table)
    for name, ratio in ratios(results).items():
        console.print(f"{name}: {ratio}")
    if results.profile is not None:
        _show_profile(console, results.profile)


def _title(work: str, machine: dict[str, Any]) -> str:
    return f"{work}, {machine['cores']} cores, load {machine['load_average_at_start'][0]} at the start"


def _figures(count: int, speeds: Sequence[Speed], latencies: Sequence[Latency]) -> Iterator[str]:
    spread = spreads(speeds)
    yield f"{count:,}"
    yield _range(spread["events_per_s"])
    yield f"{spread['second_half_events_per_s'].median:,.0f}"
    yield f"{spread['cpu_s_per_million'].median:,.1f}"
    yield f"{spread['rss_mb'].median:,.0f}"
    yield "\n".join(f"{each.p50_ms:.1f} / {each.p99_ms:.1f} ({each.rate_per_s:,})" for each in latencies)


def _range(spread: Spread) -> str:
    return " / ".join(f"{each:,.0f}" for each in spread)


def _show_profile(console: Console, profile: Profile) -> None:
    console.print(_phases(profile))
    console.print(_calls(profile))


def _phases(profile: Profile) -> Table:
    table = _table(f"one Millrace worker, {profile.records_per_cycle:,.0f} records a cycle", "phase", "us", "share")
    whole = sum(profile.phases_us.values())
    for name, microseconds in _with_parts(profile):
        table.add_row(name, f"{microseconds:.2f}", f"{microseconds / whole:.0%}")
    return table


def _with_parts(profile: Profile) -> Iterator[tuple[str, float]]:
    for name, microseconds in profile.phases_us.items():
        yield name, microseconds
        if name == "process":
            yield from ((f"  {part}", each) for part, each in profile.parts_us.items())
            yield "  the framework's rest", microseconds - sum(profile.parts_us.values())


def _calls(profile: Profile) -> Table:
    table = _table("dearest functions, under cProfile", "thread", "function", "calls", "own s", "total s")
    for call in profile.calls:
        table.add_row(call["thread"], call["function"], f"{call['calls']:,}", f"{call['own_s']:.2f}",
                      f"{call['total_s']:.2f}")  # fmt: skip
    return table


def _flatness(series: dict[str, Any]) -> Table:
    table = _table("CPU of an event without Kafka", "series", "at", "us min / median / max")
    for name, points in series.items():
        for at, found in points.items():
            table.add_row(name, f"{int(at):,}", f"{found['min']:.0f} / {found['us']:.0f} / {found['max']:.0f}")
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for n, column in enumerate(columns):
        table.add_column(column, justify="left" if n == 0 or column in ("guarantee", "function") else "right")
    return table
