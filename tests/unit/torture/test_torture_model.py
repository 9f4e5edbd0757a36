"""The verifier's own model: it balances, it knows repetitions, and what differs from it is found."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from tests.torture.facts import Facts, Vehicle
from tests.torture.load import Event, Stories
from tests.torture.verifier.check import RULES, Differences
from tests.torture.verifier.model import Input, Model, Verdict

FACTS = Facts(
    vehicles={"veh-1": Vehicle("ryde", 100, Decimal("19.5")), "veh-2": Vehicle("velo", 250, Decimal("32.333333333"))},
    members={"grp-1": ["rid-1", "rid-2"], "grp-2": ["rid-3"]},
    dealers=["dlr-1", "dlr-2"],
    prisoners=["A1", "A2"],
    suppliers=["BT", "DHL"],
)
NOW = 1_790_000_000_000_000


def events(count: int) -> Iterator[Event]:
    return islice(Stories(3, FACTS, "unit"), count)


def given(event: Event, number: int) -> Input:
    return Input(f"{event.topic}/0/{number}", event.event_id, "torture", NOW, event.key, event.name, event.fields)


def test_debits_equal_credits_after_every_kind_of_decision() -> None:
    model = Model(FACTS)
    outcomes = [model.answer(given(event, number), RULES).outcome for number, event in enumerate(events(4_000))]

    accounts = model.books.accounts.values()
    assert sum(each.debits_posted for each in accounts) == sum(each.credits_posted for each in accounts)
    assert sum(each.debits_pending for each in accounts) == sum(each.credits_pending for each in accounts)
    assert sum(lock.amount for lock in model.books.locks.values()) == sum(each.debits_pending for each in accounts)
    assert set(outcomes) == {"accepted", "refused"}
    assert {each["state"] for each in model.trips.values()} >= {"running", "settled", "released", "end_waits"}


def test_a_repetition_is_known_and_other_content_under_its_id_refused() -> None:
    model, event = Model(FACTS), next(each for each in events(100) if each.name == "CreditPrisoner")
    other = event._replace(fields={**event.fields, "amount": {"amount_minor": 1, "currency": "GBP"}})

    answers = [model.answer(given(each, number), RULES) for number, each in enumerate((event, event, other))]

    assert answers[1:] == [Verdict("duplicate"), Verdict("refused", "other_content_under_this_id")]


def test_a_row_that_is_missing_wrong_or_unexpected_is_a_difference() -> None:
    differences = Differences()

    differences.compare("table", {"missing": 1, "wrong": 2, "right": 3}, {"wrong": 4, "right": 3, "unexpected": 5})

    assert differences.counts == {"table": 3}
    assert any("missing" in each for each in differences.kept)
