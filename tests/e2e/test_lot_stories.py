"""Lots on the real stack: commission, settlements, and what becomes of both when a lot changes (DLR-04, DLR-09)."""

import pytest

from schemas.billing import BillingDone, ReportCommission
from schemas.dealer_billing import AccountType
from schemas.dealer_bills import BillCorrected, BillDrafted, BillPaid, BillPaidFromBalance, BillState, BillVoided
from schemas.ledger import Outcome
from schemas.lots import (
    CommissionBilled,
    CommissionUnbilled,
    DealAnswer,
    DealCharged,
    DealKind,
    DealTakenBack,
    DealWaits,
    LotDealAnswered,
    LotEventWaits,
    LotPriceChanged,
    LotRefused,
    LotSold,
)
from tests.e2e.dealer import DealerStory, eur
from tests.e2e.lots import LONG_AGO, LotStory, five_per_cent
from tests.e2e.world import World, fresh

pytestmark = pytest.mark.requirement("DLR-04")


def registered(world: World) -> DealerStory:
    five_per_cent(world)
    story = DealerStory(world)
    story.register()
    story.add_fast_buyout()
    for account in AccountType:
        story.open(account)
    return story


@pytest.fixture(scope="module")
def dealer(world: World) -> DealerStory:
    return registered(world)


@pytest.fixture(scope="module")
def other(world: World) -> DealerStory:
    return registered(world)


# ---- commission


@pytest.mark.requirement("DLR-09")
def test_a_deal_is_our_percentage_for_billing_and_so_is_each_other_price(world: World, dealer: DealerStory) -> None:
    lot = LotStory(world)
    assert world.decided(lot.concluded(dealer.dealer_id, 100_010)).outcome is Outcome.ACCEPTED
    charged = world.told(DealCharged, lot_id=lot.lot_id)
    assert (charged.charged_minor, charged.rate_id) == (5_001, "r1")
    report = world.told(ReportCommission, lot_id=lot.lot_id)
    assert (report.commission_minor, report.version) == (5_001, 1)
    about = {"call_id": report.call_id, "dealer_id": dealer.dealer_id, "account": AccountType.COMMISSION}
    done = world.send(BillingDone(**about, billing_id="c-1", lot_id=lot.lot_id))
    assert world.decided(done).outcome is Outcome.ACCEPTED
    lot.price(80_000)
    assert world.told(ReportCommission, lot_id=lot.lot_id, version=2).commission_minor == 4_000
    world.told(LotDealAnswered, lot_id=lot.lot_id, version=2, answer=DealAnswer.CHARGED)


@pytest.mark.requirement("DLR-09")
def test_a_month_that_is_over_is_billed_once_and_its_bill_follows_the_lot_after_payment(
    world: World, dealer: DealerStory, other: DealerStory
) -> None:
    lot = LotStory(world)
    lot.concluded(dealer.dealer_id, 100_000, days_ago=LONG_AGO)
    billed = world.told(CommissionBilled, lots=(lot.lot_id,))
    assert (billed.dealer_id, billed.total, billed.number) == (dealer.dealer_id, eur(5_000), 1)
    dealer.issue(billed.bill_id)
    world.told(BillPaid, payment_id=dealer.pay(billed.bill_id, 5_000), state=BillState.PAID)
    lot.price(60_000)
    corrected = world.told(BillCorrected, bill_id=billed.bill_id, dealer_id=dealer.dealer_id)
    assert corrected.credited_minor == 5_000
    dealer.issue(corrected.successor_id)
    paid = world.told(BillPaidFromBalance, bill_id=corrected.successor_id, dealer_id=dealer.dealer_id)
    assert (paid.paid_minor, paid.state) == (3_000, BillState.PAID)
    lot.winner(other.dealer_id)
    voided = world.told(BillVoided, bill_id=corrected.successor_id, dealer_id=dealer.dealer_id)
    assert voided.credited_minor == 3_000
    assert world.told(CommissionUnbilled, dealer_id=dealer.dealer_id).month == billed.month
    his = world.told(CommissionBilled, dealer_id=other.dealer_id, month=billed.month)
    assert (his.total, his.lots) == (eur(3_000), (lot.lot_id,))
    assert len([each for each in world.read(CommissionBilled) if each.dealer_id == dealer.dealer_id]) == 2


def test_after_a_standstill_each_month_that_has_ended_has_its_own_bill(world: World) -> None:
    dealer = registered(world)
    lots = [LotStory(world) for _ in range(3)]
    world.worker.stop()
    for number, lot in enumerate(lots):
        lot.concluded(dealer.dealer_id, 100_000, days_ago=LONG_AGO + 31 * number)
    world.worker.start()
    billed = [world.told(CommissionBilled, lots=(lot.lot_id,)) for lot in lots]
    assert len({each.month for each in billed}) == 3
    assert {(each.dealer_id, each.total) for each in billed} == {(dealer.dealer_id, eur(5_000))}
    late = LotStory(world)  # for a month that has its bill
    late.concluded(dealer.dealer_id, 40_000, days_ago=LONG_AGO)
    following = world.told(CommissionBilled, lots=(late.lot_id,))
    assert following.month > max(each.month for each in billed)


