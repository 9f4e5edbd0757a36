"""The rows of the uploads, in and out of Postgres. Each function is one committed step."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from psycopg.types.json import Jsonb

from sinks.database import Connection, Cursor
from sinks.general_ledger.answer import Acknowledgement, Answer, SentLine, Verdict
from sinks.general_ledger.upload import OPEN, Event, LineStatus, State, Upload, after, status_in

_OPEN = sorted(OPEN)
_COLUMNS = (
    "name, lines_of, prison_id, number, state, attempts, failures,"
    " extract(epoch from clock_timestamp() - sent_at)::float8,"
    " (select sha256 from sink.manifest where manifest.name = upload.name)"
)


class Stale(Exception):
    """Another worker has moved this upload meanwhile: what this one believes of it is wrong."""


class ToPublish(NamedTuple):
    """A row of `sink.acknowledgement`. `said_at` is in UTC microseconds."""

    event_id: str
    file: str
    prisoner_id: str
    transaction_id: str
    outcome: str
    lines: list[dict[str, str | None]]
    said_at: int


# ---- uploads


def enlist(connection: Connection) -> int:
    """A row for every CSV of the manifest that has none; how many there were."""
    return connection.execute(
        "insert into sink.upload (name, lines_of, prison_id, number)"
        " select name, lines_of, prison_id, number from sink.manifest join sink.adi_file using (name)"
        " where kind = 'adi-csv' and not exists (select from sink.upload where upload.name = manifest.name)"
        " on conflict do nothing"
    ).rowcount


def due(connection: Connection) -> list[Upload]:
    """Of each prison the oldest file that has no answer, if it is stored and its pause is over."""
    rows = connection.execute(
        f"select {_COLUMNS} from sink.upload where due_at <= clock_timestamp()"
        " and name in (select distinct on (prison_id) name from sink.upload where state = any(%(open)s)"
        "   order by prison_id, number)"
        " and not exists (select from sink.outgoing where outgoing.name = upload.name) order by prison_id",
        {"open": _OPEN},
    )
    return [_upload(row) for row in rows]


def current(connection: Connection, name: str) -> Upload:
    """An upload as it is now."""
    row = connection.execute(f"select {_COLUMNS} from sink.upload where name = %s", (name,)).fetchone()
    assert row is not None, f"{name} has no upload"
    return _upload(row)


def _upload(row: Sequence[object]) -> Upload:
    upload = Upload(*row)  # type: ignore[arg-type]
    return upload._replace(state=State(upload.state))


def step(connection: Connection, upload: Upload, event: Event, problem: str | None = None) -> Upload:
    """Carry the upload on by a step that is no answer, and its lines with it. Raises `Stale`."""
    state = after(upload.state, event)
    sending = event is Event.ABOUT_TO_SEND
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "update sink.upload set state = %(state)s, problem = %(problem)s, attempts = attempts + %(sent)s,"
            " sent_at = case when %(sent)s = 1 then clock_timestamp() else sent_at end"
            " where name = %(name)s and state = %(before)s and attempts = %(attempts)s",
            {
                "state": state, "problem": problem, "sent": int(sending), "name": upload.name,
                "before": upload.state, "attempts": upload.attempts,
            },
        )  # fmt: skip
        _not_stale(cursor, upload)
        if (status := status_in(state)) is not None and state is not upload.state:
            cursor.execute("update sink.adi_line set status = %s where file = %s", (status, upload.lines_of))
    return current(connection, upload.name)


def postpone(connection: Connection, upload: Upload, pause_s: float, problem: str) -> None:
    """Try again later, and say why."""
    connection.execute(
        "update sink.upload set failures = failures + 1, problem = %s,"
        " due_at = clock_timestamp() + make_interval(secs => %s) where name = %s and state = %s",
        (problem, pause_s, upload.name, upload.state),
    )


def lines_of(connection: Connection, upload: Upload) -> list[SentLine]:
    """The lines of the file."""
    rows = connection.execute(
        "select line_id, transaction_id, prisoner_id from sink.adi_line where file = %s order by line_id",
        (upload.lines_of,),
    )
    return [SentLine(*row) for row in rows]


def settle(
    connection: Connection,
    upload: Upload,
    event: Event,
    answer: Answer,
    found: Sequence[Verdict],
    told: Sequence[Acknowledgement],
) -> None:
    """The answer, what it means for each line, and what is to be told of it: all at once. Raises `Stale`."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "update sink.upload set state = %s, answered_at = now(), reference = %s, problem = %s, failures = 0"
            " where name = %s and state = %s and attempts = %s",
            (
                after(upload.state, event), answer.reference, answer.reason,
                upload.name, upload.state, upload.attempts,
            ),
        )  # fmt: skip
        _not_stale(cursor, upload)
        _settle_lines(cursor, upload, found)
        cursor.executemany(
            "insert into sink.acknowledgement (event_id, file, prisoner_id, transaction_id, outcome, lines, said_at)"
            " values (%s, %s, %s, %s, %s, %s, now())",
            [
                (
                    each.event_id, upload.name, each.prisoner_id, each.transaction_id, each.outcome,
                    Jsonb([{"line_id": line_id, "reason": reason} for line_id, reason in each.reasons.items()]),
                )
                for each in told
            ],
        )  # fmt: skip


