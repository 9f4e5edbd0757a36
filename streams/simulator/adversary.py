"""Carries out the faults of a script on the machines that run workers."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Protocol, TypeVar

from streams.runtime.outside import Outside
from streams.simulator.faults import Blow, Trap
from streams.simulator.kafka.broker import Broker
from streams.simulator.kafka.errors import Refusal
from streams.simulator.kafka.host import Host, Mishap, Request
from streams.simulator.kafka.messages import Place

T = TypeVar("T")

REQUEST_S = 0.002
"""How long a request takes."""

BEFORE, AFTER = 0, 1


class Killed(BaseException):
    """The process is dead from here on. Not an Exception: no code of ours may survive it."""


class Sleeper(Protocol):
    """The world, as a machine that stands still sees it: everything else goes on."""

    def go_on_without(self, machine: "AdversarialHost", seconds: float) -> None: ...


class Survived(Counter[str]):
    """Faults that took place, by name."""


class AdversarialHost(Host):
    """A machine on which the script's traps are set.

    A pause runs the world for its length from inside the call that is paused: when the call goes on, the time is later,
    and the others have done what they do.
    """

    def __init__(
        self, broker: Broker, name: str, rnd: random.Random, traps: Iterable[Trap], survived: Survived
    ) -> None:
        super().__init__(broker, name)
        self.world: Sleeper
        self.lag_s = 0.0
        """How far this machine's clock is ahead of the world's: what its calls have taken in this turn."""
        self.restart_after_s = 0.0
        self._rnd = rnd
        self._survived = survived
        self._reached: Counter[tuple[Enum, int]] = Counter()
        self._traps: dict[tuple[Enum, int, int], list[Trap]] = {}
        self._late: list[tuple[int, Callable[[], object]]] = []
        self._mishap: Trap | None = None
        self._points_until_late = 0
        for trap in traps:
            self._traps.setdefault((trap.point, trap.after, trap.nth), []).append(trap)

    @property
    def outside(self) -> Outside:
        """Clients and clocks for a worker on this machine."""
        return Outside(self.new_consumer, self.new_producer, self.now, self.now, self.spend)

    def now(self) -> float:
        """This machine's clock, in seconds."""
        return self.broker.now_s + self.lag_s

    def spend(self, seconds: float) -> None:
        self.lag_s += seconds

    def disarm(self) -> None:
        """No more faults; what is on its way comes now."""
        self._traps.clear()
        late, self._late = self._late, []
        for _, request in late:
            self._let_in(request)

    # ---- where traps spring

    def at(self, step: Enum) -> None:
        self._spring(step, BEFORE)

    def before(self, request: Request) -> None:
        self.spend(REQUEST_S)
        if request is not Request.FETCH:
            self._let_late_ones_in()
        self._spring(request, BEFORE)

    def after(self, request: Request) -> None:
        self._spring(request, AFTER)

    def _spring(self, point: Enum, side: int) -> None:
        self._reached[point, side] += 1
        for trap in self._traps.pop((point, side, self._reached[point, side]), ()):
            match trap.blow:
                case Blow.CRASH:
                    self._count(trap.blow, point)
                    self.restart_after_s = trap.amount
                    raise Killed
                case Blow.PAUSE:
                    self._count(trap.blow, point)
                    self.world.go_on_without(self, trap.amount)
                case Blow.ANSWER_LOST | Blow.LATE_COPY | Blow.TIMED_OUT:
                    self._mishap = trap

    def _count(self, blow: Blow, point: Enum) -> None:
        self._survived[f"{blow.value} at {point.value}"] += 1

    # ---- what becomes of requests

    def mishap(self, request: Request) -> Mishap:
        trap, self._mishap = self._mishap, None
        if trap is None or (trap.blow is Blow.TIMED_OUT and request is Request.PRODUCE):
            return Mishap.NONE
        self._count(trap.blow, request)
        if trap.blow is Blow.TIMED_OUT:
            self.spend(trap.amount)
            return Mishap.TIMED_OUT
        if trap.blow is Blow.LATE_COPY:
            self._points_until_late = int(trap.amount)
            return Mishap.LATE_COPY
        return Mishap.ANSWER_LOST

    def delay(self, late: Callable[[], object]) -> None:
        self._late.append((self._points_until_late, late))

    def _let_late_ones_in(self) -> None:
        if not self._late:
            return
        due = [request for left, request in self._late if left <= 1]
        self._late = [(left - 1, request) for left, request in self._late if left > 1]
        for request in due:
            self._let_in(request)

    def _let_in(self, request: Callable[[], object]) -> None:
        try:
            request()
        except Refusal as refusal:
            self._survived[f"late request refused: {refusal}"] += 1

    def joins_at_once(self) -> bool:
        return self._rnd.random() < 0.5

    def arrange(self, places: list[T]) -> list[T]:
        start = self._rnd.randrange(len(places)) if places else 0
        return places[start:] + places[:start]


class Markers:
    """Holds back the markers of decided transactions, while it is told to."""

    def __init__(self, broker: Broker, rnd: random.Random, survived: Survived) -> None:
        self._broker, self._rnd, self._survived = broker, rnd, survived
        self._until_s = 0.0
        broker.transactions.hold_back = self._hold_back

    def hold(self, seconds: float) -> None:
        """From now on, for so long."""
        self._until_s = max(self._until_s, self._broker.now_s + seconds)

    def release(self) -> None:
        """Write them, if it is time."""
        if self._broker.now_s >= self._until_s:
            self._broker.transactions.settle_all()

    def _hold_back(self, places: Iterable[Place]) -> list[Place]:
        if self._broker.now_s >= self._until_s:
            return []
        held = [place for place in places if self._rnd.random() < 0.5]
        self._survived["marker held back"] += len(held)
        return held


def compact(broker: Broker, topics: Sequence[str], rnd: random.Random, share: float) -> None:
    """Clean the logs of these topics, each up to some offset; tombstones older than a week go."""
    week_ago_ms = int((broker.now_s - 7 * 24 * 3600) * 1000)
    for place, log in broker.logs.items():
        if place.topic in topics:
            log.compact(int(log.end * min(1.0, share + rnd.random())), week_ago_ms)
