"""What is no message becomes one dead letter that says why and where; nothing else stops (PIPE-04)."""

import io
import json
import traceback
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.avro import schema_of
from schemas.codec import Codec, Undecodable
from schemas.dealer_accounts import RegisterDealer
from schemas.fields import MAX_MINOR, Money
from schemas.mobility import DepositBudget, TripEnded, VehiclePrice
from schemas.partitioning import partition_of
from schemas.registry import RegistryUnavailable
from schemas.topics import DEPOSITS, PARTITIONS, TRIPS, VEHICLE_PRICES
from tests.rooms import DAY, FakeRegistry, moment, shared_codec
from tests.unit.dealer_billing.registering import FIRST, Office
from tests.unit.mobility.city import City, price

pytestmark = pytest.mark.requirement("PIPE-04")
LAW = settings(deadline=None)  # a busy machine is no broken law

DEPOSIT = DepositBudget(deposit_id="d1", group_id="g1", amount=Money(amount_minor=500, currency="EUR"))
FRAMED = shared_codec().encode(DEPOSIT)


def sent(**changes: Any) -> tuple[str | None, str | None]:
    """Reason and field of the dead letter that a good deposit becomes by some changes."""
    city = City()
    told = city.send(DEPOSIT, **changes)
    assert city.deposit("d2", 1).outcome == "accepted"  # nothing else stops
    return told.letter.reason, told.letter.field


def encoded_by(schema: Any, message: dict[str, Any]) -> bytes:
    """A message in Avro by any schema, unchecked and without its frame."""
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(json.loads(json.dumps(schema))), message)
    return buffer.getvalue()


# ---- the value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no_value"),
        (b"", "not_framed"),
        (b"\x00\x00\x00\x01", "not_framed"),
        (b'{"deposit_id": "d1"}', "not_framed"),
        (b"\x01" + FRAMED[1:], "not_framed"),
        (b"\x00\x00\x0f\x42\x3f" + FRAMED[5:], "unknown_schema"),
        (b"\x00\xff\xff\xff\xff" + FRAMED[5:], "unknown_schema"),
        (FRAMED[:5], "not_avro"),
        (FRAMED + b"\x00", "not_avro"),
    ],
)
def test_a_value_that_is_no_framed_avro_says_what_it_lacks(value: bytes | None, reason: str) -> None:
    assert sent(value=value)[0] == reason


@pytest.mark.parametrize("length", range(5, len(FRAMED)))
def test_a_value_cut_short_anywhere_is_no_message(length: int) -> None:
    assert sent(value=FRAMED[:length])[0] == "not_avro"


def test_a_message_of_another_topic_is_unknown_in_this_one() -> None:
    value = shared_codec().encode(TripEnded(trip_id="t1", group_id="g1", ridden_seconds=1))
    assert sent(value=value) == ("unknown_type", "ce_type")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"deposit_id": ""}, "deposit_id"),
        ({"deposit_id": "d|1"}, "deposit_id"),
        ({"deposit_id": "d/1"}, "deposit_id"),
        ({"deposit_id": "d1\n"}, "deposit_id"),
        ({"deposit_id": "d" * 97}, "deposit_id"),
        ({"amount": {"amount_minor": 0, "currency": "EUR"}}, "amount.amount_minor"),
        ({"amount": {"amount_minor": -1, "currency": "EUR"}}, "amount.amount_minor"),
        ({"amount": {"amount_minor": MAX_MINOR + 1, "currency": "EUR"}}, "amount.amount_minor"),
        ({"amount": {"amount_minor": 2**63 - 1, "currency": "EUR"}}, "amount.amount_minor"),
        ({"amount": {"amount_minor": 1, "currency": "eur"}}, "amount.currency"),
        ({"expires_at": -1}, "expires_at"),
        ({"expires_at": 2**63 - 1}, "expires_at"),
        ({"expires_at": moment("2200-01-01T00:00:01Z")}, "expires_at"),
        ({"scopes": ({"msp_id": "", "model_id": None, "vehicle_type": None},)}, "scopes.0.msp_id"),
        ({"scopes": ({"msp_id": "m", "model_id": None, "vehicle_type": None},) * 17}, "scopes"),
        ({"per_trip_minor": 0}, "per_trip_minor"),
    ],
)
def test_a_field_that_the_schema_refuses_is_named(changes: dict[str, Any], field: str) -> None:
    value = FRAMED[:5] + encoded_by(schema_of(DepositBudget), DEPOSIT.model_dump() | changes)
    assert sent(value=value) == ("refused_by_schema", field)


