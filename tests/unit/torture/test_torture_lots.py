"""The verifier's model and the rooms agree about lots, commission and deposits, and on what they tell each other."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec
import pytest

from streams.dealer_billing import deposit
from tests.torture import kafka
from tests.torture.verifier import billing, deals, deposits, lots
from tests.torture.verifier.books import Line
from tests.torture.verifier.dealer_rows import PROJECTED
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.model import Model
from tests.torture.verifier.tables import _balance_rows
from tests.unit.torture.auction import FACTS, Both, settle, told
from tests.unit.torture.comparing import differing

pytestmark = pytest.mark.requirement("DLR-04", "DLR-08", "DLR-09")


@pytest.mark.parametrize("seed", range(4))
def test_every_decision_and_row_of_the_rooms_and_what_they_tell_each_other_is_the_models(seed: int) -> None:
    both = told(seed, 900)
    assert not differing(both.model, both.tables())
    settle(both)
    assert not differing(both.model, both.tables())
    assert both.balances() == _balance_rows(both.model.books)
    assert not list(deals.overdue(both.model, both.of_dealers.now))
    assert billing.held(both.asked, both.done) == billing.owed(both.model)


@pytest.mark.requirement("BEY-03")
def test_the_stories_meet_every_outcome() -> None:
    both = told(11, 1_500)
    settle(both)
    accepted = {name for name, outcome, _ in both.outcomes if outcome == "accepted"}
    assert accepted >= {*lots.RULES, *deals.RULES, *deposits.RULES}
    found = {(name, reason) for name, _, reason in both.outcomes}
    assert found >= {
        ("DealConcluded", "concluded_in_the_future"), ("LotPriceChanged", "wrong_state"),
        ("DealConcluded", "other_content_under_this_id"), ("DepositReturned", "insufficient_funds"),
        ("CreateBill", "not_permitted"), ("VoidBill", "not_permitted"), ("CorrectBill", "not_permitted"),
    }  # fmt: skip
    assert {last for name, last, _ in both.outcomes if name == "tick"} == {"again", "billed"}
    lives = {(key.partition("|")[2].partition(":")[0], bill["life"]) for key, bill in both.model.bills.items()}
    assert lives >= {(of, life) for of in ("lot", "commission") for life in ("sent", "corrected", "voided")}
    assert {deal["state"] for deal in both.model.deals.values()} >= {"charged", "taken_back"}


@pytest.mark.requirement("PIPE-02")
@pytest.mark.parametrize(
    ("table", "field", "wrong"),
    [("dealer_lots", "version", 77), ("dealer_lots", "dealer_id", "nobody"), ("dealer_lots", "answer", "refused"),
     ("deals", "version", 77), ("deals", "charged_minor", 1), ("deals", "reports", 77), ("deals", "month", "1999-01"),
     ("commission_months", "number", 77), ("commission_months", "bill_at", 1), ("commission_months", "deals", []),
     ("deposits", "held", []), ("deposit_payments", "change_minor", 1)],
)  # fmt: skip
def test_a_row_that_tells_something_else_is_a_difference(table: str, field: str, wrong: object) -> None:
    both = told(1, 150)
    tables = both.tables()
    key = next(iter(tables[table]))
    tables[table][key][field] = wrong
    (difference,) = differing(both.model, tables)
    assert difference.startswith(f"{table}: {key}")


@pytest.mark.requirement("DLR-10")
def test_what_is_shown_of_deposits_is_what_they_open() -> None:
    both = told(2, 300)
    (projected,) = (each for each in PROJECTED if each.table == "deposits")
    rows = {key: msgspec.structs.asdict(deposit.project(key, both.kept.deposits[key])) for key in both.kept.deposits}
    expected = projected.expected(both.model)
    assert {key: projected.shown(row) for key, row in rows.items()} == expected
    assert any("EUR small" in segments for _, segments in expected.values())


# ---- at rest


def test_a_month_that_is_over_without_a_bill_and_a_deal_that_could_be_charged_are_overdue() -> None:
    both = told(1, 150)
    settle(both)
    key, month = next((key, each) for key, each in both.model.months.items() if each["bill"])
    month["bill"] = None
    lot, deal = next((key, each) for key, each in both.model.deals.items() if each["state"] == "charged")
    deal |= {"state": "waits", "again": 0}
    one, other = deals.overdue(both.model, both.of_dealers.now)
    assert one.startswith(lot)
    assert other.startswith(key)


def bill_nobody_knows(both: Both) -> None:
    name, issued = next(each for each in both.asked if each[0] == "IssueBill" and both.done[each[1]["call_id"]])
    both.asked.append((name, {**issued, "bill_id": "B-nobody"}))


def bill_of_another_sum(both: Both) -> None:
    last = {fields["bill_id"]: fields for name, fields in both.asked if name == "IssueBill"}
    standing = next(key.partition("|")[2] for key in billing.owed(both.model).bills)
    last[standing]["amount"] = {"amount_minor": 1, "currency": "EUR"}


def bill_voided_by_mistake(both: Both) -> None:
    book, _, bill_id = next(iter(billing.owed(both.model).bills)).partition("|")
    dealer = book.removeprefix("dealer:")
    both.asked.append(("WithdrawBill", {"dealer_id": dealer, "bill_id": bill_id, "call_id": "x", "account": "DEPOSIT"}))


def commission_told_again(both: Both) -> None:
    name, report = next(each for each in both.asked if each[0] == "ReportCommission")
    both.asked.append((name, {**report, "version": 77, "commission_minor": report["commission_minor"] + 1}))


@pytest.mark.requirement("DLR-05")
@pytest.mark.parametrize(
    "tamper", [bill_nobody_knows, bill_of_another_sum, bill_voided_by_mistake, commission_told_again]
)
def test_what_billing_holds_and_no_book_knows_is_a_difference(tamper: Callable[[Both], None]) -> None:
    both = told(3, 200)
    settle(both)
    assert billing.held(both.asked, both.done) == billing.owed(both.model)
    tamper(both)
    assert billing.held(both.asked, both.done) != billing.owed(both.model)


class Heard(NamedTuple):
    """A record of the topic of dealers' events."""

    name: str
    book: str

    def key(self) -> bytes:
        return self.book.encode()

    def value(self) -> Any:
        return self.name, {"currency": "EUR", "segment": "small"}


GRANTED, REVOKED = "PriceSegmentGranted", "PriceSegmentRevoked"


@pytest.mark.parametrize(
    ("told", "differences"),
    [([GRANTED], 0), ([GRANTED, REVOKED, GRANTED], 0), ([], 1), ([GRANTED, REVOKED], 1), ([GRANTED, GRANTED], 2)],
)
def test_what_is_told_of_segments_must_lead_to_those_that_deposits_open(
    told: list[str], differences: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, book = Model(FACTS), "dealer:dlr-1"
    model.tiers = [("small", "EUR", 5_000)]
    model.accounts[f"{book}|DEPOSIT"], model.deposits[book] = {"state": "open"}, {"EUR"}
    model.books.enter(book, Line("posted", "bank", deposits.DEPOSIT, 5_000, "EUR"))
    monkeypatch.setattr(kafka, "read", lambda *_: [Heard(name, book) for name in told])
    found, wire = Differences(), SimpleNamespace(decode=lambda value: value)
    deposits.check_told("", wire, model, found)  # type: ignore[arg-type]
    assert found.counts.total() == differences
