"""A dealer's bills and a prisoner's purchases, on real servers."""

import pytest

from schemas.dealer_billing import (
    BillingPayment,
    BillPaid,
    BillRaised,
    BillStatus,
    Dealer,
    Operation,
    PaymentSuspended,
    RaiseBill,
)
from schemas.fields import Money
from schemas.general_ledger import GeneralLedgerLine
from schemas.prison_finance import (
    AuthorisePurchase,
    CancelPurchase,
    CreditPrisoner,
    Prisoner,
    PrisonerCredited,
    PurchaseAuthorised,
    PurchasePending,
    PurchaseVoided,
    Refused,
    SubAccount,
    SubmitPurchase,
    Supplier,
)
from tests.e2e.world import World, fresh


def eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def gbp(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="GBP")


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
    assert world.told(BillRaised, bill_id=first).status is BillStatus.OPEN
    assert world.told(BillPaid, payment_id=pay(400)).status is BillStatus.PART_PAID
    whole = world.told(BillPaid, payment_id=pay(900))
    assert (whole.status, whole.applied_minor, whole.surplus_minor) == (BillStatus.PAID, 600, 300)
    raise_bill(second, 500)
    raised = world.told(BillRaised, bill_id=second)
    assert (raised.paid_minor, raised.status) == (300, BillStatus.PART_PAID)


@pytest.mark.requirement("DLR-06")
def test_a_payment_that_comes_before_its_bill_waits_in_suspense_and_is_matched(world: World) -> None:
    dealer, bill, payment = fresh("dlr"), fresh("bil"), fresh("pay")
    world.sql("INSERT INTO reference.dealers VALUES (%s, %s, 'Dealer')", dealer, dealer)
    world.told(Dealer, dealer_id=dealer)
    world.send(BillingPayment(payment_id=payment, dealer_id=dealer, bill_id=bill, amount=eur(700)))
    world.told(PaymentSuspended, payment_id=payment)
    world.send(
        RaiseBill(bill_id=bill, dealer_id=dealer, operation=Operation.GET_REWARD, amount=eur(700), url="https://b/1")
    )
    assert world.told(BillPaid, payment_id=payment).status is BillStatus.PAID


@pytest.fixture(scope="module")
def prisoner(world: World) -> str:
    """A prisoner with ten pounds of spends and a hundred of private cash."""
    prisoner, prison = fresh("A"), fresh("PRI")
    world.sql("INSERT INTO reference.prisons VALUES (%s, 'HMP', %s)", prison, prison)
    world.sql("INSERT INTO reference.prisoners (prisoner_id, prison_id) VALUES (%s, %s)", prisoner, prison)
    world.sql("INSERT INTO reference.suppliers VALUES ('CANTEEN', 'Canteen', '2501') ON CONFLICT DO NOTHING")
    world.told(Prisoner, prisoner_id=prisoner)
    world.told(Supplier, supplier_id="CANTEEN")
    for account, amount in ((SubAccount.SPENDS, 1_000), (SubAccount.CASH, 10_000)):
        credit = fresh("crd")
        world.send(
            CreditPrisoner(
                credit_id=credit, prisoner_id=prisoner, sub_account=account, amount=gbp(amount), description="Wage"
            )
        )
        world.told(PrisonerCredited, credit_id=credit)
    return prisoner


def submit(world: World, prisoner: str, amount: int) -> str:
    purchase = fresh("CANTEEN")
    world.send(
        SubmitPurchase(
            purchase_id=purchase,
            prisoner_id=prisoner,
            supplier_id="CANTEEN",
            amount=gbp(amount),
            description="Canteen order",
        )
    )
    return purchase


@pytest.mark.requirement("PRI-02", "PRI-10")
def test_an_authorised_purchase_appends_balanced_general_ledger_lines(world: World, prisoner: str) -> None:
    purchase = submit(world, prisoner, 250)
    world.told(PurchasePending, purchase_id=purchase)
    world.send(AuthorisePurchase(purchase_id=purchase, prisoner_id=prisoner))
    world.told(PurchaseAuthorised, purchase_id=purchase)
    lines = [line for line in world.read(GeneralLedgerLine) if line.transaction_id == purchase]
    assert sorted((line.side, line.amount.amount_minor) for line in lines) == [("credit", 250), ("debit", 250)]


@pytest.mark.requirement("PRI-02")
def test_a_purchase_above_spends_fails_whatever_stands_on_private_cash(world: World, prisoner: str) -> None:
    purchase = submit(world, prisoner, 1_001)
    refusal = world.told(Refused, refused_id=purchase)
    assert refusal.reason == "insufficient_funds"


@pytest.mark.requirement("PRI-10")
def test_a_cancelled_purchase_frees_its_money(world: World, prisoner: str) -> None:
    purchase = submit(world, prisoner, 100)
    world.told(PurchasePending, purchase_id=purchase)
    world.send(CancelPurchase(purchase_id=purchase, prisoner_id=prisoner, reason="out-of-stock"))
    assert world.told(PurchaseVoided, purchase_id=purchase).amount == gbp(100)
