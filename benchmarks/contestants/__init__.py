"""Who takes part. A new contestant is a program here that carries out a `Task`, and an entry in CONTESTANTS."""

import sys
from dataclasses import dataclass, replace

from benchmarks.install import Installed, folder


@dataclass(frozen=True)
class Contestant:
    """One way to do the work, run as one process, or several equal ones, that are given a `Task`."""

    name: str
    guarantee: str
    command: tuple[str, ...]
    most_commands: int = 1_000_000_000
    """For those with which the whole work would take minutes; speeds are per command and stay comparable."""
    needs: Installed | None = None
    processes: int = 1


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"{__name__}.{module}")


def _kafka_streams(*arguments: str, java: tuple[str, ...] = ()) -> tuple[str, ...]:
    warnings = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return ("java", "-Xmx1g", *java, warnings, "-cp", f"{folder(Installed.KAFKA_STREAMS)}/*", "millrace.bench.Main",
            *arguments)  # fmt: skip


EXACTLY_ONCE = "exactly once"

MILLRACE = Contestant("millrace", EXACTLY_ONCE, _python("millrace"))
KAFKA_STREAMS = Contestant(
    "kafka_streams_eos_v2", EXACTLY_ONCE, _kafka_streams("plain", "1"), needs=Installed.KAFKA_STREAMS
)
KAFKA_STREAMS_TUNED = Contestant(
    "kafka_streams_tuned",
    EXACTLY_ONCE,
    _kafka_streams("tuned", "1", java=("-XX:+UseParallelGC",)),
    needs=Installed.KAFKA_STREAMS,
)
QUIX = Contestant(
    "quix_eos",
    EXACTLY_ONCE,
    (f"{folder(Installed.QUIX)}/bin/python", "-m", f"{__name__}.quix_streams"),
    needs=Installed.QUIX,
)
STOCK_FAUST = Contestant("stock_faust", "at least once", _python("stock_faust"), most_commands=60_000)
BARE_LOOP = Contestant("bare_loop", EXACTLY_ONCE, _python("bare_loop"))
TRIP_LIFE = Contestant("trip_life", EXACTLY_ONCE, (sys.executable, "-m", "benchmarks.profiled", "trips", "phases"))
"""Another work: see `benchmarks.trips`. It writes down its own phases when it ends, which costs nothing before."""

CONTESTANTS = (MILLRACE, KAFKA_STREAMS, KAFKA_STREAMS_TUNED, QUIX, STOCK_FAUST, BARE_LOOP)

WHOLE_MACHINE = (
    replace(MILLRACE, name="millrace_two_workers", processes=2),
    replace(KAFKA_STREAMS_TUNED, name="kafka_streams_tuned_one_thread"),
    replace(
        KAFKA_STREAMS_TUNED,
        name="kafka_streams_tuned_two_threads",
        command=(*KAFKA_STREAMS_TUNED.command[:-1], "2"),
    ),
    replace(BARE_LOOP, name="bare_loop_two_processes", processes=2),
)
"""Who takes part where all cores may be used."""
