"""The life of an upload, from a stored file to the general ledger's answer (PRI-11). Pure.

    state              about to send   not taken   no answer   left by a crash   not there after all   answered
    waiting            sending         .           .           .                 .                     the end, below
    sending            .               waiting     in doubt    in doubt          .                     the end, below
    in doubt           .               .           in doubt    .                 waiting               the end, below
    accepted, accepted in part, refused: nothing happens any more

Each step is a row in Postgres, committed before the next. Law: the general ledger is asked what it has under the file's
name before anything is sent, in every state; and after a doubt, "nothing" is believed only when `PATIENCE` times the
longest wait has passed since the last moment at which bytes can have left: the row is stamped before the call that
sends them, and that call is over within the longest wait. So a file is sent again only when nobody has it. Should a
request be on its way even longer, the key that goes with it (the digest of the bytes) makes it the same upload.

A refused file never goes up again, and neither do its lines: lines that correct them do, in a later day's file.
"""

from enum import StrEnum
from typing import Final, NamedTuple, assert_never

from sinks import backoff
from sinks.remote import is_over

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 300.0


class State(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    IN_DOUBT = "in doubt"
    ACCEPTED = "accepted"
    ACCEPTED_IN_PART = "accepted in part"
    REFUSED = "refused"


class Event(StrEnum):
    ABOUT_TO_SEND = "about to send"
    NOT_TAKEN = "not taken"
    NO_ANSWER = "no answer"
    LEFT_BY_A_CRASH = "left by a crash"
    NOT_THERE_AFTER_ALL = "not there after all"
    ACCEPTED = "accepted"
    ACCEPTED_IN_PART = "accepted in part"
    REFUSED = "refused"


OPEN: Final = frozenset({State.WAITING, State.SENDING, State.IN_DOUBT})
"""States in which something may still happen."""

_STEPS: Final = {
    (State.WAITING, Event.ABOUT_TO_SEND): State.SENDING,
    (State.SENDING, Event.NOT_TAKEN): State.WAITING,
    (State.SENDING, Event.NO_ANSWER): State.IN_DOUBT,
    (State.SENDING, Event.LEFT_BY_A_CRASH): State.IN_DOUBT,
    (State.IN_DOUBT, Event.NO_ANSWER): State.IN_DOUBT,
    (State.IN_DOUBT, Event.NOT_THERE_AFTER_ALL): State.WAITING,
}
_ENDS: Final = {
    Event.ACCEPTED: State.ACCEPTED,
    Event.ACCEPTED_IN_PART: State.ACCEPTED_IN_PART,
    Event.REFUSED: State.REFUSED,
}


class Illegal(AssertionError):
    """A step that the table does not have: our own bug."""


class LineStatus(StrEnum):
    """What became of a line: appended → filed → uploaded → processed | refused → reversed."""

    APPENDED = "appended"  # in no file yet
    FILED = "filed"
    UPLOADED = "uploaded"  # its file was sent, and the answer is not known
    PROCESSED = "processed"
    REFUSED = "refused"  # by the general ledger; it wrote no line of the transaction
    REVERSED = "reversed"  # refused, and corrected by another line


class Upload(NamedTuple):
    """A file on its way. `sent_s_ago` says when the last call that sends it began; None where there was none."""

    name: str
    lines_of: str
    prison_id: str
    number: int
    state: State
    attempts: int
    failures: int
    sent_s_ago: float | None
    digest: str


def after(state: State, event: Event) -> State:
    """The state that follows. Raises `Illegal`."""
    if event in _ENDS and state in OPEN:
        return _ENDS[event]
    try:
        return _STEPS[state, event]
    except KeyError:
        raise Illegal(f"{event} in state {state}") from None


def status_in(state: State) -> LineStatus | None:
    """What a step into this state makes of the file's lines; None where the answer says it of each line."""
    match state:
        case State.WAITING:
            return LineStatus.FILED
        case State.SENDING | State.IN_DOUBT:
            return LineStatus.UPLOADED
        case State.ACCEPTED | State.ACCEPTED_IN_PART | State.REFUSED:
            return None
        case _:
            assert_never(state)


def may_be_sent(upload: Upload, timeout_s: float) -> bool:
    """Whether "nothing is there" may be believed; `timeout_s` is the longest wait, that of a whole call."""
    match upload.state:
        case State.WAITING:
            return True
        case State.IN_DOUBT:
            return is_over(upload.sent_s_ago, timeout_s)
        case _:
            return False


def pause_s(failures: int) -> float:
    """How long to wait after so many failures in a row."""
    return backoff.pause_s(failures, FIRST_PAUSE_S, LONGEST_PAUSE_S)
