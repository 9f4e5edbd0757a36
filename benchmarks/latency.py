"""How long a command takes, from send to committed outcome, when there is little to do."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from benchmarks import work
from benchmarks.attempt import Attempt, AttemptError, attempt, check_exact
from benchmarks.broker import Broker
from benchmarks.contestants import Contestant
from benchmarks.speed import QUIET_S
from benchmarks.work import Outcome

SEED = 9
LIMIT_S = 60.0


class Pace(NamedTuple):
    """A steady rate: how many are sent a second, how many of them to warm up, and how many are measured."""

    rate_per_s: int
    warm_up: int
    measured: int

    @property
    def total(self) -> int:
        """All that are sent; the first one only shows that the contestant is ready."""
        return 1 + self.warm_up + self.measured


SLOW = Pace(200, 1_000, 4_000)
BRISK = Pace(2_000, 4_000, 20_000)


@dataclass(frozen=True)
class Latency:
    """One run at a steady rate, in milliseconds."""

    rate_per_s: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    load_1min: float


class Send(NamedTuple):
    """What is to be sent, under the id by which its outcome is known."""

    id: Hashable
    topic: str
    key: bytes
    value: bytes
    partition: int
    headers: list[tuple[str, bytes]]


class Arrivals:
    """Reads outcomes in a thread of its own and remembers when each was first seen, by the id that `read` gives it."""

    def __init__(self, reader: Any, read: Callable[[Any], Hashable]) -> None:
        self.at: dict[Hashable, float] = {}
        self._reader, self._read = reader, read
        self._last_at = time.perf_counter()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def wait(self, count: int) -> None:
        """Until `count` commands are answered, or for a minute at most."""
        deadline = time.monotonic() + LIMIT_S
        while len(self.at) < count and time.monotonic() < deadline:
            time.sleep(0.05)

    def wait_quiet(self) -> None:
        """Until nothing has come for `QUIET_S`, for a minute at most: a doubled answer may come after all others."""
        deadline = time.monotonic() + LIMIT_S
        while time.perf_counter() - self._last_at <= QUIET_S and time.monotonic() < deadline:
            time.sleep(0.05)

    def stop(self) -> None:
        """End the thread and the reader."""
        self._stopped.set()
        self._thread.join()
        self._reader.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            message = self._reader.poll(0.2)
            if message is not None and message.error() is None:
                now = self._last_at = time.perf_counter()
                self.at.setdefault(self._read(message), now)


def run(contestant: Contestant, broker: Broker, pace: Pace = SLOW) -> Latency:
    """Send ledger commands at a pace and measure all after the warm-up. Raises AttemptError as `speed.run` does."""
    topic = f"steady-{contestant.name}-{pace.rate_per_s}"
    broker.create(topic)
    todo = list(work.commands(pace.total, seed=SEED, duplicates=0.0))
    sends = [Send(each["id"], topic, each["owner"].encode(), orjson.dumps(each), n, []) for n, each in todo]
    outcomes: Counter[Outcome] = Counter()

    def read(message: Any) -> int:
        outcome = Outcome(**orjson.loads(message.value()))
        outcomes[outcome] += 1
        return outcome.id

    with attempt(contestant, broker, topic) as running:
        arrivals = Arrivals(broker.reader(running.task.outcomes), read)
        found = steadily(running, broker, arrivals, sends, pace)
        check_exact(contestant, work.model(todo), outcomes, running.log)
    broker.delete(topic)
    return found


def steadily(running: Attempt, broker: Broker, arrivals: Arrivals, sends: Sequence[Send], pace: Pace) -> Latency:
    """Send at a pace, wait for all answers and for what may follow them, and stop `arrivals`."""
    load = os.getloadavg()[0]
    try:
        sent_at = _send(running, broker, sends, pace.rate_per_s, arrivals)
        arrivals.wait(len(sends))
        arrivals.wait_quiet()
    finally:
        arrivals.stop()
    missing = len(sent_at.keys() - arrivals.at.keys())
    if missing:
        raise AttemptError(f"{running.contestant.name} left {missing} unanswered; log {running.log}")
    took = sorted((arrivals.at[each] - sent_at[each]) * 1000 for each in list(sent_at)[-pace.measured :])
    return Latency(pace.rate_per_s, _quantile(took, 0.5), _quantile(took, 0.99), took[-1], load)


def _send(
    running: Attempt, broker: Broker, sends: Sequence[Send], rate_per_s: int, arrivals: Arrivals
) -> dict[Hashable, float]:
    """Moment of each send, by its id."""
    sender, sent_at = broker.sender(), dict[Hashable, float]()

    def send(each: Send) -> None:
        sent_at[each.id] = time.perf_counter()
        sender.produce(each.topic, each.value, each.key, each.partition, headers=each.headers)
        sender.poll(0)

    send(sends[0])
    arrivals.wait(1)
    if not arrivals.at:
        raise AttemptError(f"{running.contestant.name} answers nothing; log {running.log}")
    time.sleep(1.0)
    begun = time.perf_counter()
    for n, each in enumerate(sends[1:]):
        time.sleep(max(0.0, begun + n / rate_per_s - time.perf_counter()))
        send(each)
    sender.flush(LIMIT_S)
    return sent_at


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
