"""Records are read by the schema that they were written with, whatever version that is."""

import io
from typing import Any

import fastavro
import pytest
from msgspec import to_builtins

from schemas.avro import schema_of
from schemas.codec import HEADER, Codec, Undecodable, parse
from schemas.ledger import Decided, JournalLine, OpenLock, Outcome, Step
from schemas.mobility import Refused
from schemas.registry import UnknownSchema
from schemas.topics import JOURNAL, OPEN_LOCKS
from streams.audit.wire import Wire


class Schemas:
    """A registry in memory."""

    def __init__(self) -> None:
        self.known: dict[int, Any] = {}

    def id_of(self, subject: str, schema: Any) -> int:
        self.known[len(self.known) + 1] = schema
        return len(self.known)

    def schema(self, schema_id: int) -> Any:
        if schema_id not in self.known:
            raise UnknownSchema(f"no schema {schema_id}")
        return self.known[schema_id]


ENTRY = Decided(
    decision_id="d-1", book="group:riverside", room="mobility", outcome=Outcome.ACCEPTED,
    lines=(JournalLine(step=Step.LOCKED, debit="wallet", credit="trips", amount_minor=5, currency="EUR", lock_id="l",
                       deadline=99),),
    cause_type="t", cause_id="e-1", cause_topic="topic", cause_partition=0, cause_offset=0, correlation_id="c",
    actor="ana", effective_at=1, recorded_at=2,
)  # fmt: skip


@pytest.fixture
def registry() -> Schemas:
    return Schemas()


def test_a_journal_entry_is_read_as_plain_fields(registry: Schemas) -> None:
    written = Codec(registry, [JOURNAL]).encode(ENTRY)
    assert Wire(registry).fields(Decided, written) == to_builtins(ENTRY) | {
        "lines": [to_builtins(ENTRY.lines[0]) | {"spent": []}]
    }


def test_a_field_that_an_older_writer_did_not_know_has_its_default(registry: Schemas) -> None:
    newest = schema_of(Refused)
    registry.known[7] = newest | {"fields": [field for field in newest["fields"] if field["name"] != "figures"]}
    value = io.BytesIO()
    fields = {"group_id": "riverside", "refused_id": "t-1", "reason": "no_price"}
    fastavro.schemaless_writer(value, parse(registry.known[7]), fields)
    assert Wire(registry).fields(Refused, HEADER.pack(0, 7) + value.getvalue()) == fields | {"figures": {}}


def test_whether_the_writer_of_an_entry_counted_its_events_is_known(registry: Schemas) -> None:
    newest = schema_of(Decided)
    registry.known[7] = newest | {"fields": [field for field in newest["fields"] if field["name"] != "events"]}
    older = io.BytesIO()
    fastavro.schemaless_writer(older, parse(registry.known[7]), to_builtins(ENTRY))
    wire, written = Wire(registry), HEADER.pack(0, 7) + older.getvalue()
    assert wire.fields(Decided, written)["events"] == 0
    assert not wire.knew(Decided, written, "events")
    newer = Codec(registry, [JOURNAL]).encode(ENTRY)
    assert wire.fields(Decided, newer)["events"] == 0
    assert wire.knew(Decided, newer, "events")


@pytest.mark.parametrize("value", [None, b"", b"\x00\x00", b"\x01\x00\x00\x00\x01rest"])
def test_a_value_without_a_schema_id_is_refused(registry: Schemas, value: bytes | None) -> None:
    with pytest.raises(Undecodable, match="schema id"):
        Wire(registry).fields(Decided, value)


def test_a_message_of_another_type_is_refused(registry: Schemas) -> None:
    codec = Codec(registry, [JOURNAL, OPEN_LOCKS])
    lock = OpenLock(
        id="b|l", book="b", lock_id="l", debit="a", credit="c", amount_minor=1, currency="EUR", deadline=None
    )
    with pytest.raises(Undecodable, match=r"is a millrace\.ledger\.OpenLock, not a"):
        Wire(registry).fields(Decided, codec.encode(lock))


def test_an_unknown_schema_and_torn_bytes_are_refused(registry: Schemas) -> None:
    written = Codec(registry, [JOURNAL]).encode(ENTRY)
    with pytest.raises(Undecodable, match="are not a"):
        Wire(registry).fields(Decided, written[:20])
    with pytest.raises(Undecodable, match="no schema 77"):
        Wire(registry).fields(Decided, HEADER.pack(0, 77) + written[5:])
