"""Deposits and trips, by the requirements MOB-09, MOB-15 to MOB-17."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.torture.verifier.books import Line, first_parts, in_order
from tests.torture.verifier.model import ACCEPTED, Input, Model, Rule, Verdict, refused

GRACE_US = 4 * 3_600_000_000
END_WAITS_US = 7 * 24 * 3_600_000_000
REMEMBERED_US = 90 * 24 * 3_600_000_000
EUR = "EUR"

Trip = dict[str, Any]


def deposit(model: Model, given: Input) -> Verdict:
    fields = given.fields
    amount, expires = fields["amount"]["amount_minor"], fields["expires_at"]
    if expires is not None and expires <= given.at:
        return refused("expires_in_the_past")
    opened = (fields["deposit_id"], amount, expires)
    return _done(model, given.book, [Line("posted", "funding", "wallet", amount, EUR, opened=opened)])


def start(model: Model, given: Input) -> Verdict:
    fields, facts, books = given.fields, model.facts, model.books
    key = f"{given.book}|{fields['trip_id']}"
    trip = model.trips.get(key)
    if fields["vehicle_id"] not in facts.vehicles:
        return refused("unknown_vehicle")
    if fields["rider_id"] not in facts.members.get(fields["group_id"], ()):
        return refused("not_a_member")
    if trip is not None and trip["state"] != "end_waits":
        return refused("already_exists")
    estimate = _fare(model, fields["vehicle_id"], fields["estimated_seconds"])
    parts = () if fields["funding"] == "card_only" else books.usable(given.book, EUR, estimate, given.at)
    locked = sum(size for _, size in parts)
    if fields["funding"] == "wallet_only" and locked < estimate:
        return refused("insufficient_funds")
    deadline = given.at + fields["estimated_seconds"] * 1_000_000 + GRACE_US
    started = {**fields, "state": "running", "until": deadline, "started_at": given.at}
    lines = []
    if locked:
        lock, earner = f"trip:{fields['trip_id']}", _earner(model, started)
        lines = [books.enter(given.book, Line("locked", "wallet", earner, locked, EUR, lock, deadline, parts))]
    model.trips[key] = started
    if trip is not None:
        lines += _settle(model, given.book, started, trip["ridden_seconds"], given.at)
        _conclude(started, "settled", trip["ended_at"])
        started |= {"ended_at": trip["ended_at"], "ridden_seconds": trip["ridden_seconds"]}
    return Verdict(ACCEPTED, None, tuple(lines))


def end(model: Model, given: Input) -> Verdict:
    key = f"{given.book}|{given.fields['trip_id']}"
    trip = model.trips.get(key)
    if trip is None:
        model.trips[key] = {
            **given.fields,
            "state": "end_waits",
            "until": given.at + END_WAITS_US,
            "ended_at": given.at,
        }
        return Verdict(ACCEPTED)
    if trip["state"] not in {"running", "timed_out"}:
        return refused("wrong_state")
    lines = _settle(model, given.book, trip, given.fields["ridden_seconds"], given.at)
    trip |= {"ended_at": given.at, "ridden_seconds": given.fields["ridden_seconds"]}
    _conclude(trip, "settled", given.at)
    return Verdict(ACCEPTED, None, tuple(lines))


def cancel(model: Model, given: Input) -> Verdict:
    key = f"{given.book}|{given.fields['trip_id']}"
    trip = model.trips.setdefault(key, {**given.fields, "state": "none"})
    if trip["state"] in {"settled", "released"}:
        return refused("wrong_state")
    lines = _free(model, given.book, trip["trip_id"], "voided")
    _conclude(trip, "released", given.at)
    return Verdict(ACCEPTED, None, tuple(lines))


def time_out(model: Model, book: str, trip_id: str, now: int) -> Verdict | None:
    """A trip, or an end that waits, passes its deadline; None if it may not."""
    trip = model.trips.get(f"{book}|{trip_id}")
    if trip is None or trip["state"] not in {"running", "end_waits"} or trip["until"] > now:
        return None
    _conclude(trip, "timed_out" if trip["state"] == "running" else "released", now)
    return Verdict(ACCEPTED, None, tuple(_free(model, book, trip_id, "expired")))


def _conclude(trip: Trip, state: str, at: int) -> None:
    """A state that ends by being forgotten."""
    trip |= {"state": state, "until": max(at, trip.get("started_at", 0)) + REMEMBERED_US}


def expire(model: Model, book: str, now: int) -> Verdict | None:
    """What is left of lots that have expired, and that no trip has locked; None if there is none."""
    lots = in_order(model.books.account(book, "wallet", EUR).lots)
    over = [(i, lot.amount - lot.locked) for i, lot in lots if lot.expires is not None and lot.expires <= now]
    lines = [Line("posted", "wallet", "expired", free, EUR, spent=((lot, free),)) for lot, free in over if free]
    return _done(model, book, lines) if lines else None


def _settle(model: Model, book: str, trip: Trip, seconds: int, at: int) -> list[Line]:
    """First the lock, then what else the wallet has, unless the card pays all; the rest becomes the rider's debt."""
    books, trip_id, earner = model.books, trip["trip_id"], _earner(model, trip)
    fare, lines = _fare(model, trip["vehicle_id"], seconds), list[Line]()
    trip["fare"] = fare
    lock = books.locks.get(f"{book}|trip:{trip_id}")
    if lock is not None:
        paid = min(fare, lock.amount)
        spent = first_parts(lock.parts, paid)[0]
        if paid:
            lines.append(
                books.enter(book, Line("settled", "wallet", earner, paid, EUR, f"trip:{trip_id}", None, spent))
            )
        fare -= paid
        lines += _free(model, book, trip_id, "voided")
    if fare and trip["funding"] != "card_only":
        parts = books.usable(book, EUR, fare, at)
        if more := sum(size for _, size in parts):
            lines.append(books.enter(book, Line("posted", "wallet", earner, more, EUR, spent=parts)))
            fare -= more
    trip["card"] = fare
    if fare:
        lines.append(books.enter(book, Line("posted", f"rider/{trip['rider_id']}", earner, fare, EUR)))
    return lines


def _free(model: Model, book: str, trip_id: str, step: str) -> list[Line]:
    lock = model.books.locks.get(f"{book}|trip:{trip_id}")
    if lock is None:
        return []
    line = Line(step, lock.debit, lock.credit, lock.amount, EUR, f"trip:{trip_id}", None, tuple(lock.parts))
    return [model.books.enter(book, line)]


def _done(model: Model, book: str, lines: list[Line]) -> Verdict:
    return Verdict(ACCEPTED, None, tuple(model.books.enter(book, line) for line in lines))


def _earner(model: Model, trip: Trip) -> str:
    return f"trips/{model.facts.vehicles[trip['vehicle_id']].msp_id}"


def _fare(model: Model, vehicle_id: str, seconds: int) -> int:
    vehicle = model.facts.vehicles[vehicle_id]
    time_part = vehicle.per_minute * seconds / Decimal(60)
    return vehicle.unlock_minor + int(time_part.quantize(Decimal(1), ROUND_HALF_UP))


RULES: dict[str, Rule] = {"DepositBudget": deposit, "TripStarted": start, "TripEnded": end, "TripCancelled": cancel}
