"""The rows of the calls, in and out of Postgres. Each function is one committed step, but for `keep`."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.envelope import Envelope
from sinks.billing.answer import EVENTS, Done, Refused
from sinks.billing.call import OPEN, Call, Event, State, after
from sinks.billing.content import Wanted, digest
from sinks.database import Connection, Cursor
from sinks.parked import Parked, park

_OPEN = sorted(OPEN)
_COLUMNS = (
    "call_id, dealer_id, account, kind, state, attempts, failures, useless,"
    " extract(epoch from clock_timestamp() - sent_at)::float8, content"
)


class Stale(Exception):
    """Another worker has moved this call meanwhile: what this one believes of it is wrong."""


class Kept(NamedTuple):
    """What there was of a call already."""

    sha256: str
    partition: int
    record_offset: int
    state: State


class ToPublish(NamedTuple):
    """An answer. `said_at` is in UTC microseconds."""

    call_id: str
    dealer_id: str
    account: str
    billing_id: str | None
    url: str | None
    code: str | None
    words: str | None
    bill_id: str | None
    lot_id: str | None
    correlation_id: str
    causation_id: str
    said_at: int


# ---- calls


def keep(
    cursor: Cursor, topic: str, place: tuple[int, int], wanted: Wanted, said: bytes, envelope: Envelope
) -> Kept | None:
    """A row for a call, in the caller's transaction; the row that there was, if there was one."""
    cursor.execute(
        "insert into sink.billing_call (call_id, topic, partition, record_offset, dealer_id, account, kind, bill_id,"
        " lot_id, sha256, content, correlation_id, causation_id)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (call_id) do nothing",
        (
            wanted.call_id, topic, *place, wanted.dealer_id, wanted.account, type(wanted).__name__,
            getattr(wanted, "bill_id", None), getattr(wanted, "lot_id", None), digest(wanted), said,
            envelope.correlation_id, envelope.id,
        ),
    )  # fmt: skip
    if cursor.rowcount == 1:
        return None
    row = cursor.execute(
        "select sha256, partition, record_offset, state from sink.billing_call where call_id = %s", (wanted.call_id,)
    ).fetchone()
    assert row is not None
    sha256, partition, record_offset, state = row
    return Kept(sha256, partition, record_offset, State(state))


def take_up(cursor: Cursor, call_id: str) -> None:
    """Try a parked call again, in the caller's transaction."""
    cursor.execute(
        "update sink.billing_call set state = %s, failures = 0, useless = 0, due_at = now()"
        " where call_id = %s and state = %s",
        (after(State.PARKED, Event.TAKEN_UP), call_id, State.PARKED),
    )


_HEADS = (
    "(select distinct on (dealer_id, account) * from sink.billing_call where answered_at is null"
    " order by dealer_id, account, position) as head where state = any(%s)"
)


def due(connection: Connection, limit: int) -> list[tuple[str, str]]:
    """Of each account the oldest call that has no answer, if it is not parked and its pause is over; and the account.

    Those that have failed least come first: by one of them is tried whether Billing is back.
    """
    rows = connection.execute(
        f"select call_id, dealer_id || '/' || account from {_HEADS}"
        " and due_at <= clock_timestamp() order by failures, due_at limit %s",
        (_OPEN, limit),
    )
    return [(row[0], row[1]) for row in rows]


def is_any_due(connection: Connection) -> bool:
    """Whether there is a call to carry out, now or after its pause: none that is parked, or behind such a one."""
    return connection.execute(f"select exists (select from {_HEADS})", (_OPEN,)).fetchone() == (True,)


def current(connection: Connection, call_id: str) -> Call:
    """A call as it is now."""
    row = connection.execute(f"select {_COLUMNS} from sink.billing_call where call_id = %s", (call_id,)).fetchone()
    assert row is not None, f"{call_id} has no row"
    call = Call(*row)
    return call._replace(state=State(call.state))


def step(connection: Connection, call: Call, event: Event, problem: str | None = None) -> Call:
    """Carry the call on by a step that is no answer. Raises `Stale`."""
    sending = event is Event.ABOUT_TO_SEND
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "update sink.billing_call set state = %(state)s, problem = coalesce(%(problem)s, problem),"
            " attempts = attempts + %(sent)s, sent_at = case when %(sent)s = 1 then clock_timestamp() else sent_at end"
            " where call_id = %(call_id)s and state = %(before)s and attempts = %(attempts)s",
            {
                "state": after(call.state, event), "problem": problem, "sent": int(sending), "call_id": call.call_id,
                "before": call.state, "attempts": call.attempts,
            },
        )  # fmt: skip
        _not_stale(cursor, call)
    return current(connection, call.call_id)


