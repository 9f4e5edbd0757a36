"""Sums that no account can hold are refused, whatever was done before, and no money is lost by it (DLR-06)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.fields import MAX_MINOR
from schemas.refusals import Reason
from streams.ledger.draft import Refused

from .book import DealerBook

pytestmark = pytest.mark.requirement("DLR-06")

HALF = MAX_MINOR // 2
BILLS = st.integers(1, 6).map("B{}".format)
AMOUNTS = st.sampled_from([1, 2, HALF])
MOVES = st.one_of(
    st.tuples(st.just("send_bill"), BILLS, AMOUNTS),
    st.tuples(st.just("draft"), BILLS, AMOUNTS),
    st.tuples(st.just("pay"), st.integers(1, 99).map("P{}".format), BILLS, AMOUNTS),
    st.tuples(st.just("void"), BILLS),
    st.tuples(st.just("correct"), BILLS, BILLS, AMOUNTS),
)


def full() -> DealerBook:
    """Half of all money was paid once, and came to the current balance twice: no more can come there."""
    book = DealerBook()
    book.send_bill("paid", HALF)
    book.pay("P0", "paid", HALF)
    book.void("paid")
    book.send_bill("paid-by-balance", HALF)
    book.void("paid-by-balance")
    return book


@settings(deadline=None, max_examples=200)
@given(st.lists(MOVES, min_size=3, max_size=12))
def test_whatever_comes_to_more_than_an_account_can_hold_is_refused(story: list[tuple[str, ...]]) -> None:
    book, received = full(), HALF
    for how, *rest in story:
        answer = getattr(book, how)(*rest)
        if how == "pay" and not isinstance(answer, Refused):
            received += int(rest[2])
        bills = sum(book.kept.bills[key].paid_minor for key in book.kept.bills)
        assert bills + book.balance("current/COMMISSION") + book.balance("suspense") == received


@pytest.mark.parametrize("how", ["void", "refuse", "issue"])
def test_what_waits_for_a_bill_is_refused_with_it_and_stays_in_suspense(how: str) -> None:
    book = full()
    book.pay("P1", "B1", 2)
    book.draft("B1", 1)
    before = book.stands()

    refused = getattr(book, how)("B1")

    assert isinstance(refused, Refused)
    assert refused.reason is Reason.AMOUNT_TOO_LARGE
    assert book.stands() == before
    assert book.waits("B1") == ("P1",)
