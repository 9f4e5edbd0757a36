"""A batch asks its people's books and gathers the answers (PRI-08, PRI-09, PRI-10)."""

from typing import Any

import pytest

from schemas.codec import Undecodable, from_json
from schemas.fields import Fact
from schemas.prison_batches import (
    Answer,
    AuthoriseBatch,
    BatchAnswer,
    BatchAnswered,
    BatchAsked,
    BatchDeadlineSet,
    BatchedAuthorise,
    BatchedCancel,
    BatchedSubmit,
    BatchMemberAnswered,
    BatchStep,
    CancelBatch,
    SubmitBatch,
)
from schemas.refusals import Reason
from streams.ledger.draft import Refused
from streams.prison_finance import batch
from streams.prison_finance.batch import ANSWER_US, REMEMBERED_US, Batch

pytestmark = pytest.mark.requirement("PRI-08", "PRI-09", "PRI-10")

BATCH_ID = "week-7"
NOON = 1_700_000_000_000_000


class Process:
    """One batch: commands and answers go in, ticks pass, and `stands` says what it knows of each person."""

    def __init__(self) -> None:
        self.row: Batch | None = None

    def submit(self, *people: str, at: int = NOON) -> list[Fact] | Refused:
        return self._carry_out(batch.submit(self.row, submitted(*people), at))

    def authorise(self, at: int = NOON) -> list[Fact] | Refused:
        return self._carry_out(batch.authorise(self.row, AuthoriseBatch(batch_id=BATCH_ID), at))

    def cancel(self, at: int = NOON) -> list[Fact] | Refused:
        return self._carry_out(batch.cancel(self.row, CancelBatch(batch_id=BATCH_ID, reason="no-delivery"), at))

    def hear(self, person: str, answer: Answer, reason: str | None = None, at: int = NOON) -> list[Fact]:
        said = BatchAnswer(
            batch_id=BATCH_ID, prisoner_id=person, purchase_id=f"P-{person}", answer=answer, reason=reason
        )
        facts = self._carry_out(batch.hear(self.row, said, at))
        assert not isinstance(facts, Refused)
        return facts

    def tick(self, now: int) -> list[Fact]:
        """What falls due: nothing, the beginning of the time for answers, or its end."""
        assert self.row is not None
        if self.row.due is None or self.row.due > now:
            return []
        happen = batch.set_deadline if self.row.deadline is None else batch.time_out
        facts = self._carry_out(happen(BATCH_ID, self.row, now))
        assert not isinstance(facts, Refused)
        return facts

    def _carry_out(self, verdict: list[Fact] | Refused) -> list[Fact] | Refused:
        for fact in verdict if isinstance(verdict, list) else ():
            if isinstance(fact, BatchAsked | BatchDeadlineSet | BatchMemberAnswered | BatchAnswered):
                self.row = batch.evolve(self.row, fact)
        return verdict

    @property
    def stands(self) -> str:
        assert self.row is not None
        return ", ".join(f"{member.prisoner_id} {member.state}" for member in self.row.members)


def submitted(*people: str) -> SubmitBatch:
    return SubmitBatch.model_validate({"batch_id": BATCH_ID, "purchases": [purchase(person) for person in people]})


def purchase(person: str, number: str | None = None) -> dict[str, Any]:
    return {
        "purchase_id": number or f"P-{person}",
        "prisoner_id": person,
        "payments": [{"supplier_id": "canteen", "amount": {"amount_minor": 250, "currency": "GBP"}}],
        "total": {"amount_minor": 250, "currency": "GBP"},
        "funding": ["spends"],
        "description": "Canteen",
    }


def of_kind(facts: list[Fact] | Refused, kind: type[Fact]) -> list[Any]:
    assert not isinstance(facts, Refused), facts
    return [fact for fact in facts if isinstance(fact, kind)]


def pending(*people: str) -> Process:
    """A batch whose people are all pending."""
    process = Process()
    process.submit(*people)
    for person in people:
        process.hear(person, Answer.PENDING)
    return process


