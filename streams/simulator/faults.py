"""What goes wrong in one run, drawn from its seed: traps on the way of machines, and things that happen to them."""

import random
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple, TypeAlias

from streams.simulator.kafka.host import Request
from streams.simulator.worker import Step

MACHINES = ("a", "b", "c")

LEAD_S = 2.0
"""Reference data comes this much before the first command."""

SPREAD_S = 8.0
"""How long upstream takes to send the commands of a run."""


class Blow(Enum):
    """What happens to a machine where a trap springs."""

    CRASH = "crash"
    PAUSE = "pause"
    ANSWER_LOST = "answer_lost"
    LATE_COPY = "late_copy"
    TIMED_OUT = "timed_out"


class Trap(NamedTuple):
    """Springs when a machine comes to a point for the nth time, before or after it is done.

    `amount` is seconds until it goes on or starts again; for a late copy, the number of points until it comes.
    """

    machine: str
    point: Request | Step
    after: int
    nth: int
    blow: Blow
    amount: float


class Turn(Enum):
    """What happens to all of them."""

    START = "start"
    STOP = "stop"
    FREEZE = "freeze"
    COMPACT = "compact"
    HOLD_MARKERS = "hold_markers"
    SLEEP = "sleep"


class Happening(NamedTuple):
    """Something that happens at a moment. `amount` is seconds, for compaction the share of a log."""

    at_s: float
    turn: Turn
    machine: str
    amount: float


Fault: TypeAlias = Trap | Happening


POINTS: tuple[tuple[Request | Step, int, tuple[Blow, ...]], ...] = (
    (Request.FETCH, 60, (Blow.CRASH, Blow.PAUSE)),
    (Step.WORK, 25, (Blow.CRASH, Blow.PAUSE)),
    (Step.RESTORE, 6, (Blow.CRASH, Blow.PAUSE)),
    (Request.COMMITTED, 3, (Blow.CRASH, Blow.PAUSE)),
    (Request.INIT, 3, (Blow.CRASH,)),
    (Request.PRODUCE, 25, (Blow.CRASH, Blow.PAUSE, Blow.ANSWER_LOST, Blow.LATE_COPY)),
    (Request.OFFSETS, 25, tuple(Blow)),
    (Request.OFFSETS, 15, (Blow.LATE_COPY, Blow.ANSWER_LOST)),
    (Request.END, 25, tuple(Blow)),
    (Request.END, 15, tuple(Blow)),
)
"""Where traps may be, how many times a machine comes there in a run or so, and what may happen to it."""

TURNS = (
    Turn.START,
    Turn.FREEZE,
    Turn.STOP,
    Turn.COMPACT,
    Turn.COMPACT,
    Turn.HOLD_MARKERS,
    Turn.HOLD_MARKERS,
    Turn.SLEEP,
)


RELAY_SHARE = 0.1
HANDOVER_SHARE = 0.1
SLOW_NETWORK_SHARE = 0.1


def draw_faults(rnd: random.Random) -> Iterator[Fault]:
    """The faults of a run: none, some, or many; or a relay alone, which others would break off."""
    if rnd.random() < RELAY_SHARE:
        yield from _relay(rnd)
        return
    for _ in range(rnd.randrange(9)):
        point, often, blows = rnd.choice(POINTS)
        blow = rnd.choice(blows)
        yield Trap(rnd.choice(MACHINES), point, rnd.randrange(2), rnd.randrange(1, often + 1), blow, _amount(rnd, blow))
    for _ in range(rnd.randrange(7)):
        turn = rnd.choice(TURNS)
        at_s = rnd.random() * (LEAD_S + SPREAD_S)
        yield Happening(round(at_s, 3), turn, rnd.choice(MACHINES), round(_length(rnd, turn), 3))
    if rnd.random() < HANDOVER_SHARE:
        yield from _handover(rnd)
    if rnd.random() < SLOW_NETWORK_SHARE:
        yield from _slow_network(rnd)


def _relay(rnd: random.Random) -> Iterator[Happening]:
    """One machine freezes, others take over what it had, and leave just before it wakes: all comes straight back."""
    at_s = LEAD_S + rnd.random() * SPREAD_S / 2
    sleeper, *others = rnd.sample(MACHINES, len(MACHINES))
    for machine in (sleeper, others[0]):
        yield Happening(0.0, Turn.START, machine, 0.0)
    yield Happening(at_s, Turn.FREEZE, sleeper, 6.0)
    for other in others:
        yield Happening(at_s + 3.5 + rnd.random() * 2.0, Turn.STOP, other, 0.0)
        yield Happening(at_s + 9.0, Turn.START, other, 0.0)


def _handover(rnd: random.Random) -> Iterator[Happening]:
    """A machine leaves while the markers of its last transactions are still on their way."""
    at_s = LEAD_S + rnd.random() * SPREAD_S
    leaves, takes = rnd.sample(MACHINES, 2)
    for machine in (leaves, takes):
        yield Happening(0.0, Turn.START, machine, 0.0)
    yield Happening(at_s, Turn.HOLD_MARKERS, leaves, 2.0)
    yield Happening(at_s + 0.5, Turn.STOP, leaves, 0.0)
    yield Happening(at_s + 3.0, Turn.START, leaves, 0.0)


def _slow_network(rnd: random.Random) -> Iterator[Trap]:
    """A machine's commit comes a second time when its next transaction is half done, and then the machine dies."""
    for machine in MACHINES:
        number = rnd.randrange(2, 12)
        yield Trap(machine, Request.END, 0, number, Blow.LATE_COPY, 2)
        yield Trap(machine, Request.END, 0, number + 1, Blow.CRASH, 1.0)


def _amount(rnd: random.Random, blow: Blow) -> float:
    match blow:
        case Blow.CRASH:
            return rnd.choice((0.1, 1.0, 4.0))
        case Blow.PAUSE:
            return rnd.choice((0.5, 3.0, 6.0))
        case Blow.LATE_COPY:
            return rnd.choice((1, 2, 2, 3, 4, 4, 7))  # most where the next transaction is half done
        case Blow.TIMED_OUT:
            return rnd.choice((0.2, 0.2, 6.0))
        case Blow.ANSWER_LOST:
            return 0.0


def _length(rnd: random.Random, turn: Turn) -> float:
    match turn:
        case Turn.COMPACT:
            return rnd.random()
        case Turn.HOLD_MARKERS:
            return rnd.choice((0.2, 1.0, 3.0))
        case Turn.FREEZE:
            return rnd.choice((1.0, 3.0, 6.0))
        case Turn.SLEEP:
            return rnd.choice((5_000.0, 800_000.0))
        case Turn.START | Turn.STOP:
            return 0.0
