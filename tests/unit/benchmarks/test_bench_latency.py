"""A run at a steady pace sees every answer, also one that is doubled after all others have come."""

import time
from typing import Any, NamedTuple

import pytest

from benchmarks.latency import Arrivals, Latency, Pace, Send, steadily


class Message(NamedTuple):
    number: int

    def error(self) -> None:
        return None


class Log:
    """Takes sends and answers each at once; the one that is `doubled` a second time, as a second transaction would."""

    def __init__(self, doubled: int | None, after_s: float = 1.0) -> None:
        self._waiting: list[tuple[float, int]] = []
        self._doubled, self._after_s = doubled, after_s

    def produce(self, _topic: str, value: bytes, *_: Any, **__: Any) -> None:
        now, number = time.monotonic(), int(value)
        self._waiting.append((now, number))
        if number == self._doubled:
            self._waiting.append((now + self._after_s, number))

    def poll(self, seconds: float) -> Message | None:
        due = next((each for each in self._waiting if each[0] <= time.monotonic()), None)
        if due is None:
            time.sleep(min(seconds, 0.01))
            return None
        self._waiting.remove(due)
        return Message(due[1])

    def flush(self, _: float) -> None: ...

    def close(self) -> None: ...


class Sender:
    """Of a log, without its answers."""

    def __init__(self, log: Log) -> None:
        self.produce, self.flush = log.produce, log.flush

    def poll(self, _: float) -> None: ...


class Broker:
    def __init__(self, log: Log) -> None:
        self._log = log

    def sender(self) -> Sender:
        return Sender(self._log)


def ran(log: Log) -> tuple[Latency, list[int]]:
    """What ten sends were measured at, and what was read meanwhile."""
    answers = list[int]()

    def read(message: Any) -> int:
        answers.append(message.number)
        return int(message.number)

    sends = [Send(number, "t", b"", b"%d" % number, 0, []) for number in range(10)]
    running: Any = None
    broker: Any = Broker(log)
    return steadily(running, broker, Arrivals(log, read), sends, Pace(100, 4, 5)), answers


@pytest.mark.parametrize("doubled", [4, 9])
def test_an_answer_that_is_doubled_is_read_twice_and_measured_once(doubled: int) -> None:
    latency, answers = ran(Log(doubled))
    assert sorted(answers) == sorted([*range(10), doubled])
    assert latency.max_ms < 1_000


def test_without_doubles_each_answer_is_read_once() -> None:
    assert sorted(ran(Log(doubled=None))[1]) == list(range(10))
