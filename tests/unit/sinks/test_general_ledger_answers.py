"""What an answer means for each line, and what is told of it (PRI-11)."""

from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.envelope import read_envelope
from schemas.general_ledger import MOST_LINES, LinesProcessed, LinesRefused
from schemas.topics import GL_ACKNOWLEDGEMENTS
from sinks.general_ledger import outbox
from sinks.general_ledger.answer import (
    Acknowledgement,
    Answer,
    SentLine,
    Unsettled,
    Verdict,
    acknowledgements,
    verdicts,
)
from sinks.general_ledger.tables import ToPublish
from sinks.general_ledger.upload import LineStatus

LAW = settings(deadline=None)  # a busy machine is no broken law
pytestmark = pytest.mark.requirement("PRI-11")

FILE = "adi/2026-07-03/0210_SSCL_MR_03072026_LEI_MTP01.csv"


def answer(outcome: str, refused: dict[str, str] | None = None, reason: str | None = None) -> Answer:
    lines = [{"line_id": line_id, "reason": why} for line_id, why in (refused or {}).items()]
    return Answer.model_validate({"digest": "d", "outcome": outcome, "reason": reason, "refused": lines})


def sent(transactions: int, lines_each: int = 2) -> list[SentLine]:
    return [
        SentLine(f"line-{transaction}-{line}", f"transaction-{transaction}", f"A{transaction % 3}")
        for transaction in range(transactions)
        for line in range(lines_each)
    ]


@pytest.mark.parametrize(
    "said",
    [
        {"outcome": "accepted in part"},
        {"outcome": "accepted", "refused": [{"line_id": "a", "reason": "b"}]},
        {"outcome": "refused"},
        {"outcome": "perhaps"},
        {},
    ],
)
def test_an_answer_that_contradicts_itself_is_no_answer(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Answer.model_validate({"digest": "d", **said})


def test_reasons_are_made_fit_for_one_line() -> None:
    (line,) = answer("accepted in part", {"a": " account\r\n\x00unknown " + "x" * 300}).refused
    assert line.reason.startswith("account unknown xxx")
    assert len(line.reason) == 240
    assert answer("refused", reason="\n").reason == "no reason given"


def test_a_refused_line_refuses_no_other_persons_purchase_of_the_same_id() -> None:
    lines = [SentLine(f"{who}/order-1/{side}", "order-1", who) for who in ("A1", "A2") for side in ("debit", "credit")]

    found = verdicts(answer("accepted in part", {"A1/order-1/debit": "account unknown"}), "d", lines)

    assert [(each.line.prisoner_id, each.status) for each in found] == [
        ("A1", LineStatus.REFUSED), ("A1", LineStatus.REFUSED),
        ("A2", LineStatus.PROCESSED), ("A2", LineStatus.PROCESSED),
    ]  # fmt: skip
    assert {each.prisoner_id: each.outcome for each in acknowledgements(FILE, found)} == {
        "A1": LineStatus.REFUSED, "A2": LineStatus.PROCESSED,
    }  # fmt: skip


def test_a_whole_refusal_keeps_the_reasons_that_were_given_by_line() -> None:
    lines = sent(1)
    found = verdicts(answer("refused", {"line-0-0": "account unknown"}, "period closed"), "d", lines)
    assert [(each.status, each.reason) for each in found] == [
        (LineStatus.REFUSED, "account unknown"),
        (LineStatus.REFUSED, "period closed"),
    ]


def test_an_answer_about_other_bytes_or_without_an_outcome_yet_settles_nothing() -> None:
    with pytest.raises(Unsettled, match="another file under this name, with SHA-256 d"):
        verdicts(answer("accepted"), "e", sent(1))
    with pytest.raises(Unsettled, match="is at work on it"):
        verdicts(answer("at work"), "d", sent(1))


def test_a_refused_line_that_was_not_sent_settles_nothing() -> None:
    with pytest.raises(Unsettled, match="a-stranger"):
        verdicts(answer("accepted in part", {"a-stranger": "?"}), "d", sent(2))


def test_what_decides_nothing_is_told_in_words_that_a_table_takes() -> None:
    """Postgres takes no NUL: a worker that could not write down what is wrong would end at it, and begin again."""
    strange = answer("refused", {"a\x00b": "no"})
    for digest, said in (("other", strange.model_copy(update={"digest": "d\x00\n"})), ("d", strange)):
        with pytest.raises(Unsettled) as refused:
            verdicts(said, digest, sent(1))
        assert str(refused.value).isprintable()


@LAW
@given(st.integers(1, 12), st.integers(1, 4), st.data())
def test_each_line_has_one_verdict_each_transaction_one_fate_and_each_line_is_told_once(
    transactions: int, lines_each: int, data: st.DataObject
) -> None:
    lines = sent(transactions, lines_each)
    refused = data.draw(st.sets(st.sampled_from([line.line_id for line in lines])))
    said = answer("accepted in part", dict.fromkeys(refused, "no")) if refused else answer("accepted")

    found = verdicts(said, "d", lines)
    told = acknowledgements(FILE, found)

    assert [each.line for each in found] == lines
    fates = {(each.line.transaction_id, each.status) for each in found}
    assert len(fates) == transactions
    assert {each.line.transaction_id for each in found if each.status is LineStatus.REFUSED} == {
        line.transaction_id for line in lines if line.line_id in refused
    }
    assert sorted(chain.from_iterable(each.reasons for each in told)) == sorted(line.line_id for line in lines)
    assert len({each.event_id for each in told}) == len(told)
    assert acknowledgements(FILE, data.draw(st.permutations(found))) == told


def test_a_transaction_of_very_many_lines_is_told_in_several_events() -> None:
    found = [Verdict(SentLine(f"l{n}", "t", "A1"), LineStatus.PROCESSED, None) for n in range(2 * MOST_LINES + 1)]
    told = acknowledgements(FILE, found)
    assert [len(each.reasons) for each in told] == [MOST_LINES, MOST_LINES, 1]
    assert len({each.event_id for each in told}) == 3


def row(told: Acknowledgement) -> ToPublish:
    lines = [{"line_id": line_id, "reason": reason} for line_id, reason in told.reasons.items()]
    at = 1_783_000_000_000_000
    return ToPublish(told.event_id, FILE, told.prisoner_id, told.transaction_id, told.outcome, lines, at)


def test_a_row_is_always_the_same_event_with_its_prisoner_as_key() -> None:
    lines = sent(2)
    told = acknowledgements(FILE, verdicts(answer("accepted in part", {"line-1-0": "no"}), "d", lines))
    processed, refused = (outbox.event(row(each), GL_ACKNOWLEDGEMENTS) for each in told)

    assert processed.message == LinesProcessed(
        prisoner_id="A0", transaction_id="transaction-0", file=FILE, line_ids=("line-0-0", "line-0-1")
    )
    assert isinstance(refused.message, LinesRefused)
    assert [each.line_id for each in refused.message.reasons] == ["line-1-0", "line-1-1"]
    assert read_envelope(processed.envelope.headers()) == processed.envelope
    assert (processed.envelope.subject, refused.envelope.subject) == ("prisoner:A0", "prisoner:A1")
    assert outbox.event(row(told[0]), GL_ACKNOWLEDGEMENTS) == processed
