"""The room of batches, over one partition of its table: no money, only who was asked and what was answered."""

from collections.abc import Iterable

from schemas.fields import Contract, Fact
from schemas.prison_batches import (
    AuthoriseBatch,
    BatchAnswer,
    BatchAnswered,
    BatchAsked,
    BatchDeadlineSet,
    BatchedAuthorise,
    BatchedCancel,
    BatchedSubmit,
    BatchMemberAnswered,
    BatchRefused,
    CancelBatch,
    SubmitBatch,
)
from streams.ledger.draft import Draft, Ledger, Refused
from streams.ledger.tables import DueRows
from streams.prison_finance import batch
from streams.prison_finance.batch import Batch
from streams.rooms import DUE_PER_TICK, DueDecision, Verdict

BATCH = "batch:"


class PrisonBatches:
    """Decides the batches in one partition; `batches` is by book, due at `Batch.due`."""

    name = "prison_batches"

    def __init__(self, batches: DueRows[Batch], ledger: Ledger) -> None:
        self._batches = batches
        self._ledger = ledger

    def identity(self, message: Contract) -> str | None:
        """None: the batch's row knows what was said."""
        return None

    def decide(self, draft: Draft, message: Contract) -> Verdict:
        """Answer one message of upstream, or of a prisoner's book."""
        row = self._batches.get(draft.book)
        match message:
            case SubmitBatch():
                return batch.submit(row, message, draft.at)
            case AuthoriseBatch():
                return batch.authorise(row, message, draft.at)
            case CancelBatch():
                return batch.cancel(row, message, draft.at)
            case BatchAnswer():
                return batch.hear(row, message, draft.at)
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")

    def evolve(self, event: Fact) -> None:
        """Change the row that an event changes."""
        match event:
            case BatchAsked() | BatchDeadlineSet() | BatchMemberAnswered() | BatchAnswered():
                book = f"{BATCH}{event.batch_id}"
                self._batches[book] = batch.evolve(self._batches.get(book), event)
            case BatchedSubmit() | BatchedAuthorise() | BatchedCancel():
                pass  # for a prisoner's book
            case _:
                raise TypeError(f"{type(event).__name__} is no event of this room")

    def refusal(self, message: Contract, refused: Refused) -> list[Fact]:
        """The event that says no."""
        assert isinstance(message, SubmitBatch | AuthoriseBatch | CancelBatch), message
        return [BatchRefused(batch_id=message.batch_id, reason=refused.reason, figures=refused.figures)]

    def due(self, now: int) -> Iterable[DueDecision]:
        """Let the time for answers begin, tell who is late, forget ended batches."""
        for book in self._batches.due(now, DUE_PER_TICK):
            row = self._batches.get(book)
            assert row is not None
            batch_id, draft = book.removeprefix(BATCH), Draft(book, now, self._ledger)
            if not row.is_open:
                del self._batches[book]
            elif row.deadline is None:
                events = batch.set_deadline(batch_id, row, now)
                yield DueDecision(f"{book}|{row.step}|{now}|asked", draft, events)
            else:
                events = batch.time_out(batch_id, row, now)
                yield DueDecision(f"{book}|{row.step}|{row.deadline}|late", draft, events)
