"""The same message again: the original outcome once, and other content under a used id refused by name (PIPE-05)."""

from collections.abc import Iterable

import pytest

from schemas.fields import Contract, Fact, Money
from schemas.mobility import DepositBudget, GroupMember, GroupMemberLeft, Refused
from streams.forgetting import BACKLOG_US
from streams.ledger import draft as drafts
from streams.ledger.draft import Draft
from streams.processing import REMEMBERED_US
from streams.rooms import DueDecision, Verdict
from tests.rooms import Stage
from tests.unit.mobility.city import City

pytestmark = pytest.mark.requirement("PIPE-05")


def test_the_same_message_again_is_a_duplicate_of_its_first_decision() -> None:
    city = City()
    first = city.deposit("d1", 500, id="e-1")
    again = city.deposit("d1", 500, id="e-1")
    assert (again.outcome, again.events, again.statement) == ("duplicate", [], [])
    assert again.figures == {"of": first.entry.decision_id}
    assert city.wallet == "d1:500"


def test_a_refused_message_again_is_a_duplicate_of_its_refusal() -> None:
    city = City()
    first = city.start(vehicle="ghost", id="e-1")
    city.reprice("ghost")
    again = city.start(vehicle="ghost", id="e-1")
    assert (again.outcome, again.figures, again.events) == ("duplicate", {"of": first.entry.decision_id}, [])


def test_other_content_under_a_used_id_is_refused_by_name_and_moves_nothing() -> None:
    city = City()
    first = city.deposit("d1", 500, id="e-1")
    told = city.deposit("d2", 900, id="e-1")
    assert told.reason == "other_content_under_this_id"
    assert told.figures["first"] == first.entry.decision_id
    assert "e-1" in told.figures["id"]
    assert told.event(Refused).refused_id == "d2"
    assert city.wallet == "d1:500"


def test_another_kind_of_message_with_the_same_bytes_is_other_content() -> None:
    till = Stage(lambda ledger: Till())
    joins, leaves = GroupMember(group_id="g1", rider_id="ann"), GroupMemberLeft(group_id="g1", rider_id="ann")
    assert till.codec.encode(joins)[5:] == till.codec.encode(leaves)[5:]
    assert till.send(joins, id="e-1").outcome == "accepted"
    assert till.send(leaves, id="e-1").reason == "other_content_under_this_id"


class Till:
    """A room that says yes to all."""

    name = "till"

    def decide(self, draft: Draft, message: Contract) -> Verdict:
        return []

    def evolve(self, event: Fact) -> None: ...

    def identity(self, message: Contract) -> str | None:
        return None

    def refusal(self, message: Contract, refused: drafts.Refused) -> list[Fact]:
        return [Refused(group_id="g1", refused_id="ann", reason=refused.reason, figures=refused.figures)]

    def due(self, now: int) -> Iterable[DueDecision]:
        return ()


def test_a_deposit_under_another_event_id_is_still_the_same_deposit() -> None:
    city = City()
    first = city.deposit("d1", 500, id="e-1")
    again = city.deposit("d1", 500, id="e-2")
    assert (again.outcome, again.figures) == ("duplicate", {"of": first.entry.decision_id})
    assert city.wallet == "d1:500"


def test_a_deposit_id_with_another_amount_is_refused_by_name() -> None:
    city = City()
    city.deposit("d1", 500, id="e-1")
    told = city.deposit("d1", 501, id="e-2")
    assert (told.reason, told.figures["id"]) == ("other_content_under_this_id", "group:g1|deposit:d1")
    assert city.wallet == "d1:500"


def test_a_refused_deposit_id_repeated_under_its_event_id_is_refused_once() -> None:
    city = City()
    city.deposit("d1", 500, id="e-1")
    refusal = city.deposit("d1", 501, id="e-2")
    again = city.deposit("d1", 501, id="e-2")
    assert (again.outcome, again.figures) == ("duplicate", {"of": refusal.entry.decision_id})


def test_the_event_id_of_a_duplicate_is_used_too() -> None:
    city = City()
    city.deposit("d1", 500, id="e-1")
    assert city.deposit("d1", 500, id="e-2").outcome == "duplicate"
    assert city.deposit("d2", 700, id="e-2").reason == "other_content_under_this_id"
    assert city.wallet == "d1:500"


def test_a_duplicate_sent_again_is_a_duplicate_of_the_original_not_of_a_duplicate() -> None:
    city = City()
    original = city.deposit("d1", 500, id="e-1").entry.decision_id
    told = [city.deposit("d1", 500, id="e-2") for _ in range(3)]
    assert [each.figures for each in told] == [{"of": original}] * 3


def test_two_upstream_systems_may_number_their_events_alike() -> None:
    city = City()
    assert city.deposit("d1", 1000, id="1", source="/budget-service").outcome == "accepted"
    assert city.start("t1", id="1", source="/trip-service").outcome == "accepted"


def test_an_event_id_that_looks_like_a_deposit_takes_no_deposits_place() -> None:
    city = City()
    assert city.start("t1", id="deposit:d1").outcome == "accepted"
    assert city.deposit("d1", 500).outcome == "accepted"


def test_ids_are_remembered_per_book() -> None:
    city = City()
    for group in ("g1", "g2"):
        amount = Money(amount_minor=500, currency="EUR")
        told = city.send(DepositBudget(deposit_id="d1", group_id=group, amount=amount), id="e-1")
        assert told.outcome == "accepted"


def test_an_id_is_remembered_for_its_time_and_then_forgotten() -> None:
    city = City()
    city.deposit("d1", 500, id="e-1")
    city.wait(REMEMBERED_US - 1)
    assert city.deposit("d1", 500, id="e-1").outcome == "duplicate"
    city.wait(BACKLOG_US + 1)
    assert len(city.stage.seen) == 0


def test_a_deposit_repeated_after_its_id_is_forgotten_opens_no_second_lot_of_its_name() -> None:
    city = City()
    city.deposit("d1", 500, id="e-1")
    city.wait(REMEMBERED_US + BACKLOG_US)
    told = city.deposit("d1", 500, id="e-1")
    assert (told.reason, told.figures) == ("already_exists", {"account": "wallet", "lot": "d1"})
    assert city.wallet == "d1:500"


def test_more_ids_are_forgotten_per_tick_than_a_partition_can_use_in_a_second() -> None:
    city = City()
    for number in range(3_000):
        city.cancel(f"t{number}")
    city.wait(REMEMBERED_US + BACKLOG_US)
    assert len(city.stage.seen) == 0


def test_every_decision_and_event_has_an_id_of_its_own() -> None:
    city = City()
    for amount in (500, 500, 600):
        city.deposit("d1", amount, id="e-1")
    ids = [entry.decision_id for entry in city.stage.journal]
    assert len(set(ids)) == 3
    assert [name for told in city.stage.history for name in told.says] == ["BudgetDeposited", "Refused"]
