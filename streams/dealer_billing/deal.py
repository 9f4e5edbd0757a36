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
    CHARGED       another price: the month's bill, or    the same, to nothing   .                 FAST_BUYOUT: tried
                  its own, is corrected                  -> TAKEN_BACK                            a day later -> WAITS
                  anything else: taken back, and
                  charged anew
    TAKEN_BACK    as (none)                              noted                  .                 .

A version that is not above the last one heard changes nothing: a dealer may lose a lot and get it back, and what is
late speaks of the past. A deal waits while its account is not open (also where nobody has heard of the dealer) or no
rate or policy is known for it; the lot is told why, and told again when it is charged. What was paid of a bill that is
corrected or voided is the dealer's current balance. Deals are kept for ever, some 3,000 in a year for all dealers.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias, assert_never

import msgspec
from msgspec.structs import replace

from schemas.billing import ReportCommission
from schemas.dealer_billing import AccountType, Operation
from schemas.dealer_bills import BillDrafted
from schemas.dealer_reference import CommissionPolicy, CommissionRate
from schemas.fields import LONGEST_TEXT, Fact
from schemas.lots import (
    ChargeDeal,
    DealAnswer,
    DealCharged,
    DealKind,
    DealTakenBack,
    DealTerms,
    DealWaits,
    LotAnswer,
    TakeBackDeal,
)
from schemas.refusals import Reason
from streams.dealer_billing import commission
from streams.dealer_billing.commission import HOUR_US, Desk
from streams.dealer_billing.owing import draft_bill, replace_bill, take_back
from streams.ledger.draft import Draft, Refused, refused

AGAIN_US = HOUR_US
"""How long a deal that cannot be charged waits until it is tried again."""
REFUSED_US = 24 * HOUR_US
"""The same after Billing has refused its bill."""
BILL = "lot"
"""What the ids of settlements' bills begin with."""

DealEvent: TypeAlias = DealCharged | DealWaits | DealTakenBack | ReportCommission


class State(StrEnum):
    """Where a deal stands."""

    WAITS = "waits"
    CHARGED = "charged"
    TAKEN_BACK = "taken_back"


class Deal(msgspec.Struct, frozen=True, omit_defaults=True):
    """A deal as of `version` of its lot. `charged_minor` is its commission, or its price.

    `month` is whose bill an auction's commission goes on, `bill_id` the settlement of a fast buyout. `bills` counts the
    latter, `reports` what Billing was told of the former.
    """

    version: int
    state: State
    terms: DealTerms | None = None
    charged_minor: int = 0
    month: str | None = None
    bill_id: str | None = None
    again_at: int | None = None
    bills: int = 0
    reports: int = 0


class DealDesk(Desk, Protocol):
    """What these decisions read beside."""

    @property
    def rates(self) -> list[CommissionRate]: ...

    @property
    def policy(self) -> CommissionPolicy | None: ...

    @property
    def is_known(self) -> bool:
        """Whether reference data knows the dealer."""
        ...

    def deal(self, lot_id: str) -> Deal | None: ...


class Wanted(msgspec.Struct, frozen=True):
    """What a version of a lot wants of its buyer."""

    lot_id: str
    version: int
    terms: DealTerms


# ---- decide


def charge(draft: Draft, desk: DealDesk, message: ChargeDeal) -> list[Fact] | Refused:
    """Charge the dealer, or correct what he was charged. Refuses AMOUNT_TOO_LARGE, NO_COMMISSION_RATE."""
    deal = desk.deal(message.lot_id)
    if deal is not None and message.version <= deal.version:
        return []
    wanted = Wanted(message.lot_id, message.version, message.terms)
    if deal is None or deal.state is not State.CHARGED:
        return _begin(draft, desk, deal, wanted)
    assert deal.terms is not None
    if replace(deal.terms, price=wanted.terms.price) == wanted.terms and _currency(deal) == _currency_of(wanted):
        return _change_price(draft, desk, deal, wanted)
    gone = _undo(draft, desk, deal, wanted.lot_id, wanted.version, "the deal was concluded anew")
    if isinstance(gone, Refused):
        return gone
    told = _begin(draft, desk, _after(deal, gone), wanted)
    return told if isinstance(told, Refused) else [*gone, *told]


