"""`kill -9` at every step of a call to Billing: one of each there, one answer here (DLR-01, DLR-02)."""

import signal
import time

import pytest

from schemas.billing import BillingDone
from schemas.dealer_billing import AccountType
from sinks import database
from sinks.billing import tables
from sinks.billing.call import Event
from sinks.billing.tables import Stale
from stack.billing import Mood
from tests.integration.sinks.billing import Desk, client, contract, payer
from tests.integration.sinks.mortal_carrier import DEATHS

pytestmark = pytest.mark.requirement("DLR-01")

CLIENT = "d-1/COMMISSION/client/1"


@pytest.mark.parametrize("step", DEATHS)
def test_wherever_a_worker_was_killed_billing_has_one_client_and_the_book_one_answer(desk: Desk, step: str) -> None:
    desk.ask(client())

    assert desk.start(dies=step).wait(60) == -signal.SIGKILL
    asked_before = len(desk.billing.asked)
    desk.carry(until_idle_s=6)

    assert desk.billing.counts == {CLIENT: 1}
    assert desk.states() == {CLIENT: "done"}
    after = [what for what, _ in desk.billing.asked[asked_before:]]
    assert after[:1] != ["send"], "it must be asked before anything is sent"
    told = desk.told()
    assert len(told) == (2 if step == "after it is published" else 1)
    assert len({(each.envelope, each.message) for each in told}) == 1, "a repetition is the same event"
    assert desk.differences() == []


@pytest.mark.requirement("DLR-02")
def test_an_account_is_opened_with_one_client_one_payer_and_one_contract_though_workers_die_on_the_way(
    desk: Desk,
) -> None:
    """Somebody who reads the answers asks for the next step, as the dealer's book does."""
    account, ids, deaths = AccountType.SETTLEMENT, dict[str, str](), list(DEATHS)
    for number, step in enumerate(("client", "payer", "contract")):
        match step:
            case "client":
                desk.ask(client("d-1", account))
            case "payer":
                desk.ask(payer(ids["client"], "d-1", account))
            case _:
                desk.ask(contract(ids["client"], ids["payer"], "d-1", account))
        for death in deaths[number::3]:
            assert desk.start(dies=death, until_idle_s=1).wait(60) in (0, -signal.SIGKILL)
        desk.carry(until_idle_s=4)
        (answer,) = {each for each in desk.answers() if f"/{step}/" in each.call_id}
        assert isinstance(answer, BillingDone)
        ids[step] = answer.billing_id

    assert desk.billing.counts == {f"d-1/{account}/{step}/1": 1 for step in ids}
    assert {step: desk.billing.of_kind(step) for step in ids} == {step: [id_] for step, id_ in ids.items()}
    assert desk.differences() == []


def test_two_workers_share_the_accounts_and_send_nothing_twice(desk: Desk) -> None:
    calls = [client(f"d-{number}") for number in range(12)]
    desk.billing.moods.extend([Mood.SLOW] * len(calls))
    for partition in range(3):
        desk.ask(*calls[partition::3], partition=partition)

    workers = [desk.start() for _ in range(2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]

    assert desk.billing.counts == {call.call_id: 1 for call in calls}
    assert len(desk.billing.sent) == len(calls)
    assert len(desk.told()) == len(calls)


def test_a_worker_that_was_frozen_while_it_sent_does_no_harm_when_it_wakes(desk: Desk) -> None:
    """Its session keeps its account; when the session is cut another takes over, and what it then says is stale."""
    desk.ask(client())
    desk.billing.moods.append(Mood.TAKES_AND_SAYS_NOTHING)
    sleeper = desk.start(until_idle_s=2)
    while not desk.billing.sent:
        assert sleeper.poll() is None, "it ended before it sent anything"
        time.sleep(0.01)
    sleeper.send_signal(signal.SIGSTOP)
    desk.world.query(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'millrace-sinks'"
    )

    desk.carry(until_idle_s=6)
    sleeper.send_signal(signal.SIGCONT)

    assert sleeper.wait(60) == 0
    assert desk.billing.counts == {CLIENT: 1}
    assert desk.states() == {CLIENT: "done"}
    assert len(desk.billing.sent) == 1
    assert len(desk.told()) == 1


def test_a_step_from_a_state_that_another_has_left_is_refused(desk: Desk) -> None:
    desk.ask(client())
    desk.world.run("billing")
    with database.connect(desk.world.postgres) as connection:
        ((call_id, _),) = tables.due(connection, 9)
        call = tables.current(connection, call_id)
        tables.step(connection, call, Event.ABOUT_TO_SEND)

        with pytest.raises(Stale, match="no longer waiting at attempt 0"):
            tables.step(connection, call, Event.ABOUT_TO_SEND)
