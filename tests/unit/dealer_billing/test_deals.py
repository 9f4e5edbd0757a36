"""What dealers are charged for lots, and what becomes of it when a lot changes (DLR-04, DLR-09)."""

import pytest

from schemas.billing import BillingDone, BillingRefused, CallRefused, IssueBill, ReportCommission
from schemas.dealer_billing import AccountType
from schemas.dealer_bills import BillCorrected, BillDrafted, BillVoided, CorrectBill, CreateBill, VoidBill
from schemas.fields import MAX_MINOR
from schemas.lots import (
    ChargeDeal,
    DealAnswer,
    DealCharged,
    DealTakenBack,
    DealTerms,
    LotAnswer,
    TakeBackDeal,
)
from streams.dealer_billing.deal_row import State
from streams.ledger.draft import Refused
from tests.rooms import HOUR

from .book import REWARD, paid
from .market import AUCTION, FAST_BUYOUT, MARCH, Market, rate, said

pytestmark = pytest.mark.requirement("DLR-04")


# ---- commission


def test_a_deal_of_the_auction_is_our_percentage_of_its_price_told_to_billing_at_once() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    buyer = market.buyers["D1"]
    (charged,) = said(buyer, DealCharged)
    assert (charged.charged_minor, charged.month, charged.rate_id) == (50, "2026-03", "r1")
    (report,) = said(buyer, ReportCommission)
    assert (report.call_id, report.contract_id) == ("D1/COMMISSION/commission/L1/1", "contract")
    assert (report.commission_minor, report.currency) == (50, "EUR")
    assert buyer.stands() == ""  # accrued: no bill, no balance


@pytest.mark.parametrize(
    ("price", "commission"), [(10, 1), (9, 0), (30, 2), (29, 1), (1, 0), (MAX_MINOR, MAX_MINOR // 20)]
)
def test_commission_is_rounded_half_up_once(price: int, commission: int) -> None:
    market = Market()
    market.concluded("L1", 1, "D1", price)
    assert market.buyers["D1"].deal("L1").charged_minor == commission


def test_a_deal_has_the_rate_that_was_valid_when_it_was_concluded_whenever_its_price_changes() -> None:
    market = Market()
    market.rates["r2"] = rate("0.1", MARCH + 1, 2)
    market.now = MARCH + HOUR
    market.concluded("L1", 1, "D1", 1_000)
    market.concluded("L2", 1, "D1", 1_000, at=MARCH + 1)
    market.price("L1", 2, 2_000)
    buyer = market.buyers["D1"]
    assert (buyer.deal("L1").charged_minor, buyer.deal("L2").charged_minor) == (100, 100)


@pytest.mark.requirement("DLR-09")
def test_another_price_before_the_months_bill_changes_what_is_accrued_and_billing_hears_of_it() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    market.price("L1", 2, 3_000)
    buyer = market.buyers["D1"]
    assert buyer.reported("L1") == [(1, 50), (2, 150)]
    assert buyer.month("2026-03").total_minor == 150
    assert buyer.stands() == ""


@pytest.mark.requirement("DLR-09")
def test_another_winner_before_the_months_bill_takes_the_commission_with_him() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    market.winner("L1", 2, "D2")
    loser, winner = market.buyers["D1"], market.buyers["D2"]
    assert loser.reported("L1") == [(1, 50), (2, 0)]
    assert (loser.month("2026-03").total_minor, winner.month("2026-03").total_minor) == (0, 50)
    (gone,) = said(loser, DealTakenBack)
    assert (gone.charged_minor, gone.month, gone.bill_id) == (50, "2026-03", None)


# ---- settlements


def test_a_fast_buyout_is_billed_at_once_with_its_whole_price() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000, FAST_BUYOUT)
    buyer = market.buyers["D1"]
    (drafted,) = said(buyer, BillDrafted)
    assert (drafted.bill_id, drafted.account, drafted.common) == ("lot:L1:1:1", AccountType.SETTLEMENT, paid(1_000))
    assert drafted.lot_id == "L1"
    assert said(buyer, IssueBill)
    buyer.issue("lot:L1:1:1")
    assert buyer.stands() == "lot:L1:1:1 sent 0/1000, receivable/SETTLEMENT 1000, revenue/SETTLEMENT 1000"


@pytest.mark.requirement("DLR-09")
def test_another_price_corrects_the_settlement_and_what_was_paid_pays_the_new_one() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000, FAST_BUYOUT)
    buyer = market.buyers["D1"]
    buyer.issue("lot:L1:1:1")
    buyer.pay("P1", "lot:L1:1:1", 1_000)
    market.price("L1", 2, 700)
    (corrected,) = said(buyer, BillCorrected)
    assert (corrected.bill_id, corrected.successor_id) == ("lot:L1:1:1", "lot:L1:2:2")
    buyer.issue("lot:L1:2:2")
    assert buyer.stands() == (
        "lot:L1:1:1 corrected 0/1000, lot:L1:2:2 paid 700/700, "
        "bank 1000, current/SETTLEMENT 300, revenue/SETTLEMENT 700"
    )
    assert buyer.deal("L1").bill_id == "lot:L1:2:2"


@pytest.mark.requirement("DLR-09")
@pytest.mark.parametrize("paid_before", [0, 400, 1_000])
def test_another_winner_voids_the_settlement_and_what_was_paid_stays_with_who_paid_it(paid_before: int) -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000, FAST_BUYOUT)
    loser, winner = market.buyers["D1"], market.buyers["D2"]
    loser.issue("lot:L1:1:1")
    if paid_before:
        loser.pay("P1", "lot:L1:1:1", paid_before)
    market.winner("L1", 2, "D2")
    assert loser.bill("lot:L1:1:1").state == "voided"
    assert (loser.balance("current/SETTLEMENT"), loser.balance("receivable/SETTLEMENT")) == (paid_before, 0)
    assert winner.bill("lot:L1:2:1").common_minor == 1_000
    assert market.lots["lot:L1"].answer is DealAnswer.CHARGED


