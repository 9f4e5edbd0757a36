"""What a purchase can fail of beside its own flow's failure, on real servers."""

import time

import pytest

from schemas.fields import Message
from schemas.general_ledger import LineRefusal, LinesAreRefused, LinesProcessed, LinesRefused
from schemas.ledger import Decided, Outcome
from schemas.prison_advances import AdvancePending
from schemas.prison_finance import (
    AdvanceApproval,
    AuthorisePurchase,
    CancelPurchase,
    MoveBetweenSubAccounts,
    PurchaseAuthorised,
    PurchasePending,
    PurchaseProcessed,
    PurchaseVoided,
)
from tests.e2e.prison import HOUR_US, Prison, gbp
from tests.e2e.world import World, fresh


@pytest.fixture(scope="module")
def prison(world: World) -> Prison:
    return Prison(world)


def refusal(prison: Prison, command: Message) -> tuple[str | None, dict[str, str]]:
    """Why a command is refused, and the figures that explain it. Nothing has moved."""
    decided = prison.world.decided(prison.world.send(command))
    assert (decided.outcome, decided.lines) == (Outcome.REFUSED, ())
    return decided.reason, decided.figures


def decisions(prison: Prison, event_id: str) -> list[Decided]:
    """All journal entries of an event."""
    return [entry for entry in prison.world.read(Decided) if entry.cause_id == event_id]


@pytest.mark.requirement("PRI-02", "PRI-03", "PRI-04")
@pytest.mark.parametrize(
    ("funding", "spends", "cash"), [("spends", 99, 0), ("cash", 0, 99), ("spends cash", 49, 50), ("spends cash", 0, 99)]
)
def test_a_purchase_that_is_a_penny_short_never_touches_savings(
    prison: Prison, funding: str, spends: int, cash: int
) -> None:
    prisoner = prison.prisoner(spends, cash, savings=5_000)
    reason, figures = refusal(prison, prison.order(prisoner, {"CANTEEN": 100}, funding))
    assert (reason, figures["missing"]) == ("insufficient_funds", "1")
    there = prison.order(prisoner, {"CANTEEN": 99}, funding)
    for command in (there, AuthorisePurchase(purchase_id=there.purchase_id, prisoner_id=prisoner)):
        decided = prison.world.decided(prison.world.send(command))
        assert sum(line.amount_minor for line in decided.lines) == 99
        assert {line.debit for line in decided.lines} <= set(funding.split())


@pytest.mark.requirement("PRI-10", "PRI-11")
def test_two_peoples_purchases_of_the_same_id_never_meet(prison: Prison) -> None:
    """Ids are unique in a book only: what is refused, processed or cancelled is one person's."""
    ann, bob = prison.prisoner(spends=100), prison.prisoner(spends=70)
    of_ann = prison.order(ann, {"CANTEEN": 100}, "spends")
    of_bob = prison.order(bob, {"CANTEEN": 70}, "spends").model_copy(update={"purchase_id": of_ann.purchase_id})
    purchase, world = of_ann.purchase_id, prison.world
    for who, order in ((ann, of_ann), (bob, of_bob)):
        world.decided(world.send(order))
        world.decided(world.send(AuthorisePurchase(purchase_id=purchase, prisoner_id=who)))
    lines = {who: [line for line in prison.lines(purchase) if line.prisoner_id == who] for who in (ann, bob)}
    assert [[line.amount.amount_minor for line in lines[who]] for who in (ann, bob)] == [[100, 100], [70, 70]]
    assert {line.line_id for line in lines[ann]}.isdisjoint(line.line_id for line in lines[bob])
    told = {"transaction_id": purchase, "file": "adi/1.csv"}
    reasons = (LineRefusal(line_id=lines[ann][0].line_id, reason="account unknown"),)
    world.send(LinesRefused(**told, prisoner_id=ann, reasons=reasons))
    theirs = tuple(line.line_id for line in lines[bob])
    assert refusal(prison, LinesProcessed(**told, prisoner_id=ann, line_ids=theirs))[0] == "wrong_state"
    world.send(LinesProcessed(**told, prisoner_id=bob, line_ids=theirs))
    assert world.told(PurchaseProcessed, purchase_id=purchase).prisoner_id == bob
    assert world.told(LinesAreRefused, transaction_id=purchase).prisoner_id == ann


@pytest.mark.requirement("PRI-04")
def test_cash_beside_spends_without_the_governors_permission_is_refused(prison: Prison) -> None:
    prisoner = prison.prisoner(spends=50, cash=5_000, permitted=False)
    reason, figures = refusal(prison, prison.order(prisoner, {"CANTEEN": 100}, "spends cash"))
    assert (reason, figures) == ("not_permitted", {"permission": "none", "wanted_cash": "50"})