def take_back_deal(draft: Draft, desk: DealDesk, message: TakeBackDeal) -> list[Fact] | Refused:
    """Charge the dealer nothing any more. Refuses AMOUNT_TOO_LARGE."""
    deal = desk.deal(message.lot_id)
    if deal is not None and message.version <= deal.version:
        return []
    gone: list[Fact] | Refused
    if deal is None or deal.state is not State.CHARGED:
        gone = [
            DealTakenBack(
                dealer_id=desk.dealer_id, lot_id=message.lot_id, version=message.version, reason=message.reason
            )
        ]
    else:
        gone = _undo(draft, desk, deal, message.lot_id, message.version, message.reason)
    if isinstance(gone, Refused):
        return gone
    return [*gone, answer(desk.dealer_id, message.lot_id, message.version, DealAnswer.TAKEN_BACK)]


def try_again(draft: Draft, desk: DealDesk, lot_id: str, deal: Deal) -> list[Fact]:
    """Charge a deal that has waited; nothing where it still cannot be."""
    assert deal.terms is not None
    told = _charged(desk, deal, Wanted(lot_id, deal.version, deal.terms))
    if isinstance(told, Refused):
        return []
    return [*told, answer(desk.dealer_id, lot_id, deal.version, DealAnswer.CHARGED)]


def refuse_bill(desk: DealDesk, bill_id: str, figures: dict[str, str], again_at: int) -> list[Fact]:
    """Billing has refused a settlement: the deal is on no bill."""
    lot_id = bill_id.split(":", 1)[1].rpartition(":")[0]
    deal = desk.deal(lot_id)
    if deal is None or deal.terms is None or deal.bill_id != bill_id:
        return []
    no = Refused(Reason.REFUSED_BY_BILLING, figures)
    return _waits(desk, Wanted(lot_id, deal.version, deal.terms), no, again_at)


def answer(dealer_id: str, lot_id: str, version: int, said: DealAnswer, why: Refused | None = None) -> LotAnswer:
    """What the lot hears."""
    return LotAnswer(
        lot_id=lot_id,
        dealer_id=dealer_id,
        version=version,
        answer=said,
        reason=None if why is None else why.reason,
        figures={} if why is None else why.figures,
    )


# ---- evolve


def evolve(deal: Deal | None, event: DealEvent) -> Deal:
    """The deal after an event."""
    bills, reports = (0, 0) if deal is None else (deal.bills, deal.reports)
    match event:
        case DealCharged():
            is_another = event.bill_id is not None and (deal is None or deal.bill_id != event.bill_id)
            return Deal(
                event.version,
                State.CHARGED,
                event.terms,
                event.charged_minor,
                event.month,
                event.bill_id,
                bills=bills + is_another,
                reports=reports,
            )
        case DealWaits():
            return Deal(event.version, State.WAITS, event.terms, again_at=event.again_at, bills=bills, reports=reports)
        case DealTakenBack():
            return Deal(event.version, State.TAKEN_BACK, bills=bills, reports=reports)
        case ReportCommission():
            assert deal is not None
            return replace(deal, reports=event.version)
        case _:
            assert_never(event)


# ---- inside


def _begin(draft: Draft, desk: DealDesk, deal: Deal | None, wanted: Wanted) -> list[Fact] | Refused:
    """Charge what is not charged, or wait."""
    told = _charged(desk, deal, wanted)
    if isinstance(told, Refused):
        return _waits(desk, wanted, told, draft.at + AGAIN_US)
    return [*told, answer(desk.dealer_id, wanted.lot_id, wanted.version, DealAnswer.CHARGED)]


