"""A batch and its people's books, with messages between them in any order that Kafka allows (PRI-08 to PRI-10)."""

from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.fields import Contract, Fact
from schemas.prison_batches import (
    AuthoriseBatch,
    BatchAnswer,
    BatchAnswered,
    BatchedAuthorise,
    BatchedCancel,
    BatchedSubmit,
    CancelBatch,
    MemberState,
    SubmitBatch,
)
from schemas.prison_finance import AuthorisePurchase, CancelPurchase, FundingSource, SubmitPurchase
from streams.ledger.draft import Draft, Ledger, Refused
from streams.prison_finance.batch import ANSWER_US, Batch
from streams.prison_finance.batch_room import PrisonBatches
from streams.prison_finance.submission import PENDING_US
from streams.rooms import DueDecision
from streams.runtime.rows import Rows
from tests.unit.prison_finance.partition import CANTEEN, MORNING, PRISONER, WHO, Partition, moment, to_suppliers

pytestmark = pytest.mark.requirement("PRI-08", "PRI-09", "PRI-10")

PEOPLE = (WHO, "A0002BC", "A0003BC")
STRANGER = "A9999ZZ"
BATCH_ID = "week-7"
FUNDS, PRICE = 100, 60


class Mail:
    """Two rooms, and a queue to each book: what one book sends another arrives once, in order, at some time."""

    def __init__(self) -> None:
        self.prison = Partition()
        for who in PEOPLE[1:]:
            self.prison.kept.prisoners[who] = PRISONER.model_copy(update={"prisoner_id": who})
        for who in PEOPLE:
            self.prison.credit(FUNDS, who=who)
        self.rows = Rows(Batch, due=lambda row: row.due)
        self.ledger = Ledger(*self.prison.money)
        self.batches = PrisonBatches(self.rows, self.ledger)
        self.queues: dict[str, deque[Contract]] = defaultdict(deque)
        self.summaries: list[BatchAnswered] = []
        self.now = moment(MORNING)

    # ---- moves of the machine

    def command(self, message: SubmitBatch | AuthoriseBatch | CancelBatch) -> bool:
        """Whether it is accepted."""
        return self._decide(f"batch:{message.batch_id}", message)

    def deliver(self, choice: int) -> bool:
        """The next message of one of the queues; False if all are empty."""
        waiting = sorted(book for book, queue in self.queues.items() if queue)
        if not waiting:
            return False
        book = waiting[choice % len(waiting)]
        self._decide(book, self.queues[book].popleft())
        return True

    def wait(self, micros: int) -> None:
        self.now += micros
        for due in chain(self.batches.due(self.now), self.prison.room.due(self.now)):
            if isinstance(due, DueDecision):
                assert not isinstance(due.verdict, Refused)
                self._carry_out(due.draft, due.verdict)
            else:
                for event in due.events:
                    self.prison.room.evolve(event)

    def settle(self) -> None:
        """Deliver all that is on its way."""
        while self.deliver(0):
            pass

    def own(self, message: AuthorisePurchase | CancelPurchase) -> None:
        """A command of the person's own, beside the batch."""
        self._decide(f"prisoner:{message.prisoner_id}", message)

    # ---- inside

    def _decide(self, book: str, message: Contract) -> bool:
        room = self.batches if book.startswith("batch:") else self.prison.room
        draft = Draft(book, self.now, self.ledger)
        verdict = room.decide(draft, message)
        if isinstance(verdict, Refused):
            for event in room.refusal(message, verdict):
                self._route(event)
            return False
        self._carry_out(draft, verdict)
        return True

    def _carry_out(self, draft: Draft, events: Sequence[Fact]) -> None:
        draft.commit()
        room = self.batches if draft.book.startswith("batch:") else self.prison.room
        for event in events:
            room.evolve(event)
            self._route(event)

    def _route(self, event: Fact) -> None:
        if isinstance(event, BatchAnswer):
            self.queues[f"batch:{event.batch_id}"].append(event)
        elif isinstance(event, BatchedSubmit | BatchedAuthorise | BatchedCancel):
            self.queues[f"prisoner:{event.prisoner_id}"].append(event)
        elif isinstance(event, BatchAnswered):
            self.summaries.append(event)

    # ---- what stands

    def known(self, who: str) -> str:
        row = self.rows.get(f"batch:{BATCH_ID}")
        assert row is not None
        member = row.member(f"P-{who}")
        assert member is not None
        return member.state.value


