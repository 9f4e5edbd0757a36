"""A batch that reaches the pipeline late (PRI-10)."""

import pytest

from schemas.prison_batches import BatchedCancel, BatchedSubmit
from streams.prison_finance.batch import ANSWER_US, Batch
from streams.prison_finance.batch_room import PrisonBatches
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
