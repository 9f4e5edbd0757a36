"""The rows of the ADI sink, in and out of Postgres."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from schemas.general_ledger import AccountingDayClosed, GeneralLedgerLine, LedgerSide
from sinks.adi.journal import Journal, Line
from sinks.database import Connection, Cursor

Place = tuple[int, int]
"""Partition and offset."""

LINE_COLUMNS = (
    "partition, record_offset, line_id, prisoner_id, transaction_id, cost_centre, gl_account, side, amount_minor,"
    " description"
)


class Closed(NamedTuple):
    """A day that a partition has closed, and at which offset."""

    partition: int
    accounting_date: date


class Part(NamedTuple):
    """Which part of which prison's day a file is."""

    lines_of: str
    accounting_date: date
    prison_id: str
    part: int
    initials: str


def insert_lines(cursor: Cursor, topic: str, lines: Sequence[tuple[Place, GeneralLedgerLine]]) -> set[Place]:
    """Keep lines; returns the places of those that were kept. A `line_id` that is known from elsewhere is not."""
    columns = list(zip(*(_line_values(topic, place, line) for place, line in lines), strict=True))
    if not columns:
        return set()
    cursor.execute(
        "insert into sink.adi_line (line_id, topic, partition, record_offset, transaction_id, prison_id,"
        " accounting_date, cost_centre, gl_account, side, amount_minor, description, prisoner_id, account,"
        " reverses, corrects)"
        " select * from unnest(%s::text[], %s::text[], %s::int[], %s::bigint[], %s::text[], %s::text[], %s::date[],"
        " %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])"
        " on conflict (line_id) do nothing returning partition, record_offset",
        [list(column) for column in columns],
    )
    return {(row[0], row[1]) for row in cursor}


def _line_values(topic: str, place: Place, line: GeneralLedgerLine) -> tuple[object, ...]:
    return (
        line.line_id, topic, *place, line.transaction_id, line.prison_id, line.accounting_date, line.cost_centre,
        line.gl_account, line.side.value, line.amount.amount_minor, line.description, line.prisoner_id, line.account,
        line.reverses, line.corrects,
    )  # fmt: skip


def refused_lines(cursor: Cursor, line_ids: Iterable[str]) -> set[str]:
    """Those of these lines that the general ledger refused and nothing has corrected yet."""
    cursor.execute(
        "select line_id from sink.adi_line where line_id = any(%s) and status = 'refused'", (sorted(line_ids),)
    )
    return {row[0] for row in cursor}


def reverse_lines(cursor: Cursor, line_ids: Iterable[str]) -> None:
    """Other lines go up in the place of these, which never go up again."""
    cursor.execute("update sink.adi_line set status = 'reversed' where line_id = any(%s)", (sorted(line_ids),))


def insert_close(cursor: Cursor, topic: str, place: Place, closed: AccountingDayClosed) -> None:
    """Keep that a partition has closed a day. Whoever does this waits for others that do, until they commit: so of the
    workers that close the last partitions of a day at the same time, one sees them all."""
    cursor.execute("lock table sink.adi_close in share row exclusive mode")
    cursor.execute(
        "insert into sink.adi_close values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        (
            topic, place[0], closed.accounting_date, place[1], closed.lines, closed.debit_minor, closed.credit_minor,
        ),
    )  # fmt: skip


def closes(cursor: Cursor, topic: str, dates: Iterable[str]) -> dict[Closed, int]:
    """At which offset partitions have closed these days."""
    cursor.execute(
        "select partition, accounting_date, record_offset from sink.adi_close"
        " where topic = %s and accounting_date = any(%s::date[])",
        (topic, sorted(dates)),
    )
    return {Closed(row[0], row[1]): row[2] for row in cursor}


CLOSED_THROUGH = (
    "select case when count(*) = %(partitions)s then min(closed) end from (select max(accounting_date) as closed"
    " from sink.adi_close where topic = %(topic)s group by partition) as latest"
)
"""The last day to which no partition adds a line: each has closed it or a later one. Null before all have closed."""


def waiting_days(cursor: Cursor, topic: str, sink: str, partitions: int) -> list[date]:
    """Days that every partition has closed, or a later one, whose lines are in no file, and that are not parked."""
    cursor.execute(
        "select distinct accounting_date from sink.adi_line as line where topic = %(topic)s and file is null"
        f" and accounting_date <= ({CLOSED_THROUGH})"
        " and not exists (select from sink.parked where sink = %(sink)s and topic = %(topic)s"
        "   and subject in (line.accounting_date::text, line.accounting_date::text || '/' || line.prison_id))"
        " order by 1",
        {"topic": topic, "sink": sink, "partitions": partitions},
    )
    return [row[0] for row in cursor]


