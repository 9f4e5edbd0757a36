"""Runs the Millrace contestant and writes down where its time went: `python -m benchmarks.profiled phases|calls`.

`phases` reads the runtime's own metrics and disturbs nothing. `calls` runs cProfile in the agents' thread and in the
Kafka clients' thread; it makes small Python functions look dearer than they are.
"""

import cProfile
import io
import json
import pstats
import sys
import threading
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY

from benchmarks.contestants import millrace

FOUND = "profile.json"
"""Written into the working directory when the worker ends."""
SHOWN_CALLS = 20
WAITS = ("'select.epoll'", "'_queue.SimpleQueue'", "'poll' of 'cimpl.Consumer'")
"""The one thread waits here for the other, or for records before the first and after the last."""


def phases() -> dict[str, float]:
    """Seconds and counts of the whole run, as the runtime counted them."""
    sums = {"process_s": "process_seconds_sum", "commit_s": "commit_seconds_sum", "cycles": "commit_seconds_count",
            "records": "cycle_records_sum"}  # fmt: skip
    return {name: REGISTRY.get_sample_value(f"millrace_{metric}") or 0.0 for name, metric in sums.items()}


class Calls:
    """cProfile in this thread and in the one of the Kafka clients, from the first batch on."""

    def __init__(self) -> None:
        self._profiles = {"agents": cProfile.Profile()}
        self._work, self._begun = millrace.work, False
        vars(millrace)["work"] = self._begin
        threading.setprofile(self._enter)

    def _begin(self, *batch: Any) -> None:
        self._begun = True
        vars(millrace)["work"] = self._work
        self._profiles["agents"].enable()
        self._work(*batch)

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
    calls = Calls() if sys.argv[1] == "calls" else None
    try:
        millrace.main()
    finally:
        Path(FOUND).write_text(json.dumps(phases() if calls is None else calls.found()))


if __name__ == "__main__":
    main()