# ---- submitting


def test_a_batch_asks_the_book_of_every_person() -> None:
    process = Process()
    asked = of_kind(process.submit("ann", "bob"), BatchedSubmit)
    assert [each.prisoner_id for each in asked] == ["ann", "bob"]
    assert process.stands == "ann submitting, bob submitting"


def test_a_batch_is_answered_once_everybody_has_answered() -> None:
    process = Process()
    process.submit("ann", "bob")
    assert of_kind(process.hear("ann", Answer.PENDING), BatchAnswered) == []
    [told] = of_kind(process.hear("bob", Answer.PENDING), BatchAnswered)
    assert (told.step, told.complete, len(told.members)) == (BatchStep.SUBMIT, True, 2)


def test_one_bad_person_stops_nobody_else() -> None:
    process = Process()
    process.submit("ann", "bob", "cid")
    process.hear("ann", Answer.PENDING)
    process.hear("bob", Answer.REFUSED, "insufficient_funds")
    [told] = of_kind(process.hear("cid", Answer.PENDING), BatchAnswered)
    assert [(each.prisoner_id, each.state.value, each.reason) for each in told.members] == [
        ("ann", "pending", None),
        ("bob", "refused", "insufficient_funds"),
        ("cid", "pending", None),
    ]
    assert [each.prisoner_id for each in of_kind(process.authorise(), BatchedAuthorise)] == ["ann", "cid"]


def test_a_batch_id_is_used_once() -> None:
    process = pending("ann")
    again = process.submit("bob")
    assert isinstance(again, Refused)
    assert again.reason is Reason.ALREADY_EXISTS


@pytest.mark.parametrize(
    ("second", "named"),
    [(purchase("ann", "P-other"), "prisoner_id"), (purchase("bob", "P-ann"), "purchase_id")],
    ids=["one person twice", "one purchase id twice"],
)
def test_a_repetition_inside_a_batch_is_named(second: dict[str, Any], named: str) -> None:
    data = {"batch_id": BATCH_ID, "purchases": [purchase("ann"), second]}
    with pytest.raises(Undecodable, match=rf"purchases: .*1\.{named}: .* is in the batch already") as caught:
        from_json(SubmitBatch, data)
    assert caught.value.field == "purchases"


# ---- authorising and cancelling


def test_a_batch_is_authorised_by_authorising_all_who_are_pending() -> None:
    process = pending("ann", "bob")
    process.authorise()
    assert process.stands == "ann authorising, bob authorising"
    process.hear("ann", Answer.AUTHORISED)
    [told] = of_kind(process.hear("bob", Answer.AUTHORISED), BatchAnswered)
    assert (told.step, told.complete) == (BatchStep.AUTHORISE, True)
    assert process.stands == "ann authorised, bob authorised"


def test_a_cancelled_batch_frees_all_who_are_pending() -> None:
    process = pending("ann", "bob")
    asked = of_kind(process.cancel(), BatchedCancel)
    assert {(each.prisoner_id, each.reason) for each in asked} == {("ann", "no-delivery"), ("bob", "no-delivery")}
    for person in ("ann", "bob"):
        process.hear(person, Answer.CANCELLED)
    assert process.stands == "ann cancelled, bob cancelled"


@pytest.mark.parametrize("command", ["authorise", "cancel"])
def test_a_batch_that_nobody_knows_is_not_found(command: str) -> None:
    verdict = getattr(Process(), command)()
    assert (verdict.reason, verdict.figures) == (Reason.NOT_FOUND, {"batch": BATCH_ID})


@pytest.mark.parametrize("command", ["authorise", "cancel"])
def test_nothing_is_asked_while_answers_are_awaited(command: str) -> None:
    process = Process()
    process.submit("ann")
    verdict = getattr(process, command)()
    assert (verdict.reason, verdict.figures["under_way"]) == (Reason.WRONG_STATE, "submit")