def _settle_lines(cursor: Cursor, upload: Upload, found: Sequence[Verdict]) -> None:
    cursor.execute(
        "update sink.adi_line set status = said.status, reason = said.reason"
        " from unnest(%s::text[], %s::text[], %s::text[]) as said (line_id, status, reason)"
        " where adi_line.line_id = said.line_id and adi_line.file = %s and adi_line.status = any(%s)",
        (
            [each.line.line_id for each in found], [str(each.status) for each in found],
            [each.reason for each in found], upload.lines_of, [LineStatus.FILED, LineStatus.UPLOADED],
        ),
    )  # fmt: skip
    assert cursor.rowcount == len(found), f"{upload.name}: {cursor.rowcount} of {len(found)} lines waited for an answer"


def _not_stale(cursor: Cursor, upload: Upload) -> None:
    if cursor.rowcount != 1:
        raise Stale(f"{upload.name} is no longer {upload.state} at attempt {upload.attempts}")


# ---- acknowledgements


_ACKNOWLEDGEMENT = (
    "select event_id, file, prisoner_id, transaction_id, outcome, lines,"
    " (extract(epoch from said_at) * 1000000)::bigint from sink.acknowledgement"
)


def to_publish(connection: Connection, limit: int) -> list[ToPublish]:
    """Acknowledgements that Kafka may not have, in the order in which they were given."""
    rows = connection.execute(f"{_ACKNOWLEDGEMENT} where published_at is null order by position limit %s", (limit,))
    return [ToPublish(*row) for row in rows]


def acknowledgements(connection: Connection) -> Iterator[ToPublish]:
    """All that were ever given, in that order."""
    for row in connection.execute(f"{_ACKNOWLEDGEMENT} order by position"):
        yield ToPublish(*row)


def published_ids(connection: Connection) -> set[str]:
    """The event ids of those that are marked as published."""
    rows = connection.execute("select event_id from sink.acknowledgement where published_at is not null")
    return {row[0] for row in rows}


def published(connection: Connection, event_ids: Sequence[str]) -> None:
    """Kafka has them."""
    connection.execute(
        "update sink.acknowledgement set published_at = now() where event_id = any(%s)", (list(event_ids),)
    )


# ---- for gauges


class Standing(NamedTuple):
    """How things stand: uploads by open state, refused lines that nothing has corrected, age of the oldest open day."""

    uploads: dict[str, int]
    refused_lines: int
    oldest_open_day_s: float
    to_publish: int


def standing(connection: Connection) -> Standing:
    """An open day has lines that the general ledger has neither written nor refused; its age counts from its end."""
    uploads: dict[str, int] = dict(
        connection.execute("select state, count(*) from sink.upload where state = any(%s) group by 1", (_OPEN,))
    )
    row = connection.execute(
        "select (select count(*) from sink.adi_line where status = 'refused'),"
        " (select coalesce(extract(epoch from"
        "    clock_timestamp() - (min(accounting_date) + 1)::timestamp at time zone 'Europe/London'), 0)::float8"
        "  from sink.adi_line where status in ('appended', 'filed', 'uploaded')),"
        " (select count(*) from sink.acknowledgement where published_at is null)"
    ).fetchone()
    assert row is not None
    return Standing({state: uploads.get(state, 0) for state in _OPEN}, row[0], max(0.0, row[1]), row[2])
