"""Runs a worker and writes down where its time went: `python -m benchmarks.profiled ledger|trips phases|calls`.

`phases` reads the runtime's own metrics and disturbs nothing. `calls` runs cProfile in the agents' thread and in the
Kafka clients' thread; it makes small Python functions look dearer than they are.
"""

import cProfile
import io
import json
import pstats
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client import REGISTRY

FOUND = "profile.json"
"""Written into the working directory when the worker ends."""
SHOWN_CALLS = 40
WAITS = ("'select.epoll'", "'_queue.SimpleQueue'", "'poll' of 'cimpl.Consumer'")
"""The one thread waits here for the other, or for records before the first and after the last."""


class Program(NamedTuple):
    """A worker, and the function that it calls with every batch: `name` of a class or module."""

    main: Callable[[], None]
    holder: Any
    name: str


def program(work: str) -> Program:
    """The worker of a work. Each is imported alone, so that one does not burden the other."""
    if work == "ledger":
        from benchmarks.contestants import millrace

        return Program(millrace.main, millrace, "work")
    from benchmarks.trips import worker
    from streams.pipeline import Pipeline

    return Program(worker.main, Pipeline, "process")


def phases() -> dict[str, float]:
    """Seconds and counts of the whole run, as the runtime counted them."""
    sums = {"process_s": "process_seconds_sum", "commit_s": "commit_seconds_sum", "cycles": "commit_seconds_count",
            "records": "cycle_records_sum"}  # fmt: skip
    return {name: REGISTRY.get_sample_value(f"millrace_{metric}") or 0.0 for name, metric in sums.items()}


class Calls:
    """cProfile in this thread and in the one of the Kafka clients, from the first batch on."""

    def __init__(self, holder: Any, name: str) -> None:
        self._profiles = {"agents": cProfile.Profile()}
        self._begun = False
        work = getattr(holder, name)

        def first(*batch: Any) -> None:
            self._begun = True
            setattr(holder, name, work)
            self._profiles["agents"].enable()
            work(*batch)

        setattr(holder, name, first)
        threading.setprofile(self._enter)

    def _enter(self, *_: Any) -> None:
        """Python's own profile hook, in each later thread, until cProfile takes its place or nothing does."""
        wanted = threading.current_thread().name.startswith("kafka")
        if self._begun or not wanted:
            sys.setprofile(None)
        if self._begun and wanted:
            profile = self._profiles["kafka"] = cProfile.Profile()
            profile.enable()

    def found(self) -> list[dict[str, Any]]:
        """The functions with the most time of their own."""
        self._profiles["agents"].disable()
        rows = [row for thread, profile in self._profiles.items() for row in _rows(thread, profile)]
        return sorted(rows, key=lambda row: -row["own_s"])[:SHOWN_CALLS]


def _rows(thread: str, profile: cProfile.Profile) -> list[dict[str, Any]]:
    stats: Any = pstats.Stats(profile, stream=io.StringIO())
    return [
        {"thread": thread, "function": _name(*where), "calls": calls, "own_s": own_s, "total_s": total_s}
        for where, (_, calls, own_s, total_s, _) in stats.stats.items()
        if not any(wait in where[2] for wait in WAITS)
    ]


def _name(file: str, line: int, function: str) -> str:
    return function if file == "~" else f"{Path(file).name}:{line} {function}"


def main() -> None:
    """Work until SIGTERM, then write what was found."""
    measured = program(sys.argv[1])
    calls = Calls(measured.holder, measured.name) if sys.argv[2] == "calls" else None
    try:
        measured.main()
    finally:
        Path(FOUND).write_text(json.dumps(phases() if calls is None else calls.found()))


if __name__ == "__main__":
    main()
