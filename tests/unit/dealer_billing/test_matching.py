"""An operator says whose a payment in suspense is: another bill's, or another dealer's (DLR-06)."""

import pytest

from schemas.dealer_bills import HandOverPayment, PaymentHandedOver
from schemas.refusals import Reason
from streams.ledger.draft import Refused

from .book import DealerBook, paid

pytestmark = pytest.mark.requirement("DLR-06")


def test_a_payment_in_suspense_is_matched_with_the_bill_that_was_meant() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.pay("P1", "B-mistyped", 120)
    book.match("P1", "B1")
    assert book.stands() == "B1 overpaid 100/100, bank 120, current/COMMISSION 20, revenue/COMMISSION 100"
    assert book.waits("B-mistyped") == ()


def test_a_payment_is_matched_once() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.send_bill("B2", 100)
    book.pay("P1", "B-mistyped", 40)
    book.match("P1", "B1")
    before = book.stands()
    for bill_id in ("B1", "B2"):
        again = book.match("P1", bill_id)
        assert isinstance(again, Refused)
        assert again.reason is Reason.WRONG_STATE
    assert book.stands() == before


def test_a_match_with_a_draft_waits_for_it_and_one_with_a_voided_bill_becomes_the_balance() -> None:
    book = DealerBook()
    book.draft("B1", 100)
    book.send_bill("B2", 100)
    book.void("B2")
    book.pay("P1", "B-mistyped", 40)
    book.pay("P2", "B-mistyped", 30)
    book.match("P1", "B1")
    assert (book.waits("B1"), book.waits("B-mistyped")) == (("P1",), ("P2",))
    book.match("P2", "B2")
    assert book.stands() == "B1 draft 0/100, B2 voided 0/100, bank 70, current/COMMISSION 30, suspense 40"


def test_what_cannot_be_matched_is_refused_and_stays_where_it_is() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.pay("P1", "B9", 40, "USD")
    assert book.match("P9", "B1") == Refused(Reason.NOT_FOUND, {"payment": "P9"})
    assert book.match("P1", "B8") == Refused(Reason.NOT_FOUND, {"bill": "B8"})
    mismatch = book.match("P1", "B1")
    assert isinstance(mismatch, Refused)
    assert mismatch.reason is Reason.CURRENCY_MISMATCH
    assert book.waits("B9") == ("P1",)


# ---- another dealer's bill


def handed(book: DealerBook, payment_id: str, bill_id: str, to: str) -> HandOverPayment:
    events = book.match(payment_id, bill_id, of=to)
    assert isinstance(events, list)
    gone, message = events
    assert isinstance(gone, PaymentHandedOver)
    assert isinstance(message, HandOverPayment)
    return message


def test_a_payment_for_another_dealers_bill_goes_to_his_book() -> None:
    wrong, right = DealerBook("D1"), DealerBook("D2")
    right.send_bill("B1", 100)
    wrong.pay("P1", "B1", 70)
    assert wrong.stands() == "bank 70, suspense 70"
    right.give(handed(wrong, "P1", "B1", "D2"))
    assert wrong.stands() == ""
    assert right.stands() == "B1 part_paid 70/100, bank 70, receivable/COMMISSION 30, revenue/COMMISSION 100"
    again = wrong.match("P1", "B1", of="D2")
    assert isinstance(again, Refused)
    assert again.reason is Reason.WRONG_STATE


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_what_the_other_book_cannot_place_lies_in_its_suspense(currency: str) -> None:
    wrong, right = DealerBook("D1"), DealerBook("D2")
    right.send_bill("B2", 100)
    wrong.pay("P1", "B1", 70, currency)
    right.give(handed(wrong, "P1", "B2" if currency == "USD" else "B1", "D2"))
    assert right.balance("suspense", currency) == 70


def test_a_payment_may_come_back_and_keeps_its_way_in_its_id() -> None:
    first, second = DealerBook("D1"), DealerBook("D2")
    first.pay("P1", "B1", 70)
    second.give(handed(first, "P1", "B1", "D2"))
    back = handed(second, "D1/P1", "B3", "D1")
    first.give(back)
    assert (back.payment_id, back.amount) == ("D2/D1/P1", paid(70))
    assert first.waits("B3") == ("D2/D1/P1",)


def test_a_payment_that_was_handed_over_too_often_stays() -> None:
    book = DealerBook("D" * 96)
    book.give(
        HandOverPayment(
            dealer_id=book.dealer_id, from_dealer_id="D2", payment_id="x" * 200, bill_id="B1", amount=paid(7)
        )
    )
    told = book.match("x" * 200, "B1", of="D2")
    assert told == Refused(Reason.WRONG_STATE, {"payment": "x" * 200, "handed_over": "too often"})
    assert book.stands() == "bank 7, suspense 7"
