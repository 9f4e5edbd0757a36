"""What `verify` compares of the ADI sink: the lines it keeps with the records of Kafka, and its days with its files."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from schemas.general_ledger import GeneralLedgerLine
from sinks.adi.tables import CLOSED_THROUGH, Place
from sinks.database import Connection
from sinks.parked import parked_places
from sinks.sink import Arrived

Values = tuple[Any, ...]


def differences(
    connection: Connection, topic: str, sink: str, partitions: int, records: Iterable[Arrived]
) -> Iterator[str]:
    """Every line is kept as its record says it, or parked; no other line exists; every closed day is in its files."""
    kept = _kept(connection, topic)
    parked = parked_places(connection, sink, topic)
    for partition, offset, message, _ in records:
        if not isinstance(message, GeneralLedgerLine):
            continue
        place = f"{topic}/{partition}@{offset}"
        values = kept.pop((partition, offset), None)
        if values is None and (partition, offset) not in parked:
            yield f"{place}: line {message.line_id} is neither kept nor parked"
        elif values is not None and values != _values(message):
            yield f"{place}: line {message.line_id} is not kept as the record says it"
    for partition, offset in kept:
        yield f"a kept line names {topic}/{partition}@{offset}, which has no such line"
    yield from _closed_without_file(connection, topic, sink, partitions)
    yield from misfiled(connection, topic)


def _values(line: GeneralLedgerLine) -> Values:
    return (
        line.line_id, line.transaction_id, line.prison_id, line.accounting_date, line.cost_centre, line.gl_account,
        line.side.value, line.amount.amount_minor, line.description, line.prisoner_id, line.account,
        line.reverses, line.corrects,
    )  # fmt: skip


def _kept(connection: Connection, topic: str) -> dict[Place, Values]:
    rows = connection.execute(
        "select partition, record_offset, line_id, transaction_id, prison_id, accounting_date::text, cost_centre,"
        " gl_account, side, amount_minor, description, prisoner_id, account, reverses, corrects"
        " from sink.adi_line where topic = %s",
        (topic,),
    )
    return {(row[0], row[1]): row[2:] for row in rows}


def _closed_without_file(connection: Connection, topic: str, sink: str, partitions: int) -> Iterator[str]:
    """Days that no partition adds to any more, whose lines are in no file though nothing of the day is parked."""
    rows = connection.execute(
        "select accounting_date::text, prison_id, count(*) from sink.adi_line"
        f" where topic = %(topic)s and file is null and accounting_date <= ({CLOSED_THROUGH})"
        " and not exists (select from sink.parked where sink = %(sink)s and topic = %(topic)s"
        "   and subject in (accounting_date::text, accounting_date::text || '/' || prison_id))"
        " group by 1, 2 order by 1, 2",
        {"topic": topic, "sink": sink, "partitions": partitions},
    )
    for day, prison_id, lines in rows:
        yield f"{day}/{prison_id}: the day is closed, but {lines} lines are in no file"


def misfiled(connection: Connection, topic: str, day: date | None = None) -> Iterator[str]:
    """Lines in the journal of another prison or day than their own, and journals whose twin is of another; of one day
    or of all."""
    asked = {"topic": topic, "day": day}
    for line_id, file, own, other in connection.execute(
        f"select line_id, file, {_whose('line')}, {_whose('journal')}"
        " from sink.adi_line as line left join sink.adi_file as journal on journal.name = line.file"
        " where topic = %(topic)s and file is not null"
        " and (line.prison_id, line.accounting_date) is distinct from (journal.prison_id, journal.accounting_date)"
        " and (%(day)s::date is null or %(day)s in (line.accounting_date, journal.accounting_date)) order by 1",
        asked,
    ):
        yield f"line {line_id} is of {own}, but in {file}, the journal of {other}"
    for name, own, other in connection.execute(
        f"select twin.name, {_whose('twin')}, {_whose('journal')}"
        " from sink.adi_file as twin left join sink.adi_file as journal on journal.name = twin.lines_of"
        " where (twin.prison_id, twin.accounting_date, twin.part)"
        "   is distinct from (journal.prison_id, journal.accounting_date, journal.part)"
        " and (%(day)s::date is null or %(day)s in (twin.accounting_date, journal.accounting_date)) order by 1",
        asked,
    ):
        yield f"{name} is of {own}, but its lines are those of {other}"


def _whose(table: str) -> str:
    return f"concat_ws('/', {table}.accounting_date, {table}.prison_id)"
