"""Statement lines as they leave a draft: numbered without gaps, signed, with the balance after (PIPE-10)."""

from functools import partial

import pytest
from msgspec.structs import replace

from schemas.ledger import JournalLine, Step
from streams.ledger.draft import Posted

from .script import CHART, Book, play

pytestmark = pytest.mark.requirement("PIPE-10")


def statement(book: Book, account: str, currency: str = "EUR") -> list[tuple[int, int, int, str]]:
    """Number, amount, balance after it, and the other account, of each line."""
    return [
        (line.number, line.amount_minor, line.balance_minor, line.counter_account)
        for line in book.posted
        if (line.account, line.currency) == (account, currency)
    ]


def test_lines_are_numbered_without_gaps_and_signed_by_what_the_owner_has() -> None:
    book = play("""
        bank > spends 100
        spends > shop 30
        bank > tab 1
        shop > spends 5
    """)
    assert statement(book, "spends") == [(1, 100, 100, "bank"), (2, -30, 70, "shop"), (3, 5, 75, "shop")]
    assert statement(book, "tab") == [(1, 1, 1, "bank")]


def test_an_account_of_the_debit_side_grows_by_its_debits() -> None:
    book = play("""
        till > shop 100
        bank > till 30
    """)
    assert statement(book, "till") == [(1, 100, 100, "shop"), (2, -30, 70, "bank")]


def test_an_overdrawn_account_shows_it() -> None:
    assert statement(play("tab > shop 30"), "tab") == [(1, -30, -30, "shop")]


def test_each_currency_has_numbers_of_its_own() -> None:
    book = play("""
        bank > spends 100
        bank > spends 7 JPY
        bank > spends 1
    """)
    assert statement(book, "spends") == [(1, 100, 100, "bank"), (2, 1, 101, "bank")]
    assert statement(book, "spends", "JPY") == [(1, 7, 7, "bank")]


def test_a_lock_is_on_the_statement_only_when_its_money_moves() -> None:
    book = play("""
        bank > spends 100
        lock L spends > shop 30
        settle L 10
        settle L 5
        void L
        lock M spends > shop 1
        expire M
        bank > spends 1
    """)
    assert statement(book, "spends") == [
        (1, 100, 100, "bank"),
        (2, -10, 90, "shop"),
        (3, -5, 85, "shop"),
        (4, 1, 86, "bank"),
    ]


def test_what_a_lock_brings_is_on_the_receiver_s_statement_too() -> None:
    book = play("""
        lock L tab > spends 30
        settle L 10
        settle L 20
    """)
    assert statement(book, "tab") == [(1, -10, -10, "spends"), (2, -20, -30, "spends")]
    assert statement(book, "spends") == [(1, 10, 10, "tab"), (2, 20, 30, "tab")]


def test_a_movement_between_two_owners_is_on_both_statements() -> None:
    book = play("tab > spends 30")
    assert statement(book, "tab") == [(1, -30, -30, "spends")]
    assert statement(book, "spends") == [(1, 30, 30, "tab")]


def test_internal_accounts_have_no_statement() -> None:
    assert play("bank > shop 30").posted == []


def test_a_line_carries_the_text_of_its_movement() -> None:
    draft = play("bank > spends 100").draft()
    draft.post(CHART["spends"], CHART["shop"], 1, "EUR", "a comb")
    draft.reserve("L", CHART["spends"], CHART["shop"], 2, "EUR", None)
    draft.settle("L", CHART["spends"], CHART["shop"], 2, "a razor")
    assert draft.posted == [
        Posted("spends", "EUR", 2, -1, 99, "shop", "a comb"),
        Posted("spends", "EUR", 3, -2, 97, "shop", "a razor"),
    ]


@pytest.mark.requirement("PIPE-09")
def test_the_journal_has_one_line_for_each_movement_and_names_all_of_it() -> None:
    draft = play("bank > wallet 50 as A until 10 for bike").draft()
    lot = draft.pick_lots(CHART["wallet"], "EUR", 30)
    first = replace(lot[0], amount_minor=20)
    rest = replace(lot[0], amount_minor=10)
    gift = replace(lot[0], lot_id="G")

    draft.post(CHART["wallet"], CHART["gifts"], 30, "EUR", "a gift", lot, gift)
    draft.reserve("L", CHART["gifts"], CHART["shop"], 30, "EUR", 99, (gift,))
    draft.settle("L", CHART["gifts"], CHART["shop"], 20, "a trip")
    draft.void("L", CHART["gifts"], CHART["shop"], Step.EXPIRED)

    settled, expired = replace(first, lot_id="G"), replace(rest, lot_id="G")
    in_shop = partial(JournalLine, debit="gifts", credit="shop", currency="EUR", lock_id="L")
    assert draft.lines == [
        JournalLine(
            step=Step.POSTED, debit="wallet", credit="gifts", amount_minor=30, currency="EUR",
            text="a gift", spent=(lot[0],), opened=gift,
        ),
        in_shop(step=Step.LOCKED, amount_minor=30, deadline=99, spent=(gift,)),
        in_shop(step=Step.SETTLED, amount_minor=20, text="a trip", spent=(settled,)),
        in_shop(step=Step.EXPIRED, amount_minor=10, spent=(expired,)),
    ]  # fmt: skip
