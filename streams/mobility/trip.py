"""The payment of a trip, from unlock to invoice (MOB-15 to MOB-17).

    state        TripStarted        TripEnded             TripCancelled        deadline passes
    (none)       lock -> RUNNING    -> END_WAITS          -> RELEASED          .
    END_WAITS    lock, settle       refused               -> RELEASED          -> RELEASED
                 -> SETTLED
    RUNNING      refused            settle -> SETTLED     void -> RELEASED     void -> TIMED_OUT
    TIMED_OUT    refused            settle from what is   -> RELEASED          forgotten
                                    usable -> SETTLED
    SETTLED      refused            refused               refused              forgotten
    RELEASED     refused            refused               refused              forgotten

The price that holds at the start is pinned and settles the trip, whatever it is by then. A trip that ends after its
lock timed out is a ride that took place: it is paid from what the wallet has then, and by card for the rest.
"""

from enum import StrEnum
from typing import assert_never

import msgspec
from msgspec.structs import replace

from schemas.fields import MAX_MINOR, Fact, Money
from schemas.ledger import JournalLine, LotPart, Step
from schemas.mobility import (
    ChargeCard,
    Funding,
    ReleaseCause,
    TripCancelled,
    TripEnded,
    TripEndWaits,
    TripFundsLocked,
    TripReleased,
    TripSettled,
    TripStarted,
    VehiclePrice,
)
from schemas.refusals import Reason
from streams.ledger.accounts import Account
from streams.ledger.draft import Draft, Refused, refused
from streams.ledger.lots import Lot
from streams.mobility.accounts import RIDER, TRIPS, WALLET
from streams.mobility.price import fare_minor
from streams.mobility.restriction import read_restriction, why_not

HOUR_US = 3_600_000_000
LOCK_GRACE_US = 4 * HOUR_US
"""How long a lock outlives the estimated end of its trip."""
EARLY_END_US = 7 * 24 * HOUR_US
"""How long an end that came before its start waits for it, counted from the end of the ride. It holds no money while it
waits, and a vehicle out of reach may report days late: an end given up too soon is a fare lost."""
REMEMBERED_US = 90 * 24 * HOUR_US
"""How long an ended trip is remembered, so that its id is not used again; from its start, if it ended before that."""


class State(StrEnum):
    END_WAITS = "end_waits"
    RUNNING = "running"
    TIMED_OUT = "timed_out"
    SETTLED = "settled"
    RELEASED = "released"


