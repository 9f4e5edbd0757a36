"""The auditor's own fold of what dealers' books tell: the rows that must follow (DLR-10)."""

from collections.abc import Iterable
from typing import Any

import pytest

from streams.audit.books import Books
from streams.audit.dealers import Dealers
from streams.audit.evidence import Told
from streams.audit.findings import Finding, Kind
from tests.unit.audit.dealing import (
    ACCOUNT,
    BILL,
    DEALER,
    bill,
    bill_row,
    deposited,
    eur,
    handed_over,
    paid,
    segment,
    sent,
    shown,
    told,
    voided,
    waiting_row,
    waits,
)  # fmt: skip
from tests.unit.audit.world import DEPOSIT, decided, enter, line

pytestmark = pytest.mark.requirement("DLR-10", "PIPE-09")

URL = "https://billing.example/b-1.pdf"


def folded(*more: Told) -> Dealers:
    dealers = Dealers()
    for each in (*told(), *more):
        assert list(dealers.enter(each)) == []
    return dealers


def differing(dealers: Dealers, **fields: object) -> list[Finding]:
    """What the auditor says of a bill that is projected with these fields."""
    return list(dealers.compare("topic", {**shown(), "bill": {BILL: bill_row(**fields)}}))


@pytest.mark.parametrize(
    ("events", "row"),
    [
        ([], {}),
        ([sent()], {"state": "sent", "url": URL}),
        ([sent(), paid(40_00)], {"state": "part_paid", "paid_sum_minor": 40_00, "url": URL}),
        ([sent(), paid(40_00), paid(60_00, 0, "P2")], {"state": "paid", "paid_sum_minor": 100_00, "url": URL}),
        ([sent(), paid(100_00, 1)], {"state": "overpaid", "paid_sum_minor": 100_00, "url": URL}),
        (
            [sent(), bill("BillPaidFromBalance", applied=eur(5))],
            {"state": "part_paid", "paid_sum_minor": 5, "url": URL},
        ),
        ([voided()], {"state": "voided"}),
        ([sent(), paid(40_00), voided(40_00)], {"state": "voided", "url": URL}),
        ([bill("BillCorrected", credited_minor=0, successor_id="B2")], {"state": "corrected", "successor": "B2"}),
    ],
)
def test_a_bill_is_what_its_events_have_made_of_it(events: Iterable[Told], row: dict[str, object]) -> None:
    assert differing(folded(*events), **row) == []


def test_an_account_is_what_billing_has_last_been_asked_for() -> None:
    dealers = folded(Told("AccountStopped", {"dealer_id": "D1", "account": "COMMISSION"}))
    row = {**shown()["accounts"][ACCOUNT], "state": "stopped"}
    assert list(dealers.compare("topic", {**shown(), "accounts": {ACCOUNT: row}})) == []


def test_requisites_that_differ_are_told_without_a_word_of_them() -> None:
    changed = {"dealer_id": "D1", "version": 2, "requisites": {"legal_name": "Bellows Ltd"}}
    findings = list(folded(Told("RequisitesChanged", changed)).compare("topic", shown()))
    assert [finding.where for finding in findings] == [
        f"topic dealers {DEALER}, version", f"topic dealers {DEALER}, requisite"
    ]  # fmt: skip
    assert all(word not in str(findings) for word in ("Anvil", "Bellows", "40702810900000000001"))


def test_requisites_are_the_same_however_their_json_is_written() -> None:
    spaced = b'{ "bank_account" : "40702810900000000001", "legal_name" : "Anvil Motors" }'
    row = {**shown()["dealers"][DEALER], "requisite": spaced}
    assert list(folded().compare("topic", {**shown(), "dealers": {DEALER: row}})) == []


def test_what_is_open_of_bills_is_what_the_journal_says_is_owed() -> None:
    books = Books(8)
    entry = decided("e-1", DEPOSIT, 0, line("posted", 60_00, "receivable/COMMISSION", "revenue/COMMISSION"))
    for each in enter({**entry, "book": DEALER}):
        books.enter(each)
    assert list(folded(sent(), paid(40_00)).owed(books)) == []
    (finding,) = folded(sent(), paid(39_99)).owed(books)
    where = f"{DEALER}|receivable/COMMISSION|EUR"
    assert finding == Finding(Kind.BILLS_DIFFER, where, "6000, as the journal", "6001")


