"""Balances: what is posted, locked and available on either side, and who may fall below zero."""

import msgspec
import pytest

from schemas.ledger import Side
from streams.ledger.accounts import Account, Balance
from streams.ledger.locks import Lock

from .script import CHART, play

pytestmark = pytest.mark.requirement("PIPE-09")


@pytest.mark.parametrize(
    ("side", "debits_posted", "credits_posted", "debits_pending", "credits_pending", "posted", "locked", "available"),
    [
        (Side.CREDIT, 0, 0, 0, 0, 0, 0, 0),
        (Side.CREDIT, 30, 100, 0, 0, 70, 0, 70),
        (Side.CREDIT, 30, 100, 20, 0, 70, 20, 50),
        (Side.CREDIT, 30, 100, 0, 20, 70, 0, 70),  # what a lock will bring does not count yet
        (Side.CREDIT, 100, 30, 5, 7, -70, 5, -75),
        (Side.DEBIT, 100, 30, 0, 0, 70, 0, 70),
        (Side.DEBIT, 100, 30, 0, 20, 70, 20, 50),
        (Side.DEBIT, 100, 30, 20, 0, 70, 0, 70),
        (Side.DEBIT, 30, 100, 5, 7, -70, 7, -77),
    ],
)
def test_a_balance_grows_on_its_own_side_and_is_locked_on_the_other(
    side: Side,
    debits_posted: int,
    credits_posted: int,
    debits_pending: int,
    credits_pending: int,
    posted: int,
    locked: int,
    available: int,
) -> None:
    balance = Balance(side, debits_posted, credits_posted, debits_pending, credits_pending)
    assert (balance.posted, balance.locked, balance.available) == (posted, locked, available)


def test_a_transfer_leaves_one_account_and_reaches_the_other() -> None:
    book = play("""
        bank > spends 100                        | bank 100, spends 100
        spends > shop 30                         | spends 70, shop 30
        shop > spends 5                          | spends 75, shop 25     # a reversal is a movement the other way
    """)
    spends = book.balance("spends")
    assert (spends.debits_posted, spends.credits_posted, spends.entries) == (30, 105, 3)


def test_each_currency_stands_alone() -> None:
    play("""
        bank > spends 100
        bank > spends 7 JPY                      | spends 100, spends 7 JPY
        spends > shop 8 JPY | insufficient_funds account=spends currency=JPY available=7 locked=0 wanted=8 missing=1
        spends > shop 7 JPY                      | spends 100, spends 0 JPY, shop 0, shop 7 JPY
    """)


def test_an_account_that_may_not_be_overdrawn_gives_its_last_penny_and_no_more() -> None:
    play("""
        bank > spends 100
        spends > shop 101 | insufficient_funds account=spends available=100 locked=0 wanted=101 missing=1
        spends > shop 100                        | spends 0
        spends > shop 1   | insufficient_funds account=spends available=0 locked=0 wanted=1 missing=1
    """)


def test_an_account_that_may_be_overdrawn_falls_below_zero_on_either_side() -> None:
    play("""
        tab > shop 30                            | tab -30
        lock L tab > shop 5                      | tab -30/5
        settle L 5                               | tab -35
        shop > bank 35                           | bank -35, shop 0
        lock M shop > bank 2                     | bank -35/2, shop 0/2
        settle M 2                               | bank -37, shop -2
    """)


def test_both_accounts_must_have_what_the_movement_takes_from_them() -> None:
    """A movement from a credit account to a debit account shrinks both."""
    play("""
        till > spends 50                         | till 50, spends 50
        bank > spends 50
        spends > till 51 | insufficient_funds account=till available=50 locked=0 wanted=51 missing=1
        spends > till 101 | insufficient_funds account=spends available=100 locked=0 wanted=101 missing=1
        spends > till 50                         | till 0, spends 50
    """)


def test_a_credit_to_an_account_that_may_not_be_overdrawn_needs_nothing_there() -> None:
    play("""
        bank > spends 1                          | spends 1
        till > shop 1                            | till 1
    """)


