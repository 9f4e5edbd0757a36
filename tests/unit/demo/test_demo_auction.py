"""What is sold at the demo's auction, and what the demo shows of it."""

import random
from collections import Counter

import pytest

from schemas.dealer_deposits import PriceSegmentGranted, PriceSegmentRevoked
from schemas.fields import Money
from schemas.lots import DealCharged, DealKind, DealTakenBack, DealTerms, LotPriceChanged, LotWinnerChanged
from streams.demo.auction import changes, deposits, payments, returns, sales
from streams.demo.dealers import has_fast_buyout, is_registered
from streams.demo.deals import Commission, Deals, Segment
from streams.demo.world import Scale, make_world

DAY_US = 1_772_409_600_000_000
WORLD = make_world(7, Scale())
NUMBER = {dealer_id: number for number, dealer_id in enumerate(WORLD.dealers)}


def charged(dealer_id: str, lot_id: str, minor: int, version: int = 1, month: str | None = "2026-02") -> DealCharged:
    terms = DealTerms(kind=DealKind.AUCTION, price=Money(amount_minor=minor * 20, currency="EUR"), concluded_at=1)
    return DealCharged(
        dealer_id=dealer_id, lot_id=lot_id, version=version, terms=terms, charged_minor=minor, month=month
    )


@pytest.mark.requirement("DLR-04", "DLR-09")
@pytest.mark.parametrize("factor", [0.1, 0.5, 1.0, 3.0])
def test_no_dealer_is_concerned_by_two_changes_so_that_their_order_does_not_matter(factor: float) -> None:
    scale = Scale().times(factor)
    world = make_world(7, scale)
    deals = {each.lot_id: each for each in sales(random.Random(7), world, scale.lots, DAY_US)}
    changed = list(changes(world, list(deals.values())))
    concerned = Counter(deals[each.lot_id].dealer_id for each in changed)
    concerned.update(each.dealer_id for each in changed if isinstance(each, LotWinnerChanged))
    assert set(concerned.values()) == {1}
    assert {type(each) for each in changed} == {LotPriceChanged, LotWinnerChanged}


@pytest.mark.requirement("DLR-04", "DLR-08")
def test_lots_are_sold_to_those_who_can_be_charged_and_who_takes_no_part_in_fast_buyout_deposits_nothing() -> None:
    deals = sales(random.Random(7), WORLD, 24, DAY_US)
    assert all(is_registered(NUMBER[each.dealer_id]) for each in deals)
    bought = [each for each in deals if each.kind is DealKind.FAST_BUYOUT]
    moved = [*deposits(random.Random(7), WORLD), *returns(WORLD)]
    assert bought
    assert all(has_fast_buyout(NUMBER[each.dealer_id]) for each in (*bought, *moved))


@pytest.mark.requirement("DLR-06")
def test_a_payment_names_the_bill_that_will_be_made_and_pays_all_of_it() -> None:
    deals = sales(random.Random(7), WORLD, 24, DAY_US)
    prices = {each.dealer_id: each for each in deals}
    for payment in payments(random.Random(7), deals):
        deal = prices[payment.dealer_id]
        if deal.kind is DealKind.AUCTION:
            assert payment.bill_id == f"commission:2026-02:EUR:1:{deal.dealer_id}"
            assert payment.amount.amount_minor * 20 == deal.price.amount_minor
        else:
            assert (payment.bill_id, payment.amount) == (f"lot:{deal.lot_id}:1:1", deal.price)


@pytest.mark.requirement("DLR-04", "DLR-09")
def test_commission_is_shown_by_dealer_as_of_the_last_event_of_each_lot() -> None:
    deals = Deals()
    for event in (
        charged("D1", "L1", 50), charged("D1", "L2", 10), charged("D2", "L3", 70), charged("D1", "L1", 40, 2),
        charged("D2", "L4", 9), DealTakenBack(dealer_id="D2", lot_id="L4", version=2, reason="another"),
        charged("D3", "L5", 1_000, month=None),
    ):  # fmt: skip
        deals.take(event)
    assert list(deals.commission()) == [Commission("D2", "EUR", 1, 70), Commission("D1", "EUR", 2, 50)]


@pytest.mark.requirement("DLR-08")
def test_price_segments_are_shown_with_how_many_may_bid_in_them() -> None:
    deals = Deals()
    for dealer, segment in (("D1", "small"), ("D1", "large"), ("D2", "small")):
        about = {"dealer_id": dealer, "segment": segment, "currency": "EUR", "from_minor": 1, "deposit_minor": 1}
        deals.take(PriceSegmentGranted(**about, tier_id="t"))  # type: ignore[arg-type]
        if segment == "large":
            deals.take(PriceSegmentRevoked(**about))  # type: ignore[arg-type]
    assert list(deals.segments()) == [Segment("small", "EUR", 2)]
