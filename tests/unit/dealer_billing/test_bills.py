"""The life of a bill: drafted, sent, paid in parts, paid whole, paid beyond (DLR-05, DLR-06)."""

import pytest
from msgspec.structs import replace

from schemas.billing import IssueBill
from schemas.dealer_billing import AccountType, Operation
from schemas.dealer_bills import BillDrafted, BillPaid, BillPaidFromBalance, BillSent, BillState, Source
from schemas.fields import MAX_MINOR
from schemas.refusals import Reason
from streams.dealer_billing.registration import State
from streams.ledger.draft import Refused

from .book import BOOK, DEALER, OPEN, REWARD, SETTLEMENT, DealerBook, paid

pytestmark = pytest.mark.requirement("DLR-05", "DLR-06")


# ---- drafted and sent


@pytest.mark.parametrize(
    ("operation", "account"), [(REWARD, AccountType.COMMISSION), (SETTLEMENT, AccountType.SETTLEMENT)]
)
def test_a_bill_stands_on_the_account_of_its_operation(operation: Operation, account: AccountType) -> None:
    book = DealerBook()
    about = {"bill_id": "B1", "dealer_id": DEALER, "account": account}
    assert book.draft("B1", 100, operation) == [
        BillDrafted(**about, operation=operation, common=paid(100), text="A car"),
        IssueBill(**about, call_id=f"D1/{account}/bill/B1", contract_id="contract", amount=paid(100), text="A car"),
    ]
    assert book.stands() == "B1 draft 0/100"
    url = "https://billing.example/B1.pdf"
    assert book.issue("B1") == [BillSent(**about, common=paid(100), billing_id="billing-B1", url=url)]
    assert book.stands() == f"B1 sent 0/100, receivable/{account} 100, revenue/{account} 100"


def test_a_bill_on_an_unknown_dealer_is_refused() -> None:
    book = DealerBook()
    book.forget_dealer()
    assert book.send_bill("B1", 100) == Refused(Reason.UNKNOWN_DEALER, {"dealer": "D1"})
    assert book.stands() == ""


@pytest.mark.parametrize(
    ("payment", "state", "sum_paid"), [(0, "sent", "0"), (40, "part_paid", "40"), (100, "paid", "100")]
)
def test_a_bill_id_is_used_once_whatever_the_bills_state(payment: int, state: str, sum_paid: str) -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    if payment:
        book.pay("P1", "B1", payment)
    before = book.stands()
    assert book.send_bill("B1", 999, SETTLEMENT, "USD") == Refused(
        Reason.ALREADY_EXISTS,
        {"bill": "B1", "state": state, "common": "100", "paid": sum_paid, "currency": "EUR"},
    )
    assert book.stands() == before


def test_a_dealer_is_asked_for_before_the_bill_is() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.forget_dealer()
    assert book.send_bill("B1", 100) == Refused(Reason.UNKNOWN_DEALER, {"dealer": "D1"})


def test_a_bill_on_an_account_that_is_not_open_is_refused() -> None:
    book = DealerBook()
    book.kept.accounts[f"{BOOK}|COMMISSION"] = replace(OPEN, state=State.STOPPED)
    del book.kept.accounts[f"{BOOK}|SETTLEMENT"]
    for operation, account, state in ((REWARD, "COMMISSION", "stopped"), (SETTLEMENT, "SETTLEMENT", "none")):
        assert book.draft("B1", 100, operation) == Refused(
            Reason.ACCOUNT_NOT_OPEN, {"dealer": "D1", "account": account, "state": state}
        )


def test_a_bill_that_no_account_can_hold_is_refused() -> None:
    book = DealerBook()
    book.send_bill("B1", MAX_MINOR)
    book.draft("B2", 1)
    assert book.issue("B2") == Refused(
        Reason.AMOUNT_TOO_LARGE,
        {"account": "receivable/COMMISSION", "currency": "EUR", "left": "0", "wanted": "1"},
    )


