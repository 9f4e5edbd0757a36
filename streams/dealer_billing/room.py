"""The room of dealer billing: which process answers which message, over one partition of its tables."""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.dealer_billing import (
    BillingPayment,
    BillPaid,
    BillRaised,
    Dealer,
    PaymentSuspended,
    RaiseBill,
    Refused,
)
from schemas.fields import Contract, Fact
from streams.dealer_billing import bill
from streams.dealer_billing.bill import Bill, Payment, Waiting
from streams.ledger import draft as drafts
from streams.ledger.draft import Draft
from streams.ledger.tables import Rows
from streams.rooms import DueDecision, Verdict

DEALER = "dealer:"


class Tables(NamedTuple):
    """One partition of what this room reads and writes."""

    bills: Rows[Bill]
    """By `book|bill_id`."""
    payments: Rows[Payment]
    """By `book|payment_id`."""
    waiting: Rows[Waiting]
    """By `book|bill_id`."""
    dealers: Rows[Dealer]
    """By dealer id."""


class DealerBilling:
    """Decides bills and payments of the dealers in one partition."""

    name = "dealer_billing"

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def identity(self, message: Contract) -> str | None:
        """A payment is reported once; a bill's row knows the bill."""
        return f"payment:{message.payment_id}" if isinstance(message, BillingPayment) else None

    def decide(self, draft: Draft, message: Contract) -> Verdict:
        """Answer one upstream message."""
        tables = self._tables
        match message:
            case RaiseBill():
                key = f"{draft.book}|{message.bill_id}"
                dealer = tables.dealers.get(message.dealer_id)
                return bill.raise_bill(draft, tables.bills.get(key), dealer, self._waiting(draft.book, key), message)
            case BillingPayment():
                key = f"{draft.book}|{message.bill_id}"
                known = tables.payments.get(f"{draft.book}|{message.payment_id}")
                return bill.pay(draft, tables.bills.get(key), known, tables.waiting.get(key), message)
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")

    def _waiting(self, book: str, key: str) -> list[Payment]:
        waiting = self._tables.waiting.get(key) or Waiting()
        payments = [self._tables.payments.get(f"{book}|{payment_id}") for payment_id in waiting.payment_ids]
        known = [payment for payment in payments if payment is not None]
        assert len(known) == len(payments), f"{key}: a waiting payment has no row"
        return known

    def evolve(self, event: Fact) -> None:
        """Change the rows that an event changes."""
        match event:
            case BillRaised():
                self._change_bill(event)
            case BillPaid():
                self._change_bill(event)
                self._take(event)
            case PaymentSuspended():
                self._take(event)
            case _:
                raise TypeError(f"{type(event).__name__} is no event of this room")

    def _change_bill(self, event: BillRaised | BillPaid) -> None:
        key = f"{DEALER}{event.dealer_id}|{event.bill_id}"
        self._tables.bills[key] = bill.evolve(self._tables.bills.get(key), event)

    def _take(self, event: PaymentSuspended | BillPaid) -> None:
        book = f"{DEALER}{event.dealer_id}"
        self._tables.payments[f"{book}|{event.payment_id}"] = bill.taken(event)
        key = f"{book}|{event.bill_id}"
        before = self._tables.waiting.get(key)
        after = bill.evolve_waiting(before, event)
        if after is not None:
            self._tables.waiting[key] = after
        elif before is not None:
            del self._tables.waiting[key]

    def refusal(self, message: Contract, refused: drafts.Refused) -> list[Fact]:
        """The event that says no."""
        match message:
            case RaiseBill():
                refused_id = message.bill_id
            case BillingPayment():
                refused_id = message.payment_id
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")
        return [
            Refused(dealer_id=message.dealer_id, refused_id=refused_id, reason=refused.reason, figures=refused.figures)
        ]

    def due(self, now: int) -> Iterable[DueDecision]:
        """Nothing: bills and payments wait as long as it takes."""
        return ()