def test_a_bill_that_is_taken_back_owes_nothing() -> None:
    assert list(folded(sent(), voided()).owed(Books(8))) == []


@pytest.mark.requirement("DLR-08")
def test_deposits_are_what_the_journal_has_and_open_segments_are_projected() -> None:
    books, dealers = Books(8), folded(
        deposited(80_00, 80_00),
        segment("PriceSegmentGranted", "small", 80_00),
        segment("PriceSegmentGranted", "middle", 80_00),
        deposited(-20_00, 60_00),
        segment("PriceSegmentRevoked", "middle", 60_00, 70_00),
    )  # fmt: skip
    entry = decided("e-1", DEPOSIT, 0, line("posted", 60_00, "bank", "current/DEPOSIT"))
    for each in enter({**entry, "book": DEALER}):
        books.enter(each)
    assert list(dealers.deposited(books)) == []
    row = {"id": DEALER, "dealer_id": "D1", "segments": "EUR small"}
    assert list(dealers.compare("topic", {**shown(), "deposits": {DEALER: row}})) == []


@pytest.mark.requirement("DLR-06")
def test_a_payment_is_shown_in_suspense_until_it_has_paid_and_with_the_bill_that_it_waits_for_last() -> None:
    found = {**shown(), "suspense": {f"{DEALER}|P1": waiting_row()}}
    assert list(folded(waits()).compare("topic", found)) == []
    moved = Told("PaymentWaits", {**waits().fields, "bill_id": "B2"})
    found["suspense"] = {f"{DEALER}|P1": waiting_row(bill_id="B2")}
    assert list(folded(waits(), moved).compare("topic", found)) == []
    assert list(folded(waits(), handed_over()).compare("topic", shown())) == []


# ---- every unit of money that was received


def journal(*lines: dict[str, Any], book: str = DEALER, books: Books | None = None) -> Books:
    """What the auditor has read of the journal: one decision of a book."""
    books = books or Books(8)
    for each in enter({**decided("e-1", DEPOSIT, 0, *lines), "book": book}):
        books.enter(each)
    return books


BILLED = line("posted", 100_00, "receivable/COMMISSION", "revenue/COMMISSION")
ENTERED = line("posted", 40_00, "bank", "suspense")
LEFT = line("posted", 40_00, "suspense", "bank")


@pytest.mark.requirement("DLR-06")
def test_what_is_received_is_paid_of_bills_or_a_current_balance_or_in_suspense() -> None:
    books = journal(
        BILLED,
        ENTERED,
        line("posted", 100_00, "bank", "receivable/COMMISSION"),
        line("posted", 5_00, "bank", "current/COMMISSION"),
        line("posted", 40_00, "suspense", "current/COMMISSION"),
        line("posted", 100_00, "revenue/COMMISSION", "current/COMMISSION"),
        line("posted", 60_00, "bank", "current/DEPOSIT"),
    )
    credited = bill("PaymentCredited", payment_id="P1", source="suspense", received=eur(40_00))
    events = waits(), waits(), sent(), paid(100_00, 5_00, "P2"), credited, voided(100_00), deposited(60_00, 60_00)
    assert list(folded(*events).received(books)) == []


@pytest.mark.requirement("DLR-06")
def test_what_the_current_balance_pays_leaves_it() -> None:
    books = journal(
        BILLED,
        line("posted", 5_00, "bank", "current/COMMISSION"),
        line("posted", 5_00, "current/COMMISSION", "receivable/COMMISSION"),
    )
    credited = bill("PaymentCredited", payment_id="P1", source="bank", received=eur(5_00))
    assert list(folded(credited, sent(), bill("BillPaidFromBalance", applied=eur(5_00))).received(books)) == []


@pytest.mark.requirement("DLR-06")
def test_what_one_book_hands_over_another_one_takes() -> None:
    books = journal(ENTERED, LEFT)
    journal(ENTERED, book="dealer:D2", books=books)
    taken = waits(40_00, "D1/P1", "D2")
    assert list(folded(waits(), handed_over(), taken).received(books)) == []
    assert list(folded(taken, waits(), handed_over()).received(books)) == []  # read from two partitions
