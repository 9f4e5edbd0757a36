"""What the general-ledger sink tells of lines that the room wrote, given to that room (PRI-10, PRI-11)."""

from collections.abc import Sequence

import pytest

from schemas.fields import Message
from schemas.general_ledger import GeneralLedgerLine, LinesAreRefused, TransactionProcessed
from schemas.topics import GL_ACKNOWLEDGEMENTS
from sinks.general_ledger import outbox
from sinks.general_ledger.answer import Answer, SentLine, acknowledgements, verdicts
from sinks.general_ledger.tables import ToPublish
from streams.ledger.draft import Refused
from tests.unit.prison_finance.partition import Partition, moment

pytestmark = pytest.mark.requirement("PRI-10", "PRI-11")

FILE = "adi/2024-01-09/0210_SSCL_MR_09012024_LEI_MTP01.csv"


def told(lines: Sequence[GeneralLedgerLine], refused: dict[str, str]) -> list[Message]:
    """What goes into Kafka when the general ledger refuses these lines of a file, and takes all others."""
    answer = Answer.model_validate({
        "digest": "d", "outcome": "accepted in part" if refused else "accepted",
        "refused": [{"line_id": line_id, "reason": reason} for line_id, reason in refused.items()],
    })  # fmt: skip
    sent = [SentLine(line.line_id, line.transaction_id, line.prisoner_id) for line in lines]
    rows = [
        ToPublish(
            each.event_id, FILE, each.prisoner_id, each.transaction_id, each.outcome,
            [{"line_id": line_id, "reason": reason} for line_id, reason in each.reasons.items()], moment("10 09:00"),
        )
        for each in acknowledgements(FILE, verdicts(answer, "d", sent))
    ]  # fmt: skip
    return [outbox.event(row, GL_ACKNOWLEDGEMENTS).message for row in rows]


def test_one_purchase_is_processed_and_another_is_refused_corrected_and_processed_then() -> None:
    prison = Partition()
    prison.credit(100)
    prison.tick("09 10:00")
    prison.buy("P1", 30, "09 10:00")
    prison.buy("P2", 20, "09 10:01")
    first = list(prison.lines)
    bad = next(line.line_id for line in first if line.transaction_id == "P2")

    heard = [event for message in told(first, {bad: "account unknown"})
             for event in _accepted(prison.give(message, "10 09:00"))]  # fmt: skip

    assert {type(event) for event in heard} >= {TransactionProcessed, LinesAreRefused}
    assert (prison.state("P1"), prison.state("P2")) == ("processed", "authorised")
    prison.correct("P2", at="10 10:00")
    again = [line for line in prison.lines if line not in first]
    assert {line.corrects for line in again} == {line.line_id for line in first if line.transaction_id == "P2"}

    for message in told(again, {}):
        _accepted(prison.give(message, "11 09:00"))

    assert prison.state("P2") == "processed"


def _accepted(verdict: list[Message] | Refused) -> list[Message]:
    assert not isinstance(verdict, Refused), verdict
    return verdict
