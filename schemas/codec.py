"""Bytes to messages and back: Confluent wire format, Avro, schema ids from the registry (PIPE-12)."""

import io
import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import fastavro
import msgspec
import orjson
from fastavro.read import SchemaResolutionError
from pydantic import ValidationError

from schemas.avro import full_name, schema_of
from schemas.fields import Contract, Fact, Message
from schemas.registry import Registry, UnknownSchema
from schemas.topics import TOPICS, Topic
from schemas.writer import compile_writer

MAGIC = 0
HEADER = struct.Struct(">bI")
MAX_SCHEMA_ID = 2**31 - 1
"""Registries count in 32 bits with a sign; what they answer to more is not the same everywhere."""


class Undecodable(ValueError):
    """A record that is not one of its topic's messages: `reason` for machines, `field` and `schema` where known."""

    def __init__(self, reason: str, problem: str, *, field: str | None = None, schema: str | None = None) -> None:
        super().__init__(problem)
        self.reason = reason
        self.field = field
        self.schema = schema


class _Reader(NamedTuple):
    """How to read the records of one schema id in one topic."""

    message: type[Contract]
    written: Any
    wanted: Any | None  # None: written by the very schema that we know


class Codec:
    """Encodes and decodes the messages of `topics`. Ids of known schemas are fetched once, when it is made."""

    def __init__(self, registry: Registry, topics: Iterable[Topic] = TOPICS) -> None:
        self._registry = registry
        self._writers: dict[type[Contract], Callable[[Any], bytes]] = {}
        self._readers: dict[tuple[str, int], _Reader] = {}
        for topic in topics:
            for message in topic.messages:
                schema = schema_of(message)
                schema_id = registry.id_of(topic.subject(message), schema)
                self._writers[message] = compile_writer(schema, HEADER.pack(MAGIC, schema_id))
                self._readers[topic.name, schema_id] = _Reader(message, parse(schema), None)

    def encode(self, message: Contract) -> bytes:
        """The record value of a message."""
        return self._writers[type(message)](message)

    def decode(self, topic: Topic, value: bytes | None) -> Any:
        """The message of a record. Raises `Undecodable`; `RegistryUnavailable` if an unknown id cannot be looked up."""
        if value is None:
            raise Undecodable("no_value", "the record has no value")
        if len(value) < HEADER.size or value[0] != MAGIC:
            raise Undecodable("not_framed", "the value does not begin with 0x00 and a schema id")
        schema_id = HEADER.unpack_from(value)[1]
        reader = self._readers.get((topic.name, schema_id)) or self._learn(topic, schema_id)
        return _made(reader.message, _read(reader, value))

    def _learn(self, topic: Topic, schema_id: int) -> _Reader:
        """Look an id up that is not one of ours: another version of one of the topic's messages, or a stranger."""
        if schema_id > MAX_SCHEMA_ID:
            raise Undecodable("unknown_schema", f"{schema_id} cannot be a schema id", field="schema_id")
        try:
            written = self._registry.schema(schema_id)
        except UnknownSchema as error:
            raise Undecodable("unknown_schema", str(error), field="schema_id") from error
        name = _record_name(written)
        message = next((m for m in topic.messages if full_name(m) == name), None)
        if message is None:
            raise Undecodable("unknown_type", f"{name} is no message of {topic.name}", field="ce_type", schema=name)
        try:
            reader = _Reader(message, parse(written), parse(schema_of(message)))
        except Exception as error:
            raise _unreadable(name, error) from error
        self._readers[topic.name, schema_id] = reader
        return reader


def parse(schema: Any) -> Any:
    """A schema for fastavro, with moments left as the whole microseconds that they are on the wire."""
    return fastavro.parse_schema(_without_timestamps(schema))


def _without_timestamps(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_timestamps(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("logicalType") == "timestamp-micros":
        return "long"
    return {name: _without_timestamps(part) if name != "default" else part for name, part in schema.items()}


def _read(reader: _Reader, value: bytes) -> Any:
    """The fields of a framed value, all of whose bytes must be theirs."""
    name, buffer = full_name(reader.message), io.BytesIO(value)
    buffer.seek(HEADER.size)
    try:
        fields = fastavro.schemaless_reader(buffer, reader.written, reader.wanted)
    except SchemaResolutionError as error:
        raise _unreadable(name, error) from error
    except Exception as error:
        problem = f"{type(error).__name__}: {error}".rstrip(": ")  # its repr may hold the bytes, which may be personal
        raise Undecodable("not_avro", f"the bytes are not a {name}: {problem}", schema=name) from error
    if left := len(value) - buffer.tell():
        raise Undecodable("not_avro", f"{left} bytes follow the {name}", schema=name)
    return fields


def _made(contract: type[Contract], fields: Any) -> Contract:
    """A message of its fields, all checked. Raises `Undecodable` that names the field."""
    try:
        if issubclass(contract, Fact):
            return msgspec.convert(fields, contract, dec_hook=_part)
        return contract.model_validate(fields)
    except ValidationError as error:
        raise _refused_by_schema(contract, error) from error
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$.")
        field, schema = place.rstrip("`"), full_name(contract)
        raise Undecodable("refused_by_schema", f"{field}: {problem}", field=field, schema=schema) from error


def _part(kind: type[Message], fields: Any) -> Message:
    """A validated record inside a fact. What is wrong with it is said without its values, which may be personal."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        field, problem = _first(error)
        raise ValueError(f"{field}: {problem}") from None


def _record_name(schema: Any) -> str:
    """The full name of a record; of anything else that a registry holds, what it is."""
    if not isinstance(schema, dict) or schema.get("type") != "record":
        return f"something other than a record ({str(schema)[:80]})"
    name = str(schema.get("name"))
    return name if "." in name else f"{schema.get('namespace')}.{name}"


def _unreadable(name: str, error: Exception) -> Undecodable:
    problem = f"{name} was written by a version that this release cannot read: {error!r}"
    return Undecodable("unreadable_version", problem, field="schema_id", schema=name)


def _refused_by_schema(message: type[Contract], error: ValidationError) -> Undecodable:
    field, problem = _first(error)
    return Undecodable("refused_by_schema", f"{field}: {problem}", field=field, schema=full_name(message))


def _first(error: ValidationError) -> tuple[str, str]:
    """The first field that is wrong, and why."""
    first = error.errors(include_url=False, include_input=False)[0]
    return ".".join(str(part) for part in first["loc"]), str(first["msg"])


def from_json(message: type[Message], data: Any) -> Message:
    """A message from parsed JSON. Raises `Undecodable` that names the field."""
    try:
        return message.model_validate_json(orjson.dumps(data), strict=True)
    except orjson.JSONEncodeError as error:
        raise Undecodable(
            "refused_by_schema", f"a number beyond 64 bits: {error}", schema=full_name(message)
        ) from error
    except ValidationError as error:
        raise _refused_by_schema(message, error) from error
