"""The declarations hold together: topics, keys, Avro, and every message there and back (PIPE-01, PIPE-12)."""

import io
import json
import re
from collections import Counter
from decimal import Decimal
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import (
    billing,
    clock,
    dealer_accounts,
    dealer_billing,
    dealer_bills,
    dealer_deposits,
    dealer_projections,
    dealer_reference,
    general_ledger,
    ledger,
    letters,
    lots,
    mobility,
    prison_advances,
    prison_batches,
    prison_finance,
    prison_reference,
)
from schemas.avro import declared, full_name, schema_of
from schemas.billing import CreateClient
from schemas.codec import Undecodable, from_json, parse
from schemas.dealer_accounts import DealerRegistered, Requisites
from schemas.dealer_billing import AccountType
from schemas.fields import Contract, Fact, Message, Money, Record, Text, UtcMicros, format_minor
from schemas.general_ledger import AccountingDayClosed
from schemas.ledger import Decided, JournalLine, LotPart, Outcome, Step
from schemas.mobility import BudgetExpired, ChargeCard, DepositBudget
from schemas.topics import BILLING_CALLS, CARD_CHARGES, GL_LINES, JOURNAL, TOPICS, TRIP_PAYMENTS, UPSTREAM, Kind, Topic
from schemas.writer import compile_writer
from tests.contracts.strategies import messages
from tests.rooms import shared_codec

DECLARED = [(topic, message) for topic in TOPICS for message in topic.messages]
IDS = [f"{topic.name}-{message.__name__}" for topic, message in DECLARED]
NAME = re.compile(
    r"(mobility|dealer_billing|prison_finance|ledger|clock|pipeline)\.[a-z-]+\.(?P<kind>[a-z-]+)\.v[1-9]\d*"
)
MODULES = (
    billing,
    clock,
    dealer_accounts,
    dealer_billing,
    dealer_bills,
    dealer_deposits,
    dealer_projections,
    dealer_reference,
    general_ledger,
    ledger,
    letters,
    lots,
    mobility,
    prison_advances,
    prison_batches,
    prison_finance,
    prison_reference,
)


def plain(message: Contract) -> dict[str, Any]:
    """The fields of a message, as fastavro takes them."""
    if isinstance(message, Message):
        return message.model_dump()
    fields: dict[str, Any] = msgspec.to_builtins(message, builtin_types=(Decimal, bytes), enc_hook=Record.model_dump)
    return fields


