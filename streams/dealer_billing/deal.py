"""A deal in its dealer's book: what he is charged for a lot, as the lot says from version to version (DLR-04, DLR-09).

    a deal        ChargeDeal                             TakeBackDeal           a tick            Billing refuses
                                                                                                  its bill
    (none)        AUCTION: commission, accrued in a      noted -> TAKEN_BACK    .                 .
                  month and told to Billing
                  FAST_BUYOUT: the price, on a bill
                  of its own at once
                  -> CHARGED; cannot be yet: -> WAITS
    WAITS         the same, on the new terms             -> TAKEN_BACK          tried again       .
                                                                                every hour
    CHARGED       another price: the month's bill, or    the same, to nothing   AUCTION, where    FAST_BUYOUT: tried
                  its own, is corrected                  -> TAKEN_BACK          its rate came     a day later -> WAITS
                                                                                late: corrected
                  anything else: taken back, and
                  charged anew
    TAKEN_BACK    as (none)                              noted                  .                 .

A version that is not above the last one heard changes nothing: a dealer may lose a lot and get it back, and what is
late speaks of the past. A deal waits while its account is not open (also where nobody has heard of the dealer) or no
rate or policy is known for it; the lot is told why, and told again when it is charged. What was paid of a bill that is
corrected or voided is the dealer's current balance. Deals are kept for ever, some 3,000 in a year for all dealers.
"""

from typing import assert_never

from msgspec.structs import replace

from schemas.dealer_reference import CommissionRate
from schemas.fields import Fact
from schemas.lots import (
    ChargeDeal,
    DealAnswer,
    DealKind,
    DealTakenBack,
    DealTerms,
    DealWaits,
    LotAnswer,
    TakeBackDeal,
)
from schemas.refusals import Reason
from streams.dealer_billing import accrual, settlement
from streams.dealer_billing.commission import HOUR_US
from streams.dealer_billing.deal_row import Deal, DealDesk, State, Wanted
from streams.ledger.draft import Draft, Refused, refused

AGAIN_US = HOUR_US
"""How long a deal that cannot be charged waits until it is tried again."""
REFUSED_US = 24 * HOUR_US
"""The same after Billing has refused a bill."""


def charge(draft: Draft, desk: DealDesk, message: ChargeDeal) -> list[Fact] | Refused:
    """Charge the dealer, or correct what he was charged. Refuses NO_COMMISSION_RATE, AMOUNT_TOO_LARGE."""
    deal = desk.deal(message.lot_id)
    if deal is not None and message.version <= deal.version:
        return []
    wanted = Wanted(message.lot_id, message.version, message.terms)
    if deal is None or deal.state is not State.CHARGED:
        return _begin(desk, deal, wanted, draft.at)
    assert deal.terms is not None
    if _differ_in_price_alone(deal.terms, wanted.terms):
        told = _change(draft, desk, deal, wanted)
        return told if isinstance(told, Refused) else [*told, _answer(desk, wanted, DealAnswer.CHARGED)]
    gone = _undo(draft, desk, deal, wanted.lot_id, wanted.version, "the deal was concluded anew")
    if isinstance(gone, Refused):
        return gone
    then = desk.after(gone)
    return [*gone, *_begin(then, then.deal(wanted.lot_id), wanted, draft.at)]


def take_back_deal(draft: Draft, desk: DealDesk, message: TakeBackDeal) -> list[Fact] | Refused:
    """Charge the dealer nothing any more. Refuses AMOUNT_TOO_LARGE."""
    lot_id, version, reason = message.lot_id, message.version, message.reason
    deal = desk.deal(lot_id)
    if deal is not None and version <= deal.version:
        return []
    gone: list[Fact] | Refused = [
        DealTakenBack(dealer_id=desk.dealer_id, lot_id=lot_id, version=version, reason=reason)
    ]
    if deal is not None and deal.state is State.CHARGED:
        gone = _undo(draft, desk, deal, lot_id, version, reason)
    return gone if isinstance(gone, Refused) else [*gone, answer(message, DealAnswer.TAKEN_BACK)]


def try_again(desk: DealDesk, lot_id: str, deal: Deal) -> list[Fact]:
    """Charge a deal that has waited; nothing where it still cannot be."""
    assert deal.terms is not None
    wanted = Wanted(lot_id, deal.version, deal.terms)
    told = _charged(desk, deal, wanted)
    return [] if isinstance(told, Refused) else [*told, _answer(desk, wanted, DealAnswer.CHARGED)]


