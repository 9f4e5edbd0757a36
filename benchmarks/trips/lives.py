"""What upstream tells: deposits, starts and ends of trips, made by a seed, and what must come of them."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schemas.envelope import Envelope
from schemas.fields import Message, Money
from schemas.mobility import DepositBudget, Funding, GroupMember, TripEnded, TripStarted, VehiclePrice
from schemas.publishing import Upstream
from streams.processing import TOPIC_OF, TYPE_NAME

GROUPS = 10_000
VEHICLES = 200
CURRENCY = "EUR"
UNLOCK_MINOR, PER_MINUTE_MINOR = 100, 15
OPENING_MINOR = 10_000_000
"""In every wallet before anything is measured: each trip can be paid by it, in whatever order topics are read."""

EVENTS_OF_A_LIFE = 3
WALLET_ENTRIES_OF_A_LIFE = 2
RUNNING = 2_000
"""Trips that run at the same time."""
DUPLICATES = 0.01
CARD_ONLY = 0.1
MOST_SECONDS = 2_400
HOUR_US = 3_600_000_000


class Settled(NamedTuple):
    """What a settled trip must have cost, in minor units."""

    trip_id: str
    wallet_minor: int
    card_minor: int


class Model(NamedTuple):
    """What must come of some events."""

    accepted: int
    duplicates: int
    settled: Counter[Settled]

    @property
    def total(self) -> int:
        """Outcomes, one for each event."""
        return self.accepted + self.duplicates


def price(number: int) -> VehiclePrice:
    """What a ride on the vehicle of this number costs."""
    return VehiclePrice.model_validate(
        {"vehicle_id": f"v{number}", "msp_id": f"msp{number % 3}", "model_id": f"m{number % 10}",
         "vehicle_type": "ebike", "schedule_id": f"fees{number % 10}", "version": 1, "currency": CURRENCY,
         "unlock_minor": UNLOCK_MINOR, "per_minute_minor": PER_MINUTE_MINOR, "vat_rate": "0.25"})  # fmt: skip


def reference() -> Iterator[Message]:
    """Prices of all vehicles, and one rider in each group: what CDC would have told from Postgres."""
    yield from map(price, range(VEHICLES))
    for number in range(GROUPS):
        yield GroupMember(group_id=f"g{number}", rider_id=f"r{number}")


def opening(now_us: int) -> Iterator[Upstream]:
    """One deposit for each group."""
    for number in range(GROUPS):
        yield _told(_deposit(f"opening-{number}", number, OPENING_MINOR), f"opening-{number}", now_us)


def lives(
    count: int, now_us: int, *, seed: int, run: str, duplicates: float = DUPLICATES, running: int = RUNNING
) -> Iterator[tuple[Upstream, Settled | None]]:
    """Events of `count` lives in the order in which they happen, each end with what it must have cost.

    A life is a deposit, a start and, when `running` others have started, an end; each belongs to one of GROUPS groups.
    `run` makes the ids unique. All lie within the two hours before `now_us` (UTC microseconds), so that no lock times
    out. A duplicate follows the event that it repeats.
    """
    dice = random.Random(seed)
    open_trips: list[tuple[Upstream, Settled]] = []
    for number in range(count):
        at = now_us - 2 * HOUR_US + HOUR_US * number // count
        group, name = dice.randrange(GROUPS), f"{run}-{number}"
        told: list[tuple[Upstream, Settled | None]] = [
            (_told(_deposit(f"d{name}", group, dice.randrange(500, 5_000)), f"d{name}", at), None),
        ]
        start, end = _trip(dice, f"t{name}", group, at)
        told.append((start, None))
        open_trips.append(end)
        if len(open_trips) > running:
            told.append(open_trips.pop(dice.randrange(len(open_trips))))
        for each in told:
            yield each
            if dice.random() < duplicates:
                yield each[0], None
    yield from open_trips


def model(events: Iterable[tuple[Upstream, Settled | None]]) -> tuple[list[Upstream], Model]:
    """The events, and what must come of them: every new one is accepted, every end settles its trip."""
    told = list(events)
    ids = {upstream.envelope.id for upstream, _ in told}
    settled = Counter(each for _, each in told if each is not None)
    return [upstream for upstream, _ in told], Model(len(ids), len(told) - len(ids), settled)


def _trip(dice: random.Random, trip: str, group: int, at: int) -> tuple[Upstream, tuple[Upstream, Settled]]:
    funding = Funding.CARD_ONLY if dice.random() < CARD_ONLY else Funding.WALLET_THEN_CARD
    estimated, ridden = dice.randrange(60, MOST_SECONDS), dice.randrange(60, MOST_SECONDS)
    started = TripStarted(
        trip_id=trip,
        group_id=f"g{group}",
        rider_id=f"r{group}",
        vehicle_id=f"v{dice.randrange(VEHICLES)}",
        estimated_seconds=estimated,
        funding=funding,
    )
    ended = TripEnded(trip_id=trip, group_id=f"g{group}", ridden_seconds=ridden)
    fare = _fare_minor(ridden)
    settled = Settled(trip, 0, fare) if funding is Funding.CARD_ONLY else Settled(trip, fare, 0)
    return _told(started, f"s{trip}", at), (_told(ended, f"e{trip}", at + ridden * 1_000_000), settled)


def even_life(group: str, name: str, at: int) -> Iterator[Upstream]:
    """A deposit that pays for just the trip that follows: at the end the wallet is as it was before.

    It makes two entries in the wallet, and takes no time: `at` is in UTC microseconds.
    """
    number = int(group.removeprefix("g"))
    seconds = 600
    yield _told(_deposit(f"d{name}", number, _fare_minor(seconds)), f"d{name}", at)
    started = TripStarted(
        trip_id=f"t{name}",
        group_id=group,
        rider_id=f"r{group}",
        vehicle_id="v0",
        estimated_seconds=seconds,
        funding=Funding.WALLET_ONLY,
    )
    yield _told(started, f"st{name}", at)
    yield _told(TripEnded(trip_id=f"t{name}", group_id=group, ridden_seconds=seconds), f"et{name}", at)


def _fare_minor(seconds: int) -> int:
    return UNLOCK_MINOR + (2 * PER_MINUTE_MINOR * seconds + 60) // 120  # rounded half up


def _deposit(deposit: str, group: int, amount_minor: int) -> DepositBudget:
    amount = Money(amount_minor=amount_minor, currency=CURRENCY)
    return DepositBudget(deposit_id=deposit, group_id=f"g{group}", amount=amount)


def _told(message: Message, event_id: str, at: int) -> Upstream:
    topic = TOPIC_OF[type(message)]
    assert topic.key is not None
    subject = topic.key.of(message)
    assert subject is not None
    envelope = Envelope(event_id, "bench", TYPE_NAME[type(message)], at, subject, event_id, event_id, "bench")
    return Upstream(topic, envelope, message)