def test_the_same_price_again_makes_no_other_bill() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000, FAST_BUYOUT)
    market.price("L1", 2, 1_000)
    buyer = market.buyers["D1"]
    assert buyer.stands() == "lot:L1:1:1 draft 0/1000"
    assert (buyer.deal("L1").version, buyer.deal("L1").bills) == (2, 1)


@pytest.mark.requirement("DLR-09")
def test_a_price_in_another_currency_voids_the_bill_and_drafts_another() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000, FAST_BUYOUT)
    market.price("L1", 2, 900, "USD")
    assert market.buyers["D1"].stands() == "lot:L1:1:1 voided 0/1000, lot:L1:2:2 draft 0/900"
    assert market.buyers["D1"].bill("lot:L1:2:2").currency == "USD"


@pytest.mark.requirement("DLR-09")
def test_a_deal_concluded_anew_may_be_of_the_other_kind() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    market.concluded("L1", 2, "D1", 1_000, FAST_BUYOUT)
    buyer = market.buyers["D1"]
    assert (buyer.month("2026-03").deals, buyer.stands()) == ((), "lot:L1:2:1 draft 0/1000")
    market.concluded("L1", 3, "D1", 1_000)
    assert buyer.reported("L1") == [(1, 50), (2, 0), (3, 50)]
    assert buyer.bill("lot:L1:2:1").state == "voided"


# ---- order, answers, and what is nobody else's


@pytest.mark.requirement("DLR-09", "PIPE-05")
def test_a_version_that_is_not_above_the_last_one_heard_changes_nothing() -> None:
    buyer = Market().buyers["D1"]
    terms = DealTerms(kind=AUCTION, price=paid(1_000), concluded_at=MARCH)
    for version in (1, 5):
        buyer.give(ChargeDeal(dealer_id="D1", lot_id="L1", version=version, terms=terms))
    assert buyer.give(TakeBackDeal(dealer_id="D1", lot_id="L1", version=3, reason="late")) == []
    assert buyer.give(ChargeDeal(dealer_id="D1", lot_id="L1", version=5, terms=terms)) == []
    assert buyer.deal("L1").state is State.CHARGED


@pytest.mark.requirement("DLR-09")
def test_what_is_taken_back_before_it_is_charged_stays_so() -> None:
    buyer = Market().buyers["D1"]
    buyer.give(TakeBackDeal(dealer_id="D1", lot_id="L1", version=2, reason="first"))
    terms = DealTerms(kind=AUCTION, price=paid(1_000), concluded_at=MARCH)
    assert buyer.give(ChargeDeal(dealer_id="D1", lot_id="L1", version=1, terms=terms)) == []
    assert buyer.deal("L1").state is State.TAKEN_BACK


@pytest.mark.requirement("DLR-09")
def test_a_dealer_may_lose_a_lot_and_get_it_back() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000, FAST_BUYOUT)
    market.winner("L1", 2, "D2")
    market.winner("L1", 3, "D1")
    assert market.buyers["D1"].stands() == "lot:L1:1:1 voided 0/1000, lot:L1:3:2 draft 0/1000"
    assert market.buyers["D2"].stands() == "lot:L1:2:1 voided 0/1000"


@pytest.mark.requirement("BEY-03")
def test_what_no_account_could_hold_is_refused_and_the_lot_is_told() -> None:
    market = Market()
    market.rates["r1"] = rate("0.999999999")
    market.concluded("L1", 1, "D1", MAX_MINOR)
    market.concluded("L2", 1, "D1", 500)
    market.price("L2", 2, MAX_MINOR)
    buyer = market.buyers["D1"]
    answers = [(answer.lot_id, answer.answer, answer.reason) for answer in said(buyer, LotAnswer)]
    assert answers[-1] == ("L2", DealAnswer.REFUSED, "amount_too_large")
    assert (buyer.deal("L2").version, market.lots["lot:L2"].answer) == (1, DealAnswer.REFUSED)


@pytest.mark.requirement("BEY-03")
def test_bills_that_follow_from_lots_are_nobody_elses() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000, FAST_BUYOUT)
    buyer = market.buyers["D1"]
    buyer.send_bill("B1", 100)
    about = {"bill_id": "lot:L1:1:1", "dealer_id": "D1", "reason": "not so"}
    for command in (
        VoidBill(**about),
        CorrectBill(**about, successor_id="B2", amount=paid(1)),
        CorrectBill(**about | {"bill_id": "B1"}, successor_id="commission:2026-03:EUR:1", amount=paid(1)),
        CreateBill(bill_id="lot:L2:1", dealer_id="D1", operation=REWARD, amount=paid(1), text="a car"),
    ):
        refused = buyer.give(command)
        assert isinstance(refused, Refused)
        assert refused.reason == "not_permitted"
    assert not said(buyer, BillVoided)


def test_what_billing_says_to_a_commission_changes_nothing_but_a_no_is_told() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    buyer = market.buyers["D1"]
    about = {"call_id": "D1/COMMISSION/commission/L1/1", "dealer_id": "D1", "account": AccountType.COMMISSION,
             "lot_id": "L1"}  # fmt: skip
    assert buyer.give(BillingDone(**about, billing_id="c1")) == []
    told = buyer.give(BillingRefused(**about, code="E7", text="no"))
    assert told == [CallRefused(**about, code="E7", text="no")]
