"""Records as plain fields: the schema that they were written with, and no validation, for speed and independence."""

import io
from typing import Any

import fastavro

from schemas.avro import full_name, schema_of
from schemas.codec import HEADER, MAGIC, Undecodable, parse
from schemas.fields import Contract
from schemas.registry import Registry, UnknownSchema
from streams.audit.evidence import Row


class Wire:
    """Reads the values of records. A schema is looked up once."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._schemas: dict[tuple[type[Contract], int], tuple[Any, Any]] = {}

    def fields(self, message: type[Contract], value: bytes | None) -> Row:
        """The fields of one message, with the defaults of those that an older writer did not know.

        Raises `Undecodable`; `RegistryUnavailable` if an unknown id cannot be looked up.
        """
        if value is None or len(value) < HEADER.size or value[0] != MAGIC:
            raise Undecodable("not_framed", "the value does not begin with 0x00 and a schema id")
        schema_id = HEADER.unpack_from(value)[1]
        written, wanted = self._schemas.get((message, schema_id)) or self._learn(message, schema_id)
        try:
            fields: Row = fastavro.schemaless_reader(io.BytesIO(value[HEADER.size :]), written, wanted)
        except Exception as error:
            raise Undecodable("not_avro", f"the bytes are not a {full_name(message)}: {error!r}") from error
        return fields

    def knew(self, message: type[Contract], value: bytes, field: str) -> bool:
        """Whether the writer of a message that was read knew of a field; if not, the field has its default."""
        written, _ = self._schemas[message, HEADER.unpack_from(value)[1]]
        return any(each["name"] == field for each in written["fields"])

    def _learn(self, message: type[Contract], schema_id: int) -> tuple[Any, Any]:
        try:
            written = self._registry.schema(schema_id)
        except UnknownSchema as error:
            raise Undecodable("unknown_schema", str(error)) from error
        name = f"{written.get('namespace')}.{written.get('name')}"
        if name != full_name(message):
            raise Undecodable("unknown_type", f"the value is a {name}, not a {full_name(message)}")
        wanted = schema_of(message)
        schemas = parse(written), None if written == wanted else parse(wanted)
        self._schemas[message, schema_id] = schemas
        return schemas
