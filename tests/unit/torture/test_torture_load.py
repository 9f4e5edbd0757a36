"""What the load says: nothing that it never says can ever be found wrong."""

import random
from collections import Counter, defaultdict, deque
from functools import cache
from typing import Any

import pytest

from tests.torture.canteen import STRANGER
from tests.torture.events import UPSTREAM, Event
from tests.torture.load import Load, Stories
from tests.torture.verifier.check import RULES
from tests.torture.verifier.model import Input, Model
from tests.unit.torture.test_torture_model import FACTS as FEW
from tests.unit.torture.test_torture_model import NOW

PEOPLE = [f"A{number}" for number in range(20)]
FACTS = FEW._replace(
    prisoners=PEOPLE, prison_of=dict.fromkeys(PEOPLE, "LEI"), permissions=dict.fromkeys(PEOPLE, (4 * 10**15, None))
)
IDENTITIES = {"DepositBudget": "deposit_id", "CreditPrisoner": "credit_id", "BillingPayment": "payment_id",
              "MoveBetweenSubAccounts": "transfer_id", "RefundPurchase": "refund_id",
              "WriteOffAdvance": "advance_id", "SubmitPurchase": "purchase_id", "CreateBill": "bill_id",
              "TripStarted": "trip_id", "TripEnded": "trip_id"}  # fmt: skip


class Wire:
    """Nothing is read of what is written."""

    def encode(self, *_: Any) -> bytes:
        return b"\x00\x00\x00\x00\x01"

    def full_name(self, *_: Any) -> str:
        return "x"


@cache
def said() -> list[Event]:
    """All but what is spoilt, of a long load."""
    told: list[Event] = []
    load: Any = Load.__new__(Load)
    load._dice, load._stories, load._recent = random.Random(2), iter(Stories(2, FACTS, "x")), deque(maxlen=500)
    load._publish_event, load._publish, load._wire = told.append, lambda *_: None, Wire()
    for _ in range(30_000):
        load._send()
    return told


@pytest.mark.requirement("PIPE-05")
@pytest.mark.parametrize("name", IDENTITIES)
def test_what_was_said_is_said_again_under_another_event_id(name: str) -> None:
    """The room's own identities (`deposit:…`, `credit:…`) are only met by a repetition whose event id is new."""
    ids: dict[str, set[str]] = defaultdict(set)
    for event in said():
        if event.name == name:
            ids[str(event.fields)].add(event.event_id)
    assert any(len(each) > 1 for each in ids.values())


@pytest.mark.requirement("PIPE-05")
@pytest.mark.parametrize("name", IDENTITIES)
def test_something_else_is_said_under_the_same_business_id_and_another_event_id(name: str) -> None:
    contents: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for event in said():
        if event.name == name:
            contents[event.fields[IDENTITIES[name]]][str(event.fields)].add(event.event_id)
    assert any(len(set().union(*each.values())) > 1 for each in contents.values() if len(each) > 1)


@pytest.mark.requirement("PRI-08", "PRI-09", "PRI-10")
@pytest.mark.parametrize("name", ["SubmitBatch", "AuthoriseBatch", "CancelBatch"])
def test_batches_of_purchases_are_loaded_and_said_again(name: str) -> None:
    ids: dict[str, set[str]] = defaultdict(set)
    for event in said():
        if event.name == name:
            assert event.topic in UPSTREAM
            ids[event.fields["batch_id"]].add(event.event_id)
    assert any(len(each) > 1 for each in ids.values())


@pytest.mark.requirement("PRI-08")
def test_a_stranger_is_in_some_batches_and_most_have_several_people() -> None:
    batches = [event.fields["purchases"] for event in said() if event.name == "SubmitBatch"]
    assert any(each["prisoner_id"] == STRANGER for batch in batches for each in batch)
    assert sum(len(batch) > 1 for batch in batches) > len(batches) / 2


@pytest.mark.requirement("PIPE-05")
def test_the_model_counts_nothing_twice_and_says_what_becomes_of_each() -> None:
    model, first, second = Model(FACTS), dict[str, str](), Counter[tuple[str, str, str | None]]()
    for number, event in enumerate(said()):
        at = NOW - event.age_us
        given = Input(f"t/0/{number}", event.event_id, "torture", at, event.key, event.name, event.fields)
        verdict = model.answer(given, RULES)
        word = f"{event.name} {event.fields.get(IDENTITIES.get(event.name, ''))}"
        if verdict.outcome == "accepted":
            assert word not in first or event.name not in IDENTITIES or event.name == "TripEnded", word
            first[word] = event.event_id
        elif word in first and first[word] != event.event_id:
            second[event.name, verdict.outcome, verdict.reason] += 1
    for name in ("DepositBudget", "CreditPrisoner", "BillingPayment", "MoveBetweenSubAccounts", "RefundPurchase"):
        assert second[name, "duplicate", None], name
        assert second[name, "refused", "other_content_under_this_id"], name
    for name in ("SubmitPurchase", "TripStarted"):
        assert second[name, "refused", "already_exists"], name