def _charged(desk: DealDesk, deal: Deal | None, wanted: Wanted) -> list[Fact] | Refused:
    """Refuses UNKNOWN_DEALER, ACCOUNT_NOT_OPEN, NO_COMMISSION_RATE, NO_COMMISSION_POLICY."""
    match wanted.terms.kind:
        case DealKind.AUCTION:
            told = _accrue(desk, deal, wanted)
        case DealKind.FAST_BUYOUT:
            told = _settle(desk, deal, wanted)
        case _:
            assert_never(wanted.terms.kind)
    if isinstance(told, Refused) and told.reason is Reason.ACCOUNT_NOT_OPEN and not desk.is_known:
        return refused(Reason.UNKNOWN_DEALER, dealer=desk.dealer_id)
    return told


def _accrue(desk: DealDesk, deal: Deal | None, wanted: Wanted) -> list[Fact] | Refused:
    at, price = wanted.terms.concluded_at, wanted.terms.price
    rate, policy = commission.rate_at(desk.rates, at), desk.policy
    minor = 0 if rate is None else commission.commission_minor(rate, price.amount_minor)
    number = 1 + (0 if deal is None else deal.reports)
    told = commission.report(desk, wanted.lot_id, number, minor, price.currency)
    if isinstance(told, Refused):
        return told
    if rate is None:
        return refused(Reason.NO_COMMISSION_RATE, concluded_at=at)
    if policy is None:
        return refused(Reason.NO_COMMISSION_POLICY, concluded_at=at)
    place = commission.place(desk, policy, at, price.currency, minor)
    charged = DealCharged(
        dealer_id=desk.dealer_id,
        lot_id=wanted.lot_id,
        version=wanted.version,
        terms=wanted.terms,
        charged_minor=minor,
        month=place.month,
        bill_at=place.bill_at,
        rate_id=rate.rate_id,
    )
    return [charged, told]


def _settle(desk: DealDesk, deal: Deal | None, wanted: Wanted) -> list[Fact] | Refused:
    drafted = _settlement(desk, deal, wanted, f"Lot {wanted.lot_id}")
    asked = draft_bill(desk.account(AccountType.SETTLEMENT), drafted)
    return asked if isinstance(asked, Refused) else [_settled(desk, wanted, drafted.bill_id), *asked]


def _change_price(draft: Draft, desk: DealDesk, deal: Deal, wanted: Wanted) -> list[Fact] | Refused:
    """The same deal at another price, or at the same."""
    match wanted.terms.kind:
        case DealKind.AUCTION:
            told = _change_commission(draft, desk, deal, wanted)
        case DealKind.FAST_BUYOUT:
            told = _change_settlement(draft, desk, deal, wanted)
        case _:
            assert_never(wanted.terms.kind)
    if isinstance(told, Refused):
        return told
    return [*told, answer(desk.dealer_id, wanted.lot_id, wanted.version, DealAnswer.CHARGED)]


def _change_commission(draft: Draft, desk: DealDesk, deal: Deal, wanted: Wanted) -> list[Fact] | Refused:
    assert deal.month is not None
    price, rate = wanted.terms.price, commission.rate_at(desk.rates, wanted.terms.concluded_at)
    if rate is None:
        return refused(Reason.NO_COMMISSION_RATE, concluded_at=wanted.terms.concluded_at)
    minor = commission.commission_minor(rate, price.amount_minor)
    row = desk.month(deal.month, price.currency)
    assert row is not None
    after = commission.accrue(row, wanted.lot_id, minor)
    told = commission.follow(draft, desk, deal.month, price.currency, after, f"lot {wanted.lot_id} has another price")
    said = commission.report(desk, wanted.lot_id, deal.reports + 1, minor, price.currency)
    if isinstance(told, Refused):
        return told
    if isinstance(said, Refused):
        return said
    charged = DealCharged(
        dealer_id=desk.dealer_id,
        lot_id=wanted.lot_id,
        version=wanted.version,
        terms=wanted.terms,
        charged_minor=minor,
        month=deal.month,
        bill_at=row.bill_at,
        rate_id=rate.rate_id,
    )
    return [charged, said, *told]