@pytest.mark.parametrize("command", ["authorise", "cancel"])
def test_a_batch_in_which_nobody_is_pending_has_nothing_to_ask(command: str) -> None:
    process = pending("ann")
    process.authorise()
    process.hear("ann", Answer.AUTHORISED)
    verdict = getattr(process, command)()
    assert (verdict.reason, verdict.figures["pending"]) == (Reason.WRONG_STATE, "0")


# ---- time


def test_a_person_whose_purchase_timed_out_is_told_and_not_asked() -> None:
    process = pending("ann", "bob")
    assert of_kind(process.hear("ann", Answer.TIMED_OUT), BatchMemberAnswered) != []
    assert [each.prisoner_id for each in of_kind(process.authorise(), BatchedAuthorise)] == ["bob"]


def test_a_batch_whose_last_pending_purchase_ends_is_told() -> None:
    process = pending("ann", "bob")
    assert of_kind(process.hear("ann", Answer.TIMED_OUT), BatchAnswered) == []
    assert len(of_kind(process.hear("bob", Answer.TIMED_OUT), BatchAnswered)) == 1


def test_who_has_not_answered_in_time_is_voided_and_told_as_late() -> None:
    process = Process()
    process.submit("ann", "bob")
    process.hear("ann", Answer.PENDING)
    assert of_kind(process.tick(NOON), BatchDeadlineSet)
    assert process.tick(NOON + ANSWER_US - 1) == []
    facts = process.tick(NOON + ANSWER_US)
    [told] = of_kind(facts, BatchAnswered)
    assert not told.complete
    assert [(each.prisoner_id, each.reason) for each in of_kind(facts, BatchedCancel)] == [("bob", "late")]
    assert process.stands == "ann pending, bob cancelling"
    assert process.tick(NOON + 2 * ANSWER_US) == []


def test_the_time_for_answers_begins_when_they_are_asked_however_old_the_command_is() -> None:
    process = Process()
    process.submit("ann", at=NOON)
    [told] = of_kind(process.tick(NOON + 3 * ANSWER_US), BatchDeadlineSet)
    assert told.deadline == NOON + 4 * ANSWER_US
    assert process.stands == "ann submitting"


def test_a_purchase_that_is_submitted_after_the_deadline_ends_by_the_void_that_follows_it() -> None:
    process = Process()
    process.submit("ann")
    process.tick(NOON)
    process.tick(NOON + ANSWER_US)
    assert process.hear("ann", Answer.PENDING) == []
    [told] = of_kind(process.hear("ann", Answer.CANCELLED), BatchAnswered)
    assert told.complete
    assert process.stands == "ann cancelled"


def test_who_is_late_with_an_authorisation_keeps_it() -> None:
    process = pending("ann")
    process.authorise(NOON)
    process.tick(NOON)
    facts = process.tick(NOON + ANSWER_US)
    assert (len(facts), of_kind(facts, BatchAnswered)[0].complete) == (1, False)
    [told] = of_kind(process.hear("ann", Answer.AUTHORISED), BatchAnswered)
    assert told.complete


def test_a_batch_is_remembered_after_its_end_and_not_before() -> None:
    process = pending("ann")
    assert process.row is not None
    process.tick(NOON + ANSWER_US)
    assert process.row.due is None
    process.hear("ann", Answer.TIMED_OUT)
    assert process.row.due == NOON + REMEMBERED_US


# ---- answers that come to nothing


def test_an_answer_to_an_ended_purchase_changes_nothing() -> None:
    process = pending("ann")
    process.hear("ann", Answer.CANCELLED)
    assert process.hear("ann", Answer.REFUSED, "wrong_state") == []
    assert process.stands == "ann cancelled"


def test_an_answer_about_a_stranger_changes_nothing() -> None:
    process = pending("ann")
    assert process.hear("bob", Answer.PENDING) == []
    assert Process().hear("ann", Answer.PENDING) == []
