"""Bounds: nothing in a book grows without end, and what would is refused before it breaks a row (BEY-03)."""

import subprocess
import sys
from pathlib import Path

import pytest

import schemas
from schemas.fields import MAX_MINOR
from streams.ledger.lots import MAX_LOTS

from .script import CHART, lot_part, play

pytestmark = pytest.mark.requirement("BEY-03")

HOUSE = Path(schemas.__file__).parents[1]


def test_an_account_holds_so_many_lots_and_no_more() -> None:
    deposits = "\n".join(f"bank > wallet 1 as lot{n:03} until {n + 1}" for n in range(MAX_LOTS))
    book = play(f"""
        {deposits}
        bank > wallet 1 as more                  | too_many_lots account=wallet bound={MAX_LOTS}
        wallet > shop 1                          # the first lot is gone: there is room again
        bank > wallet 1 as more
        bank > wallet 1 as evenmore              | too_many_lots account=wallet bound={MAX_LOTS}
        bank > gifts 1 as elsewhere              | gifts elsewhere:1
        wallet > gifts 1 as part                 | gifts elsewhere:1 part:1
    """)
    assert len(book.balance("wallet").lots) == MAX_LOTS - 1


def test_all_that_ever_moved_on_one_side_of_an_account_is_bounded() -> None:
    play(f"""
        bank > tab {MAX_MINOR - 1}
        bank > shop 2   | amount_too_large account=bank left=1 wanted=2
        bank > tab 1                             | tab {MAX_MINOR}
        bank > tab 1    | amount_too_large account=bank left=0 wanted=1
        shop > tab 1    | amount_too_large account=tab left=0 wanted=1
        tab > shop {MAX_MINOR}                   | tab 0        # the other side of the account still has room
        tab > shop 1    | amount_too_large account=tab left=0 wanted=1
        bank > tab 1 JPY                         | tab 1 JPY
        bank > tab {MAX_MINOR} JPY | amount_too_large account=bank currency=JPY left={MAX_MINOR - 1} wanted={MAX_MINOR}
    """)


def test_an_amount_above_every_bound_is_refused_and_not_an_error() -> None:
    play(f"""
        bank > tab {MAX_MINOR + 1}  | amount_too_large account=bank left={MAX_MINOR} wanted={MAX_MINOR + 1}
        lock L bank > tab {10**30}  | amount_too_large account=bank left={MAX_MINOR} wanted={10**30}
    """)


def test_what_is_locked_counts_towards_the_bound() -> None:
    """Otherwise each lock fits alone, and settling the second breaks the row: the worker would stop for ever."""
    play(f"""
        lock L bank > tab {MAX_MINOR - 1}
        lock M bank > tab 2    | amount_too_large account=bank left=1 wanted=2
        bank > shop 2          | amount_too_large account=bank left=1 wanted=2
        shop > tab 2           | amount_too_large account=tab left=1 wanted=2
        settle L 5                               | bank 5, tab 5
        lock M bank > tab 2    | amount_too_large account=bank left=1 wanted=2
        lock M bank > tab 1
        settle L {MAX_MINOR - 6}
        settle M 1                               | bank {MAX_MINOR}, tab {MAX_MINOR}
    """)


def test_what_a_lock_frees_no_longer_counts_towards_the_bound() -> None:
    play(f"""
        lock L bank > tab {MAX_MINOR}
        void L
        bank > tab {MAX_MINOR}                   | tab {MAX_MINOR}
    """)


def test_the_first_reason_that_holds_is_given() -> None:
    """In the order of `schemas.refusals`: what exists, then the money, then our own bounds."""
    huge = 10**20
    deposits = "\n".join(f"bank > gifts 1 as lot{n:03}" for n in range(MAX_LOTS))
    play(f"""
        {deposits}
        spends > gifts 1 as lot000      | already_exists account=gifts lot=lot000
        spends > gifts 1 as more        | insufficient_funds account=spends available=0 locked=0 wanted=1 missing=1
        tab > gifts {MAX_MINOR} as more | too_many_lots account=gifts bound={MAX_LOTS}
        tab > till {huge}     | insufficient_funds account=till available=0 locked=0 wanted={huge} missing={huge}
        spends > shop {huge}  | insufficient_funds account=spends available=0 locked=0 wanted={huge} missing={huge}
        lock L tab > shop 1
        lock L spends > shop {huge}     | already_exists lock=L
        lock M spends > shop 1  | insufficient_funds account=spends available=0 locked=0 wanted=1 missing=1
        lock M tab > till {huge}  | insufficient_funds account=till available=0 locked=0 wanted={huge} missing={huge}
    """)


def test_a_refused_movement_leaves_its_draft_as_it_was() -> None:
    book = play("bank > spends 10")
    draft = book.draft()
    assert draft.post(CHART["bank"], CHART["wallet"], 5, "EUR", "deposit", opened=lot_part("A", 5)) is None
    lines, posted, balance = list(draft.lines), list(draft.posted), draft.balance(CHART["wallet"], "EUR")

    assert draft.post(CHART["spends"], CHART["wallet"], 11, "EUR", "deposit", opened=lot_part("B", 11)) is not None
    assert draft.post(CHART["bank"], CHART["wallet"], 5, "EUR", "deposit", opened=lot_part("A", 5)) is not None

    assert (draft.lines, draft.posted, draft.balance(CHART["wallet"], "EUR")) == (lines, posted, balance)


def test_the_ledger_does_not_run_without_its_assertions() -> None:
    """`python -O` removes them, and with them what stops a worker before it commits a fault of ours."""
    ran = subprocess.run(
        [sys.executable, "-O", "-c", "import streams.ledger"], cwd=HOUSE, capture_output=True, text=True
    )
    assert ran.returncode != 0
    assert "assertions" in ran.stderr


def test_the_ledger_needs_neither_faust_nor_kafka() -> None:
    program = (
        "import sys, streams.ledger.draft\n"
        "print(sorted({'faust', 'mode', 'aiokafka', 'confluent_kafka'} & {name.split('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=HOUSE, capture_output=True, check=True, text=True)
    assert ran.stdout == "[]\n"
