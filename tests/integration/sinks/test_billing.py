"""Calls to Billing: whatever it answers, or does not, it ends with one of each, and each is told once (DLR-01)."""

import logging

import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY

from schemas.billing import BillingDone, BillingRefused
from schemas.dealer_billing import AccountType
from sinks import parked
from sinks.billing.call import MOST_USELESS
from sinks.database import connect
from stack.billing import Mood
from tests.integration.sinks.billing import (
    AT,
    SECRETS,
    Desk,
    bill,
    change,
    client,
    commission,
    contract,
    payer,
    withdrawal,
)

CLIENT = "d-1/COMMISSION/client/1"


def opened(desk: Desk) -> str:
    """The contract of an account that is open."""
    desk.ask(client())
    desk.carry(1.5)
    desk.ask(payer("client-1"))
    desk.carry(1.5)
    desk.ask(contract("client-1", "payer-2"))
    desk.carry(1.5)
    return "contract-3"


@pytest.mark.requirement("DLR-01", "DLR-03", "DLR-05")
def test_every_kind_of_call_is_carried_out_and_answered_with_what_it_is_about(desk: Desk) -> None:
    agreed = opened(desk)
    desk.ask(
        change("client-1", "payer-2", 2), bill(agreed), commission(agreed, 3, 7_500), withdrawal("bill-4"),
        commission(agreed, 2, 9_900),
    )  # fmt: skip
    desk.carry()

    billing = desk.billing
    assert billing.counts == dict.fromkeys(desk.states(), 1)
    assert set(desk.states().values()) == {"done"}
    assert billing.things["client-1"]["reference"] == "d-1/COMMISSION"
    assert billing.things["payer-2"]["requisites"]["legal_name"] == "Avtodom, version 2"
    assert billing.things[agreed]["of"] == ("client-1", "payer-2")
    issued = billing.things["bill-4"]
    assert (issued["number"], issued["amount_minor"], issued["currency"]) == ("bill-1", 125_000, "RUB")
    assert issued["withdrawn"] == "the winner has changed"
    assert billing.things[f"{agreed}/lot-1"]["amount_minor"] == 7_500, "the highest version stays"
    told = {each.message.call_id.split("/", 2)[2]: each.message for each in desk.told()}
    about = {"dealer_id": "d-1", "account": AccountType.COMMISSION}
    assert told["bill/bill-1"] == BillingDone(
        call_id="d-1/COMMISSION/bill/bill-1", billing_id="bill-4", url=f"{billing.address}/pdf/bill-4",
        bill_id="bill-1", **about,
    )  # fmt: skip
    assert told["commission/lot-1/3"] == BillingDone(
        call_id="d-1/COMMISSION/commission/lot-1/3", billing_id=f"{agreed}/lot-1", lot_id="lot-1", **about
    )
    assert told["client/1"] == BillingDone(call_id=CLIENT, billing_id="client-1", **about)
    assert desk.differences() == []


@pytest.mark.requirement("DLR-01")
def test_an_answer_is_of_the_story_of_its_call(desk: Desk) -> None:
    desk.ask(client())
    desk.carry()

    ((envelope, _),) = desk.told()
    assert (envelope.subject, envelope.source, envelope.actor) == ("dealer:d-1", "billing-sink", "billing")
    assert (envelope.correlation_id, envelope.causation_id) == ("story-d-1", f"decision-{CLIENT}")
    assert envelope.time_us > AT


@pytest.mark.requirement("DLR-01", "DLR-05")
@pytest.mark.parametrize(
    ("mood", "sent"),
    [
        (Mood.SLOW, 1),
        (Mood.TAKES_AND_SAYS_NOTHING, 1),
        (Mood.TAKES_AND_HANGS_UP, 1),
        (Mood.TAKES_LATE, 1),
        (Mood.TAKES_AND_IS_BUSY, 1),
        (Mood.IS_AT_WORK, 1),
        (Mood.ANSWERS_TWICE, 1),
        (Mood.HANGS_UP, 2),
        (Mood.BUSY, 2),
        (Mood.TOO_MANY, 2),
        (Mood.FORBIDS, 2),
        (Mood.TURNS_AWAY, 2),
        (Mood.TALKS_NONSENSE, 2),
    ],
)
def test_a_billing_in_a_bad_mood_makes_one_client(desk: Desk, mood: Mood, sent: int) -> None:
    """This one does not even honour the key: it makes one each time that it is asked."""
    desk.ask(client(), client("d-2"))
    desk.billing.moods.append(mood)

    desk.carry(until_idle_s=6)

    assert desk.billing.counts == {CLIENT: 1, "d-2/COMMISSION/client/1": 1}
    assert max(desk.billing.sent.count(key) for key in desk.billing.counts) == sent
    assert sorted(each.call_id for each in desk.answers()) == sorted(desk.billing.counts)
    assert desk.differences() == []