@pytest.mark.requirement("PIPE-12")
@pytest.mark.parametrize(("topic", "message"), DECLARED, ids=IDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_every_message_survives_encoding_and_decoding(topic: Topic, message: type[Contract], data: Any) -> None:
    before = data.draw(messages(message))
    after = shared_codec().decode(topic, shared_codec().encode(before))
    assert (type(after), after) == (message, before)


@pytest.mark.requirement("PIPE-12")
@pytest.mark.parametrize(("topic", "message"), DECLARED, ids=IDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_a_compiled_writer_gives_the_bytes_of_fastavro(topic: Topic, message: type[Contract], data: Any) -> None:
    given_message, wanted = data.draw(messages(message)), io.BytesIO()
    fastavro.schemaless_writer(wanted, parse(schema_of(message)), plain(given_message))
    assert compile_writer(schema_of(message), b"prefix")(given_message) == b"prefix" + wanted.getvalue()


@pytest.mark.requirement("PIPE-12")
@pytest.mark.parametrize("message", [each for _, each in DECLARED if issubclass(each, Message)])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_every_message_survives_json(message: type[Message], data: Any) -> None:
    before = data.draw(messages(message))
    assert from_json(message, json.loads(before.model_dump_json())) == before


@pytest.mark.requirement("PIPE-12")
@pytest.mark.parametrize(("topic", "message"), DECLARED, ids=IDS)
def test_every_schema_is_avro_with_a_name_and_a_documentation(topic: Topic, message: type[Contract]) -> None:
    schema = schema_of(message)
    parsed = fastavro.parse_schema(json.loads(json.dumps(schema)))
    assert parsed["name"] == full_name(message)
    assert schema["doc"]
    for field in schema["fields"]:
        if "default" in field:  # Avro: the default of a union is of its first type
            first = field["type"][0] if isinstance(field["type"], list) else field["type"]
            assert fastavro.validate(field["default"], first), field


LOT = LotPart(lot_id="d1", amount_minor=0)
MOVED = JournalLine(step=Step.POSTED, debit="a", credit="b", amount_minor=5, currency="EUR", spent=(LOT,))
ENTRY = Decided(
    decision_id="1", book="b", room="r", outcome=Outcome.ACCEPTED, lines=(MOVED,), cause_type="t", cause_id="c",
    cause_topic="t", cause_partition=0, cause_offset=0, correlation_id="c", actor="a", effective_at=0, recorded_at=0,
)  # fmt: skip
CLOSED = AccountingDayClosed(accounting_date="2026-03-29", lines=0, debit_minor=-1, credit_minor=0)
NOTHING = Money.model_construct(amount_minor=0, currency="EUR")


@pytest.mark.requirement("PIPE-04", "PIPE-12")
@pytest.mark.parametrize(
    ("topic", "fact", "field"),
    [
        (JOURNAL, ENTRY, "lines[0].spent[0].amount_minor"),
        (CARD_CHARGES, ChargeCard(charge_id="c", trip_id="", group_id="g", rider_id="r", amount=NOTHING), "trip_id"),
        (TRIP_PAYMENTS, BudgetExpired(group_id="g", deposit_id="d", amount=NOTHING), "amount"),
        (GL_LINES, CLOSED, "debit_minor"),
    ],
)
def test_what_only_millrace_writes_is_checked_when_it_is_read(topic: Topic, fact: Fact, field: str) -> None:
    with pytest.raises(Undecodable) as refusal:
        shared_codec().decode(topic, shared_codec().encode(fact))
    assert (refusal.value.reason, refusal.value.field) == ("refused_by_schema", field)


def test_every_message_is_in_exactly_one_topic() -> None:
    counted = Counter(message for _, message in DECLARED)
    declared = {
        each
        for module in MODULES
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, Message | Fact)
        and each not in (Message, Fact)
        and each.__module__ == module.__name__
    }
    assert set(counted) == declared
    assert max(counted.values()) == 1


@pytest.mark.requirement("PIPE-01")
@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_is_named_room_entity_kind_version(topic: Topic) -> None:
    parts = NAME.fullmatch(topic.name)
    assert parts, topic.name
    assert topic.kind is Kind(parts["kind"])


def test_no_topic_is_declared_twice() -> None:
    assert max(Counter(topic.name for topic in TOPICS).values()) == 1


@pytest.mark.parametrize("topic", [topic for topic in TOPICS if topic.key], ids=lambda topic: topic.name)
def test_every_message_has_its_topics_key_field_unless_it_speaks_to_a_whole_partition(topic: Topic) -> None:
    assert topic.key is not None
    names = {message: {field.name for field in declared(message)} for message in topic.messages}
    without = {message for message in names if topic.key.field not in names[message]}
    assert without <= {AccountingDayClosed}


@pytest.mark.requirement("PIPE-05")
@pytest.mark.parametrize("topic", UPSTREAM, ids=lambda topic: topic.name)
def test_every_upstream_topic_has_a_book_for_its_key(topic: Topic) -> None:
    assert topic.key is not None
    assert topic.key.prefix in ("group", "dealer", "lot", "prisoner", "batch")


def test_full_names_are_unique() -> None:
    assert max(Counter(full_name(message) for _, message in DECLARED).values()) == 1


# ---- fields, as JSON brings them

DEPOSIT: dict[str, Any] = {
    "deposit_id": "d1",
    "group_id": "g1",
    "amount": {"amount_minor": 500, "currency": "EUR"},
    "expires_at": "2026-12-31T23:59:59.999999+01:00",
}


def test_a_moment_in_json_is_any_iso_8601_moment_with_an_offset() -> None:
    message = from_json(DepositBudget, DEPOSIT)
    assert isinstance(message, DepositBudget)
    assert message.expires_at == 1_798_757_999_999_999


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": {"amount_minor": 500.5, "currency": "EUR"}}, "amount.amount_minor"),
        ({"amount": {"amount_minor": "500", "currency": "EUR"}}, "amount.amount_minor"),
        ({"amount": {"amount_minor": True, "currency": "EUR"}}, "amount.amount_minor"),
        ({"amount": {"amount_minor": None, "currency": "EUR"}}, "amount.amount_minor"),
        ({"amount": {"amount_minor": float("nan"), "currency": "EUR"}}, "amount.amount_minor"),
        ({"amount": 500}, "amount"),
        ({"expires_at": "9999-12-31T00:00:00Z"}, "expires_at"),
        ({"expires_at": "1969-12-31T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2026-12-31T00:00:00"}, "expires_at"),
        ({"expires_at": 1_798_757_999}, "expires_at"),
        ({"scopes": [{"msp_id": "a|b"}]}, "scopes.0.msp_id"),
        ({"surprise": 1}, "surprise"),
        ({"deposit_id": 7}, "deposit_id"),
    ],
)
def test_json_that_is_no_message_names_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as refused:
        from_json(DepositBudget, DEPOSIT | changes)
    assert (refused.value.reason, refused.value.field) == ("refused_by_schema", field)


