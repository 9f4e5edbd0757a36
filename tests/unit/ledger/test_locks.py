"""Locks: money reserved, then settled in part or whole, voided, or expired; pinned lots stay with their lock."""

import pytest
from msgspec.structs import replace

from schemas.ledger import Side, Step
from streams.ledger.accounts import Account
from streams.ledger.draft import Draft
from streams.ledger.fold import evolve_lock

from .script import CHART, lot_part, play

pytestmark = pytest.mark.requirement("BEY-01")


# ---- the life of a lock


def test_a_lock_takes_from_what_is_available_and_moves_nothing() -> None:
    book = play("""
        bank > spends 100
        lock L spends > shop 30                  | spends 100/30, shop 0, L 30
    """)
    assert book.balance("spends").available == 70
    assert book.balance("shop").available == 0  # what a lock will bring does not count yet
    assert book.balance("shop").credits_pending == 30


def test_a_lock_settles_in_parts_until_nothing_is_left() -> None:
    play("""
        bank > spends 100
        lock L spends > shop 30                  | spends 100/30
        settle L 10                              | spends 90/20, shop 10, L 20
        settle L 19                              | spends 71/1,  shop 29, L 1
        settle L 1                               | spends 70,    shop 30, L gone
        settle L 1                               | no_such_lock lock=L
    """)


def test_a_lock_settles_whole() -> None:
    play("""
        bank > spends 30
        lock L spends > shop 30
        settle L 30                              | spends 0, shop 30, L gone
    """)


@pytest.mark.parametrize("ending", ["void", "expire"])
def test_what_is_not_settled_is_freed(ending: str) -> None:
    play(f"""
        bank > spends 100
        lock L spends > shop 30
        settle L 10
        {ending} L                               | spends 90, shop 10, L gone
        {ending} L                               | no_such_lock lock=L
        settle L 20                              | no_such_lock lock=L
        spends > shop 90                         | spends 0
    """)


def test_a_lock_never_settles_above_what_it_holds() -> None:
    play("""
        bank > spends 100
        lock L spends > shop 30
        settle L 31                              | exceeds_lock lock=L locked=30 wanted=31
        settle L 10
        settle L 21                              | exceeds_lock lock=L locked=20 wanted=21
        settle L 20                              | spends 70, shop 30
    """)


@pytest.mark.parametrize("movement", ["settle X 1", "void X", "expire X"])
def test_a_lock_that_is_not_open_cannot_be_ended(movement: str) -> None:
    play(f"""
        bank > spends 100
        lock L spends > shop 30
        {movement}                               | no_such_lock lock=X
    """)


def test_one_lock_id_is_open_only_once() -> None:
    play("""
        bank > spends 100
        lock L spends > shop 30
        lock L spends > shop 30                  | already_exists lock=L
        lock L spends > shop 9999                | already_exists lock=L
        lock M spends > shop 30                  | spends 100/60
        void L                                   | spends 100/30, M 30
        lock L spends > shop 20                  | spends 100/50, L 20
    """)


def test_locks_of_two_books_are_two_locks() -> None:
    book = play("""
        bank > spends 100
        lock L spends > shop 30
    """)
    assert Draft("group:hillside", 0, book.ledger).lock("L") is None
    assert Draft("group:hillside", 0, book.ledger).balance(CHART["spends"], "EUR").posted == 0


def test_money_under_one_lock_cannot_be_locked_or_spent_again() -> None:
    play("""
        bank > spends 100
        lock L spends > shop 100
        spends > shop 1     | insufficient_funds account=spends available=0 locked=100 wanted=1 missing=1
        lock M spends > shop 1 | insufficient_funds account=spends available=0 locked=100 wanted=1 missing=1
        void L
        lock M spends > shop 100                 | spends 100/100
    """)


def test_a_lock_on_an_account_that_a_credit_shrinks_takes_from_what_is_available() -> None:
    book = play("""
        bank > till 1       | insufficient_funds account=till available=0 locked=0 wanted=1 missing=1
        till > shop 100                          | till 100
        lock L bank > till 60                    | till 100/60
        bank > till 41      | insufficient_funds account=till available=40 locked=60 wanted=41 missing=1
        lock M bank > till 41 | insufficient_funds account=till available=40 locked=60 wanted=41 missing=1
        settle L 50                              | till 50/10, bank 50
        bank > till 40                           | till 10/10
    """)
    assert book.balance("till").available == 0


