"""A smaller script that fails in the same way: fewer faults first, then fewer commands."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from streams.simulator.run import Outcome, run
from streams.simulator.script import Script

T = TypeVar("T")

MOST_RUNS = 400


class Shrunk(NamedTuple):
    """What is left of a failure, and how many runs it took."""

    script: Script
    outcome: Outcome
    runs: int


def shrink(script: Script, failed: Outcome, run: Callable[[Script], Outcome] = run) -> Shrunk:
    """Take away whatever the failure does not need, by halves, quarters and so on; `failed` is the script's outcome."""
    kind, runs, best = failed.kind, 0, failed

    def still_fails(smaller: Script) -> bool:
        nonlocal runs, best
        if runs >= MOST_RUNS:
            return False
        runs += 1
        outcome = run(smaller)
        if outcome.kind != kind:
            return False
        best = outcome
        return True

    def with_faults(faults: Sequence[Any]) -> Script:
        return script._replace(faults=tuple(faults))

    def with_sends(sends: Sequence[Any]) -> Script:
        return script._replace(sends=tuple(sends))

    script = with_faults(_least(script.faults, lambda faults: still_fails(with_faults(faults))))
    script = with_sends(_least(script.sends, lambda sends: still_fails(with_sends(sends))))
    return Shrunk(script, best, runs)


def _least(parts: Sequence[T], suffices: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """A part of `parts` that still suffices, none of whose pieces can be left out as the search went."""
    size = len(parts)
    while size:
        start = 0
        while start < len(parts):
            fewer = [*parts[:start], *parts[start + size :]]
            if suffices(fewer):
                parts = fewer
            else:
                start += size
        size //= 2
    return parts