@pytest.mark.requirement("PIPE-15", "DLR-01")
@pytest.mark.parametrize(("good", "bad"), [(b"7701234567", b"770 234567"), (b"Anvil Motors", b"Anvil M\xfftors")])
def test_a_letter_says_what_is_wrong_with_requisites_and_does_not_repeat_them(good: bytes, bad: bytes) -> None:
    """Its bytes are those of the record; its error and its stack are read by people and logs."""
    command = RegisterDealer(dealer_id="D1", cme_dealer_id="cme-1", requisites=FIRST)
    told = Office().send(command, value=shared_codec().encode(command).replace(good, bad))
    error = told.letter.error
    assert isinstance(error, Exception)
    for said in (str(error), *traceback.format_exception(error)):
        assert bad.decode(errors="ignore") not in said
        assert repr(bad)[2:-1] not in said


# ---- key and headers


@pytest.mark.parametrize("key", [None, b"", b"g1", b"group:g2", b"group:g1 ", b"\xff\xfe", b"group:" + b"g" * 10_000])
def test_a_record_under_another_key_than_its_books_is_buried(key: bytes | None) -> None:
    assert sent(key=key) == ("wrong_key", "key")


def test_a_record_on_another_partition_than_its_keys_would_split_its_book_and_is_buried() -> None:
    city = City()
    city.stage.rightful += 1
    letter = city.send(DEPOSIT).letter
    assert (letter.reason, letter.field) == ("wrong_partition", "key")


@pytest.mark.parametrize(
    ("key", "hashed"),  # what Java's own client gives
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)],
)
def test_a_keys_partition_is_what_javas_clients_compute(key: bytes, hashed: int) -> None:
    assert partition_of(key) == (hashed & 0x7FFFFFFF) % PARTITIONS


@pytest.mark.parametrize(
    ("header", "value", "reason"),
    [
        ("ce_subject", b"group:g2", "wrong_key"),
        ("ce_type", b"millrace.mobility.TripEnded", "wrong_type"),
        ("ce_specversion", None, "bad_envelope"),
        ("ce_specversion", b"0.3", "bad_envelope"),
        ("ce_id", None, "bad_envelope"),
        ("ce_id", b"", "bad_envelope"),
        ("ce_id", b"a|b", "bad_envelope"),
        ("ce_id", b"e\x00", "bad_envelope"),
        ("ce_id", b"e" * 1_000, "bad_envelope"),
        ("ce_id", b"\xff", "bad_envelope"),
        ("ce_source", None, "bad_envelope"),
        ("ce_source", b"a|b", "bad_envelope"),
        ("ce_source", b"s" * 1_000, "bad_envelope"),
        ("ce_type", None, "bad_envelope"),
        ("ce_subject", None, "bad_envelope"),
        ("ce_time", None, "bad_envelope"),
        ("ce_time", b"yesterday", "bad_envelope"),
        ("ce_time", b"2026-03-01", "bad_envelope"),
        ("ce_time", b"2026-03-01T08:00:00", "bad_envelope"),
        ("ce_time", b"0001-01-01T00:00:00+14:00", "bad_envelope"),
        ("ce_time", b"1969-12-31T23:59:59Z", "bad_envelope"),
        ("ce_time", b"9999-12-31T23:59:59-14:00", "bad_envelope"),
        ("ce_correlationid", b"c" * 1_000, "bad_envelope"),
        ("ce_correlationid", b"\x00", "bad_envelope"),
        ("ce_causationid", b"c" * 1_000, "bad_envelope"),
        ("ce_actor", b"a" * 1_000, "bad_envelope"),
        ("ce_actor", b"\xc3\x28", "bad_envelope"),
    ],
)
def test_a_header_that_is_missing_or_cannot_be_trusted_is_named(header: str, value: bytes | None, reason: str) -> None:
    assert sent(headers={header: value}) == (reason, header)


def test_a_record_without_headers_names_the_first_that_it_lacks() -> None:
    told = City().stage.send_raw(DEPOSITS, key=b"group:g1", value=FRAMED)
    assert (told.letter.reason, told.letter.field) == ("bad_envelope", "ce_specversion")