def test_a_lock_keeps_its_accounts_its_currency_and_its_deadline() -> None:
    lock = (
        play("""
        bank > spends 100 JPY
        lock L spends > shop 30 JPY by 99        | spends 100/30 JPY, spends 0
        settle L 10                              | spends 90/20 JPY, shop 10 JPY, shop 0
    """)
        .draft()
        .lock("L")
    )
    assert lock is not None
    assert (lock.debit, lock.credit, lock.amount_minor, lock.currency, lock.deadline) == (
        "spends",
        "shop",
        20,
        "JPY",
        99,
    )


def test_a_deadline_is_a_promise_to_time_and_does_not_end_a_lock_by_itself() -> None:
    """A tick expires locks (PIPE-13); until it comes, the trip still has its money."""
    play("""
        bank > spends 100
        lock L spends > shop 30 by 99
        at 100
        settle L 30                              | spends 70
    """)


def test_each_step_of_a_lock_moves_the_same_amount_on_both_accounts() -> None:
    book = play("""
        tab > spends 7
        spends > tab 5
        lock L tab > spends 30
        lock M spends > tab 2
    """)

    def columns(account: str) -> tuple[int, int, int, int, int]:
        row = book.balance(account)
        return row.debits_posted, row.credits_posted, row.debits_pending, row.credits_pending, row.entries

    assert (columns("tab"), columns("spends")) == ((7, 5, 30, 2, 2), (5, 7, 2, 30, 2))
    for step, tab, spends in (
        ("lock", (7, 5, 34, 2, 2), (5, 7, 2, 34, 2)),
        ("settle", (17, 5, 24, 2, 3), (5, 17, 2, 24, 3)),
        ("void", (17, 5, 4, 2, 3), (5, 17, 2, 4, 3)),
    ):
        draft = book.draft()
        if step == "lock":
            draft.reserve("N", CHART["tab"], CHART["spends"], 4, "EUR", None)
        elif step == "settle":
            draft.settle("L", CHART["tab"], CHART["spends"], 10, "purchase")
        else:
            draft.void("L", CHART["tab"], CHART["spends"])
        draft.commit()
        assert (columns("tab"), columns("spends")) == (tab, spends), step


# ---- lots under a lock


def test_a_lock_pins_the_lots_that_it_will_spend() -> None:
    book = play("""
        bank > wallet 50 as A until 10
        bank > wallet 50 as B until 20
        lock L wallet > shop 70                  | wallet A:50/50 B:50/20
        wallet > shop 30                         | wallet A:50/50 B:20/20
    """)
    lock = book.draft().lock("L")
    assert lock is not None
    assert lock.parts == (lot_part("A", 50, 10), lot_part("B", 20, 20))
    assert book.draft().pick_lots(CHART["wallet"], "EUR", 1) == ()


def test_another_spend_cannot_take_pinned_lots_even_if_it_names_them() -> None:
    book = play("""
        bank > wallet 50 as A until 10
        bank > wallet 50 as B until 20
        lock L wallet > shop 50                  | wallet A:50/50 B:50
    """)
    with pytest.raises(AssertionError):
        book.draft().post(CHART["wallet"], CHART["shop"], 1, "EUR", "theft", (lot_part("A", 1, 10),))


@pytest.mark.requirement("MOB-09")
def test_a_lot_that_expires_under_a_lock_stays_spendable_by_it_and_by_nobody_else() -> None:
    book = play("""
        bank > wallet 50 as A until 10
        lock L wallet > shop 30                  | wallet A:50/30
        at 11
        settle L 20                              | wallet A:30/10, shop 20
        settle L 10                              | wallet A:20, shop 30
    """)
    assert book.draft(at=11).pick_lots(CHART["wallet"], "EUR", 20) == ()
    assert book.balance("wallet").next_expiry == 10


@pytest.mark.parametrize("ending", ["void", "expire"])
def test_a_freed_lock_gives_its_lots_back_as_they_were(ending: str) -> None:
    play(f"""
        bank > wallet 50 as A until 10 for bike
        bank > wallet 50 as B until 20
        lock L wallet > shop 70 buying bike      | wallet A:50/50 B:50/20
        settle L 55                              | wallet B:45/15
        {ending} L                               | wallet B:45
    """)