@pytest.mark.requirement("DLR-01")
def test_a_request_that_arrives_later_than_anybody_believes_is_the_same_call_by_its_key(desk: Desk) -> None:
    desk.ask(client())
    desk.billing.moods.append(Mood.TAKES_VERY_LATE)
    desk.billing.honours_keys = True

    desk.carry(until_idle_s=8)

    assert desk.billing.sent == [CLIENT, CLIENT]
    assert desk.billing.counts == {CLIENT: 1}
    assert len(desk.told()) == 1


@pytest.mark.requirement("DLR-01")
def test_nothing_is_sent_before_billing_was_asked_for_it(desk: Desk) -> None:
    """Somebody restored our database to before the call."""
    desk.billing.take("client", (), {}, CLIENT)
    desk.ask(client())

    desk.carry()

    assert desk.billing.asked == [("find", CLIENT)]
    assert [each.billing_id for each in desk.answers() if isinstance(each, BillingDone)] == ["client-1"]


@pytest.mark.requirement("DLR-01", "DLR-05")
def test_a_refusal_is_told_and_never_sent_again(desk: Desk) -> None:
    desk.ask(client(), bill("contract-1"), client())
    desk.billing.moods.append(Mood.REFUSES)

    desk.carry()
    desk.carry()

    assert desk.states() == {CLIENT: "refused", "d-1/COMMISSION/bill/bill-1": "refused"}
    assert len(desk.billing.sent) == 2
    assert [each for each in desk.answers() if each.bill_id is None] == [
        BillingRefused(
            call_id=CLIENT, dealer_id="d-1", account=AccountType.COMMISSION, code="payer_unknown",
            text="the tax office does not know this payer",
        )
    ]  # fmt: skip
    (other,) = (each for each in desk.answers() if each.bill_id == "bill-1")
    assert isinstance(other, BillingRefused)
    assert (other.code, other.text) == ("not_found", "contract-1 is unknown")
    assert desk.billing.counts == {}
    assert desk.differences() == []


@pytest.mark.requirement("DLR-01")
def test_a_billing_that_is_away_costs_nothing_but_time(desk: Desk) -> None:
    desk.ask(client())
    there, desk.billing.address = desk.billing.address, "http://127.0.0.1:9"
    desk.carry()
    assert desk.states() == {CLIENT: "waiting"}
    assert "cannot be reached" in desk.problem(CLIENT)

    desk.billing.address = there
    desk.hurry()
    desk.carry()

    assert desk.billing.counts == {CLIENT: 1}


# ---- order


@pytest.mark.requirement("DLR-03")
def test_an_accounts_calls_go_out_as_they_were_written_and_one_that_waits_holds_up_no_other_account(desk: Desk) -> None:
    agreed = opened(desk)
    asked = len(desk.billing.sent)
    first = change("client-1", "payer-2", 2)
    others = [client("d-1", AccountType.DEPOSIT), client("d-2")]
    desk.billing.towards[first.call_id] = Mood.SAYS_NOTHING
    desk.ask(first, change("client-1", "payer-2", 3), bill(agreed), *others)

    desk.carry()

    ours = [first.call_id, "d-1/COMMISSION/requisites/3", "d-1/COMMISSION/bill/bill-1"]
    assert [desk.states()[each] for each in ours] == ["in doubt", "waiting", "waiting"]
    assert [desk.states()[each.call_id] for each in others] == ["done", "done"]
    desk.billing.towards.clear()
    desk.hurry()
    desk.carry(until_idle_s=6)
    sent = [key for key in desk.billing.sent[asked:] if key in ours]
    assert list(dict.fromkeys(sent)) == ours
    assert desk.billing.things["payer-2"]["requisites"]["legal_name"] == "Avtodom, version 3"
    assert desk.differences() == []


@pytest.mark.requirement("DLR-02")
def test_two_accounts_of_a_dealer_are_two_clients_each_made_beside_the_other(desk: Desk) -> None:
    """The first is slow; the second does not wait for it."""
    desk.billing.moods.append(Mood.TAKES_AND_SAYS_NOTHING)
    accounts = AccountType.DEPOSIT, AccountType.SETTLEMENT
    desk.ask(*(client("d-1", account) for account in accounts))

    desk.carry(until_idle_s=4)

    assert desk.billing.counts == {f"d-1/{account}/client/1": 1 for account in accounts}
    assert sorted(desk.billing.of_kind("client")) == ["client-1", "client-2"]


# ---- the breaker


