"""The seams of the rooms that lots bring: what is no message or event of theirs is a bug, and is not passed over."""

import pytest

from schemas.lots import ChargeDeal, DealAnswer, DealTerms, LotAnswer
from schemas.refusals import Reason
from streams.dealer_billing.deals_room import DealerDeals, DealTables
from streams.dealer_billing.room import Tables
from streams.ledger import draft as drafts
from streams.ledger.draft import Draft, Ledger
from tests.rooms import MORNING, Stage, moment

from .book import BOOK, paid
from .market import AUCTION, MARCH, Market, rate

STRANGER = rate("0.05")
WHY = drafts.Refused(Reason.AMOUNT_TOO_LARGE, {"wanted": "1"})


@pytest.mark.requirement("BEY-03")
def test_what_is_no_message_of_the_rooms_is_a_bug() -> None:
    market = Market()
    money = Ledger(*market.buyers["D1"].money)
    for room in (market.room, market.buyers["D1"].room):
        for use in (
            lambda room=room: room.decide(Draft(BOOK, 0, money), STRANGER),
            lambda room=room: room.evolve(STRANGER),
            lambda room=room: room.refusal(STRANGER, WHY),
        ):
            with pytest.raises(TypeError, match="CommissionRate"):
                use()


@pytest.mark.requirement("DLR-09", "BEY-03")
def test_a_dealers_no_is_told_to_people_and_to_the_lot() -> None:
    terms = DealTerms(kind=AUCTION, price=paid(1), concluded_at=MARCH)
    charge = ChargeDeal(dealer_id="D1", lot_id="L1", version=1, terms=terms)
    no, heard = Market().buyers["D1"].room.refusal(charge, WHY)
    assert (no.refused_id, no.reason) == ("L1", "amount_too_large")  # type: ignore[attr-defined]
    assert heard == LotAnswer(
        lot_id="L1", dealer_id="D1", version=1, answer=DealAnswer.REFUSED, reason=WHY.reason, figures=WHY.figures
    )


@pytest.mark.requirement("DLR-04", "PIPE-09")
def test_a_tick_bills_a_month_by_a_decision_of_its_own() -> None:
    market = Market()
    buyer = market.buyers["D1"]
    bought = DealTables(buyer.deals, buyer.months, market.rates, market.policies)
    rows = (*buyer.kept, buyer.deals, buyer.months)
    for each in rows:
        each.take_changes()
    stage = Stage(lambda ledger: DealerDeals(Tables(*buyer.kept), bought, ledger), *rows)
    terms = DealTerms(kind=AUCTION, price=paid(1_000), concluded_at=MORNING)
    told = stage.send(ChargeDeal(dealer_id="D1", lot_id="L1", version=1, terms=terms))
    assert told.says == ["DealCharged", "ReportCommission", "LotAnswer"]
    assert told.event(LotAnswer).answer is DealAnswer.CHARGED
    billed = stage.tick(moment("2026-04-02T00:00:00+03:00"))
    assert billed.says == ["BillDrafted", "IssueBill", "CommissionBilled"]
    assert billed.entry.decision_id == "dealer:D1/2026-03/EUR/1/billed"
    assert not billed.entry.lines  # nothing is owed before Billing has the bill


def test_time_makes_nothing_due_in_a_lot_whose_version_waits() -> None:
    market = Market()
    market.concluded("L1", 1, "D1", 1_000)
    market.price("L1", 3, 2_000)
    assert market.lots["lot:L1"].waiting
    assert list(market.room.due(10**18)) == []
