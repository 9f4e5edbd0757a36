"""The states of an upload, and their law: whatever happens, a file is written once (PRI-11)."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sinks.general_ledger.upload import (
    OPEN,
    Event,
    Illegal,
    LineStatus,
    State,
    Upload,
    after,
    may_be_sent,
    pause_s,
    status_in,
)
from sinks.remote import PATIENCE

pytestmark = pytest.mark.requirement("PRI-11")

TIMEOUT_S = 30
ANSWERS = {Event.ACCEPTED, Event.ACCEPTED_IN_PART, Event.REFUSED}


@pytest.mark.parametrize("state", [state for state in State if state not in OPEN])
@pytest.mark.parametrize("event", Event)
def test_nothing_happens_to_an_upload_that_has_its_answer(state: State, event: Event) -> None:
    with pytest.raises(Illegal):
        after(state, event)


@pytest.mark.parametrize("state", sorted(OPEN))
@pytest.mark.parametrize("event", sorted(ANSWERS))
def test_an_answer_ends_an_upload_whenever_it_is_found(state: State, event: Event) -> None:
    assert after(state, event).value == event.value


def test_only_what_waits_can_be_sent() -> None:
    assert [state for state in State if _legal(state, Event.ABOUT_TO_SEND)] == [State.WAITING]


def test_lines_are_uploaded_exactly_while_it_is_open_whether_they_are() -> None:
    assert {state: status_in(state) for state in sorted(OPEN)} == {
        State.IN_DOUBT: LineStatus.UPLOADED,
        State.SENDING: LineStatus.UPLOADED,
        State.WAITING: LineStatus.FILED,
    }


def test_pauses_grow_and_are_bounded() -> None:
    pauses = [pause_s(failures) for failures in range(40)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[1], pauses[-1]) == (0.0, 1.0, 300.0)


def _legal(state: State, event: Event) -> bool:
    try:
        after(state, event)
    except Illegal:
        return False
    return True


def seconds(most: int) -> st.SearchStrategy[int]:
    """Up to a bound, which is where things go wrong."""
    return st.sampled_from([0, most]) | st.integers(0, most)


class OneUpload(RuleBasedStateMachine):
    """A worker that follows the table, beside a general ledger that honours no key. Moments are whole seconds.

    The row is stamped, the bytes leave at some moment of the call, and requests may arrive late, but not later than
    `PATIENCE` times the longest wait after they left. The worker may die after any committed step, or lose the file
    with its session and go on sending. An upload that the general ledger took is there to be found.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.state = State.WAITING
        self.sent_at: int | None = None
        self.arrivals: list[int] = []
        self.written = 0

    def _upload(self) -> Upload:
        ago = None if self.sent_at is None else self.now - self.sent_at
        return Upload("a.csv", "a.xlsx", "LEI", 1, self.state, 0, 0, ago, "digest")

    def _find(self) -> bool:
        """What a worker does first, always: whether the file is there."""
        if self.state is State.SENDING:
            self.state = after(self.state, Event.LEFT_BY_A_CRASH)
        if self.written:
            self.state = after(self.state, Event.ACCEPTED)
        return self.written > 0

    @rule(passed_s=st.integers(1, 4 * TIMEOUT_S))
    def time_passes(self, passed_s: int) -> None:
        self.now += passed_s
        self.written += sum(at <= self.now for at in self.arrivals)
        self.arrivals = [at for at in self.arrivals if at > self.now]

    @precondition(lambda self: self.state in OPEN)
    @rule(
        paused_s=seconds(TIMEOUT_S + 1),
        before_s=seconds(TIMEOUT_S),
        late_s=seconds(PATIENCE * TIMEOUT_S) | st.none(),
        answer=st.sampled_from([Event.NO_ANSWER, Event.NOT_TAKEN, None]),
    )
    def a_worker_takes_it_up(self, paused_s: int, before_s: int, late_s: int | None, answer: Event | None) -> None:
        """`before_s`: from the stamp until the bytes leave. `late_s`: from then until they arrive, None: never.
        `answer`: what the worker hears, None: the file is another's before that."""
        self.time_passes(paused_s)
        if self._find() or not may_be_sent(self._upload(), TIMEOUT_S):
            return
        if self.state is State.IN_DOUBT:
            self.state = after(self.state, Event.NOT_THERE_AFTER_ALL)
        self.state = after(self.state, Event.ABOUT_TO_SEND)
        self.sent_at = self.now
        if answer is not Event.NOT_TAKEN and late_s is not None:
            self.arrivals.append(self.now + before_s + late_s)
        if answer is not None:
            self.time_passes(before_s)
            self.state = after(self.state, answer)

    @invariant()
    def it_is_written_at_most_once(self) -> None:
        assert self.written + len(self.arrivals) <= 1 or self.state not in OPEN
        assert self.written <= 1

    def teardown(self) -> None:
        """With a general ledger that works, every upload comes to an end, and is there once."""
        for _ in range(3):
            if self.state not in OPEN:
                break
            self.a_worker_takes_it_up(4 * TIMEOUT_S, 0, 0, Event.NO_ANSWER)
        self.time_passes(1)
        if self.state in OPEN:
            self._find()
        assert (self.state, self.written) == (State.ACCEPTED, 1)


TestOneUpload = OneUpload.TestCase
TestOneUpload.settings = settings(deadline=None)  # a busy machine is no broken law
