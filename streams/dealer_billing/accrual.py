"""What a deal of the auction does to its month: commission comes to it, changes, or is taken out (DLR-04, DLR-09)."""

from schemas.fields import LONGEST_TEXT, Fact
from schemas.lots import DealCharged
from schemas.refusals import Reason
from streams.dealer_billing import commission
from streams.dealer_billing.commission import Place
from streams.dealer_billing.deal_row import Deal, DealDesk, Wanted, taken_back
from streams.ledger.draft import Draft, Refused, refused


def charge(desk: DealDesk, deal: Deal | None, wanted: Wanted) -> list[Fact] | Refused:
    """Accrue the commission, and tell Billing. Refuses ACCOUNT_NOT_OPEN, NO_COMMISSION_RATE, NO_COMMISSION_POLICY."""
    at, price = wanted.terms.concluded_at, wanted.terms.price
    rate, policy = commission.rate_at(desk.rates, at), desk.policy
    minor = 0 if rate is None else commission.commission_minor(rate, price.amount_minor)
    number = 1 + (0 if deal is None else deal.reports)
    report = commission.report(desk, wanted.lot_id, number, minor, price.currency)
    if isinstance(report, Refused):
        return report
    if rate is None:
        return refused(Reason.NO_COMMISSION_RATE, concluded_at=at)
    if policy is None:
        return refused(Reason.NO_COMMISSION_POLICY, concluded_at=at)
    place = commission.place(desk, policy, at, price.currency, minor)
    return [_charged(desk, wanted, minor, place, rate.rate_id), report]


def is_rated(desk: DealDesk, deal: Deal) -> bool:
    """Whether a deal that is charged has the commission of the rate that counts, as far as rates are known by now."""
    assert deal.terms is not None
    rate = commission.rate_at(desk.rates, deal.terms.concluded_at)
    return rate is None or commission.commission_minor(rate, deal.terms.price.amount_minor) == deal.charged_minor


def change(draft: Draft, desk: DealDesk, deal: Deal, wanted: Wanted, what: str) -> list[Fact] | Refused:
    """The same deal has another price, or another rate: it stays in its month, and the month's bill follows.

    Refuses NO_COMMISSION_RATE, AMOUNT_TOO_LARGE.
    """
    assert deal.month is not None
    lot_id, price, at = wanted.lot_id, wanted.terms.price, wanted.terms.concluded_at
    rate, row = commission.rate_at(desk.rates, at), desk.month(deal.month, price.currency)
    assert row is not None
    if rate is None:
        return refused(Reason.NO_COMMISSION_RATE, concluded_at=at)
    minor = commission.commission_minor(rate, price.amount_minor)
    report = commission.report(desk, lot_id, deal.reports + 1, minor, price.currency)
    if isinstance(report, Refused):
        return report
    after = commission.accrue(row, lot_id, minor)
    told = commission.follow(draft, desk, deal.month, price.currency, after, f"lot {lot_id} has another {what}")
    if isinstance(told, Refused):
        return told
    return [_charged(desk, wanted, minor, Place(deal.month, row.bill_at), rate.rate_id), report, *told]


def undo(draft: Draft, desk: DealDesk, deal: Deal, lot_id: str, version: int, reason: str) -> list[Fact] | Refused:
    """Nothing of the deal stays in its month, or on the month's bill. Refuses AMOUNT_TOO_LARGE."""
    assert deal.month is not None
    assert deal.terms is not None
    currency = deal.terms.price.currency
    row = desk.month(deal.month, currency)
    assert row is not None
    report = commission.report(desk, lot_id, deal.reports + 1, 0, currency)
    if isinstance(report, Refused):
        return report
    why = f"lot {lot_id}: {reason}"[:LONGEST_TEXT]
    told = commission.follow(draft, desk, deal.month, currency, commission.give_up(row, lot_id), why)
    if isinstance(told, Refused):
        return told
    return [taken_back(desk, lot_id, version, reason, deal, row.bill_id), report, *told]


def _charged(desk: DealDesk, wanted: Wanted, minor: int, place: Place, rate_id: str) -> DealCharged:
    return DealCharged(
        dealer_id=desk.dealer_id,
        lot_id=wanted.lot_id,
        version=wanted.version,
        terms=wanted.terms,
        charged_minor=minor,
        month=place.month,
        bill_at=place.bill_at,
        rate_id=rate_id,
    )
