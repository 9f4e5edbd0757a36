"""Deals that cannot be charged yet: they wait, are told so, and are tried again; nothing is lost (DLR-04, DLR-09)."""

import pytest

from schemas.dealer_billing import AccountType
from schemas.lots import DealAnswer, DealKind, DealWaits
from streams.dealer_billing.deal_row import State
from tests.rooms import DAY, HOUR

from .book import OPEN
from .market import AUCTION, FAST_BUYOUT, MARCH, Buyer, Market, rate, said

pytestmark = pytest.mark.requirement("DLR-04")


def close(buyer: Buyer, account: AccountType) -> None:
    del buyer.kept.accounts[f"{buyer.book}|{account}"]


def open_again(buyer: Buyer, account: AccountType) -> None:
    buyer.kept.accounts[f"{buyer.book}|{account}"] = OPEN


@pytest.mark.parametrize(
    ("kind", "account"), [(AUCTION, AccountType.COMMISSION), (FAST_BUYOUT, AccountType.SETTLEMENT)]
)
def test_a_deal_waits_for_its_account_and_the_lot_is_told_then_and_again(kind: DealKind, account: AccountType) -> None:
    market = Market()
    buyer = market.buyers["D1"]
    close(buyer, AccountType.COMMISSION)
    buyer.forget_dealer()
    market.concluded("L1", 1, "D1", 1_000)
    (waits,) = said(buyer, DealWaits)
    assert (waits.reason, waits.figures) == ("unknown_dealer", {"dealer": "D1"})


def test_a_deal_waits_for_a_rate_and_for_a_policy() -> None:
    market = Market()
    del market.rates["r1"]
    market.concluded("L1", 1, "D1", 1_000)
    market.rates["r1"] = rate("0.05")
    del market.policies["commission"]
    market.concluded("L2", 1, "D1", 1_000)
    buyer = market.buyers["D1"]
    assert [waits.reason for waits in said(buyer, DealWaits)] == ["no_commission_rate", "no_commission_policy"]
    market.set_policy("Europe/Moscow", 1)
    market.tick(MARCH + HOUR)
    assert buyer.month("2026-03").total_minor == 100


@pytest.mark.requirement("DLR-09")
def test_a_deal_that_waits_may_be_taken_back_or_have_another_price() -> None:
    market = Market()
    buyer = market.buyers["D1"]
    close(buyer, AccountType.COMMISSION)
    market.concluded("L1", 1, "D1", 1_000)
    market.concluded("L2", 1, "D1", 1_000)
    market.price("L1", 2, 2_000)
    market.winner("L2", 2, "D2")
    open_again(buyer, AccountType.COMMISSION)
    market.tick(MARCH + HOUR)
    assert (buyer.deal("L1").charged_minor, buyer.deal("L2").state) == (100, State.TAKEN_BACK)
    assert buyer.reported("L2") == []


@pytest.mark.requirement("DLR-09")
def test_a_settlement_that_billing_refuses_is_drafted_again_a_day_later() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000, FAST_BUYOUT)
    buyer = market.buyers["D1"]
    buyer.refuse("lot:L1:1:1")
    market.gather()
    market.deliver()
    (waits,) = said(buyer, DealWaits)
    assert (waits.reason, waits.figures["code"]) == ("refused_by_billing", "E7")
    assert market.lots["lot:L1"].answer is DealAnswer.WAITS
    market.tick(MARCH + DAY)
    assert buyer.stands() == "lot:L1:1:1 voided 0/1000, lot:L1:1:2 draft 0/1000"
    assert market.lots["lot:L1"].answer is DealAnswer.CHARGED
