"""A dealer's bills, and what becomes of prisoners' purchases; how they are paid is in `test_purchase_flows`."""

import time

import pytest

from schemas.dealer_billing import BillingPayment, Dealer, Operation, RaiseBill
from schemas.dealer_bills import BillPaid, BillPaidFromBalance, BillSent, BillState, PaymentWaits
from schemas.fields import Money
from schemas.general_ledger import (
    CorrectLines,
    LineRefusal,
    LinesAreCorrected,
    LinesAreRefused,
    LinesProcessed,
    LinesRefused,
)
from schemas.prison_advances import AdvanceActive, AdvancePending, AdvanceRepaid, AdvanceWrittenOff, WriteOffAdvance
from schemas.prison_finance import (
    AuthorisePurchase,
    CancelPurchase,
    PurchasePending,
    PurchaseProcessed,
    PurchaseRefunded,
    PurchaseVoided,
    RefundPurchase,
    Refused,
)
from tests.e2e.prison import HOUR_US, Prison, entries, gbp
from tests.e2e.world import World, fresh


def eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


@pytest.mark.requirement("DLR-05", "DLR-06")
def test_a_bill_is_paid_in_part_then_in_whole_and_the_surplus_pays_the_next_bill(world: World) -> None:
    dealer, first, second = fresh("dlr"), fresh("bil"), fresh("bil")
    world.sql("INSERT INTO reference.dealers VALUES (%s, %s, 'Dealer')", dealer, dealer)
    world.told(Dealer, dealer_id=dealer)

    def raise_bill(bill: str, amount: int) -> None:
        world.send(
            RaiseBill(
                bill_id=bill,
                dealer_id=dealer,
                operation=Operation.GET_SETTLEMENT,
                amount=eur(amount),
                url="https://billing.example/1.pdf",
            )
        )

    def pay(amount: int) -> str:
        payment = fresh("pay")
        world.send(BillingPayment(payment_id=payment, dealer_id=dealer, bill_id=first, amount=eur(amount)))
        return payment

    raise_bill(first, 1_000)
    assert world.told(BillSent, bill_id=first).common == eur(1_000)
    assert world.told(BillPaid, payment_id=pay(400)).state is BillState.PART_PAID
    whole = world.told(BillPaid, payment_id=pay(900))
    assert (whole.state, whole.applied_minor, whole.surplus_minor) == (BillState.OVERPAID, 600, 300)
    raise_bill(second, 500)
    paid = world.told(BillPaidFromBalance, bill_id=second)
    assert (paid.paid_minor, paid.state) == (300, BillState.PART_PAID)


@pytest.mark.requirement("DLR-06")
def test_a_payment_that_comes_before_its_bill_waits_in_suspense_and_is_matched(world: World) -> None:
    dealer, bill, payment = fresh("dlr"), fresh("bil"), fresh("pay")
    world.sql("INSERT INTO reference.dealers VALUES (%s, %s, 'Dealer')", dealer, dealer)
    world.told(Dealer, dealer_id=dealer)
    world.send(BillingPayment(payment_id=payment, dealer_id=dealer, bill_id=bill, amount=eur(700)))
    world.told(PaymentWaits, payment_id=payment)
    world.send(
        RaiseBill(bill_id=bill, dealer_id=dealer, operation=Operation.GET_REWARD, amount=eur(700), url="https://b/1")
    )
    assert world.told(BillPaid, payment_id=payment).state is BillState.PAID


@pytest.fixture(scope="module")
def prison(world: World) -> Prison:
    return Prison(world)


@pytest.mark.requirement("PRI-10")
def test_a_cancelled_purchase_frees_its_money(world: World, prison: Prison) -> None:
    prisoner = prison.prisoner(spends=100)
    purchase = prison.submit(prisoner, {"CANTEEN": 100}, "spends")
    world.told(PurchasePending, purchase_id=purchase)
    world.send(CancelPurchase(purchase_id=purchase, prisoner_id=prisoner, reason="out-of-stock"))
    assert world.told(PurchaseVoided, purchase_id=purchase).total == gbp(100)


@pytest.mark.requirement("PRI-12")
def test_an_advance_is_repaid_out_of_a_later_credit_and_the_rest_written_off(world: World, prison: Prison) -> None:
    prisoner = prison.prisoner()
    purchase = prison.submit(prisoner, {"CANTEEN": 500}, "advance", prison.governor)
    world.told(AdvancePending, advance_id=purchase)
    three_days_ago = time.time_ns() // 1_000 - 72 * HOUR_US
    world.send(AuthorisePurchase(purchase_id=purchase, prisoner_id=prisoner), at=three_days_ago)
    world.told(AdvanceActive, advance_id=purchase)
    prison.credit(prisoner, 1_000)
    repaid = world.told(AdvanceRepaid, advance_id=purchase)
    assert (repaid.amount, repaid.outstanding_minor) == (gbp(300), 200)
    assert entries(prison.lines(repaid.transaction_id)) == [("2102", "1502", 300)]
    given_up = {"advance_id": purchase, "prisoner_id": prisoner, "reason": "released"}
    world.send(WriteOffAdvance(**given_up, written_off_by="nobody"))
    assert world.told(Refused, refused_id=purchase).reason == "not_authorised"
    world.send(WriteOffAdvance(**given_up, written_off_by=prison.governor))
    assert world.told(AdvanceWrittenOff, advance_id=purchase).amount == gbp(200)


@pytest.mark.requirement("PRI-13")
def test_a_refund_goes_back_to_where_the_money_came_from_and_not_twice(world: World, prison: Prison) -> None:
    prisoner = prison.prisoner(spends=100, cash=100)
    purchase = prison.submit(prisoner, {"CANTEEN": 150}, "spends cash")
    prison.parts(purchase)
    prison.authorise(prisoner, purchase)
    for refund in ("first", "second"):
        taken_back = RefundPurchase(
            refund_id=f"{purchase}-{refund}", purchase_id=purchase, prisoner_id=prisoner, payments=(), reason="Spoilt"
        )
        world.send(taken_back)
    refunded = world.told(PurchaseRefunded, purchase_id=purchase)
    assert [(part.account, part.amount_minor) for part in refunded.parts] == [("cash", 50), ("spends", 100)]
    assert world.told(Refused, refused_id=f"{purchase}-second").reason == "exceeds_purchase"


@pytest.mark.requirement("PRI-11")
def test_a_refused_transaction_is_corrected_and_processed(world: World, prison: Prison) -> None:
    prisoner = prison.prisoner(spends=100)
    purchase = prison.submit(prisoner, {"BT": 100}, "spends")
    prison.parts(purchase)
    prison.authorise(prisoner, purchase)
    transaction = {"prisoner_id": prisoner, "transaction_id": purchase}
    first = prison.lines(purchase)
    reasons = (LineRefusal(line_id=first[1].line_id, reason="unknown account"),)
    world.send(LinesRefused(**transaction, file="adi/1.xlsx", reasons=reasons))
    world.told(LinesAreRefused, transaction_id=purchase)
    world.send(CorrectLines(**transaction, correction_id=fresh("cor")))
    world.told(LinesAreCorrected, transaction_id=purchase)
    again = prison.lines(purchase)[2:]
    assert [line.corrects for line in again] == [line.line_id for line in first]
    taken = tuple(line.line_id for line in again)
    world.send(LinesProcessed(**transaction, file="adi/2.xlsx", line_ids=taken))
    assert world.told(PurchaseProcessed, purchase_id=purchase)
