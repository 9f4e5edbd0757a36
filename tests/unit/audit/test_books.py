"""The auditor's own fold: what it makes of journal lines, down to the last lot, and what it says of a broken rule."""

from typing import Any

import pytest

from streams.audit.books import Books, movement
from streams.audit.compare import balance_rows, lock_rows
from streams.audit.findings import Finding, Kind
from tests.unit.audit.world import (
    BOOK,
    DEADLINE,
    DEPOSIT,
    LOCK,
    PARTITIONS,
    TRIP,
    WALLET,
    decided,
    enter,
    line,
    lot,
    trip,
)

pytestmark = pytest.mark.requirement("PIPE-09", "BEY-01")

Fields = dict[str, Any]
BANK, SHOP = "bank", "shop"


def fold(*lines: Fields, book: str = BOOK) -> tuple[Books, list[Finding]]:
    """Each line a decision of its own, at minute 1."""
    books, findings = Books(PARTITIONS), []
    for entry in enter(*(decided("e", DEPOSIT, 1, each) | {"book": book} for each in lines)):
        findings += books.enter(entry)
    return books, findings


def deposit(amount_minor: int, lot_id: str, expires_at: int | None = None) -> Fields:
    return line("posted", amount_minor, "funding", "wallet", opened=lot(amount_minor, lot_id, expires_at))


def moved(step: str, amount_minor: int, *parts: Fields, **more: Any) -> Fields:
    """A line of the lock on trip t-2, with these lots."""
    return trip(step, amount_minor, "t-2", spent=list(parts), **more)


def lots_of(books: Books) -> list[tuple[str, int, int]]:
    return [
        (each["lot_id"], each["amount_minor"], each["locked_minor"])
        for each in dict(balance_rows(books))[WALLET]["lots"]
    ]


def parts_of(books: Books) -> list[tuple[str, int]]:
    return [(part["lot_id"], part["amount_minor"]) for part in dict(lock_rows(books))[LOCK]["parts"]]


def told(findings: list[Finding]) -> list[tuple[Kind, str, str]]:
    return [(kind, expected, found) for kind, _, expected, found in findings]


LOCKED = (
    deposit(50, "a", DEADLINE),
    deposit(50, "b"),
    moved("locked", 80, lot(50, "a", DEADLINE), lot(30, "b"), deadline=60_000_000),
)


def test_lots_stand_in_the_order_of_their_expiry_and_those_without_come_last() -> None:
    books, findings = fold(deposit(1, "a"), deposit(2, "b", 99 * DEADLINE), deposit(3, "c", DEADLINE), deposit(4, "d"))
    assert findings == []
    assert lots_of(books) == [("c", 3, 0), ("b", 2, 0), ("a", 1, 0), ("d", 4, 0)]


def test_a_lock_pins_the_lots_that_it_names() -> None:
    books, findings = fold(*LOCKED)
    assert findings == []
    assert lots_of(books) == [("a", 50, 50), ("b", 50, 30)]
    assert parts_of(books) == [("a", 50), ("b", 30)]


def test_what_is_settled_in_part_leaves_the_rest_pinned() -> None:
    books, findings = fold(*LOCKED, moved("settled", 60, lot(50, "a", DEADLINE), lot(10, "b")))
    assert findings == []
    assert lots_of(books) == [("b", 40, 20)]
    assert parts_of(books) == [("b", 20)]
    wallet = books.accounts[WALLET]
    assert (wallet.debits_posted, wallet.debits_pending, wallet.credits_posted, wallet.entries) == (60, 20, 100, 3)


def test_a_lock_with_one_penny_left_is_open() -> None:
    books, findings = fold(*LOCKED, moved("settled", 79, lot(50, "a", DEADLINE), lot(29, "b")))
    assert findings == []
    assert parts_of(books) == [("b", 1)]


@pytest.mark.parametrize("step", ["voided", "expired"])
def test_what_is_freed_is_available_again(step: str) -> None:
    books, findings = fold(*LOCKED, moved(step, 80, lot(50, "a", DEADLINE), lot(30, "b")))
    assert findings == []
    assert lots_of(books) == [("a", 50, 0), ("b", 50, 0)]
    assert books.locks == {}
    wallet, earned = books.accounts[WALLET], books.accounts[f"{BOOK}|trips/msp-7|EUR"]
    assert (wallet.debits_pending, wallet.debits_posted, earned.credits_pending, earned.entries) == (0, 0, 0, 0)


def test_the_last_penny_may_be_spent() -> None:
    books, findings = fold(deposit(50, "a"), line("posted", 50, "wallet", SHOP, spent=[lot(50, "a")]))
    assert findings == []
    assert lots_of(books) == []


def test_one_penny_more_may_not() -> None:
    _, findings = fold(line("posted", 5, "prison", "cash"), line("posted", 6, "cash", SHOP), book="prisoner:A1")
    assert told(findings) == [(Kind.OVERDRAWN, "zero or more available", "prisoner:A1|cash|EUR has -1")]


def test_locked_money_may_not_be_spent() -> None:
    lines = (
        line("posted", 5, "prison", "spends"),
        line("locked", 3, "spends", SHOP, lock_id="p"),
        line("posted", 3, "spends", SHOP),
    )
    _, findings = fold(*lines, book="prisoner:A1")
    assert told(findings) == [(Kind.OVERDRAWN, "zero or more available", "prisoner:A1|spends|EUR has -1")]


