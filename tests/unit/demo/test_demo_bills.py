"""What the demo shows of dealers' bills: each as of its last event, summed by state; and who is billed for what."""

import random

import pytest

from schemas.dealer_accounts import AddFastBuyout, RegisterDealer
from schemas.dealer_billing import AccountType, Operation
from schemas.dealer_bills import (
    BillCorrected,
    BillDrafted,
    BillPaid,
    BillPaidFromBalance,
    BillSent,
    BillState,
    BillVoided,
    PaymentWaits,
    Source,
)
from schemas.fields import Fact, Money
from streams.demo.bills import Bill, Bills, BillsIn
from streams.demo.dealers import STRANGER, bills, registrations
from streams.demo.world import Scale, make_world

ON = {"dealer_id": "D1", "account": AccountType.COMMISSION}
URL = "https://billing.example/pdf/1"


def eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def drafted(bill_id: str, common: int) -> BillDrafted:
    return BillDrafted(bill_id=bill_id, **ON, operation=Operation.GET_REWARD, common=eur(common), text="A car")


def sent(bill_id: str, common: int) -> BillSent:
    return BillSent(bill_id=bill_id, **ON, common=eur(common), billing_id="1", url=URL)


def paid(bill_id: str, amount: int, state: BillState) -> BillPaid:
    return BillPaid(
        bill_id=bill_id, **ON, payment_id="P1", named=bill_id, source=Source.BANK, received=eur(amount),
        applied_minor=amount, surplus_minor=0, paid_minor=amount, state=state,
    )  # fmt: skip


def shown(*events: Fact) -> list[BillsIn]:
    found = Bills()
    for event in events:
        found.take(event)
    return list(found.by_state())


@pytest.mark.requirement("DLR-05")
def test_bills_are_summed_by_state_and_one_of_each_state_is_shown() -> None:
    assert shown(
        drafted("B2", 200), drafted("B1", 100), sent("B1", 100), drafted("B3", 300), sent("B3", 300),
        paid("B1", 40, BillState.PART_PAID), paid("B3", 70, BillState.PART_PAID),
    ) == [
        BillsIn(BillState.DRAFT, "EUR", 1, 200, 0, Bill("B2", BillState.DRAFT, "EUR", 200)),
        BillsIn(BillState.PART_PAID, "EUR", 2, 400, 110, Bill("B1", BillState.PART_PAID, "EUR", 100, 40, URL)),
    ]  # fmt: skip


@pytest.mark.requirement("DLR-05", "DLR-06")
def test_a_bill_is_shown_as_of_its_last_event() -> None:
    from_balance = BillPaidFromBalance(bill_id="B1", **ON, applied=eur(60), paid_minor=100, state=BillState.PAID)
    about = {**ON, "reason": "not so", "common": eur(100), "credited_minor": 100}
    told = [drafted("B1", 100), sent("B1", 100), paid("B1", 40, BillState.PART_PAID), from_balance]
    ends = (BillVoided(bill_id="B1", **about), BillCorrected(bill_id="B1", **about, successor_id="B2"))
    assert [(each.state, each.paid_minor) for each in shown(*told)] == [(BillState.PAID, 100)]
    for end, state in zip(ends, (BillState.VOIDED, BillState.CORRECTED), strict=True):
        assert [(each.state, each.paid_minor) for each in shown(*told, end)] == [(state, 0)]


def test_what_is_told_of_a_payment_in_suspense_changes_no_bill() -> None:
    waits = PaymentWaits(payment_id="P1", dealer_id="D1", named="B9", bill_id="B9", amount=eur(1))
    assert shown(waits) == []


@pytest.mark.requirement("DLR-01", "DLR-02")
def test_dealers_are_billed_for_a_settlement_only_if_they_take_part_in_fast_buyout() -> None:
    world = make_world(7, Scale())
    commands = list(registrations(world))
    registered = {each.dealer_id for each in commands if isinstance(each, RegisterDealer)}
    in_buyout = {each.dealer_id for each in commands if isinstance(each, AddFastBuyout)}
    billed = [each for each in bills(random.Random(7), world, 400) if each.dealer_id != STRANGER]
    settled = {each.dealer_id for each in billed if each.operation is Operation.GET_SETTLEMENT}
    assert settled <= in_buyout < registered < set(world.dealers)
    assert {each.dealer_id for each in billed} - registered, "somebody is billed who has not registered"
