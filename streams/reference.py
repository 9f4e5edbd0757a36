"""Reference data: changes of Postgres rows, as Debezium reports them, become reference messages (PIPE-06).

One agent per captured table reads Debezium's topic, whose key is the row's, and writes on to the topic that rooms read,
whose key is the book's, or to every partition.
"""

from typing import Any

from connectors.cdc import ChangeReader, ReferenceRecord, records_of
from connectors.tables import TABLES, Table
from schemas.codec import Undecodable
from schemas.fields import Message
from schemas.mobility import GroupMemberLeft
from schemas.registry import Registry
from schemas.topics import GROUP_MEMBERS
from streams.pipeline import Pipeline


def wire(pipeline: Pipeline, registry: Registry) -> None:
    """Declare an agent for every captured table."""
    changes = ChangeReader(registry)
    for table in TABLES:
        _wire(pipeline, changes, table)


def _wire(pipeline: Pipeline, changes: ChangeReader, table: Table) -> None:
    @pipeline.app.agent(pipeline.app.topic(table.cdc_topic), name=f"reference.{table.name}")
    async def captured(stream: Any) -> None:
        async for batch in stream:
            for record in batch:
                _pass_on(pipeline, changes, record)


def _pass_on(pipeline: Pipeline, changes: ChangeReader, record: Any) -> None:
    try:
        change = changes.read(record.value())
        references = records_of(change) if change is not None else []
    except Undecodable as error:
        pipeline.bury(record, error)
        return
    for reference in references:
        pipeline.tell_reference(reference.topic, reference.key, message_of(reference))


def message_of(reference: ReferenceRecord) -> Message | None:
    """What is written on. A member who left shares the group's key, so a tombstone would not say who."""
    if reference.message is None and reference.topic is GROUP_MEMBERS:
        return GroupMemberLeft(group_id=reference.key.partition(":")[2], rider_id=reference.row_id)
    return reference.message
