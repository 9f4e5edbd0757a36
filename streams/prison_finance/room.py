"""The room of prison finance: which process answers which message, over one partition of its tables."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, assert_never

from schemas.fields import Contract, Fact
from schemas.general_ledger import (
    AccountingDayClosed,
    CorrectLines,
    GeneralLedgerLine,
    LinesAreCorrected,
    LinesAreRefused,
    LinesProcessed,
    LinesRefused,
    TransactionProcessed,
)
from schemas.prison_advances import (
    AdvanceActive,
    AdvancePending,
    AdvanceRepaid,
    AdvanceVoided,
    AdvanceWrittenOff,
    WriteOffAdvance,
)
from schemas.prison_batches import (
    BatchAnswer,
    BatchedAuthorise,
    BatchedCancel,
    BatchedSubmit,
)
from schemas.prison_finance import (
    AuthorisePurchase,
    CancelPurchase,
    CreditPrisoner,
    MoveBetweenSubAccounts,
    MovedBetweenSubAccounts,
    PrisonerCredited,
    PurchaseAuthorised,
    PurchasePending,
    PurchaseProcessed,
    PurchaseRefunded,
    PurchaseVoided,
    RefundPurchase,
    Refused,
    SubmitPurchase,
)
from streams.ledger import draft as drafts
from streams.ledger.draft import Draft, Ledger
from streams.ledger.tables import DueRows, Rows, put
from streams.prison_finance import (
    accounting_day,
    acknowledgement,
    advance,
    batch,
    gl_transaction,
    purchase,
    refund,
    sub_account,
    submission,
)
from streams.prison_finance.accounting_day import CLOSED_PER_TICK, OpenDays
from streams.prison_finance.advance import Advances
from streams.prison_finance.general_ledger import GeneralLedger
from streams.prison_finance.gl_transaction import GlTransaction
from streams.prison_finance.purchase import Purchase, State
from streams.prison_finance.reference import Reference
from streams.rooms import DUE_PER_TICK, DueDecision, Notice, Verdict

PRISONER = "prisoner:"
OPEN_DAYS = "open-days"
"""The one key of the table of open days."""


class Tables(NamedTuple):
    """One partition of what this room reads and writes."""

    purchases: DueRows[Purchase]
    """By `book|purchase_id`; due at `until`."""
    advances: Rows[Advances]
    """By book."""
    transactions: DueRows[GlTransaction]
    """By `book|transaction_id`; due at `until`."""
    open_days: Rows[OpenDays]
    """One row a partition, under `OPEN_DAYS`."""
    reference: Reference
    """What comes from Postgres; the room only reads it."""


class PrisonFinance:
    """Decides credits, purchases and advances of the prisoners in one partition, and closes its accounting days."""

    name = "prison_finance"

    def __init__(self, tables: Tables, ledger: Ledger) -> None:
        self._tables = tables
        self._ledger = ledger

    def identity(self, message: Contract) -> str | None:
        """What is done once, whatever carries it; a purchase's row knows the purchase."""
        match message:
            case CreditPrisoner():
                return f"credit:{message.credit_id}"
            case MoveBetweenSubAccounts():
                return f"transfer:{message.transfer_id}"
            case RefundPurchase():
                return f"refund:{message.refund_id}"
            case WriteOffAdvance():
                return f"write-off:{message.advance_id}"
            case LinesProcessed():
                return f"lines-processed:{message.transaction_id}:{message.file}"
            case LinesRefused():
                return f"lines-refused:{message.transaction_id}:{message.file}"
            case CorrectLines():
                return f"correction:{message.correction_id}"
            case _:
                return None

    def decide(self, draft: Draft, message: Contract) -> Verdict:
        """Answer one message of upstream, or of a batch."""
        reference, book = self._tables.reference, draft.book
        advances, ledger = self._tables.advances.get(book), self._general_ledger(book)
        match message:
            case CreditPrisoner():
                prisoner = reference.prisoners.get(message.prisoner_id)
                return sub_account.credit(draft, prisoner, advances, ledger, message)
            case MoveBetweenSubAccounts():
                return sub_account.move(draft, message)
            case SubmitPurchase():
                return self._submit(draft, advances, message)
            case BatchedSubmit():
                return _heard(self._submit(draft, advances, message.purchase, message.batch_id))
            case AuthorisePurchase() | BatchedAuthorise():
                known = self._purchase(book, message.purchase_id)
                return _heard(purchase.authorise(draft, known, advances, ledger, message))
            case CancelPurchase() | BatchedCancel():
                return _heard(purchase.cancel(draft, self._purchase(book, message.purchase_id), advances, message))
            case RefundPurchase():
                return refund.refund(draft, self._purchase(book, message.purchase_id), advances, ledger, message)
            case WriteOffAdvance():
                return advance.write_off(draft, advances, reference, ledger, message)
            case LinesProcessed() | LinesRefused() | CorrectLines():
                return self._acknowledge(draft, ledger, message)
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")

    def _submit(
        self, draft: Draft, advances: Advances | None, command: SubmitPurchase, batch_id: str | None = None
    ) -> Verdict:
        ledger = self._general_ledger(draft.book)
        known = submission.Known(
            self._purchase(draft.book, command.purchase_id),
            ledger.transaction(command.purchase_id),
            ledger.transaction(advance.write_off_id(command.purchase_id)),
            advances,
        )
        return submission.submit(draft, known, self._tables.reference, command, batch_id)

    def _acknowledge(
        self, draft: Draft, ledger: GeneralLedger, message: LinesProcessed | LinesRefused | CorrectLines
    ) -> Verdict:
        match message:
            case LinesProcessed():
                known = self._purchase(draft.book, message.transaction_id)
                return acknowledgement.processed(draft, known, ledger, message)
            case LinesRefused():
                return acknowledgement.refuse(draft, ledger, message)
            case CorrectLines():
                return acknowledgement.correct(draft, self._tables.reference, ledger, message)
            case _:
                assert_never(message)

    def _purchase(self, book: str, purchase_id: str) -> Purchase | None:
        return self._tables.purchases.get(f"{book}|{purchase_id}")

    def _general_ledger(self, book: str) -> GeneralLedger:
        return GeneralLedger(book, self._tables.open_days.get(OPEN_DAYS), self._tables.transactions)

    def evolve(self, event: Fact) -> None:
        """Change the rows that an event changes."""
        match event:
            case PurchasePending() | PurchaseAuthorised() | PurchaseVoided() | PurchaseProcessed() | PurchaseRefunded():
                self._evolve_purchase(event.prisoner_id, event.purchase_id, event)
            case AdvancePending() | AdvanceActive() | AdvanceVoided() | AdvanceRepaid():
                self._evolve_advances(event)
            case AdvanceWrittenOff():
                self._evolve_advances(event)
                if self._purchase(f"{PRISONER}{event.prisoner_id}", event.advance_id) is not None:
                    self._evolve_purchase(event.prisoner_id, event.advance_id, event)
            case GeneralLedgerLine():
                self._evolve_line(event)
            case TransactionProcessed() | LinesAreRefused() | LinesAreCorrected():
                self._evolve_transaction(event)
            case AccountingDayClosed():
                self._evolve_days(event)
            case PrisonerCredited() | MovedBetweenSubAccounts():
                pass  # the ledger's rows say it all
            case BatchAnswer():
                pass  # for the batch
            case _:
                raise TypeError(f"{type(event).__name__} is no event of this room")

    def _evolve_purchase(self, prisoner_id: str, purchase_id: str, event: purchase.Event) -> None:
        rows, key = self._tables.purchases, f"{PRISONER}{prisoner_id}|{purchase_id}"
        rows[key] = purchase.evolve(rows.get(key), event)

    def _evolve_advances(self, event: advance.Event) -> None:
        rows, book = self._tables.advances, f"{PRISONER}{event.prisoner_id}"
        put(rows, book, advance.evolve(rows.get(book), event))

    def _evolve_transaction(self, event: gl_transaction.Event) -> None:
        rows, key = self._tables.transactions, f"{PRISONER}{event.prisoner_id}|{event.transaction_id}"
        rows[key] = gl_transaction.evolve(rows.get(key), event)

    def _evolve_line(self, line: GeneralLedgerLine) -> None:
        self._evolve_days(line)
        self._evolve_transaction(line)
        if line.corrects is None:
            return
        book, purchase_id = f"{PRISONER}{line.prisoner_id}", line.transaction_id
        if self._purchase(book, purchase_id) is not None:
            self._evolve_purchase(line.prisoner_id, purchase_id, line)
        if advance.of(self._tables.advances.get(book), purchase_id) is not None:
            self._evolve_advances(line)

    def _evolve_days(self, event: GeneralLedgerLine | AccountingDayClosed) -> None:
        rows = self._tables.open_days
        rows[OPEN_DAYS] = accounting_day.evolve(rows.get(OPEN_DAYS), event)

    def refusal(self, message: Contract, refused: drafts.Refused) -> list[Fact]:
        """The event that says no; where a batch asked, it hears it too."""
        if isinstance(message, BatchedSubmit | BatchedAuthorise | BatchedCancel):
            asked = message.purchase if isinstance(message, BatchedSubmit) else message
            return [
                _no(message.prisoner_id, asked.purchase_id, refused),
                batch.refusal(message, asked.purchase_id, refused),
            ]
        match message:
            case CreditPrisoner():
                refused_id = message.credit_id
            case MoveBetweenSubAccounts():
                refused_id = message.transfer_id
            case SubmitPurchase() | AuthorisePurchase() | CancelPurchase():
                refused_id = message.purchase_id
            case RefundPurchase():
                refused_id = message.refund_id
            case WriteOffAdvance():
                refused_id = message.advance_id
            case LinesProcessed() | LinesRefused():
                refused_id = message.transaction_id
            case CorrectLines():
                refused_id = message.correction_id
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")
        return [_no(message.prisoner_id, refused_id, refused)]

    def due(self, now: int) -> Iterable[DueDecision | Notice]:
        """Time out purchases, forget ended ones and old transactions, close accounting days."""
        yield from self._purchases_due(now)
        for key in self._tables.transactions.due(now, DUE_PER_TICK):
            del self._tables.transactions[key]
        yield from self._days_over(now)

    def _purchases_due(self, now: int) -> Iterator[DueDecision]:
        for key in self._tables.purchases.due(now, DUE_PER_TICK):
            row = self._tables.purchases.get(key)
            assert row is not None
            match row.state:
                case State.PENDING:
                    book, _, purchase_id = key.partition("|")
                    draft = Draft(book, now, self._ledger)
                    events = purchase.time_out(draft, purchase_id, row, self._tables.advances.get(book))
                    yield DueDecision(f"{key}|{now}|timed_out", draft, _heard(events))
                case State.AUTHORISED | State.PROCESSED | State.CANCELLED | State.TIMED_OUT:
                    del self._tables.purchases[key]
                case _:
                    assert_never(row.state)

    def _days_over(self, now: int) -> Iterator[Notice]:
        for _ in range(CLOSED_PER_TICK):
            closed = accounting_day.close(self._tables.open_days.get(OPEN_DAYS), now)
            if closed is None:
                return
            yield Notice(f"accounting-day/{closed.accounting_date}", [closed])


def _heard(verdict: Verdict) -> Verdict:
    """A verdict on a purchase, with what its batch must hear of it, if it has one."""
    return verdict if isinstance(verdict, drafts.Refused) else [*verdict, *batch.answers(verdict)]


def _no(prisoner_id: str, refused_id: str, why: drafts.Refused) -> Refused:
    return Refused(prisoner_id=prisoner_id, refused_id=refused_id, reason=why.reason, figures=why.figures)