def postpone(connection: Connection, call: Call, pause_s: float, problem: str) -> None:
    """Try again later, and say why; `useless` of the call is kept as well."""
    connection.execute(
        "update sink.billing_call set failures = failures + 1, useless = %s, problem = %s,"
        " due_at = clock_timestamp() + make_interval(secs => %s) where call_id = %s and state = %s",
        (call.useless, problem, pause_s, call.call_id, call.state),
    )


def give_up(connection: Connection, call: Call, sink: str, reason: str, problem: str) -> None:
    """It waits for a person, and its account with it. Raises `Stale`."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "update sink.billing_call set state = %s, problem = %s where call_id = %s and state = %s and attempts = %s"
            " returning topic, partition, record_offset",
            (after(call.state, Event.GIVEN_UP), problem, call.call_id, call.state, call.attempts),
        )
        _not_stale(cursor, call)
        row = cursor.fetchone()
        assert row is not None
        topic, partition, record_offset = row
        park(cursor, [Parked(sink, topic, partition, record_offset, call.call_id, reason, problem)])


def settle(connection: Connection, call: Call, answer: Done | Refused) -> None:
    """The answer, to be told; what the call said is forgotten. Raises `Stale`."""
    done, refused = (answer, None) if isinstance(answer, Done) else (None, answer)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "update sink.billing_call set state = %s, answered_at = clock_timestamp(), content = null, problem = null,"
            " failures = 0, billing_id = %s, url = %s, code = %s, words = %s"
            " where call_id = %s and state = %s and attempts = %s",
            (
                after(call.state, EVENTS[answer.outcome]),
                done and done.id, done and done.url, refused and refused.code, refused and refused.text,
                call.call_id, call.state, call.attempts,
            ),
        )  # fmt: skip
        _not_stale(cursor, call)


def _not_stale(cursor: Cursor, call: Call) -> None:
    if cursor.rowcount != 1:
        raise Stale(f"{call.call_id} is no longer {call.state} at attempt {call.attempts}")


def altered(connection: Connection) -> list[str]:
    """Calls that wait with another content than their digest is of."""
    rows = connection.execute(
        "select call_id from sink.billing_call"
        " where encode(sha256(convert_to(kind || ' ', 'UTF8') || content), 'hex') <> sha256 order by 1"
    )
    return [row[0] for row in rows]


# ---- answers


_ANSWER = (
    "select call_id, dealer_id, account, billing_id, url, code, words, bill_id, lot_id, correlation_id, causation_id,"
    " (extract(epoch from answered_at) * 1000000)::bigint from sink.billing_call where answered_at is not null"
)


def to_publish(connection: Connection, limit: int) -> list[ToPublish]:
    """Answers that Kafka may not have, in the order in which they came."""
    rows = connection.execute(f"{_ANSWER} and published_at is null order by answered_at, position limit %s", (limit,))
    return [ToPublish(*row) for row in rows]


def answers(connection: Connection) -> Iterator[ToPublish]:
    """All that ever came, in that order."""
    for row in connection.execute(f"{_ANSWER} order by answered_at, position"):
        yield ToPublish(*row)


def published_calls(connection: Connection) -> list[str]:
    """The calls whose answers are marked as published."""
    return [
        row[0] for row in connection.execute("select call_id from sink.billing_call where published_at is not null")
    ]


def published(connection: Connection, call_ids: Sequence[str]) -> None:
    """Kafka has the answers to these."""
    connection.execute("update sink.billing_call set published_at = now() where call_id = any(%s)", (list(call_ids),))


# ---- for gauges


class Standing(NamedTuple):
    """How things stand: open calls by state, the age of the oldest, answers that Kafka may not have."""

    calls: dict[str, int]
    oldest_s: float
    to_publish: int


def standing(connection: Connection) -> Standing:
    """As of now."""
    states = (*_OPEN, State.PARKED)
    calls: dict[str, int] = dict(
        connection.execute("select state, count(*) from sink.billing_call where answered_at is null group by 1")
    )
    row = connection.execute(
        "select (select coalesce(extract(epoch from clock_timestamp() - min(asked_at)), 0)::float8"
        "  from sink.billing_call where answered_at is null),"
        " (select count(*) from sink.billing_call where answered_at is not null and published_at is null)"
    ).fetchone()
    assert row is not None
    return Standing({state: calls.get(state, 0) for state in states}, *row)
