"""Which source pays what of a purchase: whole pence, the total checked first (PRI-02 to PRI-07). Pure arithmetic."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.fields import iso
from schemas.prison_finance import FundingSource, PurchasePart, SupplierPayment
from schemas.prison_reference import Prisoner
from schemas.refusals import Reason
from streams.ledger.draft import Refused, refused


class Funded(NamedTuple):
    """What pays what, and what nothing pays, in pence."""

    parts: tuple[PurchasePart, ...]
    missing_minor: int

    def paid_by(self, source: FundingSource) -> int:
        """What a source pays, over all suppliers."""
        return sum(part.amount_minor for part in self.parts if part.source is source)


def allocate(payments: Iterable[SupplierPayment], funds: Mapping[FundingSource, int]) -> Funded:
    """Payments in their order take from sources in theirs: all of the first one, then of the next.

    A supplier at the edge of two sources has two parts. No part is of nothing.
    """
    left, parts, missing = dict(funds), list[PurchasePart](), 0
    for payment in payments:
        wanted = payment.amount.amount_minor
        for source in funds:
            taken = min(wanted, left[source])
            if taken > 0:
                parts.append(PurchasePart(source=source, supplier_id=payment.supplier_id, amount_minor=taken))
                left[source] -= taken
                wanted -= taken
        missing += wanted
    return Funded(tuple(parts), missing)


def unpermitted(prisoner: Prisoner, funding: Iterable[FundingSource], cash_minor: int, at: int) -> Refused | None:
    """Cash beside spends needs the governor's permission; cash alone needs none (PRI-03, PRI-04).

    Refuses NOT_PERMITTED with what is permitted until when.
    """
    if not cash_minor or FundingSource.SPENDS not in funding:
        return None
    until, most = prisoner.cash_permission_until, prisoner.cash_permission_most_minor
    if until is None:
        return refused(Reason.NOT_PERMITTED, permission="none", wanted_cash=cash_minor)
    if until <= at:
        return refused(Reason.NOT_PERMITTED, permission="expired", until=iso(until), wanted_cash=cash_minor)
    if most is not None and most < cash_minor:
        return refused(Reason.NOT_PERMITTED, permission="too_small", permitted_cash=most, wanted_cash=cash_minor)
    return None