def closed_through(cursor: Cursor, topic: str, partitions: int) -> date | None:
    """See `CLOSED_THROUGH`."""
    row = cursor.execute(CLOSED_THROUGH, {"topic": topic, "partitions": partitions}).fetchone()
    return None if row is None else row[0]


def cut_days(cursor: Cursor, dates: Iterable[str]) -> set[tuple[date, str]]:
    """The days and prisons that have files."""
    cursor.execute(
        "select distinct accounting_date, prison_id from sink.adi_file where accounting_date = any(%s::date[])",
        (sorted(dates),),
    )
    return {(row[0], row[1]) for row in cursor}


def differing_totals(cursor: Cursor, topic: str, day: date) -> list[str]:
    """Partitions whose lines are not what their closing said, in sentences; without a closing there may be none."""
    cursor.execute(
        "select partition, coalesce(announced.lines, 0), coalesce(announced.debit, 0), coalesce(announced.credit, 0),"
        " coalesce(came.lines, 0), coalesce(came.debit, 0), coalesce(came.credit, 0)"
        " from (select partition, lines, debit_minor as debit, credit_minor as credit from sink.adi_close"
        "   where topic = %(topic)s and accounting_date = %(day)s) as announced"
        " full join (select partition, count(*) as lines,"
        "   coalesce(sum(amount_minor) filter (where side = 'debit'), 0)::bigint as debit,"
        "   coalesce(sum(amount_minor) filter (where side = 'credit'), 0)::bigint as credit"
        "   from sink.adi_line where topic = %(topic)s and accounting_date = %(day)s group by 1) as came"
        " using (partition) order by 1",
        {"topic": topic, "day": day},
    )
    return [
        f"partition {row[0]}: {row[1]} lines, {row[2]} debit, {row[3]} credit announced,"
        f" {row[4]} lines, {row[5]} debit, {row[6]} credit came"
        for row in cursor
        if row[1:4] != row[4:7]
    ]


def uncut_lines(cursor: Cursor, topic: str, day: date) -> dict[str, list[Line]]:
    """The lines of a day that are in no file, by prison."""
    cursor.execute(
        f"select prison_id, {LINE_COLUMNS} from sink.adi_line"
        " where topic = %s and accounting_date = %s and file is null order by prison_id",
        (topic, day),
    )
    return {
        prison_id: [_line(row[1:]) for row in rows] for prison_id, rows in groupby(cursor.fetchall(), itemgetter(0))
    }


def lines_of(connection: Connection, file: str) -> list[Line]:
    """The lines that were cut into a workbook."""
    return [
        _line(row) for row in connection.execute(f"select {LINE_COLUMNS} from sink.adi_line where file = %s", (file,))
    ]


def _line(row: Sequence[object]) -> Line:
    line = Line(*row)  # type: ignore[arg-type]
    return line._replace(side=LedgerSide(line.side))


def insert_files(cursor: Cursor, topic: str, cut: Sequence[tuple[Journal, Sequence[str]]]) -> None:
    """Keep which journal each file holds; the first of its names is the workbook's, and its lines carry it."""
    cursor.executemany(
        "insert into sink.adi_file values (%s, %s, %s, %s, %s, %s)",
        [
            (name, names[0], journal.accounting_date, journal.prison_id, journal.part, journal.initials)
            for journal, names in cut
            for name in names
        ],
    )
    cursor.executemany(
        "update sink.adi_line set file = %s, status = 'filed' where topic = %s and line_id = any(%s)",
        [(names[0], topic, [line.line_id for line in journal.lines]) for journal, names in cut],
    )


def part(connection: Connection, file: str) -> Part | None:
    """What `sink.adi_file` says of a file."""
    row = connection.execute(
        "select lines_of, accounting_date, prison_id, part, initials from sink.adi_file where name = %s", (file,)
    ).fetchone()
    return None if row is None else Part(*row)


def initials(cursor: Cursor) -> str:
    """Whose initials the journals carry."""
    row = cursor.execute("select initials from sink.adi_setting").fetchone()
    assert row is not None, "sink.adi_setting has lost its row"
    return str(row[0])
