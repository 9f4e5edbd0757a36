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


def phases() -> dict[str, float]:
    """Seconds and counts of the whole run, as the runtime counted them."""
    sums = {"process_s": "process_seconds_sum", "commit_s": "commit_seconds_sum", "cycles": "commit_seconds_count",
            "records": "cycle_records_sum"}  # fmt: skip
    return {name: REGISTRY.get_sample_value(f"millrace_{metric}") or 0.0 for name, metric in sums.items()}


class Calls:
    """cProfile in this thread and in every later one named `kafka_…`."""

    def __init__(self) -> None:
        self._profiles = {"agents": cProfile.Profile()}
        threading.setprofile(self._enter)
        self._profiles["agents"].enable()

    def _enter(self, *_: Any) -> None:
        sys.setprofile(None)
        if threading.current_thread().name.startswith("kafka"):
            profile = self._profiles["kafka"] = cProfile.Profile()
            profile.enable()

    def found(self) -> list[dict[str, Any]]:
        """The functions with the most time of their own, per thread."""
        self._profiles["agents"].disable()
        rows = [row for thread, profile in self._profiles.items() for row in _rows(thread, profile)]
        return sorted(rows, key=lambda row: -row["own_s"])[:SHOWN_CALLS]


def _rows(thread: str, profile: cProfile.Profile) -> list[dict[str, Any]]:
    stats: Any = pstats.Stats(profile, stream=io.StringIO())
    return [
        {"thread": thread, "function": _name(*where), "calls": calls, "own_s": own_s, "total_s": total_s}
        for where, (_, calls, own_s, total_s, _) in stats.stats.items()
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