def test_a_number_beyond_64_bits_is_no_message() -> None:
    with pytest.raises(Undecodable):
        from_json(DepositBudget, DEPOSIT | {"amount": {"amount_minor": 10**30, "currency": "EUR"}})


@pytest.mark.parametrize("text", ["", "a\x00b", "two\nlines", "tab\there", "\x7f", "x" * 241])
def test_a_text_is_one_line_of_at_most_240_characters(text: str) -> None:
    with pytest.raises(Undecodable):
        from_json(_Said, {"text": text, "at": "2026-01-01T00:00:00Z"})


def test_a_text_may_be_in_any_script() -> None:
    assert from_json(_Said, {"text": "Зарплата, 給料, مرتب", "at": "2026-01-01T00:00:00Z"})


class _Said(Message):
    text: Text
    at: UtcMicros


@pytest.mark.requirement("MOB-25")
@pytest.mark.parametrize(
    ("currency", "told"),
    [("EUR", "1,234.56"), ("JPY", "123,456"), ("TND", "123.456"), ("CLF", "12.3456")]
    + [(currency, "123,456") for currency in ("BIF", "DJF", "GNF", "KMF", "UYI")],
)
def test_an_amount_is_told_with_the_decimals_of_its_currency(currency: str, told: str) -> None:
    assert format_minor(123_456, currency) == f"{told} {currency}"


@pytest.mark.requirement("DLR-01")
def test_requisites_are_not_told_by_what_shows_a_message() -> None:
    requisites = Requisites(
        legal_name="Anvil Motors", tax_number="7701234567", legal_address="1 Forge Road", bank_code="044525225",
        bank_account="40702810900000000001", email="office@anvil.example", phone="+7 495 000-00-00",
    )  # fmt: skip
    registered = DealerRegistered(dealer_id="D1", cme_dealer_id="cme-1", requisites=requisites, version=1)
    shown = f"{requisites} {requisites!r} {registered!r}"
    assert [value for value in requisites.model_dump().values() if value in shown] == []


@pytest.mark.requirement("DLR-01", "PIPE-04")
def test_requisites_that_are_no_requisites_are_named_and_not_told() -> None:
    """What is told of it goes into dead letters, tables and logs."""
    wrong = Requisites.model_construct(
        legal_name="Anvil Motors", tax_number="7701234567 | 044525225", legal_address="1 Forge Road", bank_code="B",
        bank_account="40702810900000000001", email=None, phone=None,
    )  # fmt: skip
    call = CreateClient(call_id="D1/DEPOSIT/client/1", dealer_id="D1", account=AccountType.DEPOSIT, requisites=wrong)

    with pytest.raises(Undecodable) as refused:
        shared_codec().decode(BILLING_CALLS, shared_codec().encode(call))

    assert refused.value.field == "requisites"
    assert "tax_number" in str(refused.value)
    assert "7701234567" not in str(refused.value)
