"""How long a command takes, from send to committed outcome, when there is little to do."""

import os
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks import work
from benchmarks.attempt import Attempt, AttemptError, attempt, check_exact
from benchmarks.broker import Broker
from benchmarks.contestants import Contestant
from benchmarks.work import Command, Outcome

RATE_PER_S = 200
WARM_UP = 1_000
MEASURED = 4_000
SEED = 9
LIMIT_S = 60.0


@dataclass(frozen=True)
class Latency:
    """One run at a steady rate, in milliseconds."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    load_1min: float


class Arrivals:
    """Reads outcomes in a thread of its own and remembers when each was first seen."""

    def __init__(self, reader: Any) -> None:
        self.at: dict[int, float] = {}
        self.outcomes: Counter[Outcome] = Counter()
        self._reader = reader
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def wait(self, count: int) -> None:
        """Until `count` commands are answered, or for a minute at most."""
        deadline = time.monotonic() + LIMIT_S
        while len(self.at) < count and time.monotonic() < deadline:
            time.sleep(0.05)

    def stop(self) -> None:
        """End the thread and the reader."""
        self._stopped.set()
        self._thread.join()
        self._reader.close()

    def _read(self) -> None:
        while not self._stopped.is_set():
            message = self._reader.poll(0.2)
            if message is not None and message.error() is None:
                now = time.perf_counter()
                outcome = Outcome(**orjson.loads(message.value()))
                self.outcomes[outcome] += 1
                self.at.setdefault(outcome.id, now)


def run(contestant: Contestant, broker: Broker) -> Latency:
    """Send commands at RATE_PER_S and measure all after the warm-up. Raises AttemptError as `speed.run` does."""
    load = os.getloadavg()[0]
    topic = f"steady-{contestant.name}"
    broker.create(topic)
    todo = list(work.commands(1 + WARM_UP + MEASURED, seed=SEED, duplicates=0.0))
    with attempt(contestant, broker, topic) as running:
        arrivals = Arrivals(broker.reader(running.task.outcomes))
        try:
            sent_at = _send(running, broker, topic, todo, arrivals)
            arrivals.wait(len(todo))
        finally:
            arrivals.stop()
        check_exact(contestant, work.model(todo), arrivals.outcomes, running.log)
    broker.delete(topic)
    took = sorted((arrivals.at[number] - sent_at[number]) * 1000 for number in list(sent_at)[-MEASURED:])
    return Latency(_quantile(took, 0.5), _quantile(took, 0.99), took[-1], load)


def _send(
    running: Attempt, broker: Broker, topic: str, todo: list[tuple[int, Command]], arrivals: Arrivals
) -> dict[int, float]:
    """Moment of each command's send, by its id. The first one only shows that the contestant is ready."""
    sender, sent_at = broker.sender(), dict[int, float]()

    def send(partition: int, command: Command) -> None:
        sent_at[command["id"]] = time.perf_counter()
        sender.produce(topic, orjson.dumps(command), command["owner"], partition)
        sender.poll(0)

    send(*todo[0])
    arrivals.wait(1)
    if not arrivals.at:
        raise AttemptError(f"{running.contestant.name} answers nothing; log {running.log}")
    time.sleep(1.0)
    begun = time.perf_counter()
    for n, each in enumerate(todo[1:]):
        time.sleep(max(0.0, begun + n / RATE_PER_S - time.perf_counter()))
        send(*each)
    sender.flush(LIMIT_S)
    return sent_at


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
