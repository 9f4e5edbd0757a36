"""The auditor's own fold of what lots and dealers' books tell of deals: all as the rooms say it, but for one thing."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from schemas.dealer_bills import BillDrafted, BillVoided
from schemas.fields import Fact
from schemas.lots import (
    CommissionBilled,
    CommissionUnbilled,
    DealAnswer,
    DealCharged,
    DealTakenBack,
    LotDealAnswered,
)
from streams.audit.dealers import Dealers
from streams.audit.findings import Kind
from tests.rooms import DAY, moment
from tests.unit.audit.dealing import read
from tests.unit.dealer_billing.market import FAST_BUYOUT, Market

pytestmark = pytest.mark.requirement("DLR-04", "DLR-09", "PIPE-09")

RATES = [{"rate_id": "r1", "version": 1, "share": "0.05", "valid_from": 0}]
BILLED = moment("2026-04-02T00:00:00+03:00")
MONTH, SETTLEMENT = "dealer:D1|commission:2026-03:EUR:2:D1", "dealer:D2|lot:L3:1:1"

Facts = list[Fact]


def story() -> Facts:
    """L1 is D1's, billed and then corrected; L2 goes from him to D2; L3 is D2's fast buyout, and L4 nobody's penny."""
    market = Market()
    market.concluded("L1", 1, "D1", 1_500)
    market.concluded("L2", 1, "D1", 2_000)
    market.concluded("L3", 1, "D2", 700, FAST_BUYOUT)
    market.concluded("L4", 1, "D1", 1)
    market.winner("L2", 2, "D2")
    market.tick(BILLED)
    market.price("L1", 2, 1_290)
    return [*market.told, *(event for buyer in market.buyers.values() for event in buyer.said)]


def found(events: Facts, rates: Any = RATES) -> list[tuple[Kind, str]]:
    dealers = Dealers()
    findings = [finding for event in events for finding in dealers.enter(read(event))]
    return [(finding.kind, finding.where) for finding in (*findings, *dealers.charged(rates))]


def last(events: Facts, kind: type[Fact], **fields: Any) -> int:
    return max(
        number
        for number, event in enumerate(events)
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())
    )


def altered(kind: type[Fact], of: dict[str, Any], **fields: Any) -> Callable[[Facts], None]:
    """The last event of a kind says something else."""

    def tamper(events: Facts) -> None:
        number = last(events, kind, **of)
        events[number] = msgspec.structs.replace(events[number], **fields)

    return tamper


def lost(kind: type[Fact], **of: Any) -> Callable[[Facts], None]:
    def tamper(events: Facts) -> None:
        del events[last(events, kind, **of)]

    return tamper


def test_what_dealers_rooms_tell_has_no_findings() -> None:
    assert found(story()) == []


@pytest.mark.parametrize(
    ("tamper", "where"),
    [
        (altered(DealCharged, {"lot_id": "L2"}, charged_minor=99), ["dealer:D2|commission:2026-03:EUR:1:D2", "L2"]),
        (altered(DealCharged, {"lot_id": "L4"}, charged_minor=1), [MONTH, "dealer:D1|L4"]),
        (altered(DealCharged, {"lot_id": "L3"}, version=7), ["dealer:D2|L3"]),
        (lost(DealCharged, lot_id="L3"), ["dealer:D2|L3", SETTLEMENT]),
        (lost(DealTakenBack, lot_id="L2"), ["dealer:D1|L2", MONTH]),
        (lost(CommissionBilled, dealer_id="D1"), [MONTH, "dealer:D1|commission:2026-03:EUR:1:D1"]),
        (altered(CommissionBilled, {"dealer_id": "D1"}, lots=("L1",)), [MONTH]),
        (lost(BillDrafted, bill_id="lot:L3:1:1"), [SETTLEMENT]),
    ],
)
def test_one_thing_that_is_wrong_is_found_and_named(tamper: Callable[[Facts], None], where: list[str]) -> None:
    events = story()
    tamper(events)
    places = [place for kind, place in found(events) if kind is Kind.DEALS_DIFFER]
    assert all(any(part in place for place in places) for part in where), places


def test_a_bill_that_is_voided_or_of_another_sum_is_not_what_a_deal_is_on() -> None:
    events = story()
    number = last(events, BillDrafted, bill_id="lot:L3:1:1")
    drafted = events[number]
    assert isinstance(drafted, BillDrafted)
    dearer = msgspec.structs.replace(drafted, common=drafted.common.model_copy(update={"amount_minor": 701}))
    voided = BillVoided(
        bill_id=drafted.bill_id, dealer_id="D2", account=drafted.account, reason="no", common=drafted.common,
        credited_minor=0,
    )  # fmt: skip
    assert found([*events[:number], dearer, *events[number + 1 :]]) == [(Kind.DEALS_DIFFER, SETTLEMENT)]
    assert found([*events, voided]) == [(Kind.DEALS_DIFFER, SETTLEMENT)]


def test_a_month_that_is_on_no_bill_any_more_has_none_that_stands() -> None:
    unbilled = CommissionUnbilled(
        dealer_id="D1", month="2026-03", currency="EUR", bill_id=MONTH.partition("|")[2], bill_at=BILLED + DAY
    )
    assert found([*story(), unbilled]) == [(Kind.DEALS_DIFFER, MONTH)]


@pytest.mark.parametrize(
    ("rates", "where"),
    [
        ([], ["L1", "L2", "L4"]),
        ([*RATES, {"rate_id": "r2", "version": 2, "share": "0.050400000", "valid_from": 1}], ["L2"]),
        ([*RATES, {"rate_id": "r2", "version": 2, "share": "0.1", "valid_from": BILLED}], []),
    ],
)
def test_a_commission_is_rounded_half_up_of_the_rate_that_was_valid(rates: Any, where: list[str]) -> None:
    assert sorted(place.partition("|")[2] for _, place in found(story(), rates)) == where


@pytest.mark.parametrize("answer", DealAnswer)
def test_where_a_book_has_refused_a_lot_that_is_told_to_people_and_no_finding(answer: DealAnswer) -> None:
    events = story()
    altered(DealCharged, {"lot_id": "L3"}, version=7)(events)
    said = LotDealAnswered(lot_id="L3", version=1, dealer_id="D2", answer=answer)
    assert found([*events, said]) == ([] if answer is DealAnswer.REFUSED else [(Kind.DEALS_DIFFER, "dealer:D2|L3")])
