"""The monthly bill of commission: once for each dealer, month and currency, by ticks (DLR-04, DLR-09)."""

import pytest

from schemas.dealer_bills import BillDrafted
from schemas.lots import CommissionUnbilled
from streams.dealer_billing import commission
from streams.dealer_billing.commission import Month
from streams.processing import TOPIC_OF
from tests.rooms import DAY, HOUR, moment, shared_codec

from .book import paid
from .market import FAST_BUYOUT, MARCH, Market

pytestmark = pytest.mark.requirement("DLR-04")

FEBRUARY, APRIL, MAY = (moment(f"2026-0{number}-10T12:00:00Z") for number in (2, 4, 5))
BILLED = "2026-04-02T00:00:00+03:00"
FIRST, SECOND, THIRD = (f"commission:2026-03:EUR:{number}:D1" for number in (1, 2, 3))
HIS = "commission:2026-03:EUR:1:D2"


def two_deals() -> Market:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    market.concluded("L2", 1, "D1", 2_000)
    return market


def billed() -> Market:
    market = two_deals()
    market.tick(BILLED)
    return market


def test_a_month_is_billed_once_so_many_days_after_its_end_in_the_policys_zone() -> None:
    market = two_deals()
    assert market.tick(moment(BILLED) - 1) == []
    market.tick(BILLED)
    market.tick(moment(BILLED) + DAY)
    buyer = market.buyers["D1"]
    assert buyer.billed() == [(FIRST, 150, ("L1", "L2"))]
    (drafted,) = [each for each in buyer.said if isinstance(each, BillDrafted)]
    assert (drafted.common, drafted.month, drafted.text) == (paid(150), "2026-03", "Commission of 2026-03")
    buyer.issue(FIRST)
    assert buyer.stands() == f"{FIRST} sent 0/150, receivable/COMMISSION 150, revenue/COMMISSION 150"


@pytest.mark.parametrize(
    ("zone", "concluded", "month"),
    [
        ("Europe/Moscow", "2026-03-31T20:59:59Z", "2026-03"),
        ("Europe/Moscow", "2026-03-31T21:00:00Z", "2026-04"),
        ("UTC", "2026-03-31T23:59:59Z", "2026-03"),
        ("Pacific/Auckland", "2026-12-31T12:00:00Z", "2027-01"),
    ],
)
def test_a_deals_month_is_that_of_its_conclusion_in_the_policys_zone(zone: str, concluded: str, month: str) -> None:
    market = Market()
    market.set_policy(zone, 0)
    market.now = moment("2027-02-01T00:00:00Z")
    market.concluded("L1", 1, "D1", 1_000, at=moment(concluded))
    assert market.buyers["D1"].deal("L1").month == month


def test_after_a_standstill_over_several_months_ends_each_has_its_own_bill() -> None:
    market = Market()
    market.now = MAY
    for number, at in enumerate((FEBRUARY, MARCH, APRIL, MARCH)):
        market.concluded(f"L{number}", 1, "D1", 1_000, at=at)
    market.tick(MAY)
    assert market.buyers["D1"].billed() == [
        ("commission:2026-02:EUR:1:D1", 50, ("L0",)),
        (FIRST, 100, ("L1", "L3")),
        ("commission:2026-04:EUR:1:D1", 50, ("L2",)),
    ]
    assert market.tick(MAY + DAY) == []


def test_every_dealer_and_currency_has_a_bill_of_its_own() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    market.concluded("L2", 1, "D2", 1_000)
    market.concluded("L3", 1, "D1", 1_000, currency="USD")
    market.tick(BILLED)
    assert [each[0] for each in market.buyers["D1"].billed()] == [FIRST, "commission:2026-03:USD:1:D1"]
    assert [each[0] for each in market.buyers["D2"].billed()] == [HIS]


def test_a_deal_that_is_told_late_goes_on_the_next_bill() -> None:
    market = billed()
    market.concluded("L3", 1, "D1", 3_000)
    buyer = market.buyers["D1"]
    assert buyer.deal("L3").month == "2026-04"
    market.tick(MAY)
    assert buyer.billed()[1:] == [("commission:2026-04:EUR:1:D1", 150, ("L3",))]


def test_a_deal_that_is_told_late_for_a_month_without_a_bill_makes_one() -> None:
    market = Market()
    market.now = MAY
    market.concluded("L1", 1, "D1", 1_000)
    market.tick(MAY)
    assert market.buyers["D1"].billed() == [(FIRST, 50, ("L1",))]


def test_there_is_no_bill_for_nothing() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1)
    assert market.tick(BILLED) == []
    market.price("L1", 2, 1_000)
    market.tick(BILLED)
    assert market.buyers["D1"].billed() == [(FIRST, 50, ("L1",))]


def test_a_full_month_lets_the_next_deal_go_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commission, "MAX_DEALS", 2)
    market = two_deals()
    market.concluded("L3", 1, "D1", 1_000)
    assert market.buyers["D1"].deal("L3").month == "2026-04"


# ---- after the bill


@pytest.mark.requirement("DLR-09")
def test_another_price_after_the_bill_corrects_it() -> None:
    market = billed()
    buyer = market.buyers["D1"]
    buyer.issue(FIRST)
    buyer.pay("P1", FIRST, 150)
    market.price("L2", 2, 1_000)
    buyer.issue(SECOND)
    assert buyer.billed()[1] == (SECOND, 100, ("L1", "L2"))
    assert buyer.stands() == (
        f"{FIRST} corrected 0/150, {SECOND} paid 100/100, bank 150, current/COMMISSION 50, revenue/COMMISSION 100"
    )


