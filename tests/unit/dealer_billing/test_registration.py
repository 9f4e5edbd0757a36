"""Registration, accounts and requisites, step by step through Billing (DLR-01, DLR-02, DLR-03)."""

import pytest

from schemas.billing import BillingDone, ChangePayer, CreateContract, CreatePayer
from schemas.dealer_accounts import AccountOpened, AccountStopped, RequisitesRefused
from schemas.dealer_billing import AccountType
from streams.dealer_billing.registration import State
from tests.rooms import DAY

from .book import BOOK
from .registering import FIRST, Office, done, moved_to


@pytest.mark.requirement("DLR-01")
def test_a_registered_dealer_gets_client_payer_and_contract_one_after_another() -> None:
    office = Office()
    assert office.register().says == ["DealerRegistered", "AccountOpening", "CreateClient"]
    assert office.answer(office.calls[0]).says == ["AccountOpening", "CreatePayer"]
    (payer,) = office.calls
    assert isinstance(payer, CreatePayer)
    assert (payer.client_id, payer.requisites) == ("made-by-D1/COMMISSION/client/1", FIRST)
    assert office.answer(payer).says == ["AccountOpening", "CreateContract"]
    (contract,) = office.calls
    assert isinstance(contract, CreateContract)
    assert (contract.client_id, contract.payer_id) == (payer.client_id, "made-by-D1/COMMISSION/payer/1")
    opened = office.answer(contract).event(AccountOpened)
    assert (opened.account, opened.contract_id) == (AccountType.COMMISSION, "made-by-D1/COMMISSION/contract/1")
    assert office.account("COMMISSION").state is State.OPEN


@pytest.mark.requirement("DLR-01")
@pytest.mark.parametrize("cme_dealer_id", ["cme-2", "D1"])
def test_a_dealer_whom_reference_data_does_not_know_so_is_refused(cme_dealer_id: str) -> None:
    office = Office()
    told = office.register(cme_dealer_id)
    assert (told.reason, told.figures) == ("unknown_dealer", {"dealer": "D1", "cme_dealer": cme_dealer_id})
    assert not office.calls


@pytest.mark.requirement("DLR-01", "PIPE-05")
def test_a_dealer_is_registered_once() -> None:
    office = Office()
    office.register(id="E1")
    assert office.register(id="E1").outcome == "duplicate"
    assert office.register(id="E2").reason == "already_exists"
    assert office.asked == ["D1/COMMISSION/client/1"]


@pytest.mark.requirement("DLR-01")
def test_everything_that_follows_from_a_command_carries_its_correlation() -> None:
    office = Office()
    told = office.register(id="E1")
    (call,) = [each for each in told.sent if each.topic.name == "dealer_billing.billing-call.command.v1"]
    assert dict(call.headers or ())["ce_correlationid"] == b"story-E1"


@pytest.mark.requirement("DLR-01", "PIPE-05")
def test_an_answer_that_comes_twice_takes_one_step() -> None:
    office = Office()
    office.register()
    (client,) = office.calls
    office.answer(client, id="A1")
    assert office.answer(client, id="A1").outcome == "duplicate"
    assert office.answer(client, id="A2").outcome == "duplicate"
    other = done(client).model_copy(update={"billing_id": "another"})
    assert office.send(other).reason == "other_content_under_this_id"
    office.stage.wait(8 * DAY)
    told = office.send(other)  # forgotten as an id, but not awaited any more
    assert (told.outcome, told.events) == ("accepted", [])
    assert office.asked == ["D1/COMMISSION/client/1", "D1/COMMISSION/payer/1"]


@pytest.mark.requirement("DLR-01")
def test_an_answer_to_nothing_that_was_asked_changes_nothing() -> None:
    office = Office()
    stray = BillingDone(
        call_id="D1/DEPOSIT/client/1", dealer_id="D1", account=AccountType.DEPOSIT, billing_id="a client"
    )
    assert office.send(stray).events == []
    office.register()
    ahead = {"call_id": "D1/COMMISSION/payer/1", "account": AccountType.COMMISSION}
    assert office.send(stray.model_copy(update=ahead)).events == []
    assert office.account("COMMISSION").state is State.CLIENT


@pytest.mark.requirement("DLR-02")
def test_fast_buyout_opens_deposit_and_settlement_each_with_its_own_client_payer_and_contract() -> None:
    office = Office()
    office.register()
    assert office.add_fast_buyout().says == ["AccountOpening", "CreateClient"] * 2
    office.answer_all()
    accounts = [office.account(name) for name in ("COMMISSION", "DEPOSIT", "SETTLEMENT")]
    assert [account.state for account in accounts] == [State.OPEN] * 3
    assert len({account.client_id for account in accounts}) == 3
    assert len({account.contract_id for account in accounts}) == 3
    again = office.add_fast_buyout()
    assert (again.reason, again.figures["DEPOSIT"]) == ("already_exists", "open")


@pytest.mark.requirement("DLR-02", "DLR-03")
def test_what_needs_a_registered_dealer_is_refused_before_he_is() -> None:
    office = Office()
    assert office.add_fast_buyout().reason == "not_found"
    assert office.move_to("2 Forge Road").reason == "not_found"