@pytest.mark.requirement("PRI-05")
def test_an_advance_by_the_prisons_policy_needs_no_officer_and_none_is_given_in_another_circumstance(
    prison: Prison,
) -> None:
    order = prison.order(prison.prisoner(), {"CANTEEN": 500}, "advance", prison.governor)
    elsewhere = order.model_copy(update={"approval": AdvanceApproval(circumstance="birthday")})
    reason, figures = refusal(prison, elsewhere)
    assert (reason, figures) == ("no_advance_policy", {"prison": prison.prison_id, "circumstance": "birthday"})
    prison.world.send(order.model_copy(update={"approval": AdvanceApproval(circumstance="arrival")}))
    assert prison.world.told(AdvancePending, advance_id=order.purchase_id).approval.circumstance == "arrival"


@pytest.mark.requirement("PRI-01")
def test_a_penny_more_than_a_sub_account_has_does_not_move_to_another_and_all_of_it_does(prison: Prison) -> None:
    prisoner = prison.prisoner(spends=10, cash=20, savings=30)
    for source, target, amount in (("savings", "spends", 30), ("cash", "savings", 20), ("spends", "cash", 40)):
        move = {"prisoner_id": prisoner, "source": source, "target": target, "description": "Transfer"}
        too_much = MoveBetweenSubAccounts(**move, transfer_id=fresh("trf"), amount=gbp(amount + 1))
        assert refusal(prison, too_much)[0] == "insufficient_funds"
        all_of_it = MoveBetweenSubAccounts(**move, transfer_id=fresh("trf"), amount=gbp(amount))
        (line,) = prison.world.decided(prison.world.send(all_of_it)).lines
        assert (line.debit, line.credit, line.amount_minor) == (source, target, amount)


@pytest.mark.requirement("PRI-02", "PRI-07")
def test_one_unknown_supplier_among_known_ones_is_named_and_nobody_is_paid(prison: Prison) -> None:
    order = prison.order(prison.prisoner(spends=100), {"CANTEEN": 50, "TUCK": 50}, "spends")
    assert refusal(prison, order) == ("unknown_supplier", {"supplier": "TUCK"})


@pytest.mark.requirement("PRI-02")
def test_an_unknown_person_buys_nothing(prison: Prison) -> None:
    stranger = fresh("A")
    assert refusal(prison, prison.order(stranger, {"CANTEEN": 50}, "spends")) == (
        "unknown_prisoner", {"prisoner": stranger},
    )  # fmt: skip


@pytest.mark.requirement("PRI-10", "PIPE-09")
def test_a_purchase_that_is_submitted_twice_is_pending_once(prison: Prison) -> None:
    order = prison.order(prison.prisoner(spends=500), {"CANTEEN": 100}, "spends")
    event_id = prison.world.send(order)
    prison.world.send(order, event_id=event_id)
    reason, figures = refusal(prison, order)
    assert (reason, figures["state"]) == ("already_exists", "pending")
    assert [entry.outcome for entry in decisions(prison, event_id)] == [Outcome.ACCEPTED, Outcome.DUPLICATE]
    assert len([each for each in prison.world.read(PurchasePending) if each.purchase_id == order.purchase_id]) == 1


@pytest.mark.requirement("PRI-10")
def test_what_is_authorised_is_neither_authorised_again_nor_cancelled(prison: Prison) -> None:
    prisoner = prison.prisoner(spends=500)
    purchase = prison.submit(prisoner, {"CANTEEN": 100}, "spends")
    once = prison.authorise(prisoner, purchase)
    again = AuthorisePurchase(purchase_id=purchase, prisoner_id=prisoner)
    back = CancelPurchase(purchase_id=purchase, prisoner_id=prisoner, reason="changed-mind")
    for command in (again, back):
        assert refusal(prison, command) == ("wrong_state", {"purchase": purchase, "state": "authorised"})
    assert once == [("2102", "2501", 100)]
    assert len(prison.lines(purchase)) == 2
    assert len([each for each in prison.world.read(PurchaseAuthorised) if each.purchase_id == purchase]) == 1


@pytest.mark.requirement("PRI-10", "PIPE-13")
def test_what_has_timed_out_is_not_authorised_and_its_money_is_free(prison: Prison) -> None:
    prisoner = prison.prisoner(spends=100)
    order = prison.order(prisoner, {"CANTEEN": 100}, "spends")
    prison.world.send(order, at=time.time_ns() // 1_000 - HOUR_US)
    voided = prison.world.told(PurchaseVoided, purchase_id=order.purchase_id)
    assert voided.cause.value == "timed_out"
    late = AuthorisePurchase(purchase_id=order.purchase_id, prisoner_id=prisoner)
    assert refusal(prison, late) == ("wrong_state", {"purchase": order.purchase_id, "state": "timed_out"})
    assert prison.parts(prison.submit(prisoner, {"CANTEEN": 100}, "spends")) == [("spends", "CANTEEN", 100)]