def test_correlation_causation_and_actor_may_be_left_out() -> None:
    left_out = {"ce_correlationid": None, "ce_causationid": None, "ce_actor": None}
    entry = City().send(DEPOSIT, id="e-1", source="/budgets", headers=left_out).entry
    assert (entry.correlation_id, entry.actor) == ("e-1", "/budgets")


def test_what_has_not_happened_yet_is_no_event() -> None:
    city = City()
    now = city.stage.now
    assert city.deposit("d1", 1, at=now + DAY, arrived=now).outcome == "accepted"  # clocks differ, by a zone even
    told = city.deposit("d2", 1, at=now + DAY + 1, arrived=now)
    assert (told.letter.reason, told.letter.field) == ("in_the_future", "ce_time")


@pytest.mark.parametrize("written", [-1_000, moment("1969-12-31T23:59:59Z"), moment("2262-01-01T00:00:00Z")])
def test_a_record_whose_time_in_kafka_is_absurd_is_buried(written: int) -> None:
    assert sent(arrived=written) == ("bad_timestamp", "timestamp")


# ---- other releases, other teams


def written_as(changes: Any, registry: FakeRegistry | None = None) -> tuple[Codec, bytes]:
    """A codec of this release, and the id under which a writer has registered another schema."""
    registry = registry or FakeRegistry()
    codec = Codec(registry)
    schema_id = registry.number(changes if isinstance(changes, str) else json.dumps(changes))
    return codec, b"\x00" + schema_id.to_bytes(4, "big")


def deposit_schema(**fields: Any) -> dict[str, Any]:
    """Our deposit's schema with fields replaced (None: dropped), or added at the end."""
    schema = schema_of(DepositBudget)
    known = {field["name"]: field for field in schema["fields"]} | fields
    return schema | {"fields": [field for field in known.values() if field is not None]}


@pytest.mark.requirement("PIPE-12")
def test_a_newer_version_with_one_more_field_is_read() -> None:
    newer = deposit_schema(note={"name": "note", "type": "string", "default": ""})
    codec, frame = written_as(newer)
    city = City(codec=codec)
    value = frame + encoded_by(newer, DEPOSIT.model_dump() | {"note": "hello"})
    assert city.send(DEPOSIT, value=value).outcome == "accepted"
    assert city.wallet == "d1:500"


@pytest.mark.requirement("PIPE-12")
def test_an_older_version_without_an_optional_field_is_read() -> None:
    older = deposit_schema(scopes=None, per_trip_minor=None)
    codec, frame = written_as(older)
    city = City(codec=codec)
    value = frame + encoded_by(older, DEPOSIT.model_dump())
    assert city.send(DEPOSIT, value=value).outcome == "accepted"
    assert city.wallet == "d1:500"


@pytest.mark.requirement("PIPE-12", "PIPE-05")
def test_the_same_content_written_by_another_version_is_the_same_content() -> None:
    older = deposit_schema(scopes=None, per_trip_minor=None)
    codec, frame = written_as(older)
    city = City(codec=codec)
    city.send(DEPOSIT, id="e-1")
    assert city.send(DEPOSIT, id="e-1", value=frame + encoded_by(older, DEPOSIT.model_dump())).outcome == "duplicate"


MONEY_WITHOUT_CURRENCY = {"type": "record", "name": "Money", "namespace": "millrace.fields", "fields": [
    {"name": "amount_minor", "type": "long"},
]}  # fmt: skip


@pytest.mark.requirement("PIPE-12")
@pytest.mark.parametrize(
    ("too_old", "amount"),
    [
        (deposit_schema(amount=None), None),
        (deposit_schema(amount={"name": "amount", "type": MONEY_WITHOUT_CURRENCY}), {"amount_minor": 500}),
        (deposit_schema(amount={"name": "amount", "type": "string"}), "5.00 EUR"),
    ],
    ids=["field missing", "field within a field missing", "other type"],
)
def test_a_version_that_this_release_cannot_read_is_buried_as_such(too_old: Any, amount: Any) -> None:
    codec, frame = written_as(too_old)
    value = frame + encoded_by(too_old, DEPOSIT.model_dump() | {"amount": amount})
    told = City(codec=codec).send(DEPOSIT, value=value)
    assert (told.letter.reason, told.letter.field) == ("unreadable_version", "schema_id")


