"""What one worker cannot carry on holds up no other account: not even those that a sleeping one holds (DLR-01)."""

from contextlib import ExitStack

import pytest

from sinks.billing.carrier import MOST_CALLS
from sinks.billing.sink import NAME
from sinks.database import alone_with, connect
from stack.billing import Mood
from tests.integration.sinks.billing import Desk, client

pytestmark = pytest.mark.requirement("DLR-01")


def test_accounts_that_a_frozen_worker_holds_do_not_hold_up_the_others(desk: Desk) -> None:
    """It fell asleep in the middle of a whole round, with its session."""
    held = [client(f"d-{number}") for number in range(MOST_CALLS)]
    free = client("d-free")
    desk.ask(*held, free)
    with connect(desk.world.postgres) as asleep, ExitStack() as rights:
        for call in held:
            assert rights.enter_context(alone_with(asleep, f"{NAME} account {call.dealer_id}/{call.account}"))

        desk.carry()

        assert desk.billing.counts == {free.call_id: 1}
    desk.carry()
    assert desk.billing.counts == {call.call_id: 1 for call in (*held, free)}


def test_while_billing_has_its_rest_another_account_tries_where_the_first_is_held(desk: Desk) -> None:
    first, second = client("d-1"), client("d-2")
    desk.ask(first, second)
    desk.billing.towards[second.call_id] = Mood.TOO_MANY
    with connect(desk.world.postgres) as asleep, alone_with(asleep, f"{NAME} account d-1/COMMISSION"):
        desk.carry(until_idle_s=4, billing_failures=1, billing_rest_s=0.5)
        assert len(desk.billing.sent) >= 2, "it was tried again after the rest"


def test_after_a_billing_that_was_long_away_one_answer_of_no_use_gives_no_call_up(desk: Desk) -> None:
    """What stands in front of it says something while it comes back; the accounts must not wait for a person then."""
    call = client()
    desk.ask(call)
    desk.world.run("billing")
    desk.world.query("update sink.billing_call set failures = 20, problem = 'Billing cannot be reached'")
    desk.billing.moods.append(Mood.TURNS_AWAY)
    desk.carry(until_idle_s=1)
    assert desk.states() == {call.call_id: "waiting"}

    desk.hurry()
    desk.carry(until_idle_s=1)

    assert desk.billing.counts == {call.call_id: 1}


def test_a_worker_whose_host_is_gone_keeps_its_accounts_for_a_minute_and_not_for_hours(desk: Desk) -> None:
    """Nobody tells Postgres: it has to ask."""
    with connect(desk.world.postgres) as connection:
        shown = [
            connection.execute(f"show tcp_{name}").fetchone()
            for name in ("keepalives_idle", "keepalives_interval", "keepalives_count", "user_timeout")
        ]
    assert shown == [("30",), ("10",), ("3",), ("60000",)]
