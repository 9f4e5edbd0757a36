"""How fast one worker of the real app works off trip lives that lie there already."""

import os
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from benchmarks import speed
from benchmarks.attempt import BUILD, Attempt, AttemptError, started
from benchmarks.contestants import TRIP_LIFE, Contestant
from benchmarks.speed import Speed
from benchmarks.task import Task
from benchmarks.trips import outcomes
from benchmarks.trips.city import City, now_us
from benchmarks.trips.lives import lives, model
from schemas.topics import JOURNAL, TRIP_PAYMENTS

SEED = 11
OPENING_LIMIT_S = 180.0


@dataclass(frozen=True)
class Run:
    """One run; `audited` decisions were folded by the auditor, 0 where it was not asked."""

    speed: Speed
    audited: int
    folder: Path


def task(city: City, name: str) -> Task:
    """A run of the app: group and changelogs have the app's own names."""
    run = f"trips-{name}-{uuid.uuid4().hex[:6]}"
    return Task(city.settings.kafka, run, "", JOURNAL.name, str(BUILD / run))


def prepare(city: City) -> None:
    """Topics without history, then reference data and opening deposits, worked off by a worker that ends then."""
    city.build()
    count = city.open()
    with started(TRIP_LIFE, task(city, "opening"), city.environment) as running:
        wait_for(running, city, count)


def wait_for(running: Attempt, city: City, count: int) -> None:
    """Until the journal has `count` entries. Raises AttemptError after three minutes."""
    deadline = time.monotonic() + OPENING_LIMIT_S
    while sum(city.broker.ends(JOURNAL.name)) < count:
        running.cpu_s()
        if time.monotonic() > deadline:
            raise AttemptError(f"the opening took too long; log {running.log}")
        time.sleep(0.1)
    time.sleep(1.0)


def run(city: City, count: int, *, seed: int = SEED, contestant: Contestant = TRIP_LIFE, audit: bool = True) -> Run:
    """Let a fresh worker work off `count` lives that lie there already.

    Raises AttemptError if an outcome is missing, doubled or different, or the auditor finds a difference.
    """
    prepare(city)
    events, wanted = model(lives(count, now_us(), seed=seed, run=uuid.uuid4().hex[:6]))
    before, payments = city.broker.ends(JOURNAL.name), city.broker.ends(TRIP_PAYMENTS.name)
    city.publish(events)
    todo = task(city, contestant.name)
    load = os.getloadavg()[0]
    with started(contestant, todo, city.environment) as running:
        samples, rss_mb = speed.watch(running, city.broker, wanted.total, before)
        started_at = running.started_at()
    last = outcomes.check(city, wanted, before, payments)
    begun = min(samples, key=lambda sample: abs(sample.at - started_at))._replace(at=started_at)
    ends = tuple(end - start for end, start in zip(last, before, strict=True))
    figures = speed.measured(begun, speed.until(samples, ends), count=wanted.total, rss_mb=rss_mb, load_1min=load)
    return Run(figures, outcomes.check_books(city) if audit else 0, Path(todo.folder))
