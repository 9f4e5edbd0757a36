"""Lots: money with its own expiry and restriction inside one account. What expires first is spent first (MOB-09)."""

from collections.abc import Callable, Iterable

import msgspec

from schemas.ledger import LotPart

MAX_LOTS = 512
"""Open lots of one account at most: bounds the row, and the work per event."""

NEVER = 2**63 - 1


class Lot(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is left of one deposit, in minor units. `locked_minor` is the part of it that locks have pinned (BEY-01)."""

    lot_id: str
    amount_minor: int
    locked_minor: int = 0
    expires_at: int | None = None
    restriction: str = ""

    @property
    def free(self) -> int:
        """What no lock has pinned."""
        return self.amount_minor - self.locked_minor

    def part(self, amount_minor: int) -> LotPart:
        """A part of this lot, as the journal names it."""
        return LotPart(
            lot_id=self.lot_id, amount_minor=amount_minor, expires_at=self.expires_at, restriction=self.restriction
        )


def anything(lot: Lot) -> int:
    """The most that may be taken from a lot where nothing restricts it."""
    return lot.amount_minor


def pick(
    lots: Iterable[Lot], wanted_minor: int, at: int, spendable: Callable[[Lot], int] = anything
) -> tuple[LotPart, ...]:
    """Parts of unexpired lots for at most `wanted_minor`, earliest expiry first.

    `spendable` says how much of a lot the purpose may take at most: zero for a lot that is restricted to others.
    `at` is in UTC microseconds; a lot is usable before its expiry, not at it.
    """
    parts = []
    for lot in lots:
        if wanted_minor <= 0:
            break
        if lot.expires_at is not None and lot.expires_at <= at:
            continue
        take = min(lot.free, wanted_minor, spendable(lot))
        if take > 0:
            parts.append(lot.part(take))
            wanted_minor -= take
    return tuple(parts)


def opened(lots: tuple[Lot, ...], part: LotPart) -> tuple[Lot, ...]:
    """With one more lot, in the order of spending."""
    lot = Lot(part.lot_id, part.amount_minor, 0, part.expires_at, part.restriction)
    return tuple(sorted((*lots, lot), key=_order))


def spent(lots: tuple[Lot, ...], parts: Iterable[LotPart]) -> tuple[Lot, ...]:
    """Without what these parts took from free money; an empty lot is gone."""
    return _changed(lots, parts, amount=-1, locked=0)


def locked(lots: tuple[Lot, ...], parts: Iterable[LotPart]) -> tuple[Lot, ...]:
    """With these parts pinned."""
    return _changed(lots, parts, amount=0, locked=1)


def settled(lots: tuple[Lot, ...], parts: Iterable[LotPart]) -> tuple[Lot, ...]:
    """Without these parts, which were pinned."""
    return _changed(lots, parts, amount=-1, locked=-1)


def unlocked(lots: tuple[Lot, ...], parts: Iterable[LotPart]) -> tuple[Lot, ...]:
    """With these parts free again."""
    return _changed(lots, parts, amount=0, locked=-1)


def split(parts: tuple[LotPart, ...], amount_minor: int) -> tuple[tuple[LotPart, ...], tuple[LotPart, ...]]:
    """The first parts up to a sum, and the rest."""
    first: list[LotPart] = []
    rest: list[LotPart] = []
    for part in parts:
        take = min(part.amount_minor, amount_minor)
        amount_minor -= take
        if take == part.amount_minor:
            first.append(part)
        elif not take:
            rest.append(part)
        else:
            first.append(msgspec.structs.replace(part, amount_minor=take))
            rest.append(msgspec.structs.replace(part, amount_minor=part.amount_minor - take))
    return tuple(first), tuple(rest)


def _changed(lots: tuple[Lot, ...], parts: Iterable[LotPart], *, amount: int, locked: int) -> tuple[Lot, ...]:
    by_id = {lot.lot_id: lot for lot in lots}
    for part in parts:
        lot = by_id[part.lot_id]
        left = msgspec.structs.replace(
            lot,
            amount_minor=lot.amount_minor + amount * part.amount_minor,
            locked_minor=lot.locked_minor + locked * part.amount_minor,
        )
        assert 0 <= left.locked_minor <= left.amount_minor, f"lot {lot.lot_id} would hold {left}"
        by_id[part.lot_id] = left
    return tuple(lot for lot in by_id.values() if lot.amount_minor)


def _order(lot: Lot) -> tuple[int, str]:
    return (NEVER if lot.expires_at is None else lot.expires_at, lot.lot_id)