def test_a_lock_settles_its_lots_in_the_order_of_spending() -> None:
    play("""
        bank > wallet 10 as C until 30
        bank > wallet 10 as A until 10
        bank > wallet 10 as B until 20
        lock L wallet > shop 30                  | wallet A:10/10 B:10/10 C:10/10
        settle L 4                               | wallet A:6/6 B:10/10 C:10/10
        settle L 8                               | wallet B:8/8 C:10/10
        void L                                   | wallet B:8 C:10
    """)


def test_a_lot_that_comes_later_and_expires_sooner_is_not_spent_by_an_older_lock() -> None:
    play("""
        bank > wallet 10 as B until 20
        lock L wallet > shop 10
        bank > wallet 10 as A until 10           | wallet A:10 B:10/10
        settle L 10                              | wallet A:10
    """)


def test_two_locks_share_a_lot_and_each_keeps_its_own_part() -> None:
    play("""
        bank > wallet 10 as A
        lock L wallet > shop 4
        lock M wallet > shop 6                   | wallet A:10/10
        void L                                   | wallet A:10/6
        settle M 6                               | wallet A:4
    """)


# ---- what only a fault of ours could ask for


def test_a_lock_ends_between_its_own_accounts_or_the_worker_stops() -> None:
    book = play("""
        bank > spends 100
        lock L spends > shop 30
    """)
    for debit, credit in (("tab", "shop"), ("spends", "bank")):
        with pytest.raises(AssertionError):
            book.draft().settle("L", CHART[debit], CHART[credit], 30, "fare")
        with pytest.raises(AssertionError):
            book.draft().void("L", CHART[debit], CHART[credit])


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_nothing_or_less_cannot_be_locked_or_settled(amount_minor: int) -> None:
    book = play("""
        bank > spends 100
        lock L spends > shop 30
    """)
    with pytest.raises(AssertionError):
        book.draft().settle("L", CHART["spends"], CHART["shop"], amount_minor, "fare")
    with pytest.raises(AssertionError):
        book.draft().reserve("M", CHART["spends"], CHART["shop"], amount_minor, "EUR", None)


@pytest.mark.parametrize("step", [Step.POSTED, Step.LOCKED, Step.SETTLED])
def test_a_lock_is_freed_only_as_voided_or_expired(step: Step) -> None:
    book = play("""
        bank > spends 100
        lock L spends > shop 30
    """)
    with pytest.raises(AssertionError):
        book.draft().void("L", CHART["spends"], CHART["shop"], step)


@pytest.mark.parametrize(("ending", "step"), [("void", Step.VOIDED), ("expire", Step.EXPIRED)])
def test_the_journal_says_why_a_lock_was_freed(ending: str, step: Step) -> None:
    book = play("""
        bank > spends 100
        lock L spends > shop 30
    """)
    draft = book.draft()
    draft.void("L", CHART["spends"], CHART["shop"], step)
    assert [(line.step, line.lock_id, line.amount_minor) for line in draft.lines] == [(step, "L", 30)], ending


def test_a_lock_cannot_end_in_an_account_of_lots() -> None:
    """Settling opens no lot: the money would stand on the account and no debit could ever name it."""
    book = play("bank > spends 100")
    with pytest.raises(AssertionError):
        book.draft().reserve("L", CHART["spends"], CHART["wallet"], 30, "EUR", None)


def test_a_journal_that_locks_twice_or_ends_what_is_not_open_stops_the_fold() -> None:
    book = play("bank > spends 100")
    draft = book.draft()
    draft.reserve("L", CHART["spends"], CHART["shop"], 30, "EUR", None)
    draft.settle("L", CHART["spends"], CHART["shop"], 30, "fare")
    opens, ends = draft.lines
    lock = evolve_lock(None, opens)
    assert evolve_lock(lock, ends) is None
    for before, line in ((lock, opens), (None, ends)):
        with pytest.raises(AssertionError):
            evolve_lock(before, line)
    assert lock is not None
    with pytest.raises(AssertionError):
        evolve_lock(lock, replace(ends, amount_minor=31))


def test_an_account_that_changes_sides_stops_the_worker() -> None:
    book = play("bank > spends 100")
    with pytest.raises(AssertionError):
        book.draft().post(Account("spends", Side.DEBIT), CHART["shop"], 5, "EUR", "purchase")
