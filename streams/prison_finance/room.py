"""The room of prison finance: which process answers which message, over one partition of its tables."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, assert_never

from schemas.fields import Contract, Fact
from schemas.general_ledger import AccountingDayClosed, GeneralLedgerLine
from schemas.prison_finance import (
    AuthorisePurchase,
    CancelPurchase,
    CreditPrisoner,
    MoveBetweenSubAccounts,
    MovedBetweenSubAccounts,
    Prisoner,
    PrisonerCredited,
    PurchaseAuthorised,
    PurchasePending,
    PurchaseVoided,
    Refused,
    SubmitPurchase,
    Supplier,
)
from streams.ledger import draft as drafts
from streams.ledger.draft import Draft, Ledger
from streams.ledger.tables import DueRows, Rows
from streams.prison_finance import accounting_day, purchase, sub_account
from streams.prison_finance.accounting_day import CLOSED_PER_TICK, OpenDays
from streams.prison_finance.purchase import Purchase, State
from streams.rooms import DUE_PER_TICK, DueDecision, Notice, Verdict

PRISONER = "prisoner:"
OPEN_DAYS = "open-days"
"""The one key of the table of open days."""


class Tables(NamedTuple):
    """One partition of what this room reads and writes."""

    purchases: DueRows[Purchase]
    """By `book|purchase_id`; due at `until`."""
    open_days: Rows[OpenDays]
    """One row a partition, under `OPEN_DAYS`."""
    prisoners: Rows[Prisoner]
    """By prisoner id."""
    suppliers: Rows[Supplier]
    """By supplier id."""


class PrisonFinance:
    """Decides credits and purchases of the prisoners in one partition, and closes its accounting days."""

    name = "prison_finance"

    def __init__(self, tables: Tables, ledger: Ledger) -> None:
        self._tables = tables
        self._ledger = ledger

    def identity(self, message: Contract) -> str | None:
        """A credit and a move are made once; a purchase's row knows the purchase."""
        match message:
            case CreditPrisoner():
                return f"credit:{message.credit_id}"
            case MoveBetweenSubAccounts():
                return f"transfer:{message.transfer_id}"
            case _:
                return None

    def decide(self, draft: Draft, message: Contract) -> Verdict:
        """Answer one upstream message."""
        tables = self._tables
        match message:
            case CreditPrisoner():
                return sub_account.credit(draft, tables.prisoners.get(message.prisoner_id), message)
            case MoveBetweenSubAccounts():
                return sub_account.move(draft, message)
            case SubmitPurchase():
                prisoner = tables.prisoners.get(message.prisoner_id)
                supplier = tables.suppliers.get(message.supplier_id)
                return purchase.submit(draft, self._purchase(draft, message.purchase_id), prisoner, supplier, message)
            case AuthorisePurchase():
                open_days = tables.open_days.get(OPEN_DAYS)
                return purchase.authorise(draft, self._purchase(draft, message.purchase_id), open_days, message)
            case CancelPurchase():
                return purchase.cancel(draft, self._purchase(draft, message.purchase_id), message)
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")

    def _purchase(self, draft: Draft, purchase_id: str) -> Purchase | None:
        return self._tables.purchases.get(f"{draft.book}|{purchase_id}")

    def evolve(self, event: Fact) -> None:
        """Change the rows that an event changes."""
        match event:
            case PurchasePending() | PurchaseAuthorised() | PurchaseVoided():
                key = f"{PRISONER}{event.prisoner_id}|{event.purchase_id}"
                self._tables.purchases[key] = purchase.evolve(self._tables.purchases.get(key), event)
            case GeneralLedgerLine() | AccountingDayClosed():
                before = self._tables.open_days.get(OPEN_DAYS)
                self._tables.open_days[OPEN_DAYS] = accounting_day.evolve(before, event)
            case PrisonerCredited() | MovedBetweenSubAccounts():
                pass  # the ledger's rows say it all
            case _:
                raise TypeError(f"{type(event).__name__} is no event of this room")

    def refusal(self, message: Contract, refused: drafts.Refused) -> list[Fact]:
        """The event that says no."""
        match message:
            case CreditPrisoner():
                refused_id = message.credit_id
            case MoveBetweenSubAccounts():
                refused_id = message.transfer_id
            case SubmitPurchase() | AuthorisePurchase() | CancelPurchase():
                refused_id = message.purchase_id
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")
        return [
            Refused(
                prisoner_id=message.prisoner_id, refused_id=refused_id, reason=refused.reason, figures=refused.figures
            )
        ]

    def due(self, now: int) -> Iterable[DueDecision | Notice]:
        """Time out purchases, forget ended ones, close accounting days."""
        yield from self._purchases_due(now)
        yield from self._days_over(now)

    def _purchases_due(self, now: int) -> Iterator[DueDecision]:
        for key in self._tables.purchases.due(now, DUE_PER_TICK):
            row = self._tables.purchases.get(key)
            assert row is not None
            match row.state:
                case State.PENDING:
                    book, _, purchase_id = key.partition("|")
                    draft = Draft(book, now, self._ledger)
                    yield DueDecision(f"{key}|{row.until}|timed_out", draft, purchase.time_out(draft, purchase_id, row))
                case State.AUTHORISED | State.CANCELLED | State.TIMED_OUT:
                    del self._tables.purchases[key]
                case _:
                    assert_never(row.state)

    def _days_over(self, now: int) -> Iterator[Notice]:
        for _ in range(CLOSED_PER_TICK):
            closed = accounting_day.close(self._tables.open_days.get(OPEN_DAYS), now)
            if closed is None:
                return
            yield Notice(f"accounting-day/{closed.accounting_date}", [closed])
