"""Who takes part. A new contestant is a file here that carries out a `Task`, and an entry in CONTESTANTS."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Contestant:
    """One way to do the work, run as one process that is given a `Task`."""

    name: str
    guarantee: str
    command: tuple[str, ...]
    most_commands: int = 1_000_000_000
    """For those with which the whole work would take minutes; speeds are per command and stay comparable."""


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"{__name__}.{module}")


MILLRACE = Contestant("millrace", "exactly once", _python("millrace"))
STOCK_FAUST = Contestant("stock_faust", "at least once", _python("stock_faust"), most_commands=60_000)
BARE_LOOP = Contestant("bare_loop", "exactly once", _python("bare_loop"))

TRIP_LIFE = Contestant("trip_life", "exactly once", (sys.executable, "-m", "benchmarks.trips.worker"))
"""Another work: see `benchmarks.trips`."""

CONTESTANTS = (MILLRACE, STOCK_FAUST, BARE_LOOP)
