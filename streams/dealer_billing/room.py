"""The room of dealer billing: which process answers which message, over one partition of its tables."""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.billing import (
    BillingDone,
    BillingRefused,
    ChangePayer,
    CreateClient,
    CreateContract,
    CreatePayer,
)
from schemas.dealer_accounts import (
    AccountOpened,
    AccountOpening,
    AccountStopped,
    AddFastBuyout,
    DealerRegistered,
    RegisterDealer,
    RequisitesChanged,
    RequisitesRefused,
    RequisitesSent,
    RequisitesTaken,
    UpdateRequisites,
)
from schemas.dealer_billing import (
    AccountType,
    BillingPayment,
    BillPaid,
    BillRaised,
    Dealer,
    PaymentSuspended,
    RaiseBill,
    Refused,
)
from schemas.fields import Contract, Fact
from streams.dealer_billing import bill, registration
from streams.dealer_billing.bill import Bill, Payment, Waiting
from streams.dealer_billing.registration import Account, AccountEvent, Registered
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
    """By dealer id: whom reference data knows."""
    registered: Rows[Registered]
    """By book."""
    accounts: Rows[Account]
    """By `book|ACCOUNT`."""


class DealerBilling:
    """Decides bills and payments of the dealers in one partition."""

    name = "dealer_billing"

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def identity(self, message: Contract) -> str | None:
        """A payment is reported once, and a call answered once; rows know dealers and bills."""
        match message:
            case BillingPayment():
                return f"payment:{message.payment_id}"
            case BillingDone() | BillingRefused():
                return f"answer:{message.call_id}"
            case _:
                return None

    def decide(self, draft: Draft, message: Contract) -> Verdict:
        """Answer one upstream message."""
        tables, dealer = self._tables, self._tables.registered.get(draft.book)
        match message:
            case RegisterDealer():
                return registration.register(tables.dealers.get(message.dealer_id), dealer, message)
            case AddFastBuyout():
                return registration.add_fast_buyout(dealer, self._accounts(draft.book), message)
            case UpdateRequisites():
                return registration.update_requisites(dealer, self._accounts(draft.book), message)
            case BillingDone():
                return registration.hear_done(dealer, self._account(draft.book, message.account), message)
            case BillingRefused():
                return registration.hear_refused(dealer, self._account(draft.book, message.account), message)
            case RaiseBill():
                key = f"{draft.book}|{message.bill_id}"
                known = tables.dealers.get(message.dealer_id)
                return bill.raise_bill(draft, tables.bills.get(key), known, self._waiting(draft.book, key), message)
            case BillingPayment():
                key = f"{draft.book}|{message.bill_id}"
                taken = tables.payments.get(f"{draft.book}|{message.payment_id}")
                return bill.pay(draft, tables.bills.get(key), taken, tables.waiting.get(key), message)
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")

    def _account(self, book: str, account: AccountType) -> Account | None:
        return self._tables.accounts.get(f"{book}|{account}")

    def _accounts(self, book: str) -> dict[AccountType, Account]:
        rows = {account: self._account(book, account) for account in AccountType}
        return {account: row for account, row in rows.items() if row is not None}

    def _waiting(self, book: str, key: str) -> list[Payment]:
        waiting = self._tables.waiting.get(key) or Waiting()
        payments = [self._tables.payments.get(f"{book}|{payment_id}") for payment_id in waiting.payment_ids]
        known = [payment for payment in payments if payment is not None]
        assert len(known) == len(payments), f"{key}: a waiting payment has no row"
        return known

    def evolve(self, event: Fact) -> None:
        """Change the rows that an event changes."""
        match event:
            case DealerRegistered() | RequisitesChanged():
                book = f"{DEALER}{event.dealer_id}"
                rows = self._tables.registered
                rows[book] = registration.evolve_dealer(rows.get(book), event)
            case (
                AccountOpening()
                | AccountOpened()
                | AccountStopped()
                | RequisitesSent()
                | RequisitesTaken()
                | RequisitesRefused()
            ):
                self._change_account(event)
            case CreateClient() | CreatePayer() | CreateContract() | ChangePayer():
                pass  # for Billing
            case BillRaised():
                self._change_bill(event)
            case BillPaid():
                self._change_bill(event)
                self._take(event)
            case PaymentSuspended():
                self._take(event)
            case _:
                raise TypeError(f"{type(event).__name__} is no event of this room")

    def _change_account(self, event: AccountEvent) -> None:
        rows, key = self._tables.accounts, f"{DEALER}{event.dealer_id}|{event.account}"
        rows[key] = registration.evolve(rows.get(key), event)

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
            case RegisterDealer() | AddFastBuyout() | UpdateRequisites():
                refused_id = message.dealer_id
            case BillingDone() | BillingRefused():
                refused_id = message.call_id
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")
        return [
            Refused(dealer_id=message.dealer_id, refused_id=refused_id, reason=refused.reason, figures=refused.figures)
        ]

    def due(self, now: int) -> Iterable[DueDecision]:
        """Nothing: bills and payments wait as long as it takes."""
        return ()
