"""What becomes of dealers' bills while the demo runs, as their events tell it. Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from schemas.dealer_bills import (
    BillCorrected,
    BillDrafted,
    BillPaid,
    BillPaidFromBalance,
    BillSent,
    BillState,
    BillVoided,
)
from schemas.fields import Fact


class Bill(NamedTuple):
    """A bill, its sums in minor units, and where Billing keeps its PDF."""

    bill_id: str
    state: BillState
    currency: str
    common_minor: int
    paid_minor: int = 0
    url: str | None = None


class BillsIn(NamedTuple):
    """All bills in one state and one currency, and one of them."""

    state: BillState
    currency: str
    number: int
    common_minor: int
    paid_minor: int
    one: Bill


class Bills:
    """Every bill as of its last event."""

    def __init__(self) -> None:
        self._bills: dict[tuple[str, str], Bill] = {}

    def take(self, event: Fact) -> None:
        """Note an event; one that is not of a bill's state changes nothing."""
        match event:
            case BillDrafted():
                common = event.common
                drafted = Bill(event.bill_id, BillState.DRAFT, common.currency, common.amount_minor)
                self._bills[event.dealer_id, event.bill_id] = drafted
            case BillSent():
                self._change(event.dealer_id, event.bill_id, state=BillState.SENT, url=event.url)
            case BillPaid() | BillPaidFromBalance():
                self._change(event.dealer_id, event.bill_id, state=event.state, paid_minor=event.paid_minor)
            case BillVoided():
                self._change(event.dealer_id, event.bill_id, state=BillState.VOIDED, paid_minor=0)
            case BillCorrected():
                self._change(event.dealer_id, event.bill_id, state=BillState.CORRECTED, paid_minor=0)

    def _change(self, dealer_id: str, bill_id: str, **values: Any) -> None:
        self._bills[dealer_id, bill_id] = self._bills[dealer_id, bill_id]._replace(**values)

    def by_state(self) -> Iterator[BillsIn]:
        """In the order of a bill's life."""
        for state in BillState:
            for currency in sorted({bill.currency for bill in self._bills.values()}):
                bills = [each for each in self._bills.values() if (each.state, each.currency) == (state, currency)]
                if bills:
                    common, paid = sum(each.common_minor for each in bills), sum(each.paid_minor for each in bills)
                    one = min(bills, key=lambda each: each.bill_id)
                    yield BillsIn(state, currency, len(bills), common, paid, one)
