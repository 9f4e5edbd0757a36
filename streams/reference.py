"""Reference data: changes of Postgres rows, as Debezium reports them, become reference messages (PIPE-06).

One agent per captured table reads Debezium's topic, whose key is the row's, and writes on to the topic that rooms read,
whose key is the book's, or to every partition. Debezium tells a change again after a restart, and a person may replay
one: what the database's log says is older than what was passed on of that row is left out.
"""

from typing import Any

import msgspec

from connectors.cdc import Change, ChangeReader, Op, ReferenceRecord, records_of
from connectors.tables import TABLES, Table
from schemas.codec import Undecodable
from schemas.fields import Message
from schemas.mobility import GroupMemberLeft
from schemas.registry import Registry
from schemas.topics import GROUP_MEMBERS
from streams.ledger.tables import Rows
from streams.pipeline import Pipeline


class Captured(msgspec.Struct, frozen=True):
    """The last change of a row that was passed on: its place in the database's log."""

    lsn: int


def wire(pipeline: Pipeline, registry: Registry) -> None:
    """Declare an agent for every captured table."""
    changes, captured = ChangeReader(registry), pipeline.table("captured", Captured)
    for table in TABLES:
        _wire(pipeline, changes, captured, table)


def _wire(pipeline: Pipeline, changes: ChangeReader, captured: Any, table: Table) -> None:
    @pipeline.app.agent(pipeline.app.topic(table.cdc_topic), name=f"reference.{table.name}")
    async def read(stream: Any) -> None:
        async for batch in stream:
            rows = captured.rows(batch[0].partition())
            for record in batch:
                _pass_on(pipeline, changes, rows, record)


def _pass_on(pipeline: Pipeline, changes: ChangeReader, captured: Rows[Captured], record: Any) -> None:
    try:
        change = changes.read(record.value())
        references = records_of(change) if change is not None else []
    except Undecodable as error:
        pipeline.bury(record, error)
        return
    if change is None or not _is_news(captured, change, references[-1].row_id):
        return
    for reference in references:
        pipeline.tell_reference(reference.topic, reference.key, message_of(reference))


def _is_news(captured: Rows[Captured], change: Change, row_id: str) -> bool:
    """Notes the change; False where a later one of its row is known. A snapshot begins anew: it may be of a new log."""
    key = f"{change.table}|{row_id}"
    last = captured.get(key)
    if last is not None and change.lsn < last.lsn and change.op is not Op.SNAPSHOT:
        return False
    captured[key] = Captured(change.lsn)
    return True


def message_of(reference: ReferenceRecord) -> Message | None:
    """What is written on. A member who left shares the group's key, so a tombstone would not say who."""
    if reference.message is None and reference.topic is GROUP_MEMBERS:
        return GroupMemberLeft(group_id=reference.key.partition(":")[2], rider_id=reference.row_id)
    return reference.message