class Trip(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trip as its group's book sees it. `until` is when this state ends by itself, in UTC micros."""

    state: State
    until: int
    rider_id: str = ""
    price: VehiclePrice | None = None
    funding: Funding = Funding.WALLET_THEN_CARD
    started_at: int = 0
    ended_at: int = 0
    ridden_seconds: int = 0


# ---- decide


def start(
    draft: Draft, trip: Trip | None, price: VehiclePrice | None, rider_is_member: object, command: TripStarted
) -> list[Fact] | Refused:
    """Pin the price and lock the wallet's part of the estimated fare; settle at once if the end is already known."""
    if price is None:
        return refused(Reason.UNKNOWN_VEHICLE, vehicle=command.vehicle_id)
    if rider_is_member is None:
        return refused(Reason.NOT_A_MEMBER, rider=command.rider_id, group=command.group_id)
    if trip is not None and trip.state is not State.END_WAITS:
        return refused(Reason.ALREADY_EXISTS, trip=command.trip_id, state=trip.state)
    estimate = _bookable(price, command.estimated_seconds)
    if isinstance(estimate, Refused):
        return estimate
    locked = 0
    if command.funding is not Funding.CARD_ONLY and estimate:
        parts = _usable(draft, price, estimate)
        locked = sum(part.amount_minor for part in parts)
        if command.funding is Funding.WALLET_ONLY and locked < estimate:
            return _short(draft, price, usable=locked, wanted=estimate)
    deadline = draft.at + command.estimated_seconds * 1_000_000 + LOCK_GRACE_US
    if locked:
        refusal = draft.reserve(
            _lock_id(command.trip_id), WALLET, _earner(price), locked, price.currency, deadline, parts
        )
        if refusal:
            return refusal
    started = TripFundsLocked(
        trip_id=command.trip_id,
        group_id=command.group_id,
        rider_id=command.rider_id,
        price=price,
        funding=command.funding,
        started_at=draft.at,
        deadline=deadline,
        locked_minor=locked,
        card_estimate_minor=estimate - locked,
    )
    if trip is None:
        return [started]
    settled = _settle(draft, command.trip_id, command.group_id, evolve(None, started), trip)
    return settled if isinstance(settled, Refused) else [started, *settled]


def end(draft: Draft, trip: Trip | None, command: TripEnded) -> list[Fact] | Refused:
    """Settle the fare of the real ride: what is locked, then what else the wallet may spend, then the card."""
    if trip is None:
        waits = TripEndWaits(
            trip_id=command.trip_id,
            group_id=command.group_id,
            ridden_seconds=command.ridden_seconds,
            ended_at=draft.at,
            deadline=draft.at + EARLY_END_US,
        )
        return [waits]
    match trip.state:
        case State.RUNNING | State.TIMED_OUT:
            ended = replace(trip, ended_at=draft.at, ridden_seconds=command.ridden_seconds)
            return _settle(draft, command.trip_id, command.group_id, trip, ended)
        case State.END_WAITS | State.SETTLED | State.RELEASED:
            return refused(Reason.WRONG_STATE, trip=command.trip_id, state=trip.state)
        case _:
            assert_never(trip.state)


def cancel(draft: Draft, trip: Trip | None, command: TripCancelled) -> list[Fact] | Refused:
    """Release what is locked. A cancellation before its start keeps the start from locking anything."""
    if trip is not None and trip.state in (State.SETTLED, State.RELEASED):
        return refused(Reason.WRONG_STATE, trip=command.trip_id, state=trip.state)
    return [_release(draft, command.trip_id, command.group_id, trip, ReleaseCause.CANCELLED)]


def time_out(draft: Draft, trip_id: str, group_id: str, trip: Trip) -> list[Fact] | Refused:
    """What happens when a running trip's lock, or a waiting end, passes its deadline."""
    assert trip.state in (State.RUNNING, State.END_WAITS)
    return [_release(draft, trip_id, group_id, trip, ReleaseCause.TIMED_OUT)]


# ---- evolve


def evolve(trip: Trip | None, event: TripFundsLocked | TripEndWaits | TripSettled | TripReleased) -> Trip:
    """The trip after an event."""
    match event:
        case TripFundsLocked():
            return Trip(
                State.RUNNING,
                until=event.deadline,
                rider_id=event.rider_id,
                price=event.price,
                funding=event.funding,
                started_at=event.started_at,
            )
        case TripEndWaits():
            return Trip(
                State.END_WAITS,
                until=event.deadline,
                ended_at=event.ended_at,
                ridden_seconds=event.ridden_seconds,
            )
        case TripSettled():
            assert trip is not None
            return replace(
                trip,
                state=State.SETTLED,
                until=max(trip.started_at, event.ended_at) + REMEMBERED_US,
                ended_at=event.ended_at,
                ridden_seconds=event.ridden_seconds,
            )
        case TripReleased():
            timed_out = event.cause is ReleaseCause.TIMED_OUT and trip is not None and trip.state is State.RUNNING
            state = State.TIMED_OUT if timed_out else State.RELEASED
            until = max(event.at, 0 if trip is None else trip.started_at) + REMEMBERED_US
            return Trip(state, until) if trip is None else replace(trip, state=state, until=until)
        case _:
            assert_never(event)


# ---- the money


def _settle(draft: Draft, trip_id: str, group_id: str, trip: Trip, ended: Trip) -> list[Fact] | Refused:
    price = trip.price
    assert price is not None
    fare = _bookable(price, ended.ridden_seconds)
    if isinstance(fare, Refused):
        return fare
    wallet = _settle_lock(draft, trip_id, price, fare)
    if wallet < fare and trip.funding is not Funding.CARD_ONLY:
        more = _spend_more(draft, trip_id, price, fare - wallet, already=draft.lines)
        if isinstance(more, Refused):
            return more
        wallet += more
    card = fare - wallet
    settled = TripSettled(
        trip_id=trip_id,
        group_id=group_id,
        rider_id=trip.rider_id,
        price=price,
        started_at=trip.started_at,
        ended_at=ended.ended_at,
        ridden_seconds=ended.ridden_seconds,
        fare_minor=fare,
        wallet_minor=wallet,
        card_minor=card,
    )
    if not card:
        return [settled]
    text = f"Trip {trip_id}, by card"
    if refusal := draft.post(RIDER.of(trip.rider_id), _earner(price), card, price.currency, text):
        return refusal
    charge = ChargeCard(
        charge_id=trip_id,
        trip_id=trip_id,
        group_id=group_id,
        rider_id=trip.rider_id,
        amount=Money(amount_minor=card, currency=price.currency),
    )
    return [settled, charge]


def _settle_lock(draft: Draft, trip_id: str, price: VehiclePrice, fare: int) -> int:
    """Settle as much of the lock as the fare needs, free the rest, and say how much it paid."""
    lock = draft.lock(_lock_id(trip_id))
    if lock is None:
        return 0
    paid = min(fare, lock.amount_minor)
    if paid:
        refusal = draft.settle(_lock_id(trip_id), WALLET, _earner(price), paid, f"Trip {trip_id}")
        assert refusal is None, refusal
    if paid < lock.amount_minor:
        draft.void(_lock_id(trip_id), WALLET, _earner(price))
    return paid


def _spend_more(
    draft: Draft, trip_id: str, price: VehiclePrice, wanted: int, already: list[JournalLine]
) -> int | Refused:
    """Take a fare above the lock from what else is usable, within each lot's most per trip (MOB-17)."""
    taken: dict[str, int] = {}
    for line in already:
        if line.step is Step.SETTLED:
            for part in line.spent:
                taken[part.lot_id] = taken.get(part.lot_id, 0) + part.amount_minor
    parts = _usable(draft, price, wanted, taken)
    amount = sum(part.amount_minor for part in parts)
    text = f"Trip {trip_id}, above estimate"
    if amount and (refusal := draft.post(WALLET, _earner(price), amount, price.currency, text, parts)):
        return refusal
    return amount


def _release(draft: Draft, trip_id: str, group_id: str, trip: Trip | None, cause: ReleaseCause) -> TripReleased:
    lock = draft.lock(_lock_id(trip_id))
    if lock is not None:
        assert trip is not None
        assert trip.price is not None
        step = Step.VOIDED if cause is ReleaseCause.CANCELLED else Step.EXPIRED
        draft.void(_lock_id(trip_id), WALLET, _earner(trip.price), step)
    released = lock.amount_minor if lock is not None else 0
    return TripReleased(trip_id=trip_id, group_id=group_id, cause=cause, released_minor=released, at=draft.at)


def _usable(draft: Draft, price: VehiclePrice, wanted: int, taken: dict[str, int] | None = None) -> tuple[LotPart, ...]:
    used = taken or {}

    def spendable(lot: Lot) -> int:
        return read_restriction(lot.restriction).spendable_on(price) - used.get(lot.lot_id, 0)

    return draft.pick_lots(WALLET, price.currency, wanted, spendable)


def _short(draft: Draft, price: VehiclePrice, *, usable: int, wanted: int) -> Refused:
    balance = draft.balance(WALLET, price.currency)
    return refused(
        Reason.INSUFFICIENT_FUNDS,
        account=WALLET.name,
        currency=price.currency,
        usable=usable,
        wanted=wanted,
        missing=wanted - usable,
        available=balance.available,
        locked=balance.locked,
        not_usable=why_not(balance.lots, price, draft.at),
    )


def _bookable(price: VehiclePrice, seconds: int) -> int | Refused:
    """A fare, if it is one that accounts can hold; prices come from people, by way of a table."""
    fare = fare_minor(price, seconds)
    if price.unlock_minor < 0:
        return refused(Reason.NO_PRICE, vehicle=price.vehicle_id, version=price.version, unlock=price.unlock_minor)
    if fare > MAX_MINOR:
        return refused(Reason.AMOUNT_TOO_LARGE, fare=fare, most=MAX_MINOR)
    return fare


def _earner(price: VehiclePrice) -> Account:
    return TRIPS.of(price.msp_id)


def _lock_id(trip_id: str) -> str:
    return f"trip:{trip_id}"
