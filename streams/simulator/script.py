"""What happens in one run, drawn from its seed: what upstream sends and what goes wrong, as data that can shrink."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from schemas.clock import Tick
from schemas.fields import Contract, iso
from schemas.publishing import Upstream
from schemas.topics import DEALER_COMMANDS, PARTITIONS, TICKS
from streams.demo.day import DAY_START_US, HOUR_US, Raw, make_day
from streams.demo.world import Scale, World, make_world
from streams.processing import TYPE_NAME
from streams.simulator import lots
from streams.simulator.dealers import stories
from streams.simulator.deposits import CHANGED_TIERS, dealer_turns, deposits, tier_moves
from streams.simulator.faults import LEAD_S, SPREAD_S, Fault, draw_faults
from streams.simulator.kafka.messages import Headers
from streams.simulator.reference import Debezium, RowChange, later_rate, rows_of
from streams.simulator.upsets import acknowledged, moves_of, upset

SCALE = Scale(groups=3, riders=9, vehicles=3, trips=14, dealers=3, bills=9, prisoners=5, purchases=14, lots=0)
"""Some 150 commands, as many records of reference data and ticks."""

REGISTERED_S = 1.0
"""How long before all else dealers register, so that most accounts are open when bills come."""

TICK_HOURS = (8, 12, 18, 23, 36)
"""Moments of the day at which the clock ticks: what is due by then happens."""

BEGIN_S = DAY_START_US / 1_000_000 + 36 * 3600
"""When every run begins, in seconds since 1970: after the day that upstream tells of, as in the demo."""
WEEK_LATER_HOURS = 24 * 10
"""After this, ids of messages are forgotten, and old rows too."""
SETTLED_HOURS = 0.25
"""Ids are forgotten by the second of two ticks that are so far apart."""


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


class Script(NamedTuple):
    """One run. `seed` decides what is left open: the order in which things come that come at once.

    `closing` is what is sent when all the rest is worked off, one after the other, when its time has come: last ticks,
    so that nothing due is left.
    """

    seed: int
    sends: tuple[Send, ...]
    faults: tuple[Fault, ...]
    closing: tuple[tuple[Send, ...], ...]


def write_script(seed: int, encode: Callable[[Contract], bytes], debezium: Debezium, scale: Scale = SCALE) -> Script:
    """The script of a seed."""
    rnd = random.Random(f"script {seed}")
    world = make_world(seed, scale)
    sends = [
        *_reference(rnd, seed, world, debezium),
        *_commands(rnd, seed, world, scale, encode),
        *_deposits(random.Random(f"deposits {seed}"), world, debezium, encode),
        *_turns(random.Random(f"turns {seed}"), world, debezium),
    ]
    for number, hour in enumerate(TICK_HOURS):
        at_s = LEAD_S + SPREAD_S * (number + 1) / len(TICK_HOURS)
        sends += [
            tick for tick in ticks(DAY_START_US + hour * HOUR_US, at_s, encode) for _ in range(1 + (rnd.random() < 0.1))
        ]
    sends.sort(key=lambda send: send.at_s)
    last_hour = WEEK_LATER_HOURS if rnd.random() < 0.2 else TICK_HOURS[-1]
    closing = (
        tuple(ticks_in_time(DAY_START_US + int(hour * HOUR_US), encode))
        for hour in (last_hour, last_hour + SETTLED_HOURS)
    )
    return Script(seed, tuple(sends), tuple(draw_faults(rnd)), tuple(closing))


def _reference(rnd: random.Random, seed: int, world: World, debezium: Debezium) -> Iterator[Send]:
    yield from reference_sends(0.0, rows_of(world), debezium)
    late = random.Random(f"rates {seed}").random()
    yield from reference_sends(LEAD_S + late * SPREAD_S, [later_rate()], debezium)
    for change in moves_of(rnd, world):
        yield from reference_sends(LEAD_S + rnd.random() * SPREAD_S, [change], debezium)


def reference_sends(at_s: float, changes: Iterable[RowChange], debezium: Debezium) -> Iterator[Send]:
    """Changes of reference data, sent at once."""
    for record in debezium.records(changes):
        yield Send(at_s, record.topic, record.key, record.value, None, -1, f"a row: {record.key.decode()}")


def _commands(
    rnd: random.Random, seed: int, world: World, scale: Scale, encode: Callable[[Contract], bytes]
) -> Iterator[Send]:
    day = [record for phase in make_day(seed, scale, world, encode) for record in phase.records]
    dealers = random.Random(f"dealers {seed}")
    told = [record for record in acknowledged(rnd, day) if record.topic is not DEALER_COMMANDS]
    events = _between(dealers, told, list(stories(dealers, world.dealers)))
    sold = random.Random(f"lots {seed}")
    events = _between(sold, events, list(lots.stories(sold, world.dealers)))
    for record in day:
        if record.topic is DEALER_COMMANDS:
            yield send_of(LEAD_S - REGISTERED_S, record, encode)
    step_s = SPREAD_S / max(1, len(events))
    for at_s, event in upset(rnd, events, step_s):
        yield send_of(LEAD_S + at_s, event, encode)


def _deposits(
    rnd: random.Random, world: World, debezium: Debezium, encode: Callable[[Contract], bytes]
) -> Iterator[Send]:
    """By dice of their own: all else is as it would be without them."""
    moments = sorted(rnd.random() * SPREAD_S for _ in range(CHANGED_TIERS))
    for at_s, change in zip(moments, tier_moves(rnd), strict=True):
        yield from reference_sends(LEAD_S + at_s, [change], debezium)
    events = list(deposits(rnd, world.dealers))
    for at_s, event in upset(rnd, events, SPREAD_S / len(events)):
        yield send_of(LEAD_S + at_s, event, encode)


def _turns(rnd: random.Random, world: World, debezium: Debezium) -> Iterator[Send]:
    """By dice of their own, as deposits."""
    turns = list(dealer_turns(rnd, world.dealers))
    moments = sorted(rnd.random() * SPREAD_S for _ in turns)
    for at_s, change in zip(moments, turns, strict=True):
        yield from reference_sends(LEAD_S + at_s, [change], debezium)


def _between(rnd: random.Random, events: Sequence[Upstream | Raw], told: Sequence[Upstream]) -> list[Upstream | Raw]:
    """Both, each in its own order."""
    mixed, places = list(events), sorted(rnd.randrange(len(events) + 1) for _ in told)
    for shift, (place, event) in enumerate(zip(places, told, strict=True)):
        mixed.insert(place + shift, event)
    return mixed


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


def ticks_in_time(now_us: int, encode: Callable[[Contract], bytes]) -> Iterator[Send]:
    """A tick for every partition, sent when it is `now_us`, or at once where that has passed."""
    return ticks(now_us, max(0.0, now_us / 1_000_000 - BEGIN_S), encode)
