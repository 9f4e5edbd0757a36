"""Bytes that Debezium's converter wrote become changes; all else is named (PIPE-06)."""

import io
from decimal import Decimal
from typing import Any

import fastavro
import pytest

from connectors.cdc import Change, ChangeReader, Op, Row, change_of
from schemas.codec import HEADER, Undecodable
from schemas.registry import UnknownSchema

SCHEMA_ID = 7
SCHEMA = {
    "type": "record",
    "name": "Envelope",
    "namespace": "millrace.reference.vehicle_prices",
    "fields": [
        {
            "name": "before",
            "type": [
                "null",
                {
                    "type": "record",
                    "name": "Value",
                    "fields": [
                        {"name": "vehicle_id", "type": "string"},
                        {"name": "unlock_minor", "type": "long"},
                        {
                            "name": "vat_rate",
                            "type": {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 9},
                        },
                    ],
                },
            ],
        },
        {"name": "after", "type": ["null", "Value"]},
        {
            "name": "source",
            "type": {
                "type": "record",
                "name": "Source",
                "fields": [
                    {"name": "connector", "type": "string"},
                    {"name": "table", "type": "string"},
                    {"name": "lsn", "type": ["null", "long"]},
                    {"name": "ts_us", "type": ["null", "long"]},
                ],
            },
        },
        {"name": "op", "type": "string"},
    ],
}
ROW: Row = {"vehicle_id": "v1", "unlock_minor": 100, "vat_rate": Decimal("0.250000000")}
SOURCE = {"connector": "postgresql", "table": "vehicle_prices", "lsn": 42, "ts_us": 1_700_000_000_000_000}
ENVELOPE = {"before": None, "after": ROW, "source": SOURCE, "op": "c"}


class OneSchema:
    """A registry of one schema, which counts how often it is asked."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self.asked = 0

    def id_of(self, subject: str, schema: Any) -> int:
        raise NotImplementedError

    def schema(self, schema_id: int) -> Any:
        self.asked += 1
        if schema_id != SCHEMA_ID:
            raise UnknownSchema(f"no schema {schema_id}")
        return self._schema


def framed(envelope: dict[str, Any], schema_id: int = SCHEMA_ID) -> bytes:
    buffer = io.BytesIO()
    buffer.write(HEADER.pack(0, schema_id))
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(SCHEMA), envelope)
    return buffer.getvalue()


@pytest.mark.requirement("PIPE-06")
def test_a_change_is_read_with_its_row_its_place_and_its_time() -> None:
    assert ChangeReader(OneSchema(SCHEMA)).read(framed(ENVELOPE)) == Change(
        table="vehicle_prices", op=Op.CREATED, before=None, after=ROW, lsn=42, source_ts_us=1_700_000_000_000_000
    )


def test_the_registry_is_asked_once_for_a_schema() -> None:
    registry = OneSchema(SCHEMA)
    reader = ChangeReader(registry)
    for _ in range(3):
        reader.read(framed(ENVELOPE))
    assert registry.asked == 1


def test_the_tombstone_after_a_deletion_says_nothing() -> None:
    assert ChangeReader(OneSchema(SCHEMA)).read(None) is None


@pytest.mark.requirement("PIPE-06")
@pytest.mark.parametrize(
    ("value", "reason", "field"),
    [
        (b"", "not_framed", None),
        (b"\x01\x00\x00\x00\x07abc", "not_framed", None),
        (b"\x00\x00\x00", "not_framed", None),
        (framed(ENVELOPE)[:-3], "not_avro", None),
        (framed(ENVELOPE) + b"x", "not_avro", None),
        (framed(ENVELOPE, schema_id=8), "unknown_schema", "schema_id"),
        (framed(ENVELOPE, schema_id=2**32 - 1), "unknown_schema", "schema_id"),
        (framed(ENVELOPE | {"op": "t"}), "not_a_change", "op"),
        (framed(ENVELOPE | {"source": SOURCE | {"lsn": None}}), "not_a_change", "source.lsn"),
        (framed(ENVELOPE | {"after": None}), "not_a_change", "after"),
        (framed(ENVELOPE | {"op": "d"}), "not_a_change", "before"),
    ],
)
def test_what_is_no_change_is_named(value: bytes, reason: str, field: str | None) -> None:
    with pytest.raises(Undecodable) as raised:
        ChangeReader(OneSchema(SCHEMA)).read(value)
    assert (raised.value.reason, raised.value.field) == (reason, field)


@pytest.mark.parametrize("envelope", [None, "text", [], {}, {"op": "c"}])
def test_what_is_no_envelope_is_no_change(envelope: object) -> None:
    with pytest.raises(Undecodable) as raised:
        change_of(envelope)
    assert raised.value.reason == "not_a_change"


def test_a_schema_that_is_no_record_is_no_change() -> None:
    with pytest.raises(Undecodable) as raised:
        ChangeReader(OneSchema("string")).read(HEADER.pack(0, SCHEMA_ID) + b"\x02a")
    assert raised.value.reason == "not_a_change"
