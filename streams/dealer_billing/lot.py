"""A lot: what a car was sold for, and to whom; it tells dealers' books what to charge and what to take back.

    version that Lotus sends    the lot
    the next one                DealConcluded, LotPriceChanged: the buyer's book is told to charge
                                LotWinnerChanged: the old buyer's book is told to take back, the new one's to charge
                                then those that have waited for it, each in its turn
    a later one                 waits, whatever it says; at most 100 do
    one that it has             refused: within days by `Processor`, which tells a repetition from something else

Every version is told to the dealers, also where several are taken at once: nothing is left out silently. The first one
must be a concluded deal; after that each says something of a lot that is sold. A concluded deal that is said again
replaces buyer and terms. A version that is refused is not taken: Lotus has to say it again, rightly.

A dealer's book answers what it did. One that cannot charge yet says that it waits, and answers again when it has
charged. A lot is kept for ever, some 3,000 in a year, and never falls due: a version may be late as long as it likes.
"""

from collections.abc import Iterator
from typing import TypeAlias, assert_never

import msgspec
from msgspec.structs import replace

from schemas.fields import Fact
from schemas.lots import (
    ChargeDeal,
    DealAnswer,
    DealConcluded,
    DealTerms,
    LotAnswer,
    LotChange,
    LotDealAnswered,
    LotEventWaits,
    LotPriceChanged,
    LotSold,
    LotWinnerChanged,
    TakeBackDeal,
)
from schemas.refusals import Reason
from streams.ledger.draft import Refused, refused

MAX_WAITING = 100
"""Versions of one lot that wait at most: bounds the row, and the work of the version that they wait for."""
ANOTHER_BUYER = "another dealer buys the car"

LotMessage: TypeAlias = DealConcluded | LotPriceChanged | LotWinnerChanged
LotEvent: TypeAlias = LotSold | LotEventWaits | LotDealAnswered


class Ahead(msgspec.Struct, frozen=True):
    """A version that waits for one before it."""

    version: int
    change: LotChange


class Lot(msgspec.Struct, frozen=True, omit_defaults=True):
    """A lot as of `version`, the last that was taken; none is 0. `answer` is its buyer's to that version."""

    version: int = 0
    dealer_id: str | None = None
    terms: DealTerms | None = None
    waiting: tuple[Ahead, ...] = ()
    answer: DealAnswer | None = None


# ---- decide


def hear(lot: Lot | None, message: LotMessage, at: int) -> list[Fact] | Refused:
    """Take a version, and those that have waited for it, or let it wait.

    Refuses CONCLUDED_IN_THE_FUTURE, ALREADY_EXISTS, WRONG_STATE, TOO_MANY_WAITING.
    """
    lot, version, change = lot or Lot(), message.version, _change(message)
    if change.concluded_at is not None and change.concluded_at > at:
        return refused(Reason.CONCLUDED_IN_THE_FUTURE, version=version, concluded_at=change.concluded_at, said_at=at)
    if version <= lot.version or any(ahead.version == version for ahead in lot.waiting):
        return refused(Reason.ALREADY_EXISTS, version=version, last=lot.version)
    if version == 1 and not isinstance(message, DealConcluded):
        return refused(Reason.WRONG_STATE, version=version, said=type(message).__name__)
    if version == lot.version + 1:
        return list(_take(message.lot_id, lot, version, change))
    if len(lot.waiting) >= MAX_WAITING:
        return refused(Reason.TOO_MANY_WAITING, version=version, awaited=lot.version + 1, bound=MAX_WAITING)
    return [LotEventWaits(lot_id=message.lot_id, version=version, awaited=lot.version + 1, change=change)]


def hear_answer(lot: Lot | None, answer: LotAnswer) -> list[Fact]:
    """Tell what a dealer's book says."""
    if lot is None:
        return []
    return [
        LotDealAnswered(
            lot_id=answer.lot_id,
            version=answer.version,
            dealer_id=answer.dealer_id,
            answer=answer.answer,
            reason=answer.reason,
            figures=answer.figures,
        )
    ]


# ---- evolve


def evolve(lot: Lot | None, event: LotEvent) -> Lot:
    """The lot after an event."""
    lot = lot or Lot()
    match event:
        case LotSold():
            left = tuple(ahead for ahead in lot.waiting if ahead.version != event.version)
            return Lot(event.version, event.dealer_id, event.terms, left)
        case LotEventWaits():
            waiting = (*lot.waiting, Ahead(event.version, event.change))
            return replace(lot, waiting=tuple(sorted(waiting, key=lambda ahead: ahead.version)))
        case LotDealAnswered():
            is_newest = (event.version, event.dealer_id) == (lot.version, lot.dealer_id)
            return replace(lot, answer=event.answer) if is_newest else lot
        case _:
            assert_never(event)


# ---- inside


def _take(lot_id: str, lot: Lot, version: int, change: LotChange) -> Iterator[Fact]:
    """This version, and then as many of the waiting as follow without a gap."""
    ahead = {each.version: each.change for each in lot.waiting}
    following: LotChange | None = change
    while following is not None:
        before, sold = lot.dealer_id, _sold(lot_id, lot, version, following)
        yield sold
        if before is not None and before != sold.dealer_id:
            yield TakeBackDeal(dealer_id=before, lot_id=lot_id, version=version, reason=ANOTHER_BUYER)
        yield ChargeDeal(dealer_id=sold.dealer_id, lot_id=lot_id, version=version, terms=sold.terms)
        lot, version = evolve(lot, sold), version + 1
        following = ahead.get(version)


def _sold(lot_id: str, lot: Lot, version: int, change: LotChange) -> LotSold:
    """What a version leaves: what it says, and what stays as it was."""
    before, dealer_id = lot.terms, change.dealer_id or lot.dealer_id
    assert dealer_id is not None
    if change.kind is not None:
        assert change.price is not None
        assert change.concluded_at is not None
        terms = DealTerms(kind=change.kind, price=change.price, concluded_at=change.concluded_at)
    else:
        assert before is not None
        terms = before if change.price is None else replace(before, price=change.price)
    return LotSold(lot_id=lot_id, version=version, dealer_id=dealer_id, terms=terms)


def _change(message: LotMessage) -> LotChange:
    match message:
        case DealConcluded():
            return LotChange(
                dealer_id=message.dealer_id,
                kind=message.kind,
                price=message.price,
                concluded_at=message.concluded_at,
            )
        case LotPriceChanged():
            return LotChange(price=message.price)
        case LotWinnerChanged():
            return LotChange(dealer_id=message.dealer_id)
        case _:
            assert_never(message)
