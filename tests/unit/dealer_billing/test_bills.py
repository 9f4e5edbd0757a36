"""The life of a bill: raised, paid in parts, paid whole, paid beyond (DLR-05, DLR-06)."""

import pytest

from schemas.dealer_billing import (
    AccountType,
    BillPaid,
    BillRaised,
    BillStatus,
    Operation,
    PaidFrom,
)
from schemas.fields import MAX_MINOR
from schemas.refusals import Reason
from streams.ledger.draft import Refused

from .book import DEALER, REWARD, SETTLEMENT, DealerBook, paid

pytestmark = pytest.mark.requirement("DLR-05", "DLR-06")


# ---- raising


@pytest.mark.parametrize(
    ("operation", "account"), [(REWARD, AccountType.COMMISSION), (SETTLEMENT, AccountType.SETTLEMENT)]
)
def test_a_bill_stands_on_the_account_of_its_operation(operation: Operation, account: AccountType) -> None:
    book = DealerBook()
    assert book.raise_bill("B1", 100, operation) == [
        BillRaised(
            bill_id="B1",
            dealer_id=DEALER,
            account=account,
            operation=operation,
            common=paid(100),
            paid_minor=0,
            status=BillStatus.OPEN,
            url="https://billing.example/B1.pdf",
        )
    ]
    assert book.stands() == f"B1 open 0/100, receivable/{account} 100, revenue/{account} 100"


def test_a_bill_on_an_unknown_dealer_is_refused() -> None:
    book = DealerBook()
    book.forget_dealer()
    assert book.raise_bill("B1", 100) == Refused(Reason.UNKNOWN_DEALER, {"dealer": "D1"})
    assert book.stands() == ""


@pytest.mark.parametrize(
    ("payment", "status", "sum_paid"), [(0, "open", "0"), (40, "part_paid", "40"), (100, "paid", "100")]
)
def test_a_bill_id_is_used_once_whatever_the_bills_status(payment: int, status: str, sum_paid: str) -> None:
    book = DealerBook()
    book.raise_bill("B1", 100)
    if payment:
        book.pay("P1", "B1", payment)
    before = book.stands()
    assert book.raise_bill("B1", 999, SETTLEMENT, "USD") == Refused(
        Reason.ALREADY_EXISTS,
        {"bill": "B1", "status": status, "common": "100", "paid": sum_paid, "currency": "EUR"},
    )
    assert book.stands() == before


def test_a_dealer_is_asked_for_before_the_bill_is() -> None:
    book = DealerBook()
    book.raise_bill("B1", 100)
    book.forget_dealer()
    assert book.raise_bill("B1", 100) == Refused(Reason.UNKNOWN_DEALER, {"dealer": "D1"})


def test_a_bill_that_no_account_can_hold_is_refused() -> None:
    book = DealerBook()
    book.raise_bill("B1", MAX_MINOR)
    assert book.raise_bill("B2", 1) == Refused(
        Reason.AMOUNT_TOO_LARGE,
        {"account": "receivable/COMMISSION", "currency": "EUR", "left": "0", "wanted": "1"},
    )


# ---- paying


def test_a_part_the_rest_and_more() -> None:
    book = DealerBook()
    book.raise_bill("B1", 100)

    book.pay("P1", "B1", 40)
    assert book.stands() == "B1 part_paid 40/100, bank 40, receivable/COMMISSION 60, revenue/COMMISSION 100"

    book.pay("P2", "B1", 60)
    assert book.stands() == "B1 paid 100/100, bank 100, revenue/COMMISSION 100"

    book.pay("P3", "B1", 7)
    assert book.stands() == "B1 paid 100/100, bank 107, current/COMMISSION 7, revenue/COMMISSION 100"


def test_what_a_payment_has_above_what_is_owed_becomes_the_current_balance() -> None:
    book = DealerBook()
    book.raise_bill("B1", 100, SETTLEMENT)
    book.pay("P1", "B1", 30)
    assert book.pay("P2", "B1", 80) == [
        BillPaid(
            bill_id="B1",
            dealer_id=DEALER,
            payment_id="P2",
            account=AccountType.SETTLEMENT,
            paid_from=PaidFrom.BANK,
            received=paid(80),
            applied_minor=70,
            surplus_minor=10,
            paid_minor=100,
            status=BillStatus.PAID,
        )
    ]
    assert book.balance("current/SETTLEMENT") == 10


