"""The room of dealer billing: which process answers which message, over one partition of its tables."""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.billing import (
    BillingDone,
    BillingRefused,
    CallRefused,
    ChangePayer,
    CreateClient,
    CreateContract,
    CreatePayer,
    IssueBill,
    WithdrawBill,
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
from schemas.dealer_billing import AccountType, BillingPayment, Dealer, Refused
from schemas.dealer_bills import (
    BillCorrected,
    BillDrafted,
    BillPaid,
    BillPaidFromBalance,
    BillSent,
    BillVoided,
    CorrectBill,
    CreateBill,
    HandOverPayment,
    MatchPayment,
    PaymentCredited,
    PaymentHandedOver,
    PaymentWaits,
    VoidBill,
)
from schemas.dealer_deposits import (
    DepositChanged,
    DepositReceived,
    DepositReturned,
    PriceSegmentGranted,
    PriceSegmentRevoked,
)
from schemas.fields import Contract, Fact
from streams.dealer_billing import bill, bill_row, payment, payment_row, registration
from streams.dealer_billing.accounts import DEALER
from streams.dealer_billing.bill_row import Bill, BillEvent
from streams.dealer_billing.deposit import Deposit, Moved, Tiers
from streams.dealer_billing.deposit_rows import DepositRows
from streams.dealer_billing.payment_row import Meant, Payment, PaymentEvent, Waiting
from streams.dealer_billing.registration import Account, AccountEvent, Registered
from streams.ledger import draft as drafts
from streams.ledger.draft import Draft, Ledger
from streams.ledger.tables import DueRows, Rows, put
from streams.rooms import DueDecision, Verdict


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
    deposits: DueRows[Deposit]
    moved: Rows[Moved]
    tiers: Rows[Tiers]
    """As `DepositRows` says of these three."""


class DealerBilling:
    """Decides the dealers in one partition: who they are to Billing, what they owe, what they have paid."""

    name = "dealer_billing"

    def __init__(self, tables: Tables, ledger: Ledger) -> None:
        self._tables = tables
        self._ledger = ledger
        self._deposits = DepositRows(tables.deposits, tables.moved, tables.tiers, tables.accounts, tables.dealers)

    def identity(self, message: Contract) -> str | None:
        """A payment is reported once, a call answered once, a payment matched once; rows know dealers and bills."""
        match message:
            case BillingPayment() | DepositReceived() | DepositReturned():
                return f"payment:{message.payment_id}"
            case BillingDone() | BillingRefused():
                return f"answer:{message.call_id}"
            case MatchPayment():
                return f"match:{message.match_id}"
            case _:
                return None

    # ---- decide

    def decide(self, draft: Draft, message: Contract) -> Verdict:
        """Answer one message of upstream, of Billing, or of another dealer's book."""
        match message:
            case RegisterDealer() | AddFastBuyout() | UpdateRequisites():
                return self._decide_dealer(draft.book, message)
            case BillingDone() | BillingRefused():
                return self._hear(draft, message)
            case CreateBill() | VoidBill() | CorrectBill():
                return self._decide_bill(draft, message)
            case DepositReceived() | DepositReturned():
                known = self._payment(draft.book, message.payment_id)
                return payment.taken_before(known, message.payment_id) or self._deposits.decide(draft, message)
            case BillingPayment():
                if refusal := self._deposits.moved_before(draft.book, message.payment_id):
                    return refusal
                meant, known = self._meant(draft.book, message.bill_id), self._payment(draft.book, message.payment_id)
                return payment.pay(draft, meant, known, message)
            case MatchPayment():
                meant, known = self._meant(draft.book, message.bill_id), self._payment(draft.book, message.payment_id)
                return payment.match_payment(draft, meant, known, message)
            case HandOverPayment():
                meant, known = self._meant(draft.book, message.bill_id), self._payment(draft.book, message.payment_id)
                return payment.take_over(draft, meant, known, message)
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")

    def _decide_dealer(self, book: str, command: RegisterDealer | AddFastBuyout | UpdateRequisites) -> Verdict:
        dealer = self._tables.registered.get(book)
        match command:
            case RegisterDealer():
                return registration.register(self._tables.dealers.get(command.dealer_id), dealer, command)
            case AddFastBuyout():
                return registration.add_fast_buyout(dealer, self._accounts(book), command)
            case UpdateRequisites():
                return registration.update_requisites(dealer, self._accounts(book), command)

    def _hear(self, draft: Draft, answer: BillingDone | BillingRefused) -> Verdict:
        """Billing's answer, about a bill or about an account."""
        if answer.bill_id is not None:
            about, waiting = self._exactly(draft.book, answer.bill_id), self._waiting(draft.book, answer.bill_id)
            if isinstance(answer, BillingDone):
                return bill.hear_done(draft, about, waiting, answer)
            return bill.hear_refused(draft, about, waiting, answer)
        dealer, account = self._tables.registered.get(draft.book), self._account(draft.book, answer.account)
        if isinstance(answer, BillingDone):
            told = registration.hear_done(dealer, account, answer)
            return [*told, *self._deposits.opened(draft, answer.dealer_id, told)]
        return registration.hear_refused(dealer, account, answer)

    def _decide_bill(self, draft: Draft, command: CreateBill | VoidBill | CorrectBill) -> Verdict:
        book, known = draft.book, self._tables.dealers.get(command.dealer_id)
        about, waiting = self._exactly(book, command.bill_id), self._waiting(book, command.bill_id)
        match command:
            case CreateBill():
                account = self._account(book, bill.ACCOUNT_OF[command.operation])
                return bill.create(known, account, about.bill, command)
            case VoidBill():
                return bill.void(draft, about, waiting, command)
            case CorrectBill():
                account = None if about.bill is None else self._account(book, about.bill.account)
                successor = self._tables.bills.get(f"{book}|{command.successor_id}")
                return bill.correct(draft, account, about, successor, waiting, command)

    # ---- rows

    def _account(self, book: str, account: AccountType) -> Account | None:
        return self._tables.accounts.get(f"{book}|{account}")

    def _accounts(self, book: str) -> dict[AccountType, Account]:
        rows = {account: self._account(book, account) for account in AccountType}
        return {account: row for account, row in rows.items() if row is not None}

    def _payment(self, book: str, payment_id: str) -> Payment | None:
        return self._tables.payments.get(f"{book}|{payment_id}")

    def _exactly(self, book: str, bill_id: str) -> Meant:
        key = f"{book}|{bill_id}"
        return Meant(bill_id, self._tables.bills.get(key), self._tables.waiting.get(key))

    def _meant(self, book: str, bill_id: str) -> Meant:
        """The bill that is meant by an id: where it was corrected, the last of its successors."""
        meant = self._exactly(book, bill_id)
        while meant.bill is not None and meant.bill.successor is not None:
            meant = self._exactly(book, meant.bill.successor)
        return meant

    def _waiting(self, book: str, bill_id: str) -> list[Payment]:
        waiting = self._tables.waiting.get(f"{book}|{bill_id}") or Waiting()
        payments = [self._payment(book, payment_id) for payment_id in waiting.payment_ids]
        known = [each for each in payments if each is not None]
        assert len(known) == len(payments), f"{book}|{bill_id}: a waiting payment has no row"
        return known

    # ---- evolve

    def evolve(self, event: Fact) -> None:
        """Change the rows that an event changes."""
        match event:
            case DealerRegistered() | RequisitesChanged():
                book, rows = f"{DEALER}{event.dealer_id}", self._tables.registered
                rows[book] = registration.evolve_dealer(rows.get(book), event)
            case (
                AccountOpening() | AccountOpened() | AccountStopped()
                | RequisitesSent() | RequisitesTaken() | RequisitesRefused()
            ):  # fmt: skip
                self._change_account(event)
            case BillDrafted() | BillSent() | BillPaidFromBalance() | BillVoided() | BillCorrected() | WithdrawBill():
                self._change_bill(event)
            case BillPaid():
                self._change_bill(event)
                self._change_payment(event)
            case PaymentWaits() | PaymentCredited() | PaymentHandedOver():
                self._change_payment(event)
            case DepositChanged() | PriceSegmentGranted() | PriceSegmentRevoked():
                self._deposits.evolve(f"{DEALER}{event.dealer_id}", event)
            case CreateClient() | CreatePayer() | CreateContract() | ChangePayer() | IssueBill():
                pass  # for Billing
            case HandOverPayment():
                pass  # for another dealer's book
            case CallRefused():
                pass  # for people
            case _:
                raise TypeError(f"{type(event).__name__} is no event of this room")

    def _change_account(self, event: AccountEvent) -> None:
        rows, key = self._tables.accounts, f"{DEALER}{event.dealer_id}|{event.account}"
        rows[key] = registration.evolve(rows.get(key), event)

    def _change_bill(self, event: BillEvent) -> None:
        rows, key = self._tables.bills, f"{DEALER}{event.dealer_id}|{event.bill_id}"
        rows[key] = bill_row.evolve(rows.get(key), event)

    def _change_payment(self, event: PaymentEvent) -> None:
        book, rows = f"{DEALER}{event.dealer_id}", self._tables.waiting
        before = self._payment(book, event.payment_id)
        self._tables.payments[f"{book}|{event.payment_id}"] = after = payment_row.evolve_payment(before, event)
        if before is not None and before.waits_for is not None:
            key = f"{book}|{before.waits_for}"
            put(rows, key, payment_row.without(rows.get(key), event.payment_id))
        if after.waits_for is not None:
            key = f"{book}|{after.waits_for}"
            rows[key] = payment_row.with_payment(rows.get(key), event.payment_id)

    def refusal(self, message: Contract, refused: drafts.Refused) -> list[Fact]:
        """The event that says no."""
        match message:
            case CreateBill() | VoidBill() | CorrectBill():
                refused_id = message.bill_id
            case BillingPayment() | HandOverPayment() | DepositReceived() | DepositReturned():
                refused_id = message.payment_id
            case MatchPayment():
                refused_id = message.match_id
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
        """Judge deposits by tiers that have changed; bills and payments wait as long as it takes."""
        return self._deposits.due(now, self._ledger)