# ---- paying


def test_a_part_the_rest_and_more() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)

    book.pay("P1", "B1", 40)
    assert book.stands() == "B1 part_paid 40/100, bank 40, receivable/COMMISSION 60, revenue/COMMISSION 100"

    book.pay("P2", "B1", 60)
    assert book.stands() == "B1 paid 100/100, bank 100, revenue/COMMISSION 100"

    book.pay("P3", "B1", 7)
    assert book.stands() == "B1 overpaid 100/100, bank 107, current/COMMISSION 7, revenue/COMMISSION 100"


def test_what_a_payment_has_above_what_is_owed_becomes_the_current_balance() -> None:
    book = DealerBook()
    book.send_bill("B1", 100, SETTLEMENT)
    book.pay("P1", "B1", 30)
    assert book.pay("P2", "B1", 80) == [
        BillPaid(
            bill_id="B1",
            dealer_id=DEALER,
            payment_id="P2",
            named="B1",
            account=AccountType.SETTLEMENT,
            source=Source.BANK,
            received=paid(80),
            applied_minor=70,
            surplus_minor=10,
            paid_minor=100,
            state=BillState.OVERPAID,
        )
    ]
    assert book.balance("current/SETTLEMENT") == 10


def test_a_dealer_who_left_still_pays_his_bills() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.forget_dealer()
    book.pay("P1", "B1", 100)
    assert book.bill("B1").state is BillState.PAID


def test_a_payment_in_another_currency_than_its_bill_is_refused() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    before = book.stands()
    assert book.pay("P1", "B1", 100, "USD") == Refused(
        Reason.CURRENCY_MISMATCH, {"bill": "B1", "currency": "EUR", "paid_in": "USD", "wanted": "100"}
    )
    assert book.stands() == before
    book.pay("P1-corrected", "B1", 90)
    assert book.bill("B1").paid_minor == 90


def test_a_payment_id_is_used_once_even_long_after() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.send_bill("B2", 100)
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
    book.send_bill("B1", 10)
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
    book.send_bill("B1", 100)
    book.pay("P1", "B1", 130)

    sent = book.send_bill("B2", 50)
    assert isinstance(sent, list)
    assert isinstance(sent[0], BillSent)
    assert sent[1:] == [
        BillPaidFromBalance(
            bill_id="B2",
            dealer_id=DEALER,
            account=AccountType.COMMISSION,
            applied=paid(30),
            paid_minor=30,
            state=BillState.PART_PAID,
        )
    ]
    assert book.stands() == (
        "B1 overpaid 100/100, B2 part_paid 30/50, bank 130, receivable/COMMISSION 20, revenue/COMMISSION 150"
    )


def test_a_current_balance_can_pay_a_bill_whole_and_keep_the_rest() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.pay("P1", "B1", 180)
    book.send_bill("B2", 50)
    assert book.bill("B2").state is BillState.PAID
    assert book.balance("current/COMMISSION") == 30


def test_the_current_balance_of_one_account_pays_no_bill_of_another() -> None:
    book = DealerBook()
    book.send_bill("B1", 100, REWARD)
    book.pay("P1", "B1", 130)
    book.send_bill("B2", 50, SETTLEMENT)
    assert book.bill("B2").state is BillState.SENT
    assert book.balance("current/COMMISSION") == 30


def test_the_current_balance_of_one_currency_pays_no_bill_of_another() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.pay("P1", "B1", 130)
    book.send_bill("B2", 50, currency="USD")
    assert book.bill("B2").state is BillState.SENT
    assert book.balance("current/COMMISSION") == 30


def test_a_surplus_leaves_older_open_bills_as_they_are() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.send_bill("B2", 100)
    book.pay("P1", "B2", 150)
    assert book.bill("B1").state is BillState.SENT
    assert book.balance("current/COMMISSION") == 50