def test_a_dealer_who_left_still_pays_his_bills() -> None:
    book = DealerBook()
    book.raise_bill("B1", 100)
    book.forget_dealer()
    book.pay("P1", "B1", 100)
    assert book.bill("B1").status is BillStatus.PAID


def test_a_payment_in_another_currency_than_its_bill_is_refused() -> None:
    book = DealerBook()
    book.raise_bill("B1", 100)
    before = book.stands()
    assert book.pay("P1", "B1", 100, "USD") == Refused(
        Reason.CURRENCY_MISMATCH, {"bill": "B1", "currency": "EUR", "paid_in": "USD", "wanted": "100"}
    )
    assert book.stands() == before
    book.pay("P1-corrected", "B1", 90)
    assert book.bill("B1").paid_minor == 90


def test_a_payment_id_is_used_once_even_long_after() -> None:
    book = DealerBook()
    book.raise_bill("B1", 100)
    book.raise_bill("B2", 100)
    book.pay("P1", "B1", 40)
    before = book.stands()
    for bill_id in ("B1", "B2", "unknown"):
        assert book.pay("P1", bill_id, 40) == Refused(
            Reason.ALREADY_EXISTS, {"payment": "P1", "bill": "B1", "amount": "0.40 EUR"}
        )
    assert book.stands() == before


def test_a_payment_that_the_bank_account_cannot_hold_is_refused_whole() -> None:
    book = DealerBook()
    book.pay("P1", "elsewhere", MAX_MINOR - 15)
    book.raise_bill("B1", 10)
    before = book.stands()
    assert book.pay("P2", "B1", 16) == Refused(
        Reason.AMOUNT_TOO_LARGE, {"account": "bank", "currency": "EUR", "left": "5", "wanted": "6"}
    )  # the 10 that the bill needs would have fitted
    assert book.pay("P2", "B3", 16) == Refused(
        Reason.AMOUNT_TOO_LARGE, {"account": "bank", "currency": "EUR", "left": "15", "wanted": "16"}
    )
    assert book.stands() == before


# ---- the current balance


def test_the_current_balance_pays_the_next_bill_first() -> None:
    book = DealerBook()
    book.raise_bill("B1", 100)
    book.pay("P1", "B1", 130)

    raised = book.raise_bill("B2", 50)
    assert isinstance(raised, list)
    assert isinstance(raised[0], BillRaised)
    assert (raised[0].paid_minor, raised[0].status) == (30, BillStatus.PART_PAID)
    assert len(raised) == 1
    assert book.stands() == (
        "B1 paid 100/100, B2 part_paid 30/50, bank 130, receivable/COMMISSION 20, revenue/COMMISSION 150"
    )


def test_a_current_balance_can_pay_a_bill_whole_and_keep_the_rest() -> None:
    book = DealerBook()
    book.raise_bill("B1", 100)
    book.pay("P1", "B1", 180)
    book.raise_bill("B2", 50)
    assert book.bill("B2").status is BillStatus.PAID
    assert book.balance("current/COMMISSION") == 30


def test_the_current_balance_of_one_account_pays_no_bill_of_another() -> None:
    book = DealerBook()
    book.raise_bill("B1", 100, REWARD)
    book.pay("P1", "B1", 130)
    book.raise_bill("B2", 50, SETTLEMENT)
    assert book.bill("B2").status is BillStatus.OPEN
    assert book.balance("current/COMMISSION") == 30


def test_the_current_balance_of_one_currency_pays_no_bill_of_another() -> None:
    book = DealerBook()
    book.raise_bill("B1", 100)
    book.pay("P1", "B1", 130)
    book.raise_bill("B2", 50, currency="USD")
    assert book.bill("B2").status is BillStatus.OPEN
    assert book.balance("current/COMMISSION") == 30


def test_a_surplus_leaves_older_open_bills_as_they_are() -> None:
    book = DealerBook()
    book.raise_bill("B1", 100)
    book.raise_bill("B2", 100)
    book.pay("P1", "B2", 150)
    assert book.bill("B1").status is BillStatus.OPEN
    assert book.balance("current/COMMISSION") == 50
