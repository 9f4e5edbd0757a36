"""How long an event of a trip's life takes, from send to the committed event that answers it."""

import time
from itertools import islice
from typing import Any
from uuid import uuid4

from benchmarks.attempt import AttemptError, started
from benchmarks.contestants import TRIP_LIFE
from benchmarks.latency import Arrivals, Latency, Pace, Send, steadily
from benchmarks.trips import outcomes
from benchmarks.trips.city import City, now_us
from benchmarks.trips.lives import lives
from benchmarks.trips.run import prepare, task
from schemas.partitioning import partition_of
from schemas.publishing import Upstream
from schemas.topics import TRIP_PAYMENTS

SEED = 12
RUNNING = 20


def run(city: City, pace: Pace) -> Latency:
    """Send events to one worker of the real app at a pace. Raises AttemptError if one is not answered exactly once."""
    prepare(city)
    told = lives(pace.total, now_us(), seed=SEED, run=uuid4().hex[:6], duplicates=0.0, running=RUNNING)
    sends = [_send(city, upstream) for upstream, _ in islice(told, pace.total)]
    answers: list[str] = []

    def read(message: Any) -> str:
        event_id: str = next(value for name, value in message.headers() if name == "ce_causationid").decode()
        answers.append(event_id)
        return event_id

    with started(TRIP_LIFE, task(city, "latency"), city.environment) as running:
        reader = city.broker.reader(TRIP_PAYMENTS.name, city.broker.ends(TRIP_PAYMENTS.name))
        found = steadily(running, city.broker, Arrivals(reader, read), sends, pace)
        time.sleep(1.0)  # the last journal entries and projections are in the same transactions
    if sorted(answers) != sorted(str(send.id) for send in sends):
        raise AttemptError(f"trip life: {len(answers)} answers to {len(sends)} events; log {running.log}")
    outcomes.check_books(city)
    return found


def _send(city: City, upstream: Upstream) -> Send:
    topic, envelope, message = upstream
    key = envelope.subject.encode()
    return Send(envelope.id, topic.name, key, city.codec.encode(message), partition_of(key), envelope.headers())
