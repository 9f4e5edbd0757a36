"""The auditor's own lots: what is left of each deposit in one account, and the rules of taking from them (MOB-09)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from streams.audit.chart import TAKES_EXPIRED_LOTS, kind_of_account
from streams.audit.findings import Kind

NEVER = 1 << 63


class Breach(NamedTuple):
    """A rule that a line breaks; the line's place makes it a finding."""

    kind: Kind
    expected: str
    found: str


@dataclass(slots=True)
class Lot:
    """What is left of one deposit, in minor units, and how much of that is locked. Moments in UTC microseconds."""

    amount_minor: int
    locked_minor: int
    expires_at: int | None
    restriction: str


class Take(NamedTuple):
    """What a part of a lot does to it: add to its amount and to its locked amount, each -1, 0 or 1 times the part."""

    amount: int
    locked: int


def in_order(lots: Mapping[str, Lot]) -> list[tuple[str, Lot]]:
    """Lots in the order of spending: what expires first comes first, then by id."""
    return sorted(lots.items(), key=lambda item: (NEVER if (at := item[1].expires_at) is None else at, item[0]))


def open_lot(lots: dict[str, Lot], part: Mapping[str, Any], amount_minor: int) -> Iterator[Breach]:
    """Open the lot that a line names, of the line's whole amount."""
    lot_id = part["lot_id"]
    if lot_id in lots:
        yield Breach(Kind.LOTS_MISUSED, "a lot is opened once", f"lot {lot_id} is open already")
    if part["amount_minor"] != amount_minor:
        yield Breach(Kind.LOTS_MISUSED, f"a lot of {amount_minor}", f"lot {lot_id} of {part['amount_minor']}")
    lots[lot_id] = Lot(part["amount_minor"], 0, part["expires_at"], part["restriction"])


def take_parts(lots: dict[str, Lot], parts: Iterable[Mapping[str, Any]], take: Take) -> Iterator[Breach]:
    """Change the lots that a line names. An empty lot is gone."""
    for part in parts:
        lot_id, amount = part["lot_id"], part["amount_minor"]
        lot = lots.get(lot_id)
        if lot is None:
            yield Breach(Kind.LOTS_MISUSED, "parts of open lots", f"lot {lot_id} is not open")
            continue
        lot.amount_minor += take.amount * amount
        lot.locked_minor += take.locked * amount
        if not 0 <= lot.locked_minor <= lot.amount_minor:
            left = f"{lot.amount_minor}, of which {lot.locked_minor} locked"
            yield Breach(Kind.LOTS_MISUSED, "no more than a lot has free or locked", f"lot {lot_id} left with {left}")
        if (part["expires_at"], part["restriction"]) != (lot.expires_at, lot.restriction):
            yield Breach(Kind.LOTS_MISUSED, "a lot's own expiry and restriction", f"others for lot {lot_id}")
        if not lot.amount_minor:
            del lots[lot_id]


def check_sum(parts: Iterable[Mapping[str, Any]], amount_minor: int) -> Iterator[Breach]:
    """The parts that a line names add up to its amount."""
    total = sum(part["amount_minor"] for part in parts)
    if total != amount_minor:
        yield Breach(Kind.LOTS_MISUSED, f"parts of lots for {amount_minor}", f"parts for {total}")


def check_expiry(parts: Iterable[Mapping[str, Any]], credit: str, effective_at: int) -> Iterator[Breach]:
    """Free money of an expired lot goes to the expiry account only, and no other goes there."""
    takes_expired = kind_of_account(credit) in TAKES_EXPIRED_LOTS
    for part in parts:
        expired = part["expires_at"] is not None and part["expires_at"] <= effective_at
        if expired and not takes_expired:
            yield Breach(Kind.LOTS_MISUSED, "lots that have not expired", f"lot {part['lot_id']}, expired, to {credit}")
        elif takes_expired and not expired:
            yield Breach(Kind.LOTS_MISUSED, "lots that have expired", f"lot {part['lot_id']}, not expired, to {credit}")