def test_a_dealer_never_pays_more_of_his_bills_than_he_owes() -> None:
    raised, paid = line("posted", 50, "receivable/DEPOSIT", "revenue"), line("posted", 50, BANK, "receivable/DEPOSIT")
    assert fold(raised, paid, book="dealer:d")[1] == []
    _, findings = fold(raised, {**paid, "amount_minor": 51}, book="dealer:d")
    assert told(findings) == [(Kind.OVERDRAWN, "zero or more available", "dealer:d|receivable/DEPOSIT|EUR has -1")]
    held = {**paid, "step": "locked", "lock_id": "l", "amount_minor": 20}
    _, findings = fold(raised, held, {**paid, "amount_minor": 31}, book="dealer:d")
    assert told(findings) == [(Kind.OVERDRAWN, "zero or more available", "dealer:d|receivable/DEPOSIT|EUR has -1")]


def test_a_rider_may_owe() -> None:
    assert fold(line("posted", 50, "rider/ana", "trips/msp-7"))[1] == []


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_a_line_moves_something(amount_minor: int) -> None:
    _, findings = fold(line("posted", amount_minor, "funding", SHOP))
    assert told(findings) == [(Kind.ILLEGAL_LINE, "a positive amount", str(amount_minor))]


def test_a_breach_is_named_by_decision_and_line() -> None:
    entry = decided("e-1", TRIP, 1, line("posted", 1, "funding", SHOP), line("posted", 1, SHOP, SHOP))
    findings = Books(PARTITIONS).enter(enter(entry)[0])
    assert [finding.where for finding in findings] == [f"{BOOK}|e-1|trip|3|1, line 2"]


def test_money_of_lots_is_never_spent_without_naming_them() -> None:
    _, findings = fold(deposit(50, "a"), line("posted", 5, "wallet", SHOP))
    assert told(findings) == [(Kind.LOTS_MISUSED, "parts of lots for 5", "parts for 0")]


def test_an_account_without_lots_spends_none() -> None:
    _, findings = fold(line("posted", 5, "funding", SHOP, spent=[lot(5, "a")]))
    assert told(findings) == [(Kind.LOTS_MISUSED, "parts of open lots", "lot a is not open")]


def test_more_than_a_lock_holds_is_named() -> None:
    _, findings = fold(*LOCKED, moved("settled", 81, lot(50, "a", DEADLINE), lot(31, "b")))
    assert told(findings) == [
        (Kind.LOCK_MISUSED, "at most the 80 that lock trip:t-2 holds", "81"),
        (Kind.LOCK_MISUSED, "lots that lock trip:t-2 pins", "more of lot b"),
        (Kind.LOTS_MISUSED, "no more than a lot has free or locked", "lot b left with 19, of which -1 locked"),
    ]


def test_a_posted_line_names_no_lock_and_ends_none() -> None:
    books, findings = fold(*LOCKED, line("posted", 1, "funding", SHOP, lock_id="trip:t-2"))
    assert told(findings) == [
        (Kind.ILLEGAL_LINE, "a lock is named by all steps but posted", "posted with lock trip:t-2")
    ]
    assert books.locks[LOCK].amount_minor == 80


def test_a_lot_is_spendable_before_its_expiry_and_not_at_it() -> None:
    minute = 60_000_000  # of the decision
    for expires_at, right in ((minute + 1, True), (minute, False)):
        part = lot(5, "a", expires_at)
        _, findings = fold(deposit(5, "a", expires_at), line("posted", 5, "wallet", SHOP, spent=[part]))
        assert (findings == []) is right


def test_a_lock_is_overdue_after_its_deadline_and_a_grace() -> None:
    books, _ = fold(deposit(50, "a"), moved("locked", 7, lot(7, "a"), deadline=1_000_000))
    assert list(books.overdue({3: 4_000_000}, grace_us=3_000_000)) == []
    assert list(books.overdue({3: 4_000_001}, grace_us=3_000_000)) == [
        Finding(Kind.LOCK_OVERDUE, LOCK, "freed at its deadline", "7 EUR locked 3 s after it")
    ]
    assert list(books.overdue({}, grace_us=0)) == []


def test_a_lot_is_overdue_after_its_day_and_a_grace_unless_a_lock_keeps_it() -> None:
    part = lot(50, "a", 61_000_000)
    pinned = moved("locked", 20, {**part, "amount_minor": 20}, deadline=DEADLINE)
    books, _ = fold(deposit(50, "a", 61_000_000), pinned)
    assert list(books.overdue({3: 64_000_000}, grace_us=3_000_000)) == []
    assert list(books.overdue({3: 64_000_001}, grace_us=3_000_000)) == [
        Finding(Kind.LOT_OVERDUE, f"{WALLET}, lot a", "on the expiry account", "30 EUR left 3 s after its day")
    ]
    books, _ = fold(deposit(20, "a", 61_000_000), pinned)
    assert list(books.overdue({3: 64_000_001}, grace_us=3_000_000)) == []


def test_one_penny_and_two_are_not_the_same_movement() -> None:
    entry = decided("e", TRIP, 1)
    told = {movement(amount, SHOP, "text", entry) for amount in (-2, -1, 1, 2)}
    assert len(told) == 4


def test_sums_are_kept_by_currency() -> None:
    books, _ = fold(line("posted", 5, "funding", SHOP), line("posted", 7, "funding", SHOP, currency="GBP"))
    assert {currency: sums["debits_posted"] for currency, sums in books.sums().items()} == {"EUR": 5, "GBP": 7}
