"""A batch: a process that sends each person's purchase to its book, and gathers the answers (PRI-08 to PRI-10).

    a member          is asked to           its book answers                          the deadline passes
    SUBMITTING        be submitted          pending -> PENDING                        void -> CANCELLING
    PENDING           .                     (by time, or by a command of its own)     .
                                            authorised, cancelled, timed out -> so
    AUTHORISING       be authorised         authorised, timed out -> so               stays, and is told as late
    CANCELLING        be cancelled          cancelled, timed out, authorised -> so    stays, and is told as late
                                            pending: stays, the void is on its way
    any of these      .                     refused -> REFUSED                        .
    ended             .                     nothing                                   .

One bad person stops nobody else. A batch is authorised or cancelled when nobody is being asked any more; that asks
those who are pending. The time for answers begins with the first tick after asking: a message that came late, or a
standstill, takes nothing from it. What a step came to is told once everybody has answered, or at its deadline and again
when the last answer is there. No message is lost in Kafka: who is late will answer, and a purchase that is submitted
late is voided by the cancellation that follows it on its own partition.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import assert_never

import msgspec
from msgspec.structs import replace

from schemas.fields import Fact, Identifier
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
    BatchMember,
    BatchMemberAnswered,
    BatchStep,
    CancelBatch,
    MemberState,
    SubmitBatch,
)
from schemas.prison_finance import PurchaseAuthorised, PurchasePending, PurchaseVoided, VoidCause
from schemas.refusals import Reason
from streams.ledger.draft import Refused, refused
from streams.prison_finance.gl_transaction import REMEMBERED_US

MINUTE_US = 60_000_000
ANSWER_US = 5 * MINUTE_US
"""How long people's books have for an answer. It is far below the time that a purchase stays pending."""
AT_ONCE = 0
"""Due with the next tick."""
LATE = "late"
"""The reason of a cancellation that no person asked for."""

ASKED = {
    BatchStep.SUBMIT: MemberState.SUBMITTING,
    BatchStep.AUTHORISE: MemberState.AUTHORISING,
    BatchStep.CANCEL: MemberState.CANCELLING,
}
WAITING = frozenset(ASKED.values())
UNENDED = WAITING | {MemberState.PENDING}


class Batch(msgspec.Struct, frozen=True, omit_defaults=True):
    """A batch and its people, ordered by purchase id. A step `is_open` until it is done or its `deadline` has passed.

    `waiting` counts the members that are being asked, `unended` those and the pending ones.
    """

    step: BatchStep
    members: tuple[BatchMember, ...]
    waiting: int
    unended: int
    forget_at: int
    is_open: bool = False
    deadline: int | None = None

    @property
    def due(self) -> int | None:
        """When time changes this row, in UTC micros; None while people's books have the next word."""
        if self.is_open:
            return AT_ONCE if self.deadline is None else self.deadline
        return None if self.unended else self.forget_at

    def member(self, purchase_id: str) -> BatchMember | None:
        """The person whose purchase this is."""
        place = bisect_left(self.members, purchase_id, key=_order)
        found = self.members[place] if place < len(self.members) else None
        return found if found is not None and found.purchase_id == purchase_id else None


# ---- decide


def submit(batch: Batch | None, command: SubmitBatch, at: int) -> list[Fact] | Refused:
    """Ask every person's book. Refuses ALREADY_EXISTS."""
    if batch is not None:
        return refused(Reason.ALREADY_EXISTS, batch=command.batch_id)
    members = [
        BatchMember(purchase_id=purchase.purchase_id, prisoner_id=purchase.prisoner_id, state=MemberState.SUBMITTING)
        for purchase in command.purchases
    ]
    asked = [
        BatchedSubmit(batch_id=command.batch_id, prisoner_id=purchase.prisoner_id, purchase=purchase)
        for purchase in command.purchases
    ]
    return [_asked(command.batch_id, BatchStep.SUBMIT, members, at), *asked]


def authorise(batch: Batch | None, command: AuthoriseBatch, at: int) -> list[Fact] | Refused:
    """Ask those who are pending. Refuses NOT_FOUND, WRONG_STATE."""
    return _ask(batch, command.batch_id, BatchStep.AUTHORISE, at)


def cancel(batch: Batch | None, command: CancelBatch, at: int) -> list[Fact] | Refused:
    """Ask those who are pending. Refuses NOT_FOUND, WRONG_STATE."""
    return _ask(batch, command.batch_id, BatchStep.CANCEL, at, command.reason)


def hear(batch: Batch | None, answer: BatchAnswer, at: int) -> list[Fact]:
    """Note what a person's book says; the last answer ends the step. A forgotten batch, or member, hears nothing."""
    member = None if batch is None else batch.member(answer.purchase_id)
    if batch is None or member is None:
        return []
    state = _after(member.state, answer.answer)
    if state is member.state:
        return []
    reason = answer.reason if state is MemberState.REFUSED else None
    answered = BatchMemberAnswered(
        batch_id=answer.batch_id, member=replace(member, state=state, reason=reason),
        figures=answer.figures,
    )  # fmt: skip
    after = evolve(batch, answered)
    was_the_last_asked = batch.waiting > 0 and after.waiting == 0
    if was_the_last_asked or after.unended == 0:
        return [answered, _answered(answer.batch_id, after, at)]
    return [answered]


def set_deadline(batch_id: str, batch: Batch, now: int) -> list[Fact]:
    """The first tick after asking."""
    return [BatchDeadlineSet(batch_id=batch_id, step=batch.step, deadline=now + ANSWER_US)]


