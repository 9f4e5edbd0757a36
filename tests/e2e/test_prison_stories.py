"""What becomes of prisoners' purchases; how they are paid is in `test_purchase_flows`."""

import time

import pytest

from schemas.general_ledger import (
    CorrectLines,
    LineRefusal,
    LinesAreCorrected,
    LinesAreRefused,
    LinesProcessed,
    LinesRefused,
)
from schemas.prison_advances import AdvanceActive, AdvancePending, AdvanceRepaid, AdvanceWrittenOff, WriteOffAdvance
from schemas.prison_finance import (
    AuthorisePurchase,
    CancelPurchase,
    PurchasePending,
    PurchaseProcessed,
    PurchaseRefunded,
    PurchaseVoided,
    RefundPurchase,
    Refused,
)
from tests.e2e.prison import HOUR_US, Prison, entries, gbp
from tests.e2e.world import World, fresh


@pytest.fixture(scope="module")
def prison(world: World) -> Prison:
    return Prison(world)


@pytest.mark.requirement("PRI-10")
def test_a_cancelled_purchase_frees_its_money(world: World, prison: Prison) -> None:
    prisoner = prison.prisoner(spends=100)
    purchase = prison.submit(prisoner, {"CANTEEN": 100}, "spends")
    world.told(PurchasePending, purchase_id=purchase)
    world.send(CancelPurchase(purchase_id=purchase, prisoner_id=prisoner, reason="out-of-stock"))
    assert world.told(PurchaseVoided, purchase_id=purchase).total == gbp(100)


@pytest.mark.requirement("PRI-12")
def test_an_advance_is_repaid_out_of_a_later_credit_and_the_rest_written_off(world: World, prison: Prison) -> None:
    prisoner = prison.prisoner()
    purchase = prison.submit(prisoner, {"CANTEEN": 500}, "advance", prison.governor)
    world.told(AdvancePending, advance_id=purchase)
    three_days_ago = time.time_ns() // 1_000 - 72 * HOUR_US
    world.send(AuthorisePurchase(purchase_id=purchase, prisoner_id=prisoner), at=three_days_ago)
    world.told(AdvanceActive, advance_id=purchase)
    prison.credit(prisoner, 1_000)
    repaid = world.told(AdvanceRepaid, advance_id=purchase)
    assert (repaid.amount, repaid.outstanding_minor) == (gbp(300), 200)
    assert entries(prison.lines(repaid.transaction_id)) == [("2102", "1502", 300)]
    given_up = {"advance_id": purchase, "prisoner_id": prisoner, "reason": "released"}
    world.send(WriteOffAdvance(**given_up, written_off_by="nobody"))
    assert world.told(Refused, refused_id=purchase).reason == "not_authorised"
    world.send(WriteOffAdvance(**given_up, written_off_by=prison.governor))
    assert world.told(AdvanceWrittenOff, advance_id=purchase).amount == gbp(200)


@pytest.mark.requirement("PRI-13")
def test_a_refund_goes_back_to_where_the_money_came_from_and_not_twice(world: World, prison: Prison) -> None:
    prisoner = prison.prisoner(spends=100, cash=100)
    purchase = prison.submit(prisoner, {"CANTEEN": 150}, "spends cash")
    prison.parts(purchase)
    prison.authorise(prisoner, purchase)
    for refund in ("first", "second"):
        taken_back = RefundPurchase(
            refund_id=f"{purchase}-{refund}", purchase_id=purchase, prisoner_id=prisoner, payments=(), reason="Spoilt"
        )
        world.send(taken_back)
    refunded = world.told(PurchaseRefunded, purchase_id=purchase)
    assert [(part.account, part.amount_minor) for part in refunded.parts] == [("cash", 50), ("spends", 100)]
    assert world.told(Refused, refused_id=f"{purchase}-second").reason == "exceeds_purchase"


@pytest.mark.requirement("PRI-11")
def test_a_refused_transaction_is_corrected_and_processed(world: World, prison: Prison) -> None:
    prisoner = prison.prisoner(spends=100)
    purchase = prison.submit(prisoner, {"BT": 100}, "spends")
    prison.parts(purchase)
    prison.authorise(prisoner, purchase)
    transaction = {"prisoner_id": prisoner, "transaction_id": purchase}
    first = prison.lines(purchase)
    reasons = (LineRefusal(line_id=first[1].line_id, reason="unknown account"),)
    world.send(LinesRefused(**transaction, file="adi/1.xlsx", reasons=reasons))
    world.told(LinesAreRefused, transaction_id=purchase)
    world.send(CorrectLines(**transaction, correction_id=fresh("cor")))
    world.told(LinesAreCorrected, transaction_id=purchase)
    again = prison.lines(purchase)[2:]
    assert [line.corrects for line in again] == [line.line_id for line in first]
    taken = tuple(line.line_id for line in again)
    world.send(LinesProcessed(**transaction, file="adi/2.xlsx", line_ids=taken))
    assert world.told(PurchaseProcessed, purchase_id=purchase)