# ---- settlements


@pytest.mark.requirement("DLR-09")
def test_another_price_corrects_a_settlement_that_is_paid(world: World, dealer: DealerStory) -> None:
    lot = LotStory(world)
    lot.concluded(dealer.dealer_id, 1_000, DealKind.FAST_BUYOUT)
    first = world.told(BillDrafted, lot_id=lot.lot_id)
    assert (first.account, first.common) == (AccountType.SETTLEMENT, eur(1_000))
    dealer.issue(first.bill_id)
    world.told(BillPaid, payment_id=dealer.pay(first.bill_id, 1_000), state=BillState.PAID)
    lot.price(1_200)
    second = world.told(BillDrafted, lot_id=lot.lot_id, corrects=first.bill_id)
    dealer.issue(second.bill_id)
    paid = world.told(BillPaidFromBalance, bill_id=second.bill_id)
    assert (paid.paid_minor, paid.state) == (1_000, BillState.PART_PAID)
    world.told(BillPaid, payment_id=dealer.pay(second.bill_id, 200), state=BillState.PAID)


@pytest.mark.requirement("DLR-09")
@pytest.mark.parametrize("paid", [0, 400])
def test_another_winner_takes_the_settlement_over_and_the_money_stays_with_who_paid(
    world: World, dealer: DealerStory, other: DealerStory, paid: int
) -> None:
    lot = LotStory(world)
    lot.concluded(dealer.dealer_id, 1_000, DealKind.FAST_BUYOUT)
    first = world.told(BillDrafted, lot_id=lot.lot_id, dealer_id=dealer.dealer_id)
    dealer.issue(first.bill_id)
    if paid:
        world.told(BillPaid, payment_id=dealer.pay(first.bill_id, paid))
    lot.winner(other.dealer_id)
    assert world.told(BillVoided, bill_id=first.bill_id, dealer_id=dealer.dealer_id).credited_minor == paid
    assert world.told(DealTakenBack, lot_id=lot.lot_id, dealer_id=dealer.dealer_id).bill_id == first.bill_id
    second = world.told(BillDrafted, lot_id=lot.lot_id, dealer_id=other.dealer_id)
    assert second.common == eur(1_000)
    other.issue(second.bill_id)
    world.told(BillPaid, payment_id=other.pay(second.bill_id, 1_000), state=BillState.PAID)


# ---- disorder, and who cannot be charged


@pytest.mark.requirement("DLR-09", "PIPE-05")
def test_versions_are_taken_in_their_order_each_once(world: World, dealer: DealerStory) -> None:
    lot = LotStory(world)
    early = LotPriceChanged(lot_id=lot.lot_id, version=2, price=eur(50_000))
    world.send(early)
    assert world.told(LotEventWaits, lot_id=lot.lot_id).awaited == 1
    lot.concluded(dealer.dealer_id, 100_000)
    assert world.told(LotSold, lot_id=lot.lot_id, version=2).terms.price == eur(50_000)
    assert world.decided(world.send(early)).outcome is Outcome.DUPLICATE
    world.send(early.model_copy(update={"price": eur(1)}))
    assert world.told(LotRefused, lot_id=lot.lot_id).reason == "other_content_under_this_id"
    assert world.told(DealCharged, lot_id=lot.lot_id, version=2).charged_minor == 2_500


@pytest.mark.requirement("BEY-03")
def test_a_deal_of_somebody_whom_nobody_knows_waits_and_the_lot_is_told(world: World, dealer: DealerStory) -> None:
    lot, stranger = LotStory(world), fresh("dlr")
    lot.concluded(stranger, 100_000)
    assert world.told(DealWaits, dealer_id=stranger).reason == "unknown_dealer"
    told = world.told(LotDealAnswered, lot_id=lot.lot_id)
    assert (told.answer, told.reason) == (DealAnswer.WAITS, "unknown_dealer")
    lot.winner(dealer.dealer_id)
    assert world.told(DealCharged, lot_id=lot.lot_id).dealer_id == dealer.dealer_id


@pytest.mark.requirement("PIPE-09")
def test_the_auditor_finds_nothing_to_say_of_lots(world: World, dealer: DealerStory) -> None:
    lot = LotStory(world)
    lot.concluded(dealer.dealer_id, 100_000)
    world.told(LotDealAnswered, lot_id=lot.lot_id)
    done = world.command("streams", "audit", "--wait", "60")
    assert done.returncode == 0, done.stdout