def batch_of(*people: str) -> SubmitBatch:
    return SubmitBatch(
        batch_id=BATCH_ID,
        purchases=tuple(
            SubmitPurchase(
                purchase_id=f"P-{who}",
                prisoner_id=who,
                payments=to_suppliers({CANTEEN.supplier_id: PRICE}),
                total=to_suppliers({CANTEEN.supplier_id: PRICE})[0].amount,
                funding=(FundingSource.SPENDS,),
                description="Canteen Spends",
            )
            for who in people
        ),
    )


def test_a_batch_of_three_with_one_stranger_is_paid_by_the_two_others() -> None:
    mail = Mail()
    assert mail.command(batch_of(WHO, STRANGER, PEOPLE[1]))
    mail.settle()
    assert [mail.known(who) for who in (WHO, STRANGER, PEOPLE[1])] == ["pending", "refused", "pending"]
    assert mail.command(AuthoriseBatch(batch_id=BATCH_ID))
    mail.settle()
    assert mail.prison.stands(WHO) == mail.prison.stands(PEOPLE[1]) == "prison 100, spends 40, supplier/canteen 60"
    assert [summary.complete for summary in mail.summaries] == [True, True]


def test_a_person_without_funds_answers_with_the_figures() -> None:
    mail = Mail()
    mail.prison.move(90, "spends", "savings", who=WHO)
    mail.command(batch_of(WHO, PEOPLE[1]))
    mail.settle()
    row = mail.rows.get(f"batch:{BATCH_ID}")
    assert row is not None
    member = row.member(f"P-{WHO}")
    assert member is not None
    assert member.reason == "insufficient_funds"


STEPS = st.one_of(
    st.tuples(st.just("deliver"), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.sampled_from((1, ANSWER_US, PENDING_US))),
    st.tuples(st.sampled_from(("authorise", "cancel")), st.just(0)),
    st.tuples(st.sampled_from(("authorise one", "cancel one")), st.integers(0, len(PEOPLE) - 1)),
)


@given(people=st.sets(st.sampled_from((*PEOPLE, STRANGER)), min_size=1), steps=st.lists(STEPS, max_size=40))
@settings(deadline=None)
def test_at_rest_a_batch_knows_of_everyone_what_their_own_book_says(
    people: set[str], steps: list[tuple[str, int]]
) -> None:
    mail = Mail()
    mail.command(batch_of(*sorted(people)))
    for what, value in steps:
        match what:
            case "deliver":
                mail.deliver(value)
            case "wait":
                mail.wait(value)
            case "authorise":
                mail.command(AuthoriseBatch(batch_id=BATCH_ID))
            case "cancel":
                mail.command(CancelBatch(batch_id=BATCH_ID, reason="no-delivery"))
            case "authorise one":
                mail.own(AuthorisePurchase(purchase_id=f"P-{PEOPLE[value]}", prisoner_id=PEOPLE[value]))
            case "cancel one":
                mail.own(CancelPurchase(purchase_id=f"P-{PEOPLE[value]}", prisoner_id=PEOPLE[value], reason="changed"))
    mail.settle()
    for who in people:
        own = mail.prison.state(f"P-{who}", who)
        assert mail.known(who) == (own or "refused")
        paid = own == "authorised"
        locked = own == "pending"
        expected = f"spends {FUNDS - PRICE * paid}" + f"/{PRICE}" * locked
        assert who == STRANGER or expected in mail.prison.stands(who)
    row = mail.rows.get(f"batch:{BATCH_ID}")
    assert row is not None
    states = [member.state for member in row.members]
    assert row.waiting == 0
    assert row.unended == states.count(MemberState.PENDING)
    mail.wait(PENDING_US)
    mail.settle()
    assert all(mail.known(who) != "pending" for who in people)