def look_again_at(deal: Deal, rate: CommissionRate) -> Deal:
    """The deal, due for another look where a rate was valid when it was concluded, but came after it was charged."""
    if deal.state is not State.CHARGED or deal.month is None:
        return deal
    assert deal.terms is not None
    return replace(deal, again_at=rate.valid_from) if deal.terms.concluded_at >= rate.valid_from else deal


def rate_again(draft: Draft, desk: DealDesk, lot_id: str, deal: Deal) -> list[Fact] | Refused:
    """Charge a deal by the rate that counts; nothing where it already is. Refuses AMOUNT_TOO_LARGE."""
    assert deal.terms is not None
    if accrual.is_rated(desk, deal):
        return []
    return accrual.change(draft, desk, deal, Wanted(lot_id, deal.version, deal.terms), "rate")


def refuse_bill(desk: DealDesk, bill_id: str, figures: dict[str, str], again_at: int) -> list[Fact]:
    """Billing has refused a settlement: the deal is on no bill."""
    lot_id = settlement.lot_of(bill_id)
    deal = desk.deal(lot_id)
    if deal is None or deal.terms is None or deal.bill_id != bill_id:
        return []
    no = Refused(Reason.REFUSED_BY_BILLING, figures)
    return _waits(desk, Wanted(lot_id, deal.version, deal.terms), no, again_at)


def answer(message: ChargeDeal | TakeBackDeal, said: DealAnswer, why: Refused | None = None) -> LotAnswer:
    """What the lot hears of what it has asked."""
    return LotAnswer(
        lot_id=message.lot_id,
        dealer_id=message.dealer_id,
        version=message.version,
        answer=said,
        reason=None if why is None else why.reason,
        figures={} if why is None else why.figures,
    )


# ---- inside


def _begin(desk: DealDesk, deal: Deal | None, wanted: Wanted, at: int) -> list[Fact]:
    """Charge what is not charged, or wait."""
    told = _charged(desk, deal, wanted)
    if isinstance(told, Refused):
        return _waits(desk, wanted, told, at + AGAIN_US)
    return [*told, _answer(desk, wanted, DealAnswer.CHARGED)]


def _charged(desk: DealDesk, deal: Deal | None, wanted: Wanted) -> list[Fact] | Refused:
    """Refuses UNKNOWN_DEALER, ACCOUNT_NOT_OPEN, NO_COMMISSION_RATE, NO_COMMISSION_POLICY."""
    match wanted.terms.kind:
        case DealKind.AUCTION:
            told = accrual.charge(desk, deal, wanted)
        case DealKind.FAST_BUYOUT:
            told = settlement.charge(desk, deal, wanted)
        case _:
            assert_never(wanted.terms.kind)
    if isinstance(told, Refused) and told.reason is Reason.ACCOUNT_NOT_OPEN and not desk.is_known:
        return refused(Reason.UNKNOWN_DEALER, dealer=desk.dealer_id)
    return told


def _change(draft: Draft, desk: DealDesk, deal: Deal, wanted: Wanted) -> list[Fact] | Refused:
    match wanted.terms.kind:
        case DealKind.AUCTION:
            return accrual.change(draft, desk, deal, wanted, "price")
        case DealKind.FAST_BUYOUT:
            return settlement.change(draft, desk, deal, wanted)
        case _:
            assert_never(wanted.terms.kind)


def _undo(draft: Draft, desk: DealDesk, deal: Deal, lot_id: str, version: int, reason: str) -> list[Fact] | Refused:
    assert deal.terms is not None
    match deal.terms.kind:
        case DealKind.AUCTION:
            return accrual.undo(draft, desk, deal, lot_id, version, reason)
        case DealKind.FAST_BUYOUT:
            return settlement.undo(draft, desk, deal, lot_id, version, reason)
        case _:
            assert_never(deal.terms.kind)


def _waits(desk: DealDesk, wanted: Wanted, why: Refused, again_at: int) -> list[Fact]:
    waits = DealWaits(
        dealer_id=desk.dealer_id,
        lot_id=wanted.lot_id,
        version=wanted.version,
        terms=wanted.terms,
        reason=why.reason,
        again_at=again_at,
        figures=why.figures,
    )
    return [waits, _answer(desk, wanted, DealAnswer.WAITS, why)]


def _answer(desk: DealDesk, wanted: Wanted, said: DealAnswer, why: Refused | None = None) -> LotAnswer:
    asked = ChargeDeal(dealer_id=desk.dealer_id, lot_id=wanted.lot_id, version=wanted.version, terms=wanted.terms)
    return answer(asked, said, why)


def _differ_in_price_alone(before: DealTerms, after: DealTerms) -> bool:
    """Then bill and month stay what they are; a bill is not corrected by one of another currency."""
    return before.price.currency == after.price.currency and replace(before, price=after.price) == after
