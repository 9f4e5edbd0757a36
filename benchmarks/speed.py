"""How fast a contestant works off a topic that is full before it starts."""

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.attempt import Attempt, AttemptError, attempt, check_exact
from benchmarks.broker import Broker, Ends
from benchmarks.contestants import Contestant
from benchmarks.work import Outcome

SAMPLE_S = 0.04
QUIET_S = 2.0
"""Nothing may follow for so long after the last outcome: a duplicate is an error too."""
STALL_S = 60.0


@dataclass(frozen=True)
class Speed:
    """One run. CPU and time count from the first command to the last outcome that became visible."""

    events_per_s: float
    second_half_events_per_s: float
    cpu_s_per_million: float
    broker_cpu_s_per_million: float
    rss_mb: float
    other_cores: float
    """Cores used meanwhile by anything but contestant, broker and harness."""
    load_1min: float
    """The machine's load average when the run began."""


class Sample(NamedTuple):
    """What was seen at one moment."""

    at: float
    ends: Ends
    """Outcomes and markers since the run began."""
    cpu_s: float
    broker_cpu_s: float
    busy_s: float
    """All CPU time of the machine but the harness's."""


def run(contestant: Contestant, broker: Broker, commands: str, wanted: Counter[Outcome]) -> tuple[Speed, Path]:
    """Let a contestant do the whole work once; its speed, and the folder it left.

    Raises AttemptError if it fails or its outcomes are not `wanted`.
    """
    load = os.getloadavg()[0]
    with attempt(contestant, broker, commands) as running:
        samples, rss_mb = watch(running, broker, wanted.total())
        seen, last = broker.outcomes(running.task.outcomes)
        check_exact(contestant, wanted, seen, running.log)
        started_at = running.started_at()
    begun = min(samples, key=lambda sample: abs(sample.at - started_at))._replace(at=started_at)
    figures = measured(begun, until(samples, last), count=wanted.total(), rss_mb=rss_mb, load_1min=load)
    return figures, Path(running.task.folder)


def watch(running: Attempt, broker: Broker, count: int, before: Ends | None = None) -> tuple[list[Sample], float]:
    """Look on until `count` outcomes are visible beyond `before` and nothing follows; samples, and most MB in memory.

    Raises AttemptError if the contestant ends or stands still.
    """
    before = before or (0,) * broker.partitions
    samples: list[Sample] = []
    rss_mb, changed_at = 0.0, time.monotonic()
    while True:
        sample = _sample(running, broker, before)
        if not samples or sample.ends != samples[-1].ends:
            changed_at = sample.at
        samples.append(sample)
        rss_mb = max(rss_mb, running.rss_mb())
        quiet_s = sample.at - changed_at
        if sum(sample.ends) >= count and quiet_s > QUIET_S:
            return samples, rss_mb
        if quiet_s > STALL_S:
            raise AttemptError(f"{running.contestant.name} stands still at {sum(sample.ends)}; log {running.log}")
        time.sleep(SAMPLE_S)


def _sample(running: Attempt, broker: Broker, before: Ends) -> Sample:
    machine = psutil.cpu_times()
    busy_s = sum(machine) - machine.idle - machine.iowait - machine.guest - machine.guest_nice - time.process_time()
    cpu_s, broker_cpu_s = running.cpu_s(), broker.cpu_s()
    ends = tuple(end - start for end, start in zip(broker.ends(running.task.outcomes), before, strict=True))
    return Sample(time.monotonic(), ends, cpu_s, broker_cpu_s, busy_s)


def until(samples: list[Sample], last: Ends) -> list[Sample]:
    """Up to the first sample that saw the last outcomes, `last` counted as the samples count."""
    for n, sample in enumerate(samples):
        if all(seen >= end for seen, end in zip(sample.ends, last, strict=True)):
            return samples[: n + 1]
    raise AssertionError("outcomes were read that no sample saw")


def measured(first: Sample, samples: list[Sample], *, count: int, rss_mb: float, load_1min: float) -> Speed:
    """Figures of `count` commands, begun at `first` and all visible in the last of `samples`."""
    end = samples[-1]
    half = next(sample for sample in samples if sum(sample.ends) >= sum(end.ends) / 2)
    seconds, half_s = end.at - first.at, max(end.at - half.at, SAMPLE_S)
    second_half = (sum(end.ends) - sum(half.ends)) / sum(end.ends) * count  # without transaction markers
    cpu_s, broker_cpu_s = end.cpu_s - first.cpu_s, end.broker_cpu_s - first.broker_cpu_s
    return Speed(
        events_per_s=count / seconds,
        second_half_events_per_s=second_half / half_s,
        cpu_s_per_million=cpu_s / count * 1e6,
        broker_cpu_s_per_million=broker_cpu_s / count * 1e6,
        rss_mb=rss_mb,
        other_cores=max(0.0, (end.busy_s - first.busy_s - cpu_s - broker_cpu_s) / seconds),
        load_1min=load_1min,
    )