@pytest.mark.requirement("DLR-01")
def test_a_billing_that_fails_too_often_is_let_alone_until_one_call_has_found_it_back(desk: Desk) -> None:
    desk.billing.moods.extend([Mood.BUSY] * 4)
    calls = [client(f"d-{number}") for number in range(4)]
    desk.ask(*calls)

    desk.carry(until_idle_s=4, billing_failures=4, billing_rest_s=60)

    assert len(desk.billing.asked) == 8, "each was asked for and sent once, and then Billing had its rest"
    assert set(desk.states().values()) == {"in doubt"}
    assert REGISTRY.get_sample_value("millrace_sink_billing_let_alone") == 1

    desk.hurry()
    desk.carry(until_idle_s=6, billing_failures=3, billing_rest_s=0.5)

    assert desk.billing.counts == {call.call_id: 1 for call in calls}
    assert REGISTRY.get_sample_value("millrace_sink_billing_let_alone") == 0
    assert desk.differences() == []


@pytest.mark.requirement("DLR-01")
def test_while_billing_has_its_rest_one_call_tries_and_the_order_of_an_account_stays(desk: Desk) -> None:
    """One worker from its first failure to the end, through an open, a half-open and a closed breaker."""
    first, second = client(), client(version=2)
    desk.ask(first, second, client("d-2"))
    desk.billing.moods.extend([Mood.TOO_MANY] * 4)

    desk.carry(until_idle_s=6, billing_failures=1, billing_rest_s=1.0)

    ours = [key for key in desk.billing.sent if key.startswith("d-1/")]
    assert list(dict.fromkeys(ours)) == [first.call_id, second.call_id]
    assert set(desk.states().values()) == {"done"}
    assert desk.billing.counts == dict.fromkeys(desk.states(), 1)


# ---- what waits for a person


@pytest.mark.requirement("DLR-01", "PIPE-08")
def test_a_call_that_billing_turns_away_again_and_again_is_parked_with_its_account_until_it_is_retried(
    desk: Desk,
) -> None:
    desk.ask(client(), client(version=2), client("d-2"))
    desk.billing.towards[CLIENT] = Mood.TURNS_AWAY
    desk.world.run("billing")
    so_far = MOST_USELESS - 2
    desk.world.query(
        "update sink.billing_call set failures = %s, useless = %s where call_id = %s", so_far, so_far, CLIENT
    )
    desk.carry()
    assert desk.states()[CLIENT] == "waiting"
    desk.hurry()
    desk.carry()

    with connect(desk.world.postgres) as connection:
        items = parked.waiting(connection, "billing")
    assert [(item.subject, item.reason) for item in items] == [(CLIENT, "useless_answers")]
    assert desk.states() == {
        CLIENT: "parked", "d-1/COMMISSION/client/2": "waiting", "d-2/COMMISSION/client/1": "done",
    }  # fmt: skip
    desk.billing.towards.clear()

    assert desk.retried("d-2/COMMISSION") == []
    assert desk.states()[CLIENT] == "parked", "another account was asked for"
    assert desk.retried("d-1/COMMISSION") == []
    desk.carry()

    assert set(desk.states().values()) == {"done"}
    assert desk.billing.counts == dict.fromkeys(desk.states(), 1)
    assert desk.differences() == []


@pytest.mark.requirement("DLR-01", "PIPE-04")
def test_what_is_no_call_and_a_call_that_wants_something_else_under_the_same_id_are_parked(desk: Desk) -> None:
    desk.world.write_raw(desk.world.calls, b"junk")
    desk.ask(client(), replace(client(), dealer_id="d-9"))
    desk.world.ask(client("d-2"), headers=[[]])
    desk.carry()

    assert desk.world.query("select record_offset, reason from sink.parked order by 1") == [
        (0, "not_framed"), (3, "other_content"), (5, "no_event_id"),
    ]  # fmt: skip
    assert desk.billing.counts == {CLIENT: 1}
    assert desk.differences() == []
    assert len(desk.retried()) == 3


# ---- personal data


@pytest.mark.requirement("DLR-01")
def test_requisites_are_in_no_log_and_no_table_once_billing_has_answered_nor_in_what_is_told_of_a_refusal(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.billing.refusal = ("bad_payer", f"tax number {SECRETS[1]} of {SECRETS[0]} is unknown")
    desk.billing.moods.extend([Mood.REFUSES, Mood.TALKS_NONSENSE, Mood.TURNS_AWAY])
    desk.ask(client(), client("d-2"), client("d-3"))
    desk.carry(until_idle_s=6)

    assert sorted(desk.states().values()) == ["done", "done", "refused"]
    rows = str(desk.world.query("select * from sink.billing_call"))
    answers = str(desk.answers())
    for secret in SECRETS:
        assert secret not in rows
        assert secret not in answers
        assert secret not in caplog.text
    assert "tax number <requisites> of <requisites> is unknown" in answers
