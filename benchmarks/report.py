"""The report: a JSON file for the record."""

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.contest import Results, spreads
from benchmarks.contestants import BARE_LOOP, KAFKA_STREAMS, KAFKA_STREAMS_TUNED, MILLRACE, QUIX, STOCK_FAUST
from benchmarks.latency import SLOW, Latency
from benchmarks.profiling import Profile
from benchmarks.speed import Speed
from benchmarks.trips import hold as trips

LIBRARIES = ("aiokafka", "confluent-kafka", "faust-streaming", "fastavro", "msgspec", "orjson", "pydantic")
RATIOS = tuple((MILLRACE, other) for other in (KAFKA_STREAMS, KAFKA_STREAMS_TUNED, QUIX, STOCK_FAUST, BARE_LOOP))

Json = dict[str, Any]


@dataclass
class Whole:
    """All that was measured; what was left out is None."""

    machine: Json
    ledger: Results | None = None
    fair_contest: Results | None = None
    trip_life: trips.Results | None = None
    flatness: Json | None = None


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


def document(whole: Whole) -> Json:
    """The whole report. Figures are medians; `spread` has min, median and max, `rounds` each run."""
    ledger = whole.ledger
    found = {
        "ledger": None if ledger is None else _contestants(ledger),
        "fair_contest": None if whole.fair_contest is None else _contestants(whole.fair_contest),
        "trip_life": None if whole.trip_life is None else _trip_life(whole.trip_life),
        "flatness": whole.flatness,
        "ratios": {} if ledger is None else ratios(ledger),
        "profile": None if ledger is None else _profile(ledger.profile),
        "machine": whole.machine,
    }
    rounded: Json = _rounded(found)
    return rounded


def _contestants(results: Results) -> Json:
    return {
        each.name: {
            "guarantee": each.guarantee,
            "processes": each.processes,
            "commands": min(results.plan.commands, each.most_commands),
            "exact": True,  # a run that is not is not reported
            **_figures(results.speeds[each.name], results.latencies.get(each.name, ())),
        }
        for each in results.plan.contestants
    }


def _trip_life(results: trips.Results) -> Json:
    return {
        "events": trips.events(results.plan),
        "exact": True,
        "audited_decisions": results.audited,
        **_figures(results.speeds, results.latencies),
        "profile": _profile(results.profile),
    }


def _figures(speeds: Sequence[Speed], latencies: Sequence[Latency]) -> Json:
    spread = spreads(speeds)
    slow = next((each for each in latencies if each.rate_per_s == SLOW.rate_per_s), None)
    return {
        **{figure: each.median for figure, each in spread.items()},
        "p50_ms": None if slow is None else slow.p50_ms,
        "p99_ms": None if slow is None else slow.p99_ms,
        "latency": {str(each.rate_per_s): asdict(each) for each in latencies},
        "spread": {figure: each._asdict() for figure, each in spread.items()},
        "rounds": [asdict(each) for each in speeds],
    }


def _profile(profile: Profile | None) -> Json | None:
    return None if profile is None else asdict(profile)


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


def write(path: Path, whole: Whole) -> None:
    """Write the report as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(whole), indent=1) + "\n", encoding="utf-8")