def test_a_schema_that_refers_to_another_subject_is_unreadable() -> None:
    codec, frame = written_as(deposit_schema(amount={"name": "amount", "type": "elsewhere.Money"}))
    told = City(codec=codec).send(DEPOSIT, value=frame + FRAMED[5:])
    assert (told.letter.reason, told.letter.field) == ("unreadable_version", "schema_id")


@pytest.mark.parametrize(
    ("stranger", "reason"),
    [
        ('"string"', "unknown_type"),
        ('["null", "string"]', "unknown_type"),
        ('{"type": "array", "items": "long"}', "unknown_type"),
        (
            '{"type": "enum", "name": "DepositBudget", "namespace": "millrace.mobility", "symbols": ["A"]}',
            "unknown_type",
        ),
        ('{"type": "object", "properties": {}}', "unknown_type"),
        ('{"type": "record", "name": "Other", "fields": []}', "unknown_type"),
        ("42", "unknown_type"),
        ("null", "unknown_type"),
    ],
)
def test_a_schema_that_is_no_record_of_ours_is_an_unknown_type(stranger: str, reason: str) -> None:
    codec, frame = written_as(stranger)
    assert City(codec=codec).send(DEPOSIT, value=frame + b"\x02").letter.reason == reason


def test_a_record_whose_name_carries_its_namespace_is_known() -> None:
    schema = deposit_schema()
    del schema["namespace"]
    named = schema | {"name": "millrace.mobility.DepositBudget"}
    codec, frame = written_as(named)
    assert City(codec=codec).send(DEPOSIT, value=frame + FRAMED[5:]).outcome == "accepted"


def test_a_registry_that_does_not_answer_stops_the_worker_and_buries_nothing() -> None:
    registry = FakeRegistry()
    newer = deposit_schema(note={"name": "note", "type": "string", "default": ""})
    codec, frame = written_as(newer, registry)
    value = frame + encoded_by(newer, DEPOSIT.model_dump() | {"note": "hello"})
    city = City(codec=codec)
    registry.is_up = False
    assert city.deposit("d0", 1).outcome == "accepted"  # what is known needs no registry
    with pytest.raises(RegistryUnavailable):
        city.send(DEPOSIT, value=value)
    registry.is_up = True
    assert city.send(DEPOSIT, value=value).outcome == "accepted"
    registry.is_up = False
    assert city.send(DEPOSIT, value=value, id="again").outcome == "duplicate"  # learnt once


def test_a_number_of_thousands_of_digits_is_refused_and_crashes_nothing() -> None:
    absurd = price().model_construct(**price().model_dump() | {"per_minute_minor": Decimal(10**5_000)})
    undefined = json.loads(json.dumps(schema_of(VehiclePrice)).replace('"precision": 18', '"precision": 9000'))
    codec, _ = written_as(undefined)
    value = codec.encode(price())[:5] + encoded_by(undefined, absurd.model_dump())
    with pytest.raises(Undecodable):
        codec.decode(VEHICLE_PRICES, value)


# ---- anything at all


@LAW
@given(value=st.binary(max_size=80), framed=st.booleans())
@example(value=b"", framed=True)
def test_any_bytes_are_one_dead_letter_or_one_outcome(value: bytes, *, framed: bool) -> None:
    city = City()
    whole = FRAMED[:5] + value if framed else value
    assert city.send(DEPOSIT, value=whole).outcome in ("accepted", "dead letter")


@LAW
@given(at=st.integers(5, len(FRAMED) - 1), byte=st.integers(0, 255))
def test_any_flipped_byte_is_one_dead_letter_or_one_outcome(at: int, byte: int) -> None:
    value = FRAMED[:at] + bytes([byte]) + FRAMED[at + 1 :]
    assert City().send(DEPOSIT, value=value).outcome in ("accepted", "refused", "dead letter")


@LAW
@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from(["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "ce_actor"]),
            st.one_of(
                st.none(), st.binary(max_size=40), st.just(b"1.0"), st.datetimes().map(lambda d: str(d).encode())
            ),
        ),
        max_size=12,
    ),
    key=st.one_of(st.none(), st.binary(max_size=20)),
)
def test_any_headers_and_key_are_one_dead_letter(headers: list[tuple[str, bytes | None]], key: bytes | None) -> None:
    assert City().stage.send_raw(TRIPS, key=key, value=FRAMED, headers=headers).outcome == "dead letter"