@pytest.mark.requirement("DLR-09")
def test_another_winner_after_the_bill_corrects_it_and_the_last_deal_gone_voids_it() -> None:
    market = billed()
    loser, winner = market.buyers["D1"], market.buyers["D2"]
    market.winner("L1", 2, "D2")
    assert loser.stands() == f"{FIRST} corrected 0/150, {SECOND} draft 0/100"
    market.winner("L2", 2, "D2")
    assert loser.stands() == f"{FIRST} corrected 0/150, {SECOND} voided 0/100"
    market.tick(BILLED)
    assert winner.billed() == [(HIS, 150, ("L1", "L2"))]
    assert len(loser.billed()) == 2


@pytest.mark.requirement("DLR-09")
def test_a_month_whose_bill_was_voided_has_another_one_when_a_deal_comes_back() -> None:
    market = billed()
    for version, dealer in ((2, "D2"), (3, "D1")):
        market.winner("L1", version, dealer)
        market.winner("L2", version, dealer)
    loser = market.buyers["D1"]
    market.tick(moment(BILLED) + HOUR)
    assert loser.billed()[-1] == (THIRD, 150, ("L1", "L2"))


@pytest.mark.requirement("DLR-09")
def test_a_deal_that_is_concluded_anew_goes_back_to_its_month_where_that_has_no_bill_without_it() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    market.tick(BILLED)
    buyer = market.buyers["D1"]
    buyer.issue(FIRST)
    buyer.pay("P1", FIRST, 50)
    market.concluded("L1", 2, "D1", 2_000, at=MARCH + 1)
    assert (buyer.bill(FIRST).state, buyer.deal("L1").month) == ("voided", "2026-03")
    market.tick(moment(BILLED) + HOUR)
    buyer.issue(SECOND)
    assert buyer.billed()[1:] == [(SECOND, 100, ("L1",))]
    assert (buyer.bill(SECOND).paid_minor, buyer.balance("current/COMMISSION")) == (50, 0)


@pytest.mark.requirement("DLR-09")
def test_a_price_that_leaves_the_commission_as_it_was_leaves_the_bill() -> None:
    market = billed()
    market.price("L1", 2, 1_001)
    buyer = market.buyers["D1"]
    assert buyer.stands() == f"{FIRST} draft 0/150"
    assert buyer.reported("L1") == [(1, 50), (2, 50)]


@pytest.mark.requirement("DLR-09")
def test_a_bill_that_billing_refuses_is_drafted_again_a_day_later_with_what_there_is_by_then() -> None:
    market = billed()
    buyer = market.buyers["D1"]
    buyer.now = moment(BILLED)
    buyer.refuse(FIRST)
    (unbilled,) = [each for each in buyer.said if isinstance(each, CommissionUnbilled)]
    assert unbilled.bill_at == moment(BILLED) + DAY
    market.concluded("L3", 1, "D1", 1_000)
    assert market.tick(moment(BILLED) + HOUR) == []
    market.tick(moment(BILLED) + DAY)
    assert buyer.billed()[-1] == (SECOND, 200, ("L1", "L2", "L3"))


def test_a_policy_that_is_taken_away_stops_billing_and_a_later_day_puts_it_off() -> None:
    market = two_deals()
    del market.policies["commission"]
    assert market.tick(BILLED) == []
    market.set_policy("Europe/Moscow", 5)
    assert market.tick(moment(BILLED) + HOUR) == []
    market.tick(moment(BILLED) + 4 * DAY)
    assert market.buyers["D1"].billed() == [(FIRST, 150, ("L1", "L2"))]


def test_a_policy_that_bills_earlier_counts_for_the_months_that_are_not_billed() -> None:
    market = Market()
    market.hear_policy("Europe/Moscow", 31)
    market.concluded("L1", 1, "D1", 1_000, at=FEBRUARY)
    market.concluded("L2", 1, "D1", 2_000)
    market.concluded("L3", 1, "D2", 1)
    market.tick("2026-04-01T12:00:00Z")
    market.hear_policy("Europe/Moscow", 1)
    assert market.tick(moment(BILLED) - 1) == []
    market.tick(BILLED)
    buyer = market.buyers["D1"]
    assert [bill_id for bill_id, _, _ in buyer.billed()] == ["commission:2026-02:EUR:1:D1", FIRST]
    buyer.months.take_changes()
    market.hear_policy("Europe/Moscow", 1)
    market.hear_policy("UTC", 5)
    assert [key for key, _ in buyer.months.take_changes()] == []


@pytest.mark.requirement("PIPE-12")
def test_what_is_said_of_the_longest_ids_can_be_read_again() -> None:
    dealer = "d" * 96
    market = Market(dealer)
    market.concluded("a" * 64, 1, dealer, 1_000)
    market.concluded("b" * 64, 1, dealer, 1_000, FAST_BUYOUT)
    market.tick(BILLED)
    for version in (2, 3):
        market.price("a" * 64, version, version * 1_000)
        market.price("b" * 64, version, version * 1_000)
    said = market.buyers[dealer].said
    assert len({each.bill_id for each in said if isinstance(each, BillDrafted)}) == 6
    for event in said:
        assert shared_codec().decode(TOPIC_OF[type(event)], shared_codec().encode(event)) == event


def test_months_follow_each_other() -> None:
    assert [commission.following(month) for month in ("2026-01", "2026-11", "2026-12")] == [
        "2026-02", "2026-12", "2027-01",
    ]  # fmt: skip


def test_a_month_of_nothing_is_not_due() -> None:
    assert Month(7).due is None
