"""Dealer billing through the processor: repetitions, the journal, the dealer's statement (PIPE-05, PIPE-09)."""

import pytest

from schemas.billing import BillingDone
from schemas.dealer_billing import AccountType, BillingPayment
from schemas.dealer_bills import CreateBill
from streams.dealer_billing.room import DealerBilling, Tables
from tests.rooms import DAY, Stage

from .book import BOOK, DEALER, REWARD, DealerBook, paid

pytestmark = pytest.mark.requirement("DLR-05", "DLR-06", "PIPE-05")

BILL = CreateBill(bill_id="B1", dealer_id=DEALER, operation=REWARD, amount=paid(100), text="A car")
PAYMENT = BillingPayment(payment_id="P1", dealer_id=DEALER, bill_id="B1", amount=paid(130))


def issued(bill_id: str) -> BillingDone:
    return BillingDone(
        call_id=f"D1/COMMISSION/bill/{bill_id}", dealer_id=DEALER, account=AccountType.COMMISSION,
        billing_id=f"billing-{bill_id}", url="https://billing.example/1.pdf", bill_id=bill_id,
    )  # fmt: skip


def make_stage() -> Stage:
    kept = DealerBook().kept
    kept.accounts.take_changes()
    return Stage(lambda ledger: DealerBilling(Tables(*kept), ledger), *kept)


def test_a_bill_is_created_once() -> None:
    stage = make_stage()
    assert stage.send(BILL, id="E1").outcome == "accepted"
    assert stage.send(BILL, id="E1").outcome == "duplicate"
    assert stage.send(BILL, id="E2").reason == "already_exists"


def test_a_payment_counts_once_now_and_after_its_id_was_forgotten() -> None:
    stage = make_stage()
    stage.send(BILL)
    stage.send(issued("B1"))
    assert stage.send(PAYMENT, id="E1").outcome == "accepted"
    assert stage.send(PAYMENT, id="E1").outcome == "duplicate"
    assert stage.send(PAYMENT, id="E2").outcome == "duplicate"
    assert stage.send(PAYMENT.model_copy(update={"amount": paid(1)})).reason == "other_content_under_this_id"
    stage.wait(8 * DAY)
    assert stage.send(PAYMENT, id="E1").reason == "already_exists"


def test_one_decision_carries_a_bill_and_all_that_pays_it() -> None:
    stage = make_stage()
    stage.send(PAYMENT)
    stage.send(BILL)
    told = stage.send(issued("B1"))
    assert told.says == ["BillSent", "BillPaid"]
    assert [(line.debit, line.credit, line.amount_minor) for line in told.entry.lines] == [
        ("receivable/COMMISSION", "revenue/COMMISSION", 100),
        ("suspense", "receivable/COMMISSION", 100),
        ("suspense", "current/COMMISSION", 30),
    ]


def test_the_dealers_statement_is_that_of_his_current_balance() -> None:
    stage = make_stage()
    stage.send(BILL)
    stage.send(issued("B1"))
    stage.send(PAYMENT)
    stage.send(BILL.model_copy(update={"bill_id": "B2", "amount": paid(20)}))
    stage.send(issued("B2"))
    assert [
        (line.amount_minor, line.balance_minor, line.text) for line in stage.statement(BOOK, "current/COMMISSION")
    ] == [
        (30, 30, "Payment P1 of bill B1"),
        (-20, 10, "Bill B2, from the current balance"),
    ]