def test_a_movement_sees_those_before_it_in_the_same_draft() -> None:
    draft = play("").draft()
    assert draft.post(CHART["bank"], CHART["spends"], 10, "EUR", "credit") is None
    assert draft.reserve("L", CHART["spends"], CHART["shop"], 10, "EUR", None) is None
    assert draft.reserve("M", CHART["spends"], CHART["shop"], 1, "EUR", None) is not None
    assert draft.settle("L", CHART["spends"], CHART["shop"], 10, "purchase") is None
    assert draft.lock("L") is None
    assert draft.balance(CHART["spends"], "EUR").posted == 0


def test_a_draft_that_is_dropped_changes_nothing() -> None:
    book = play("""
        bank > spends 100
        lock L spends > shop 30
    """)
    before = book.rows()
    draft = book.draft()
    draft.settle("L", CHART["spends"], CHART["shop"], 30, "purchase")
    draft.post(CHART["bank"], CHART["spends"], 1, "EUR", "credit")
    draft.use_limit("daily", "2026-03-29", 100, 1)
    assert book.rows() == before


@pytest.mark.parametrize("first", ["balances", "locks", "limits"])
def test_a_draft_that_another_overtook_stops_the_worker(first: str) -> None:
    """It was decided on rows that stand no longer: committing it would undo what the other moved."""
    book = play("""
        bank > spends 100
        lock L spends > shop 30
    """)
    overtaken, other = book.draft(), book.draft()
    for draft in (overtaken, other):
        match first:
            case "balances":
                draft.post(CHART["spends"], CHART["shop"], 70, "EUR", "purchase")
            case "locks":
                draft.settle("L", CHART["spends"], CHART["shop"], 30, "purchase")
            case _:
                draft.use_limit("daily", "2026-03-29", 100, 100)
    other.commit()
    with pytest.raises(AssertionError):
        overtaken.commit()
    with pytest.raises(AssertionError):
        other.commit()  # nor can one be committed twice


def test_a_draft_that_was_overtaken_half_way_stops_the_worker_too() -> None:
    book = play("bank > spends 100")
    overtaken, other = book.draft(), book.draft()
    overtaken.post(CHART["spends"], CHART["shop"], 10, "EUR", "purchase")
    other.post(CHART["spends"], CHART["shop"], 10, "EUR", "purchase")
    other.commit()
    overtaken.post(CHART["spends"], CHART["shop"], 10, "EUR", "purchase")
    with pytest.raises(AssertionError):
        overtaken.commit()


def test_a_lock_that_begins_and_ends_in_one_draft_leaves_no_row() -> None:
    book = play("bank > spends 100")
    draft = book.draft()
    draft.reserve("L", CHART["spends"], CHART["shop"], 30, "EUR", None)
    draft.void("L", CHART["spends"], CHART["shop"])
    draft.commit()
    assert book.locks == {}
    assert book.balance("spends").available == 100


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_nothing_or_less_cannot_be_moved(amount_minor: int) -> None:
    with pytest.raises(AssertionError):
        play("").draft().post(CHART["bank"], CHART["spends"], amount_minor, "EUR", "credit")


def test_money_cannot_move_from_an_account_to_itself() -> None:
    draft = play("").draft()
    with pytest.raises(AssertionError):
        draft.post(CHART["bank"], CHART["bank"], 1, "EUR", "round trip")
    with pytest.raises(AssertionError):
        draft.reserve("L", CHART["bank"], CHART["bank"], 1, "EUR", None)


def test_an_account_is_known_by_its_kind_and_its_qualifier() -> None:
    assert Account("trips", Side.CREDIT).of("msp-7") == Account("trips/msp-7", Side.CREDIT)


@pytest.mark.requirement("PIPE-02")
def test_rows_come_back_from_their_changelog_as_they_were() -> None:
    book = play("""
        bank > wallet 50 as A until 10 for bike
        bank > wallet 50 as B
        lock L wallet > shop 70 buying bike by 99
    """)
    for row in (book.balance("wallet"), book.draft().lock("L")):
        kind: type[Balance] | type[Lock] = type(row)  # type: ignore[assignment]
        assert msgspec.json.decode(msgspec.json.encode(row), type=kind) == row
