"""A batch that reaches the pipeline late (PRI-10)."""

import pytest

from schemas.prison_batches import Answer, BatchAnswer, BatchedCancel, BatchedSubmit
from streams.prison_finance.batch import ANSWER_US, Batch
from streams.prison_finance.batch_room import PrisonBatches
from streams.processing import TICK_AHEAD_US
from streams.runtime.rows import Rows
from tests.rooms import MINUTE, Stage

from .partition import WHO
from .test_batch_laws import batch_of

pytestmark = pytest.mark.requirement("PRI-08", "PRI-10")


def test_peoples_books_have_their_time_to_answer_from_when_they_are_asked() -> None:
    rows = Rows(Batch, due=lambda batch: batch.due)
    stage = Stage(lambda ledger: PrisonBatches(rows, ledger), rows)
    asked = stage.send(batch_of(WHO), at=stage.now - ANSWER_US - MINUTE)  # upstream's outbox was six minutes behind
    assert isinstance(asked.events[-1], BatchedSubmit)
    told = stage.wait(1_000_000)
    assert not [event for event in told.events if isinstance(event, BatchedCancel)], told.says


def test_a_batch_hears_what_a_tick_days_ahead_has_made_of_its_people() -> None:
    """Ticks may be six days ahead, and what they cause is told with their time."""
    rows = Rows(Batch, due=lambda batch: batch.due)
    stage = Stage(lambda ledger: PrisonBatches(rows, ledger), rows)
    submit = batch_of(WHO)
    stage.send(submit)
    (purchase,) = submit.purchases
    ids = {"batch_id": submit.batch_id, "prisoner_id": WHO, "purchase_id": purchase.purchase_id}
    answer = BatchAnswer(**ids, answer=Answer.TIMED_OUT)
    told = stage.send(answer, at=stage.now + TICK_AHEAD_US, arrived=stage.now)  # type: ignore[arg-type]
    assert told.outcome == "accepted"
