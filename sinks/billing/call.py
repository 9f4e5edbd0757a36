"""The life of a call, from Kafka to Billing's answer (DLR-01, DLR-03, DLR-05). Pure.

    state      about to send   not taken   no answer   left by a crash   not there after all   given up
    waiting    sending         .           .           .                 .                     parked
    sending    .               waiting     in doubt    in doubt          .                     .
    in doubt   .               .           in doubt    .                 waiting               parked
    parked     taken up: in doubt
    done, refused: nothing happens any more; an answer leads there from waiting, sending and in doubt

Each step is a row in Postgres, committed before the next. Laws, as for an upload (ADR 6): Billing is asked what became
of the call before anything is sent, in every state; and after a doubt, "nothing" is believed only when no request can
be on its way any more. Should one be later still, the call's id, its idempotency key, makes both the same call.

A call is given up, and waits for a person, when Billing has answered it `MOST_USELESS` times with what is of no use;
its account's later calls wait behind it. A Billing that is away makes no call be given up, however long.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from sinks import backoff
from sinks.remote import is_over

MOST_USELESS: Final = 5
"""Answers of no use to one call, whatever else came between them, after which it is given up."""
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 300.0


class State(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    IN_DOUBT = "in doubt"
    PARKED = "parked"
    DONE = "done"
    REFUSED = "refused"


class Event(StrEnum):
    ABOUT_TO_SEND = "about to send"
    NOT_TAKEN = "not taken"
    NO_ANSWER = "no answer"
    LEFT_BY_A_CRASH = "left by a crash"
    NOT_THERE_AFTER_ALL = "not there after all"
    GIVEN_UP = "given up"
    TAKEN_UP = "taken up"
    DONE = "done"
    REFUSED = "refused"


OPEN: Final = frozenset({State.WAITING, State.SENDING, State.IN_DOUBT})
"""States in which the worker may do something."""

_STEPS: Final = {
    (State.WAITING, Event.ABOUT_TO_SEND): State.SENDING,
    (State.WAITING, Event.GIVEN_UP): State.PARKED,
    (State.SENDING, Event.NOT_TAKEN): State.WAITING,
    (State.SENDING, Event.NO_ANSWER): State.IN_DOUBT,
    (State.SENDING, Event.LEFT_BY_A_CRASH): State.IN_DOUBT,
    (State.IN_DOUBT, Event.NO_ANSWER): State.IN_DOUBT,
    (State.IN_DOUBT, Event.NOT_THERE_AFTER_ALL): State.WAITING,
    (State.IN_DOUBT, Event.GIVEN_UP): State.PARKED,
    (State.PARKED, Event.TAKEN_UP): State.IN_DOUBT,
}
_ENDS: Final = {Event.DONE: State.DONE, Event.REFUSED: State.REFUSED}


class Illegal(AssertionError):
    """A step that the table does not have: our own bug."""


class Call(NamedTuple):
    """A call on its way. `sent_s_ago` says when the last request that sends it began; None where there was none."""

    call_id: str
    dealer_id: str
    account: str
    kind: str
    state: State
    attempts: int
    failures: int
    useless: int
    sent_s_ago: float | None
    content: bytes | None


def after(state: State, event: Event) -> State:
    """The state that follows. Raises `Illegal`."""
    if event in _ENDS and state in OPEN:
        return _ENDS[event]
    try:
        return _STEPS[state, event]
    except KeyError:
        raise Illegal(f"{event} in state {state}") from None


def may_be_sent(call: Call, timeout_s: float) -> bool:
    """Whether "nothing became of it" may be believed; `timeout_s` is the longest wait, that of a whole request."""
    match call.state:
        case State.WAITING:
            return True
        case State.IN_DOUBT:
            return is_over(call.sent_s_ago, timeout_s)
        case _:
            return False


def pause_s(failures: int) -> float:
    """How long to wait after so many failures in a row."""
    return backoff.pause_s(failures, FIRST_PAUSE_S, LONGEST_PAUSE_S)
