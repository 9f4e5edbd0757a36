"""Payments that come before their bill wait in suspense, and are matched when it is sent (DLR-06)."""

import pytest

from schemas.dealer_bills import BillPaid, BillState, PaymentWaits, Source
from schemas.refusals import Reason
from streams.dealer_billing.payment import MAX_WAITING
from streams.ledger.draft import Refused

from .book import DEALER, DealerBook, paid

pytestmark = pytest.mark.requirement("DLR-06")


def test_a_payment_of_an_unknown_bill_waits_in_suspense() -> None:
    book = DealerBook()
    assert book.pay("P1", "B1", 40) == [
        PaymentWaits(payment_id="P1", dealer_id=DEALER, named="B1", bill_id="B1", amount=paid(40))
    ]
    assert book.stands() == "bank 40, suspense 40"
    assert book.waits("B1") == ("P1",)


def test_money_of_an_unknown_dealer_waits_too() -> None:
    book = DealerBook()
    book.forget_dealer()
    book.pay("P1", "B1", 40)
    assert book.stands() == "bank 40, suspense 40"


def test_waiting_payments_pay_the_bill_in_the_order_in_which_they_came() -> None:
    book = DealerBook()
    book.pay("P2", "B1", 40)
    book.pay("P1", "B1", 90)
    book.pay("P3", "B1", 5)

    sent = book.send_bill("B1", 100)

    assert isinstance(sent, list)
    assert [
        (each.payment_id, each.source, each.applied_minor, each.surplus_minor, each.paid_minor, each.state)
        for each in sent[1:]
        if isinstance(each, BillPaid)
    ] == [
        ("P2", Source.SUSPENSE, 40, 0, 40, BillState.PART_PAID),
        ("P1", Source.SUSPENSE, 60, 30, 100, BillState.OVERPAID),
        ("P3", Source.SUSPENSE, 0, 5, 100, BillState.OVERPAID),
    ]
    assert book.stands() == "B1 overpaid 100/100, bank 135, current/COMMISSION 35, revenue/COMMISSION 100"
    assert book.waits("B1") == ()


def test_what_waits_for_a_bill_counts_before_the_current_balance_does() -> None:
    book = DealerBook()
    book.send_bill("B1", 10)
    book.pay("P1", "B1", 40)
    book.pay("P2", "B2", 90)
    book.send_bill("B2", 100)
    assert book.stands() == (
        "B1 overpaid 10/10, B2 paid 100/100, bank 130, current/COMMISSION 20, revenue/COMMISSION 110"
    )


def test_a_balance_is_left_alone_by_a_bill_that_pending_payments_pay() -> None:
    book = DealerBook()
    book.send_bill("B1", 10)
    book.pay("P1", "B1", 40)
    book.pay("P2", "B2", 100)
    sent = book.send_bill("B2", 100)
    assert isinstance(sent, list)
    assert [type(event).__name__ for event in sent] == ["BillSent", "BillPaid"]
    assert book.balance("current/COMMISSION") == 30


def test_a_payment_waits_while_its_bill_is_a_draft() -> None:
    book = DealerBook()
    book.draft("B1", 100)
    book.pay("P1", "B1", 40)
    assert book.stands() == "B1 draft 0/100, bank 40, suspense 40"
    book.issue("B1")
    assert book.stands() == "B1 part_paid 40/100, bank 40, receivable/COMMISSION 60, revenue/COMMISSION 100"


def test_a_waiting_payment_pays_no_other_bill() -> None:
    book = DealerBook()
    book.pay("P1", "B1", 40)
    book.send_bill("B2", 100)
    assert book.bill("B2").state is BillState.SENT
    assert book.waits("B1") == ("P1",)


def test_a_waiting_payment_in_another_currency_stays_in_suspense() -> None:
    book = DealerBook()
    book.pay("P1", "B1", 40, "USD")
    book.pay("P2", "B1", 60)
    book.send_bill("B1", 100)
    assert book.stands() == (
        "B1 part_paid 60/100, bank 60, bank 40 USD, receivable/COMMISSION 40, revenue/COMMISSION 100, suspense 40 USD"
    )
    assert book.waits("B1") == ("P1",)


def test_the_id_of_a_waiting_payment_is_used_once_before_and_after_its_bill() -> None:
    book = DealerBook()
    book.pay("P1", "B1", 40)
    again = Refused(Reason.ALREADY_EXISTS, {"payment": "P1", "bill": "B1", "amount": "0.40 EUR"})
    assert book.pay("P1", "B1", 40) == again
    assert book.pay("P1", "B2", 40) == again
    book.send_bill("B1", 100)
    assert book.pay("P1", "B1", 40) == again
    assert book.bill("B1").paid_minor == 40


def test_no_more_than_a_bounded_number_of_payments_waits_for_one_bill() -> None:
    book = DealerBook()
    for number in range(MAX_WAITING):
        book.pay(f"P{number}", "B1", 1)
    assert book.pay("P-more", "B1", 7) == Refused(
        Reason.TOO_MANY_WAITING, {"bill": "B1", "bound": "100", "wanted": "7", "currency": "EUR"}
    )
    assert book.stands() == "bank 100, suspense 100"

    book.pay("P-other", "B2", 7)  # another bill has a bound of its own
    book.send_bill("B1", 60)
    assert book.stands() == ("B1 overpaid 60/60, bank 107, current/COMMISSION 40, revenue/COMMISSION 60, suspense 7")


def test_what_is_matched_to_a_draft_counts_among_those_that_wait_for_it_but_once() -> None:
    book = DealerBook()
    book.draft("B1", 60)
    for number in range(MAX_WAITING):
        book.pay(f"P{number}", "B1", 1)
    book.pay("P-other", "B2", 7)
    assert book.match("P-other", "B1") == Refused(
        Reason.TOO_MANY_WAITING, {"bill": "B1", "bound": "100", "wanted": "7", "currency": "EUR"}
    )
    assert book.waits("B2") == ("P-other",)

    assert not isinstance(book.match("P3", "B1"), Refused)  # waits for it already
    assert len(book.waits("B1")) == MAX_WAITING
    assert book.stands() == "B1 draft 0/60, bank 107, suspense 107"


def test_bill_and_payment_give_the_same_in_either_order() -> None:
    in_order, reversed_ = DealerBook(), DealerBook()
    in_order.send_bill("B1", 100)
    in_order.pay("P1", "B1", 120)
    reversed_.pay("P1", "B1", 120)
    reversed_.send_bill("B1", 100)
    assert in_order.stands() == reversed_.stands()