def _change_settlement(draft: Draft, desk: DealDesk, deal: Deal, wanted: Wanted) -> list[Fact] | Refused:
    assert deal.bill_id is not None
    if deal.charged_minor == wanted.terms.price.amount_minor:
        return [_settled(desk, wanted, deal.bill_id)]
    drafted = _settlement(desk, deal, wanted, f"Lot {wanted.lot_id}: another price")
    drafted = replace(drafted, corrects=deal.bill_id)
    account, bill = desk.account(AccountType.SETTLEMENT), desk.bill(deal.bill_id)
    told = replace_bill(draft, account, bill, desk.waiting(deal.bill_id), drafted)
    return told if isinstance(told, Refused) else [_settled(desk, wanted, drafted.bill_id), *told]


def _undo(draft: Draft, desk: DealDesk, deal: Deal, lot_id: str, version: int, reason: str) -> list[Fact] | Refused:
    """Take back what a deal was charged: nothing of it stays in its month, or on its bill."""
    assert deal.terms is not None
    told: list[Fact] | Refused
    reports: list[Fact] = []
    currency, bill_id = deal.terms.price.currency, deal.bill_id
    if bill_id is not None:
        told = take_back(draft, desk.bill(bill_id), desk.waiting(bill_id), desk.dealer_id, reason)
    else:
        assert deal.month is not None
        row = desk.month(deal.month, currency)
        assert row is not None
        bill_id, after = row.bill_id, commission.give_up(row, lot_id)
        told = commission.follow(draft, desk, deal.month, currency, after, f"lot {lot_id}: {reason}"[:LONGEST_TEXT])
        said = commission.report(desk, lot_id, deal.reports + 1, 0, currency)
        if isinstance(said, Refused):
            return said
        reports = [said]
    if isinstance(told, Refused):
        return told
    gone = DealTakenBack(
        dealer_id=desk.dealer_id,
        lot_id=lot_id,
        version=version,
        reason=reason,
        kind=deal.terms.kind,
        currency=currency,
        charged_minor=deal.charged_minor,
        month=deal.month,
        bill_id=bill_id,
    )
    return [gone, *reports, *told]


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
    return [waits, answer(desk.dealer_id, wanted.lot_id, wanted.version, DealAnswer.WAITS, why)]


def _settlement(desk: DealDesk, deal: Deal | None, wanted: Wanted, text: str) -> BillDrafted:
    return BillDrafted(
        bill_id=f"{BILL}:{wanted.lot_id}:{1 + (0 if deal is None else deal.bills)}",
        dealer_id=desk.dealer_id,
        account=AccountType.SETTLEMENT,
        operation=Operation.GET_SETTLEMENT,
        common=wanted.terms.price,
        text=text,
        lot_id=wanted.lot_id,
    )


def _settled(desk: DealDesk, wanted: Wanted, bill_id: str) -> DealCharged:
    return DealCharged(
        dealer_id=desk.dealer_id,
        lot_id=wanted.lot_id,
        version=wanted.version,
        terms=wanted.terms,
        charged_minor=wanted.terms.price.amount_minor,
        bill_id=bill_id,
    )


def _after(deal: Deal, events: Sequence[Fact]) -> Deal:
    for event in events:
        if isinstance(event, DealTakenBack | ReportCommission):
            deal = evolve(deal, event)
    return deal


def _currency(deal: Deal) -> str | None:
    return None if deal.terms is None else deal.terms.price.currency


def _currency_of(wanted: Wanted) -> str:
    return wanted.terms.price.currency
