"""What happens in one run, drawn from its seed: what upstream sends and what goes wrong, as data that can shrink."""

import random
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from schemas.clock import Tick
from schemas.fields import Contract, iso
from schemas.topics import PARTITIONS, TICKS
from streams.demo.day import DAY_START_US, HOUR_US, Raw, make_day
from streams.demo.world import Scale, World, make_world
from streams.processing import TYPE_NAME
from streams.publish import Upstream
from streams.simulator.kafka.host import Request
from streams.simulator.kafka.messages import Headers
from streams.simulator.reference import Debezium, RowChange, rows_of
from streams.simulator.upsets import moves_of, upset
from streams.simulator.worker import Step

SCALE = Scale(groups=3, riders=9, vehicles=3, trips=14, dealers=3, bills=9, prisoners=5, purchases=14)
"""Some 110 commands, as many records of reference data and ticks."""

LEAD_S = 2.0
"""Reference data comes this much before the first command."""

SPREAD_S = 8.0
"""How long upstream takes to send the commands of a run."""

TICK_HOURS = (8, 12, 18, 23, 36)
"""Moments of the day at which the clock ticks: what is due by then happens."""

WEEK_LATER_HOURS = 24 * 9
"""After this, ids of messages are forgotten, and old rows too."""

MACHINES = ("a", "b", "c")


class Send(NamedTuple):
    """Records on their way to Kafka, `at_s` after the beginning. A negative partition lets the key choose."""

    at_s: float
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers | None
    partition: int
    text: str
    """What a person calls it."""


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


class Script(NamedTuple):
    """One run. `seed` decides what is left open: the order in which things come that come at once.

    `closing` is sent when all the rest is worked off: a last tick, so that nothing due is left.
    """

    seed: int
    sends: tuple[Send, ...]
    faults: tuple[Trap | Happening, ...]
    closing: tuple[Send, ...]


def write_script(seed: int, encode: Callable[[Contract], bytes], debezium: Debezium, scale: Scale = SCALE) -> Script:
    """The script of a seed."""
    rnd = random.Random(f"script {seed}")
    world = make_world(seed, scale)
    sends = [
        *_reference(rnd, world, debezium),
        *_commands(rnd, seed, world, scale, encode),
    ]
    for number, hour in enumerate(TICK_HOURS):
        at_s = LEAD_S + SPREAD_S * (number + 1) / len(TICK_HOURS)
        sends += [
            tick for tick in ticks(DAY_START_US + hour * HOUR_US, at_s, encode) for _ in range(1 + (rnd.random() < 0.1))
        ]
    sends.sort(key=lambda send: send.at_s)
    last_hour = WEEK_LATER_HOURS if rnd.random() < 0.2 else TICK_HOURS[-1]
    return Script(
        seed, tuple(sends), tuple(_faults(rnd)), tuple(ticks(DAY_START_US + last_hour * HOUR_US, 0.0, encode))
    )


def _reference(rnd: random.Random, world: World, debezium: Debezium) -> Iterator[Send]:
    yield from reference_sends(0.0, rows_of(world), debezium)
    for change in moves_of(rnd, world):
        yield from reference_sends(LEAD_S + rnd.random() * SPREAD_S, [change], debezium)


def reference_sends(at_s: float, changes: Iterable[RowChange], debezium: Debezium) -> Iterator[Send]:
    """Changes of reference data, sent at once."""
    for record in debezium.records(changes):
        yield Send(at_s, record.topic, record.key, record.value, None, -1, f"a row: {record.key.decode()}")


def _commands(
    rnd: random.Random, seed: int, world: World, scale: Scale, encode: Callable[[Contract], bytes]
) -> Iterator[Send]:
    events = [record for phase in make_day(seed, scale, world, encode) for record in phase.records]
    step_s = SPREAD_S / max(1, len(events))
    for at_s, event in upset(rnd, events, step_s):
        yield send_of(LEAD_S + at_s, event, encode)


def send_of(at_s: float, event: Upstream | Raw, encode: Callable[[Contract], bytes]) -> Send:
    """What upstream sends of an event."""
    if isinstance(event, Raw):
        return Send(at_s, event.topic.name, event.key, event.value, [*event.headers], -1, "bad input")
    envelope, message = event.envelope, event.message
    text = f"{TYPE_NAME[type(message)].rpartition('.')[2]} {envelope.id} of {envelope.subject}"
    headers: Headers = [*envelope.headers()]
    return Send(at_s, event.topic.name, envelope.subject.encode(), encode(message), headers, -1, text)


def ticks(now_us: int, at_s: float, encode: Callable[[Contract], bytes]) -> Iterator[Send]:
    """A tick for every partition; `now_us` is the moment it tells, in UTC microseconds."""
    value = encode(Tick(now=now_us))
    for partition in range(PARTITIONS):
        yield Send(at_s, TICKS.name, None, value, None, partition, f"tick of {iso(now_us)}")


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


def _faults(rnd: random.Random) -> Iterator[Trap | Happening]:
    for _ in range(rnd.randrange(9)):
        point, often, blows = rnd.choice(POINTS)
        blow = rnd.choice(blows)
        yield Trap(rnd.choice(MACHINES), point, rnd.randrange(2), rnd.randrange(1, often + 1), blow, _amount(rnd, blow))
    for _ in range(rnd.randrange(7)):
        turn = rnd.choice(TURNS)
        at_s = rnd.random() * (LEAD_S + SPREAD_S)
        yield Happening(round(at_s, 3), turn, rnd.choice(MACHINES), round(_length(rnd, turn), 3))
    if rnd.random() < RELAY_SHARE:
        yield from _relay(rnd)
    if rnd.random() < HANDOVER_SHARE:
        yield from _handover(rnd)


def _relay(rnd: random.Random) -> Iterator[Happening]:
    """One machine freezes, others take over what it had, and leave just before it wakes: all comes straight back."""
    at_s = LEAD_S + rnd.random() * SPREAD_S / 2
    sleeper, *others = rnd.sample(MACHINES, len(MACHINES))
    yield Happening(0.0, Turn.START, sleeper, 0.0)
    yield Happening(at_s - 1.0, Turn.START, others[0], 0.0)
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


def _amount(rnd: random.Random, blow: Blow) -> float:
    match blow:
        case Blow.CRASH:
            return rnd.choice((0.1, 1.0, 4.0))
        case Blow.PAUSE:
            return rnd.choice((0.5, 3.0, 6.0))
        case Blow.LATE_COPY:
            return rnd.randrange(1, 7)
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
