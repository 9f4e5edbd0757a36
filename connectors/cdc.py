"""From a Debezium record to reference messages: bytes → `Change` → the records that the reference topics get (PIPE-06).

    reader = ChangeReader(ConfluentRegistry(settings.registry))
    if (change := reader.read(record.value)) is not None:
        for reference in records_of(change): ...

Reading a change asks the registry once per schema; everything after that is pure.
"""

import io
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, TypeAlias

import fastavro
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from connectors.tables import TABLE_OF, Table
from schemas.avro import full_name
from schemas.codec import HEADER, MAGIC, MAX_SCHEMA_ID, Undecodable, parse
from schemas.fields import Identifier, Message
from schemas.registry import Registry, UnknownSchema
from schemas.topics import Topic

Column: TypeAlias = str | int | bool | bytes | Decimal | list[str] | None
Row: TypeAlias = Mapping[str, Column]


class Op(StrEnum):
    """What happened to the row."""

    SNAPSHOT = "r"
    CREATED = "c"
    UPDATED = "u"
    DELETED = "d"


class Change(NamedTuple):
    """One change of one row.

    `before` is whole where the table's replica identity is FULL, else at most the primary key.
    `lsn` is the change's place in the database's log, where later is greater; all rows of a snapshot share one.
    `source_ts_us` is when the transaction committed, in UTC microseconds.
    """

    table: str
    op: Op
    before: Row | None
    after: Row | None
    lsn: int
    source_ts_us: int


class ReferenceRecord(NamedTuple):
    """A record for a reference topic. Without a message it ends what was said of the row whose primary key is `row_id`.

    Mostly that is a tombstone; a group's members share their key, so there it must be a message that names the rider.
    """

    topic: Topic
    key: str
    message: Message | None
    row_id: str


class ChangeReader:
    """Reads record values in Confluent framing, by the schemas that Debezium's converter registered."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._schemas: dict[int, Any] = {}

    def read(self, value: bytes | None) -> Change | None:
        """The change in a record; None for the tombstone that follows a deletion and says nothing new.

        Raises `Undecodable`; `RegistryUnavailable` if an unknown id cannot be looked up.
        """
        if value is None:
            return None
        if len(value) < HEADER.size or value[0] != MAGIC:
            raise Undecodable("not_framed", "the value does not begin with 0x00 and a schema id")
        schema, buffer = self._schema(HEADER.unpack_from(value)[1]), io.BytesIO(value)
        buffer.seek(HEADER.size)
        try:
            envelope = fastavro.schemaless_reader(buffer, schema, None)
        except Exception as error:  # fastavro raises whatever the bytes lead it to
            raise Undecodable("not_avro", f"the bytes are not what their schema says: {error!r}") from error
        if left := len(value) - buffer.tell():
            raise Undecodable("not_avro", f"{left} bytes follow the change")
        return change_of(envelope)

    def _schema(self, schema_id: int) -> Any:
        if schema_id > MAX_SCHEMA_ID:
            raise Undecodable("unknown_schema", f"{schema_id} cannot be a schema id", field="schema_id")
        if schema_id not in self._schemas:
            try:
                written = self._registry.schema(schema_id)
            except UnknownSchema as error:
                raise Undecodable("unknown_schema", str(error), field="schema_id") from error
            self._schemas[schema_id] = parse(written)
        return self._schemas[schema_id]


class _Source(BaseModel):
    model_config = ConfigDict(extra="ignore")

    table: str
    lsn: Annotated[int, Field(ge=0)]
    ts_us: Annotated[int, Field(ge=0)]


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="ignore")

    op: Op
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    source: _Source


def change_of(envelope: object) -> Change:
    """The change that a decoded Debezium envelope tells. Raises `Undecodable` naming the field."""
    try:
        read = _Envelope.model_validate(envelope)
    except ValidationError as error:
        raise _undecodable("not_a_change", error, schema="Debezium envelope") from error
    row = "before" if read.op is Op.DELETED else "after"
    if getattr(read, row) is None:
        raise Undecodable("not_a_change", f"{row}: is missing where op is {read.op.value!r}", field=row)
    after = None if read.op is Op.DELETED else read.after
    return Change(read.source.table, read.op, read.before, after, read.source.lsn, read.source.ts_us)


def records_of(change: Change) -> list[ReferenceRecord]:
    """What the reference topic gets of a change: the row as it is now, and before it a tombstone where it is gone.

    A member's move leaves the old group and enters the new one. Raises `Undecodable` naming the field.
    """
    table = TABLE_OF.get(change.table)
    if table is None:
        raise Undecodable(
            "unknown_table", f"{change.table!r} is no table of connectors/tables.py", field="source.table"
        )
    records = []
    if change.after is not None:
        message = _message(table, change.after)
        key = _key(table, change.after, "after")
        records.append(ReferenceRecord(table.to, key, message, _identifier(table, change.after, "after", table.row_id)))
    if change.before is not None and change.op in (Op.UPDATED, Op.DELETED):
        gone = ReferenceRecord(
            table.to,
            _key(table, change.before, "before"),
            None,
            _identifier(table, change.before, "before", table.row_id),
        )
        if all(record.key != gone.key for record in records):
            records.insert(0, gone)
    return records


def _message(table: Table, row: Row) -> Message:
    """The row as its message. Columns that the message does not have are the database's own affair."""
    fields = {name: row[name] for name in table.message.model_fields if name in row}
    try:
        return table.message.model_validate(fields)
    except ValidationError as error:
        raise _undecodable("refused_by_schema", error, schema=full_name(table.message), under="after.") from error


def _key(table: Table, row: Row, side: str) -> str:
    assert table.to.key is not None
    return f"{table.to.key.prefix}:{_identifier(table, row, side, table.to.key.field)}"


_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


def _identifier(table: Table, row: Row, side: str, column: str) -> str:
    """An id out of a row. What the replica identity leaves out of `before`, Debezium fills with an empty string."""
    try:
        return _IDENTIFIER.validate_python(row.get(column))
    except ValidationError as error:
        problem = f"{side}.{column} is {row.get(column)!r}: it is no id, or not in the replica identity of {table.name}"
        raise Undecodable("no_key", problem, field=f"{side}.{column}", schema=full_name(table.message)) from error


def _undecodable(reason: str, error: ValidationError, *, schema: str, under: str = "") -> Undecodable:
    first = error.errors(include_url=False, include_input=False)[0]
    field = under + ".".join(str(part) for part in first["loc"])
    return Undecodable(reason, f"{field}: {first['msg']}", field=field, schema=schema)