def time_out(batch_id: str, batch: Batch, now: int) -> list[Fact]:
    """The deadline of a step has passed: void what is not submitted yet, and tell who is late."""
    late = [member for member in batch.members if member.state is MemberState.SUBMITTING]
    facts: list[Fact] = [_answered(batch_id, batch, now)]
    for member in late:
        given_up = replace(member, state=MemberState.CANCELLING)
        facts += [BatchMemberAnswered(batch_id=batch_id, member=given_up), _cancelled(batch_id, member, LATE)]
    return facts


def answers(events: Iterable[Fact]) -> Iterator[BatchAnswer]:
    """What these events of a prisoner's book say to the batches of their purchases."""
    for event in events:
        if isinstance(event, PurchasePending | PurchaseAuthorised | PurchaseVoided) and event.batch_id is not None:
            yield BatchAnswer(
                batch_id=event.batch_id,
                prisoner_id=event.prisoner_id,
                purchase_id=event.purchase_id,
                answer=_answer_of(event),
            )


def refusal(
    message: BatchedSubmit | BatchedAuthorise | BatchedCancel, purchase_id: Identifier, why: Refused
) -> BatchAnswer:
    """What a prisoner's book says to a batch where it says no."""
    return BatchAnswer(
        batch_id=message.batch_id,
        prisoner_id=message.prisoner_id,
        purchase_id=purchase_id,
        answer=Answer.REFUSED,
        reason=why.reason,
        figures=why.figures,
    )


# ---- evolve


def evolve(batch: Batch | None, event: BatchAsked | BatchDeadlineSet | BatchMemberAnswered | BatchAnswered) -> Batch:
    """The batch after an event."""
    match event:
        case BatchAsked():
            asked = {member.purchase_id: member for member in event.members}
            members = event.members if batch is None else tuple(asked.get(m.purchase_id, m) for m in batch.members)
            return Batch(
                event.step,
                tuple(sorted(members, key=_order)),
                waiting=len(asked),
                unended=len(asked) if batch is None else batch.unended,
                forget_at=event.at + REMEMBERED_US,
                is_open=True,
            )
        case BatchDeadlineSet():
            assert batch is not None
            return replace(batch, deadline=event.deadline)
        case BatchMemberAnswered():
            assert batch is not None
            place = bisect_left(batch.members, event.member.purchase_id, key=_order)
            before, after = batch.members[place].state, event.member.state
            return replace(
                batch,
                members=(*batch.members[:place], event.member, *batch.members[place + 1 :]),
                waiting=batch.waiting - (before in WAITING) + (after in WAITING),
                unended=batch.unended - (before in UNENDED) + (after in UNENDED),
            )
        case BatchAnswered():
            assert batch is not None
            return replace(batch, is_open=False, deadline=None)
        case _:
            assert_never(event)


# ---- inside


def _ask(batch: Batch | None, batch_id: str, step: BatchStep, at: int, reason: str = "") -> list[Fact] | Refused:
    if batch is None:
        return refused(Reason.NOT_FOUND, batch=batch_id)
    if batch.waiting:
        return refused(Reason.WRONG_STATE, batch=batch_id, under_way=batch.step)
    pending = [member for member in batch.members if member.state is MemberState.PENDING]
    if not pending:
        return refused(Reason.WRONG_STATE, batch=batch_id, pending=0)
    members = [replace(member, state=ASKED[step]) for member in pending]
    asked = [
        BatchedAuthorise(batch_id=batch_id, prisoner_id=member.prisoner_id, purchase_id=member.purchase_id)
        if step is BatchStep.AUTHORISE
        else _cancelled(batch_id, member, reason)
        for member in pending
    ]
    return [_asked(batch_id, step, members, at), *asked]


def _after(state: MemberState, answer: Answer) -> MemberState:
    if state not in UNENDED:
        return state
    match answer:
        case Answer.PENDING:
            return MemberState.PENDING if state is MemberState.SUBMITTING else state
        case Answer.REFUSED:
            return MemberState.REFUSED
        case Answer.AUTHORISED:
            return MemberState.AUTHORISED
        case Answer.CANCELLED:
            return MemberState.CANCELLED
        case Answer.TIMED_OUT:
            return MemberState.TIMED_OUT
        case _:
            assert_never(answer)


def _answer_of(event: PurchasePending | PurchaseAuthorised | PurchaseVoided) -> Answer:
    match event:
        case PurchasePending():
            return Answer.PENDING
        case PurchaseAuthorised():
            return Answer.AUTHORISED
        case PurchaseVoided():
            return Answer.TIMED_OUT if event.cause is VoidCause.TIMED_OUT else Answer.CANCELLED
        case _:
            assert_never(event)


def _asked(batch_id: str, step: BatchStep, members: Iterable[BatchMember], at: int) -> BatchAsked:
    return BatchAsked(batch_id=batch_id, step=step, members=tuple(members), at=at)


def _answered(batch_id: str, batch: Batch, at: int) -> BatchAnswered:
    return BatchAnswered(batch_id=batch_id, step=batch.step, complete=not batch.waiting, members=batch.members, at=at)


def _cancelled(batch_id: str, member: BatchMember, reason: str) -> BatchedCancel:
    return BatchedCancel(
        batch_id=batch_id, prisoner_id=member.prisoner_id, purchase_id=member.purchase_id, reason=reason
    )


def _order(member: BatchMember) -> str:
    return member.purchase_id
