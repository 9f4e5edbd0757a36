"""The states of a call to Billing, and their law: whatever happens, a thing is made once (DLR-01, DLR-05)."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sinks.billing.call import OPEN, Call, Event, Illegal, State, after, may_be_sent, pause_s
from sinks.remote import PATIENCE

pytestmark = pytest.mark.requirement("DLR-01", "DLR-05")

TIMEOUT_S = 10
ANSWERS = {Event.DONE: State.DONE, Event.REFUSED: State.REFUSED}

TABLE = {
    (State.WAITING, Event.ABOUT_TO_SEND): State.SENDING,
    (State.SENDING, Event.NOT_TAKEN): State.WAITING,
    (State.SENDING, Event.NO_ANSWER): State.IN_DOUBT,
    (State.SENDING, Event.LEFT_BY_A_CRASH): State.IN_DOUBT,
    (State.IN_DOUBT, Event.NO_ANSWER): State.IN_DOUBT,
    (State.IN_DOUBT, Event.NOT_THERE_AFTER_ALL): State.WAITING,
    (State.WAITING, Event.GIVEN_UP): State.PARKED,
    (State.IN_DOUBT, Event.GIVEN_UP): State.PARKED,
    (State.PARKED, Event.TAKEN_UP): State.IN_DOUBT,
} | {(state, answer): end for state in OPEN for answer, end in ANSWERS.items()}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_each_state_and_event_lead_where_the_table_says(state: State, event: Event) -> None:
    if (state, event) in TABLE:
        assert after(state, event) is TABLE[state, event]
    else:
        with pytest.raises(Illegal):
            after(state, event)


def test_pauses_grow_and_are_bounded() -> None:
    pauses = [pause_s(failures) for failures in range(40)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[1], pauses[-1]) == (0.0, 1.0, 300.0)


@pytest.mark.parametrize("state", [state for state in State if state not in OPEN] + [State.SENDING])
def test_what_is_not_waiting_or_in_doubt_is_never_sent(state: State) -> None:
    assert not may_be_sent(call(state, None), TIMEOUT_S)


def call(state: State, sent_s_ago: float | None) -> Call:
    return Call("d/COMMISSION/client/1", "d", "COMMISSION", "CreateClient", state, 0, 0, 0, sent_s_ago, b"")


def seconds(most: int) -> st.SearchStrategy[int]:
    """Up to a bound, which is where things go wrong."""
    return st.sampled_from([0, most]) | st.integers(0, most)


class OneCall(RuleBasedStateMachine):
    """A worker that follows the table, beside a Billing that honours no key. Moments are whole seconds.

    The row is stamped, the bytes leave at some moment of the request, and it may arrive late, but not later than
    `PATIENCE` times the longest wait after they left. The worker may die after any committed step, lose the account
    with its session and go on sending, or give the call up. What Billing did is there to be found.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.state = State.WAITING
        self.sent_at: int | None = None
        self.arrivals: list[int] = []
        self.made = 0

    def _find(self) -> bool:
        """What a worker does first, always: whether something came of it."""
        if self.state is State.SENDING:
            self.state = after(self.state, Event.LEFT_BY_A_CRASH)
        if self.made:
            self.state = after(self.state, Event.DONE)
        return self.made > 0

    @rule(passed_s=st.integers(1, 4 * TIMEOUT_S))
    def time_passes(self, passed_s: int) -> None:
        self.now += passed_s
        self.made += sum(at <= self.now for at in self.arrivals)
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
        `answer`: what the worker hears, None: the account is another's before that."""
        self.time_passes(paused_s)
        if self._find():
            return
        ago = None if self.sent_at is None else self.now - self.sent_at
        if not may_be_sent(call(self.state, ago), TIMEOUT_S):
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

    @precondition(lambda self: self.state in (State.WAITING, State.IN_DOUBT))
    @rule()
    def it_is_given_up(self) -> None:
        self.state = after(self.state, Event.GIVEN_UP)

    @precondition(lambda self: self.state is State.PARKED)
    @rule()
    def somebody_has_it_tried_again(self) -> None:
        self.state = after(self.state, Event.TAKEN_UP)

    @invariant()
    def one_thing_is_made_at_most(self) -> None:
        assert self.made + len(self.arrivals) <= 1

    def teardown(self) -> None:
        """With a Billing that works, every call comes to an end, and one thing is made."""
        if self.state is State.PARKED:
            self.somebody_has_it_tried_again()
        for _ in range(3):
            if self.state not in OPEN:
                break
            self.a_worker_takes_it_up(4 * TIMEOUT_S, 0, 0, Event.NO_ANSWER)
        self.time_passes(1)
        if self.state in OPEN:
            self._find()
        assert (self.state, self.made) == (State.DONE, 1)


TestOneCall = OneCall.TestCase
TestOneCall.settings = settings(deadline=None)  # a busy machine is no broken law
