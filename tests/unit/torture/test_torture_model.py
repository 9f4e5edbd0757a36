"""The verifier's own model: it balances, it knows repetitions, and what differs from it is found."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from tests.torture.events import ACKNOWLEDGEMENTS, CORRECTIONS, Event
from tests.torture.facts import Dealing, Facts, Policy, Vehicle
from tests.torture.load import Stories
from tests.torture.verifier.check import RULES
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.model import Input, Model, Verdict

FACTS = Facts(
    vehicles={"veh-1": Vehicle("ryde", 100, Decimal("19.5")), "veh-2": Vehicle("velo", 250, Decimal("32.333333333"))},
    members={"grp-1": ["rid-1", "rid-2"], "grp-2": ["rid-3"]},
    dealers=["dlr-1", "dlr-2"],
    prisoners=["A1", "A2"],
    suppliers=["BT", "DHL"],
    prison_of={"A1": "LEI", "A2": "MDI"},
    permissions={"A1": (4_000_000_000_000_000, 900), "A2": (None, None)},
    officers={"governor": ("LEI", True, True), "deputy": ("MDI", True, False)},
    policy=Policy(allowed=3_000, instalment=400, every_days=1, circumstances=("arrival",)),
    cost_centres={"LEI": "318", "MDI": "334"},
    codes={"spends": "2102", "cash": "2101", "savings": "2103", "advance": "2198", "owed": "1502",
           "written_off": "4104", "supplier/BT": "2501", "supplier/DHL": "2502"},
    dealing=Dealing(((Decimal("0.05"), 0), (Decimal("0.0333"), 1_795_000_000_000_000)), "Europe/Moscow", 1),
)  # fmt: skip
NOW = 1_790_000_000_000_000


def events(count: int) -> Iterator[Event]:
    return islice(Stories(3, FACTS, "unit"), count)


def given(event: Event, number: int) -> Input:
    return Input(
        f"{event.topic}/0/{number}", event.event_id, "torture", NOW - event.age_us, event.key, event.name, event.fields
    )


def test_debits_equal_credits_after_every_kind_of_decision() -> None:
    model = Model(FACTS)
    outcomes = [model.answer(given(event, number), RULES).outcome for number, event in enumerate(events(4_000))]

    accounts = model.books.accounts.values()
    assert sum(each.debits_posted for each in accounts) == sum(each.credits_posted for each in accounts)
    assert sum(each.debits_pending for each in accounts) == sum(each.credits_pending for each in accounts)
    assert sum(lock.amount for lock in model.books.locks.values()) == sum(each.debits_pending for each in accounts)
    assert set(outcomes) >= {"accepted", "refused"}
    assert all(each.debits_posted == each.credits_posted for key, each in model.books.accounts.items()
               if key.split("|")[1] == "advance")  # fmt: skip
    for book in ("prisoner:A1", "prisoner:A2"):
        active = [each for each in model.advances.get(book, []) if each["since"] is not None]
        assert model.books.balance(book, "owed", "GBP") == sum(each["amount"] - each["repaid"] for each in active)
    assert {key.split("|")[1].split("/")[0] for key in model.transactions if "/" in key} >= {"refund", "repayment"}
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


def test_a_refused_transaction_is_corrected_and_then_processed() -> None:
    model, number = Model(FACTS), iter(range(10))
    purse = {"amount_minor": 300, "currency": "GBP"}
    ids = {"prisoner_id": "A1", "purchase_id": "P"}
    line_ids = [f"A1/P/2026-03-01/{entry}/{side}" for entry in (1, 2) for side in ("debit", "credit")]

    def told(topic: str, name: str, fields: dict[str, object]) -> Verdict:
        at = next(number)
        return model.answer(given(Event(topic, name, "prisoner:A1", f"e-{at}", fields), at), RULES)

    told("", "CreditPrisoner", {"credit_id": "C", "prisoner_id": "A1", "sub_account": "spends", "amount": purse})
    told("", "SubmitPurchase", {**ids, "payments": [{"supplier_id": "BT", "amount": purse}], "total": purse,
                                "funding": ["spends"], "approval": None, "description": "Canteen",
                                "receipt_to": None})  # fmt: skip
    told("", "AuthorisePurchase", ids)
    transaction = {"prisoner_id": "A1", "transaction_id": "P"}
    reasons = [{"line_id": line_ids[0], "reason": "unknown account"}]
    assert (
        told(ACKNOWLEDGEMENTS, "LinesRefused", {**transaction, "file": "1", "reasons": reasons}).outcome == "accepted"
    )
    assert told(CORRECTIONS, "CorrectLines", {**transaction, "correction_id": "K"}).outcome == "accepted"
    early = told(ACKNOWLEDGEMENTS, "LinesProcessed", {**transaction, "file": "1", "line_ids": line_ids[:2]})
    assert early.reason == "wrong_state"
    done = told(ACKNOWLEDGEMENTS, "LinesProcessed", {**transaction, "file": "2", "line_ids": line_ids[2:]})
    assert (done.outcome, model.purchases["prisoner:A1|P"]["state"]) == ("accepted", "processed")
