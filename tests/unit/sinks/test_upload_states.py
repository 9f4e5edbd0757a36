"""The states of an upload, and their law: whatever happens, a file is written once (PRI-11)."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sinks.general_ledger.upload import (
    OPEN,
    PATIENCE,
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

pytestmark = pytest.mark.requirement("PRI-11")

TIMEOUT_S = 30.0
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


class OneUpload(RuleBasedStateMachine):
    """A worker that follows the table, beside a general ledger that honours no key.

    Requests may arrive late, but not later than `PATIENCE` times the wait for an answer; the worker may die after any
    committed step. An upload that the general ledger took is there to be found.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.state = State.WAITING
        self.sent_at: float | None = None
        self.arrivals: list[float] = []
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

    @rule(seconds=st.floats(0.1, 3 * TIMEOUT_S))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.written += sum(at <= self.now for at in self.arrivals)
        self.arrivals = [at for at in self.arrivals if at > self.now]

    @precondition(lambda self: self.state in OPEN)
    @rule(
        late_s=st.floats(0.0, PATIENCE * TIMEOUT_S) | st.none(),
        answer=st.sampled_from([Event.NO_ANSWER, Event.NOT_TAKEN, None]),
    )
    def a_worker_takes_it_up(self, late_s: float | None, answer: Event | None) -> None:
        """`late_s`: when the request arrives, None: never. `answer`: what the worker hears, None: it dies."""
        if self._find() or not may_be_sent(self._upload(), TIMEOUT_S):
            return
        if self.state is State.IN_DOUBT:
            self.state = after(self.state, Event.NOT_THERE_AFTER_ALL)
        self.state = after(self.state, Event.ABOUT_TO_SEND)
        self.sent_at = self.now
        if answer is Event.NOT_TAKEN:
            self.state = after(self.state, answer)
            return
        if late_s is not None:
            self.arrivals.append(self.now + late_s)
        if answer is not None:
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
            self.time_passes(3 * TIMEOUT_S)
            self.a_worker_takes_it_up(0.0, Event.NO_ANSWER)
        self.time_passes(1.0)
        if self.state in OPEN:
            self._find()
        assert (self.state, self.written) == (State.ACCEPTED, 1)


TestOneUpload = OneUpload.TestCase
TestOneUpload.settings = settings(deadline=None)  # a busy machine is no broken law
