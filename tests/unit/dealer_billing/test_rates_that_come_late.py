"""A rate that change data brings after deals were charged by the one before it: they are charged anew (DLR-04)."""

import pytest

from schemas.dealer_bills import BillCorrected
from schemas.fields import MAX_MINOR
from schemas.lots import DealCharged
from streams.dealer_billing.conditions import hear_policy, hear_rate
from tests.rooms import HOUR, moment

from .market import FAST_BUYOUT, MARCH, Market, rate, said

pytestmark = pytest.mark.requirement("DLR-04")

DEARER = rate("0.1", MARCH, 2)
BILLED = "2026-04-02T00:00:00+03:00"


def test_a_deal_that_was_charged_by_the_rate_before_is_charged_by_its_own_when_that_comes() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    market.concluded("L2", 1, "D1", 1_000, at=MARCH - 1)
    market.hear_rate(DEARER)
    market.tick(MARCH + HOUR)
    buyer = market.buyers["D1"]
    assert (buyer.deal("L1").charged_minor, buyer.deal("L2").charged_minor) == (100, 50)
    assert (buyer.reported("L1"), buyer.reported("L2")) == ([(1, 50), (2, 100)], [(1, 50)])
    assert buyer.month("2026-03").total_minor == 150
    assert [charged.rate_id for charged in said(buyer, DealCharged)] == ["r1", "r1", "r2"]
    assert market.tick(MARCH + 2 * HOUR) == []


def test_the_bill_of_its_month_is_corrected_and_what_was_paid_pays_the_other_one() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    market.tick(BILLED)
    buyer = market.buyers["D1"]
    first, second = (f"commission:2026-03:EUR:{number}:D1" for number in (1, 2))
    buyer.issue(first)
    buyer.pay("P1", first, 50)
    market.hear_rate(DEARER)
    market.tick(moment(BILLED) + HOUR)
    (corrected,) = said(buyer, BillCorrected)
    assert (corrected.reason, corrected.successor_id) == ("Commission of 2026-03: lot L1 has another rate", second)
    buyer.issue(second)
    assert buyer.bill(second).state == "part_paid"
    assert (buyer.bill(second).owed_minor, buyer.balance("receivable/COMMISSION")) == (50, 50)


def test_a_rate_changes_nothing_of_a_settlement_a_deal_taken_back_or_a_commission_that_stays_the_same() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000, FAST_BUYOUT)
    market.concluded("L2", 1, "D1", 1_000)
    market.winner("L2", 2, "D2")
    market.concluded("L3", 1, "D1", 1)
    told = len(market.buyers["D1"].said)
    market.hear_rate(DEARER)
    market.tick(MARCH + HOUR)
    assert len(market.buyers["D1"].said) == told
    assert market.buyers["D2"].deal("L2").charged_minor == 100
    assert market.tick(MARCH + 2 * HOUR) == []


def test_a_rate_that_is_told_again_has_no_deal_looked_at() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    buyer = market.buyers["D1"]
    buyer.deals.take_changes()
    hear_rate(market.rates, buyer.deals, "r1", rate("0.05"))
    assert buyer.deals.take_changes() == []


def test_a_rate_or_a_policy_that_is_gone_is_dropped() -> None:
    market = Market()
    buyer = market.buyers["D1"]
    for _ in range(2):
        hear_rate(market.rates, buyer.deals, "r1", None)
        hear_policy(market.policies, buyer.months, "commission", None)
    assert (len(market.rates), len(market.policies)) == (0, 0)


def test_what_no_month_could_hold_is_tried_again_every_hour() -> None:
    market = Market()
    market.rates["r1"] = rate("0.5")
    market.concluded("L1", 1, "D1", MAX_MINOR)
    market.concluded("L2", 1, "D1", MAX_MINOR)
    market.hear_rate(rate("0.6", MARCH, 2))
    buyer = market.buyers["D1"]
    market.tick(MARCH + HOUR)
    assert [buyer.deal(lot_id).charged_minor for lot_id in ("L1", "L2")] == [MAX_MINOR // 2] * 2
    market.winner("L1", 2, "D2")
    market.tick(MARCH + 2 * HOUR)
    assert buyer.deal("L2").charged_minor == MAX_MINOR // 5 * 3
    assert market.buyers["D2"].deal("L1").charged_minor == MAX_MINOR // 5 * 3
