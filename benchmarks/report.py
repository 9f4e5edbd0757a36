"""The report: a JSON file for the record, tables for the eye."""

import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.contest import Results, Spread, spreads
from benchmarks.contestants import BARE_LOOP, MILLRACE, STOCK_FAUST
from benchmarks.profiling import Profile

LIBRARIES = ("aiokafka", "confluent-kafka", "faust-streaming", "msgspec", "orjson")
RATIOS = ((MILLRACE, STOCK_FAUST), (MILLRACE, BARE_LOOP))

Json = dict[str, Any]


def machine() -> Json:
    """What the figures depend on besides the code; to be asked before anything starts."""
    load = os.getloadavg()
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "load_average_at_start": [round(each, 2) for each in load],
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_mb": psutil.virtual_memory().total >> 20,
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def document(results: Results, about: Json) -> Json:
    """The whole report. A contestant's figures are medians; `spread` has min, median and max, `rounds` each run."""
    whole = {
        "ledger": {each.name: _contestant(results, each.name) for each in results.plan.contestants},
        "ratios": ratios(results),
        "profile": None if results.profile is None else asdict(results.profile),
        "machine": about,
        "plan": {"commands": results.plan.commands, "rounds": results.plan.rounds, "seed": results.plan.seed},
    }
    rounded: Json = _rounded(whole)
    return rounded


def _contestant(results: Results, name: str) -> Json:
    contestant = next(each for each in results.plan.contestants if each.name == name)
    spread = spreads(results.speeds[name])
    latency = results.latencies.get(name)
    figures: Json = {figure: each.median for figure, each in spread.items()}
    return {
        "guarantee": contestant.guarantee,
        "commands": min(results.plan.commands, contestant.most_commands),
        "exact": True,  # a run that is not is not reported
        **figures,
        "latency": None if latency is None else asdict(latency),
        "spread": {figure: each._asdict() for figure, each in spread.items()},
        "rounds": [asdict(each) for each in results.speeds[name]],
    }


def ratios(results: Results) -> dict[str, float]:
    """Speed of the one by that of the other, by their medians."""
    medians = {name: spreads(speeds)["events_per_s"].median for name, speeds in results.speeds.items()}
    return {
        f"{one.name} / {other.name}": round(medians[one.name] / medians[other.name], 2)
        for one, other in RATIOS
        if one.name in medians and other.name in medians
    }


def _rounded(value: Any) -> Any:
    """Three digits after the point for small numbers, none for large ones."""
    if isinstance(value, float):
        return round(value) if abs(value) >= 1_000 else round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


def write(path: Path, results: Results, about: Json) -> None:
    """Write the report as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(results, about), indent=1) + "\n", encoding="utf-8")


def show(console: Console, results: Results, about: Json) -> None:
    """Print the report."""
    load = about["load_average_at_start"][0]
    console.print(_speeds(results, f"ledger work, {about['cores']} cores, load {load} at the start"))
    for name, ratio in ratios(results).items():
        console.print(f"{name}: {ratio}", highlight=False)
    if results.profile is not None:
        console.print(_phases(results.profile))
        console.print(_calls(results.profile))


def _speeds(results: Results, title: str) -> Table:
    table = _table(title, "contestant", "guarantee", "commands", "events/s min / median / max", "second half",
                   "CPU s/million", "MB", "p50 / p99 ms")  # fmt: skip
    for each in results.plan.contestants:
        spread, latency = spreads(results.speeds[each.name]), results.latencies.get(each.name)
        table.add_row(
            each.name, each.guarantee, f"{min(results.plan.commands, each.most_commands):,}",
            _range(spread["events_per_s"]), f"{spread['second_half_events_per_s'].median:,.0f}",
            f"{spread['cpu_s_per_million'].median:,.1f}", f"{spread['rss_mb'].median:,.0f}",
            "" if latency is None else f"{latency.p50_ms:.1f} / {latency.p99_ms:.1f}",
        )  # fmt: skip
    return table


def _range(spread: Spread) -> str:
    return " / ".join(f"{each:,.0f}" for each in spread)


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


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for n, column in enumerate(columns):
        table.add_column(column, justify="left" if n == 0 or column in ("guarantee", "function") else "right")
    return table
