"""What ticks should have made due by the end of a run, and did not, is a difference."""

import pytest

from tests.torture.events import DEPOSITS, TRIPS
from tests.torture.verifier import mobility
from tests.torture.verifier.check import RULES
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.model import Input, Model
from tests.torture.verifier.tables import _check_nothing_waits
from tests.unit.torture.test_torture_model import FACTS, NOW
from tests.unit.torture.topics import BOOK, END, HOUR_US, START

DEPOSIT = {"deposit_id": "d1", "group_id": "grp-1", "amount": {"amount_minor": 500, "currency": "EUR"}}


def told(*messages: tuple[str, dict[str, object]]) -> Model:
    """A model that was told these, all at once."""
    model = Model(FACTS)
    for number, (name, fields) in enumerate(messages):
        topic = DEPOSITS if name == "DepositBudget" else TRIPS
        model.answer(Input(f"{topic}/0/{number}", f"e{number}", "torture", NOW, BOOK, name, fields), RULES)
    return model


def overdue(model: Model, hours: int) -> list[str]:
    differences = Differences()
    _check_nothing_waits(model, differences, NOW + hours * HOUR_US)
    return differences.kept


@pytest.mark.requirement("PIPE-13", "MOB-09")
def test_a_lot_that_no_tick_ever_expired_is_overdue() -> None:
    model = told(("DepositBudget", {**DEPOSIT, "expires_at": NOW + HOUR_US}))
    assert not overdue(model, 0)
    assert overdue(model, 1)
    mobility.expire(model, BOOK, NOW + HOUR_US)
    assert not overdue(model, 1)


@pytest.mark.requirement("PIPE-13", "MOB-09")
def test_a_lot_without_an_end_or_one_that_a_trip_has_locked_is_not_overdue() -> None:
    assert not overdue(told(("DepositBudget", {**DEPOSIT, "expires_at": None})), 1)
    hold = {**START, "trip_id": "t1", "funding": "wallet_then_card", "estimated_seconds": 36_000}
    assert not overdue(told(("DepositBudget", {**DEPOSIT, "expires_at": NOW + HOUR_US}), ("TripStarted", hold)), 1)


@pytest.mark.requirement("PIPE-13", "MOB-16")
def test_a_trip_or_an_end_that_waits_for_its_start_longer_than_it_may_is_overdue() -> None:
    for name, fields in (("TripStarted", START), ("TripEnded", END)):
        model = told((name, {**fields, "trip_id": "t1"}))
        assert not overdue(model, 1)
        assert overdue(model, 30 * 24)
        mobility.time_out(model, BOOK, "t1", NOW + 30 * 24 * HOUR_US)
        assert not overdue(model, 30 * 24)