@pytest.mark.requirement("DLR-01", "DLR-03")
def test_a_step_that_billing_refuses_stops_the_account_until_the_requisites_are_mended() -> None:
    office = Office()
    office.register()
    office.answer(office.calls[0])
    stopped = office.refuse(office.calls[0]).event(AccountStopped)
    assert (stopped.step, stopped.code, stopped.version) == ("payer", "bad-tax-number", 1)
    assert office.account("COMMISSION").state is State.STOPPED
    assert office.move_to("2 Forge Road").says == ["RequisitesChanged", "AccountOpening", "CreatePayer"]
    (payer,) = office.calls
    assert (payer.client_id, payer.requisites) == ("made-by-D1/COMMISSION/client/1", moved_to("2 Forge Road"))
    office.answer_all()
    assert office.asked == [
        "D1/COMMISSION/client/1", "D1/COMMISSION/payer/1", "D1/COMMISSION/payer/2", "D1/COMMISSION/contract/2",
        "D1/COMMISSION/requisites/2",
    ]  # fmt: skip
    assert office.account("COMMISSION").version == 2


@pytest.mark.requirement("DLR-03")
def test_a_step_that_is_refused_is_asked_again_at_once_where_the_requisites_are_mended_already() -> None:
    office = Office()
    office.register()
    office.move_to("2 Forge Road")
    assert office.refuse(office.calls[0]).says == ["AccountStopped", "AccountOpening", "CreateClient"]
    office.answer_all()
    assert office.asked[1] == "D1/COMMISSION/client/2"
    assert "D1/COMMISSION/requisites/2" not in office.asked  # the client was made with these


@pytest.mark.requirement("DLR-01", "DLR-03")
def test_a_contract_that_billing_refuses_is_asked_for_again_when_its_payer_has_the_mended_requisites() -> None:
    """Billing looks at the payer's requisites: asked again as they were, it refuses for ever."""
    office = Office()
    office.register()
    for _ in range(2):
        office.answer(office.calls[0])
    assert office.refuse(office.calls[0]).event(AccountStopped).step == "contract"
    assert office.move_to("2 Forge Road").says == ["RequisitesChanged", "RequisitesSent", "ChangePayer"]
    office.move_to("3 Forge Road")  # noted: others are under way
    assert office.answer(office.calls[0]).says == ["RequisitesTaken", "RequisitesSent", "ChangePayer"]
    assert office.account("COMMISSION").state is State.STOPPED
    assert office.answer(office.calls[0]).says == ["RequisitesTaken", "AccountOpening", "CreateContract"]
    assert office.answer(office.calls[0]).says == ["AccountOpened"]
    assert office.asked[2:] == [f"D1/COMMISSION/{call}" for call in (
        "contract/1", "requisites/2", "requisites/3", "contract/3",
    )]  # fmt: skip
    account = office.account("COMMISSION")
    assert (account.state, account.version) == (State.OPEN, 3)


@pytest.mark.requirement("DLR-01", "DLR-03")
def test_a_contract_is_asked_for_with_the_requisites_of_its_payer_and_newer_ones_mend_its_refusal() -> None:
    office = Office()
    office.register()
    office.answer(office.calls[0])
    office.move_to("2 Forge Road")  # while the payer is made with the first ones
    office.answer(office.calls[0])
    assert office.asked[-1] == "D1/COMMISSION/contract/1"
    assert office.refuse(office.calls[0]).says == ["AccountStopped", "RequisitesSent", "ChangePayer"]
    assert office.refuse(office.calls[0]).says == ["RequisitesRefused"]
    assert office.account("COMMISSION").state is State.STOPPED
    office.move_to("3 Forge Road")
    office.answer_all()
    assert office.asked[-2:] == ["D1/COMMISSION/requisites/3", "D1/COMMISSION/contract/3"]
    assert office.account("COMMISSION").version == 3


@pytest.mark.requirement("DLR-03")
def test_requisites_that_change_reach_billing_for_every_open_account() -> None:
    office = Office()
    office.register()
    office.add_fast_buyout()
    office.answer_all()
    office.move_to("2 Forge Road")
    assert {(call.account, call.version) for call in office.calls} == {(account, 2) for account in AccountType}
    assert all(isinstance(call, ChangePayer) for call in office.calls)
    assert office.answer(office.calls[0]).says == ["RequisitesTaken"]


@pytest.mark.requirement("DLR-03")
def test_of_requisites_that_change_while_others_are_under_way_the_newest_are_sent_afterwards() -> None:
    office = Office()
    office.register()
    office.answer_all()
    for address in ("2 Forge Road", "3 Forge Road", "4 Forge Road"):
        office.move_to(address)
    (first,) = office.calls
    assert office.answer(first).says == ["RequisitesTaken", "RequisitesSent", "ChangePayer"]
    (newest,) = office.calls
    assert (newest.version, newest.requisites) == (4, moved_to("4 Forge Road"))
    office.answer(newest)
    assert not office.calls
    assert office.account("COMMISSION").version == 4


@pytest.mark.requirement("DLR-03")
def test_requisites_that_billing_refuses_leave_the_account_open_with_those_it_had() -> None:
    office = Office()
    office.register()
    office.answer_all()
    office.move_to("nowhere")
    no = office.refuse(office.calls[0], "no-such-address").event(RequisitesRefused)
    assert (no.version, no.code) == (2, "no-such-address")
    account = office.account("COMMISSION")
    assert (account.state, account.version) == (State.OPEN, 1)
    assert office.kept.registered[BOOK].version == 2
    office.move_to("3 Forge Road")
    office.answer_all()
    assert office.account("COMMISSION").version == 3
