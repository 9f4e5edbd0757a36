"""Lots: what Lotus says of them, in the order of its versions, however it comes (DLR-04, DLR-09)."""

import pytest

from schemas.lots import (
    ChargeDeal,
    DealAnswer,
    DealConcluded,
    LotAnswer,
    LotDealAnswered,
    LotPriceChanged,
    LotRefused,
    LotSold,
)
from schemas.topics import LOT_CHARGES
from streams.dealer_billing.lot import MAX_WAITING, Lot
from streams.dealer_billing.lots_room import DealerLots
from streams.ledger.draft import Refused
from streams.runtime.rows import Rows
from tests.rooms import DAY, MORNING, Stage

from .book import DEALER, paid
from .market import AUCTION, FAST_BUYOUT, MARCH, Market

pytestmark = pytest.mark.requirement("DLR-09")

FIRST = DealConcluded(lot_id="L1", version=1, dealer_id="D1", kind=AUCTION, price=paid(1_000), concluded_at=MORNING)


def names(events: object) -> list[str]:
    assert isinstance(events, list), events
    return [type(event).__name__ for event in events]


def version(market: Market, lot_id: str = "L1") -> tuple[int, str | None, int]:
    lot = market.lots[f"lot:{lot_id}"]
    assert lot.terms is not None
    return lot.version, lot.dealer_id, lot.terms.price.amount_minor


def make_stage() -> Stage:
    rows: Rows[Lot] = Rows(Lot)
    return Stage(lambda _: DealerLots(rows), rows)


@pytest.mark.requirement("DLR-04")
def test_a_concluded_deal_is_told_to_its_buyer() -> None:
    market = Market()
    assert names(market.concluded("L1", 1, "D1", 1_000)) == ["LotSold", "ChargeDeal"]
    assert market.lots["lot:L1"].answer is DealAnswer.CHARGED


def test_another_price_is_told_to_the_buyer_another_winner_to_both() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    assert names(market.price("L1", 2, 900)) == ["LotSold", "ChargeDeal"]
    assert names(market.winner("L1", 3, "D2")) == ["LotSold", "TakeBackDeal", "ChargeDeal"]
    assert version(market) == (3, "D2", 900)
    assert names(market.winner("L1", 4, "D2")) == ["LotSold", "ChargeDeal"]


def test_a_deal_that_is_concluded_again_replaces_buyer_and_terms() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    told = market.concluded("L1", 2, "D2", 700, FAST_BUYOUT)
    assert names(told) == ["LotSold", "TakeBackDeal", "ChargeDeal"]
    assert version(market) == (2, "D2", 700)


def test_a_version_that_comes_early_waits_for_those_before_it() -> None:
    market = Market()
    assert names(market.winner("L1", 3, "D2")) == ["LotEventWaits"]
    assert names(market.price("L1", 2, 900)) == ["LotEventWaits"]
    told = market.concluded("L1", 1, "D1", 1_000)
    assert names(told) == ["LotSold", "ChargeDeal", "LotSold", "ChargeDeal", "LotSold", "TakeBackDeal", "ChargeDeal"]
    assert isinstance(told, list)
    assert [(each.version, each.terms.price.amount_minor) for each in told if isinstance(each, LotSold)] == [
        (1, 1_000), (2, 900), (3, 900),
    ]  # fmt: skip
    assert version(market) == (3, "D2", 900)
    assert market.lots["lot:L1"].waiting == ()


def test_a_gap_holds_up_only_what_is_behind_it() -> None:
    market = Market()
    market.price("L1", 4, 400)
    market.price("L1", 2, 900)
    market.concluded("L1", 1, "D1", 1_000)
    assert version(market) == (2, "D1", 900)
    market.winner("L1", 3, "D2")
    assert version(market) == (4, "D2", 400)


@pytest.mark.requirement("BEY-03")
def test_a_hundred_versions_wait_at_most() -> None:
    market = Market()
    for number in range(MAX_WAITING):
        market.price("L1", number + 2, 900)
    refused = market.price("L1", MAX_WAITING + 2, 900)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.figures["awaited"]) == ("too_many_waiting", "1")
    market.concluded("L1", 1, "D1", 1_000)
    assert version(market) == (MAX_WAITING + 1, "D1", 900)


@pytest.mark.requirement("BEY-03")
def test_the_first_thing_said_of_a_lot_is_a_concluded_deal() -> None:
    for refused in (Market().price("L1", 1, 900), Market().winner("L1", 1, "D2")):
        assert isinstance(refused, Refused)
        assert refused.reason == "wrong_state"


@pytest.mark.requirement("BEY-03")
def test_a_deal_that_is_concluded_after_it_is_told_is_refused() -> None:
    refused = Market().concluded("L1", 1, "D1", 1_000, at=MARCH + 1)
    assert isinstance(refused, Refused)
    assert refused.reason == "concluded_in_the_future"


@pytest.mark.requirement("PIPE-05")
def test_a_version_counts_once_and_another_content_under_it_is_refused_and_told() -> None:
    stage = make_stage()
    assert stage.send(FIRST, id="E1").says == ["LotSold", "ChargeDeal"]
    assert stage.send(FIRST, id="E1").outcome == "duplicate"
    assert stage.send(FIRST, id="E2").outcome == "duplicate"
    other = stage.send(FIRST.model_copy(update={"dealer_id": "D2"}))
    assert (other.reason, other.says) == ("other_content_under_this_id", ["LotRefused"])
    assert stage.send(LotPriceChanged(lot_id="L1", version=1, price=paid(1))).reason == "other_content_under_this_id"
    stage.wait(8 * DAY)
    late = stage.send(FIRST, id="E1")
    assert late.event(LotRefused).reason == "already_exists"
    assert late.figures == {"version": "1", "last": "1"}


@pytest.mark.requirement("PIPE-05")
def test_a_version_that_waits_is_known_too() -> None:
    stage = make_stage()
    early = LotPriceChanged(lot_id="L1", version=2, price=paid(900))
    stage.send(early)
    stage.wait(8 * DAY)
    assert stage.send(early).reason == "already_exists"
    assert stage.send(FIRST.model_copy(update={"concluded_at": MORNING})).says[-2:] == ["LotSold", "ChargeDeal"]


def test_what_is_told_to_a_dealer_goes_to_his_book_with_the_correlation_of_its_cause() -> None:
    stage = make_stage()
    told = stage.send(FIRST, id="E1")
    (charge,) = [each for each in told.sent if each.topic is LOT_CHARGES]
    assert charge.key == b"dealer:D1"
    assert dict(charge.headers or ())["ce_correlationid"] == b"story-E1"
    assert told.event(ChargeDeal).terms.price == paid(1_000)


def test_an_answer_to_an_older_version_is_told_and_does_not_count_for_the_newest() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    market.price("L1", 2, 900)
    late = LotAnswer(lot_id="L1", dealer_id=DEALER, version=1, answer=DealAnswer.WAITS)
    told = market.say(late)
    assert told == [LotDealAnswered(lot_id="L1", version=1, dealer_id=DEALER, answer=DealAnswer.WAITS)]
    assert market.lots["lot:L1"].answer is DealAnswer.CHARGED


def test_an_answer_about_a_lot_that_nobody_knows_changes_nothing() -> None:
    answer = LotAnswer(lot_id="L9", dealer_id=DEALER, version=1, answer=DealAnswer.CHARGED)
    assert Market().say(answer) == []
