"""Dealers on the real stack: accounts step by step, and every case of a payment (DLR-01 to DLR-06)."""

import json
from typing import Any

import pytest

from schemas.billing import ChangePayer, CreateClient, CreateContract, CreatePayer
from schemas.dealer_accounts import AccountOpened, AccountStopped, RequisitesTaken, UpdateRequisites
from schemas.dealer_billing import AccountType, BillingPayment, Operation, Refused
from schemas.dealer_bills import (
    BillCorrected,
    BillPaid,
    BillPaidFromBalance,
    BillSent,
    BillState,
    BillVoided,
    CreateBill,
    HandOverPayment,
    MatchPayment,
    PaymentCredited,
    PaymentHandedOver,
    PaymentWaits,
    Source,
)
from schemas.fields import Money
from schemas.ledger import Outcome
from tests.e2e.dealer import DealerStory, eur, requisites
from tests.e2e.world import World, fresh


@pytest.fixture(scope="module")
def dealer(world: World) -> DealerStory:
    """Registered, in fast buyout, with all accounts open."""
    story = DealerStory(world)
    story.register()
    story.add_fast_buyout()
    for account in AccountType:
        story.open(account)
    return story


# ---- accounts


@pytest.mark.requirement("DLR-01", "DLR-02", "DLR-03")
def test_a_dealer_registers_takes_part_in_fast_buyout_and_moves(world: World) -> None:
    story = DealerStory(world)
    event_id = story.register()
    assert world.decided(event_id).outcome is Outcome.ACCEPTED
    client = world.told(CreateClient, dealer_id=story.dealer_id)
    story.open(AccountType.COMMISSION)
    story.add_fast_buyout()
    opened = [story.open(account) for account in (AccountType.DEPOSIT, AccountType.SETTLEMENT)]
    assert len({account.contract_id for account in opened}) == 2
    world.send(UpdateRequisites(dealer_id=story.dealer_id, requisites=requisites("2 Forge Road")))
    for account in AccountType:
        story.done(world.told(ChangePayer, dealer_id=story.dealer_id, account=account))
        world.told(RequisitesTaken, dealer_id=story.dealer_id, account=account, version=2)
    again = story.done(client)  # long after, and twice
    assert world.decided(again).outcome is Outcome.DUPLICATE
    assert len([each for each in world.read(CreateClient) if each.dealer_id == story.dealer_id]) == 3


@pytest.mark.requirement("DLR-01", "DLR-03")
def test_an_account_that_billing_stops_goes_on_with_mended_requisites(world: World) -> None:
    story = DealerStory(world)
    story.register()
    story.refused(world.told(CreateClient, dealer_id=story.dealer_id), "bad-tax-number")
    assert world.told(AccountStopped, dealer_id=story.dealer_id).code == "bad-tax-number"
    world.send(UpdateRequisites(dealer_id=story.dealer_id, requisites=requisites("2 Forge Road")))
    second = world.told(CreateClient, call_id=f"{story.dealer_id}/COMMISSION/client/2")
    assert second.requisites == requisites("2 Forge Road")
    story.done(second)
    story.done(world.told(CreatePayer, dealer_id=story.dealer_id))
    story.done(world.told(CreateContract, dealer_id=story.dealer_id))
    assert world.told(AccountOpened, dealer_id=story.dealer_id).version == 2


@pytest.mark.requirement("DLR-05", "BEY-03")
def test_a_bill_of_a_dealer_who_is_not_registered_is_refused(world: World) -> None:
    story = DealerStory(world)
    bill_id = fresh("bil")
    world.send(
        CreateBill(
            bill_id=bill_id,
            dealer_id=story.dealer_id,
            operation=Operation.GET_REWARD,
            amount=eur(1),
            text="A car",
        )
    )
    assert world.told(Refused, refused_id=bill_id).reason == "account_not_open"


# ---- every case of a payment


@pytest.mark.requirement("DLR-05", "DLR-06")
def test_a_bill_is_paid_in_part_then_in_whole_and_the_surplus_pays_the_next_bill(
    world: World, dealer: DealerStory
) -> None:
    first = dealer.draft(1_000, Operation.GET_REWARD)
    assert dealer.issue(first).url == f"https://billing.example/{first}.pdf"
    assert world.told(BillPaid, payment_id=dealer.pay(first, 400)).state is BillState.PART_PAID
    assert world.told(BillPaid, payment_id=dealer.pay(first, 600)).state is BillState.PAID
    more = world.told(BillPaid, payment_id=dealer.pay(first, 300))
    assert (more.state, more.applied_minor, more.surplus_minor) == (BillState.OVERPAID, 0, 300)
    second = dealer.draft(500, Operation.GET_REWARD)
    dealer.issue(second)
    paid = world.told(BillPaidFromBalance, bill_id=second)
    assert (paid.paid_minor, paid.state) == (300, BillState.PART_PAID)
    dealer.pay(second, 200)  # leaves no balance to the other tests
    world.told(BillPaid, bill_id=second, state=BillState.PAID)


@pytest.mark.requirement("DLR-06")
def test_a_payment_of_more_than_is_owed_pays_the_bill_and_the_rest_is_balance(
    world: World, dealer: DealerStory
) -> None:
    bill_id = dealer.bill(1_000)
    world.told(BillPaid, payment_id=dealer.pay(bill_id, 400))
    paid = world.told(BillPaid, payment_id=dealer.pay(bill_id, 900))
    assert (paid.state, paid.applied_minor, paid.surplus_minor) == (BillState.OVERPAID, 600, 300)
    following = dealer.bill(300)  # leaves no balance to the other tests
    assert world.told(BillPaidFromBalance, bill_id=following).state is BillState.PAID


@pytest.mark.requirement("DLR-06")
def test_a_payment_that_comes_before_its_bill_waits_and_pays_it(world: World, dealer: DealerStory) -> None:
    bill_id = fresh("bil")
    early = dealer.pay(bill_id, 300)
    world.told(PaymentWaits, payment_id=early)
    dealer.draft(700, bill_id=bill_id)
    second = dealer.pay(bill_id, 400)  # it is a draft
    world.told(PaymentWaits, payment_id=second)
    dealer.issue(bill_id)
    assert world.told(BillPaid, payment_id=early).source is Source.SUSPENSE
    assert world.told(BillPaid, payment_id=second).state is BillState.PAID


@pytest.mark.requirement("DLR-06", "PIPE-05")
def test_a_payment_counts_once_however_often_it_is_reported(world: World, dealer: DealerStory) -> None:
    bill_id = dealer.bill(700)
    payment = dealer.pay(bill_id, 300)
    world.told(BillPaid, payment_id=payment)
    dealer.pay(bill_id, 300, payment_id=payment)
    dealer.pay(bill_id, 301, payment_id=payment)
    assert world.told(Refused, refused_id=payment).reason == "other_content_under_this_id"
    last = world.told(BillPaid, payment_id=dealer.pay(bill_id, 400))
    assert (last.paid_minor, last.state) == (700, BillState.PAID)


@pytest.mark.requirement("DLR-06")
def test_a_payment_in_another_currency_is_refused_once_its_bill_is_known(world: World, dealer: DealerStory) -> None:
    bill_id = dealer.bill(700)
    payment = dealer.pay(bill_id, 700, "USD")
    assert world.told(Refused, refused_id=payment).reason == "currency_mismatch"


@pytest.mark.requirement("DLR-06", "PIPE-04")
@pytest.mark.parametrize("amount", [0, -700])
def test_a_payment_of_nothing_or_less_is_a_dead_letter(world: World, dealer: DealerStory, amount: int) -> None:
    bill_id, payment = dealer.bill(700), fresh("pay")
    money = Money.model_construct(amount_minor=amount, currency="EUR")
    spoilt = BillingPayment.model_construct(
        payment_id=payment, dealer_id=dealer.dealer_id, bill_id=bill_id, amount=money
    )

    def letters() -> set[tuple[str, str]]:
        """Ids and reasons of those that name the amount."""
        lines = world.command("streams", "deadletters", "list", "--json").stdout.splitlines()
        listed = [json.loads(line) for line in lines]
        return {(each["id"], each["reason"]) for each in listed if each["field"] == "amount.amount_minor"}

    before = letters()
    world.send(spoilt)
    ((_, reason),) = world.wait(lambda: letters() - before or None)
    assert reason == "refused_by_schema"
    assert world.told(BillPaid, payment_id=dealer.pay(bill_id, 700)).state is BillState.PAID


@pytest.mark.requirement("DLR-05", "DLR-06")
def test_what_is_paid_of_a_voided_bill_pays_the_next_one(world: World, dealer: DealerStory) -> None:
    bill_id = dealer.bill(700)
    world.told(BillPaid, payment_id=dealer.pay(bill_id, 300))
    assert dealer.void(bill_id).billing_id == f"made-{dealer.dealer_id}/SETTLEMENT/bill/{bill_id}"
    assert world.told(BillVoided, bill_id=bill_id).credited_minor == 300
    late = world.told(PaymentCredited, payment_id=dealer.pay(bill_id, 400))
    assert late.received == eur(400)
    following = dealer.bill(700)
    assert world.told(BillPaidFromBalance, bill_id=following).state is BillState.PAID


@pytest.mark.requirement("DLR-05", "DLR-06")
def test_a_payment_of_a_corrected_bill_pays_its_successor(world: World, dealer: DealerStory) -> None:
    bill_id = dealer.bill(700)
    successor = dealer.correct(bill_id, 500)
    assert world.told(BillCorrected, bill_id=bill_id).successor_id == successor
    dealer.issue(successor)
    paid = world.told(BillPaid, payment_id=dealer.pay(bill_id, 500))
    assert (paid.bill_id, paid.named, paid.state) == (successor, bill_id, BillState.PAID)


@pytest.mark.requirement("DLR-06")
def test_a_payment_for_an_unknown_or_another_dealers_bill_is_matched(world: World, dealer: DealerStory) -> None:
    bill_id, other = dealer.bill(700), DealerStory(world)
    mistyped, astray = dealer.pay(f"{bill_id}-oh", 300), other.pay(bill_id, 400)
    for payment in (mistyped, astray):
        world.told(PaymentWaits, payment_id=payment)
    match = {"bill_id": bill_id, "match_id": fresh("mat")}
    world.send(MatchPayment(**match, dealer_id=dealer.dealer_id, payment_id=mistyped))
    assert world.told(BillPaid, payment_id=mistyped).source is Source.SUSPENSE
    to_him = {"dealer_id": other.dealer_id, "payment_id": astray, "bill_dealer_id": dealer.dealer_id}
    world.send(MatchPayment(**match, **to_him))
    world.told(PaymentHandedOver, payment_id=astray)
    handed = world.told(HandOverPayment, from_dealer_id=other.dealer_id)
    assert world.told(BillPaid, payment_id=handed.payment_id).state is BillState.PAID


@pytest.mark.requirement("DLR-06")
def test_what_waits_for_an_unknown_bill_is_listed_until_it_is_matched(world: World, dealer: DealerStory) -> None:
    bill_id, nobody, cme_id = dealer.bill(700), DealerStory(world), f"cme-{dealer.dealer_id}"
    mistyped, of_nobody = dealer.pay(f"{bill_id}-oh", 700), nobody.pay(bill_id, 5)

    def listed(payment_id: str, *whose: str) -> list[dict[str, Any]]:
        answer = json.loads(world.command("streams", "dealer", "suspense", *whose, "--json").stdout)
        return [each for each in answer["payments"] if each["payment_id"] == payment_id]

    world.wait(lambda: world.sql("SELECT 1 FROM projection.dealers WHERE cme_client_id = %s", cme_id) or None)
    assert world.wait(lambda: listed(mistyped, cme_id) or None) == [
        {
            "payment_id": mistyped, "dealer_id": dealer.dealer_id, "cme_dealer_id": cme_id,
            "bill_id": f"{bill_id}-oh", "named": f"{bill_id}-oh", "amount_minor": 700, "currency": "EUR",
            "bill_state": None, "bill_currency": None,
        }
    ]  # fmt: skip
    assert mistyped in world.command("streams", "dealer", "suspense", cme_id).stdout
    (waits,) = world.wait(lambda: listed(of_nobody) or None)
    assert (waits["dealer_id"], waits["cme_dealer_id"]) == (nobody.dealer_id, None)
    world.send(MatchPayment(match_id=fresh("mat"), dealer_id=dealer.dealer_id, payment_id=mistyped, bill_id=bill_id))
    assert world.told(BillPaid, payment_id=mistyped).state is BillState.PAID
    assert world.wait(lambda: listed(mistyped) == [] or None)
    said = world.command("streams", "dealer", "suspense", "cme-nobody")
    assert (said.returncode, "no dealer is registered whom CME knows as 'cme-nobody'" in said.stderr) == (2, True)


# ---- what he has to pay


@pytest.mark.requirement("DLR-07", "DLR-10")
def test_a_bill_that_is_paid_by_half_is_shown_with_its_pdf_until_it_is_paid(world: World) -> None:
    dealer = DealerStory(world)
    dealer.register()
    dealer.open(AccountType.COMMISSION)
    first, second = (dealer.draft(amount, Operation.GET_REWARD) for amount in (1_000, 600))
    dealer.issue(first)
    dealer.issue(second)
    dealer.pay(first, 400)
    dealer.pay(second, 650)

    def asked() -> dict[str, Any]:
        return dict(json.loads(world.command("streams", "dealer", "bills", f"cme-{dealer.dealer_id}", "--json").stdout))

    def shown(owed_minor: int) -> dict[str, Any]:
        owed = [{"owed_minor": owed_minor, "currency": "EUR"}] if owed_minor else []
        return world.wait(lambda: answer if (answer := asked())["owed"] == owed else None)

    world.wait(lambda: world.sql("SELECT 1 FROM projection.dealers WHERE dealer_id = %s", dealer.dealer_id) or None)
    half = shown(600)
    assert half["bills"] == [
        {
            "dealer_id": dealer.dealer_id, "bill_id": first, "account": "COMMISSION", "common_minor": 1_000,
            "paid_minor": 400, "owed_minor": 600, "currency": "EUR", "state": "part_paid",
            "url": f"https://billing.example/{first}.pdf",
        }
    ]  # fmt: skip
    assert world.wait(lambda: [each["balance_minor"] for each in asked()["current_balances"]] == [50] or None)
    table = world.command("streams", "dealer", "bills", f"cme-{dealer.dealer_id}").stdout
    assert "part paid" in table
    assert "6.00" in table
    dealer.pay(first, 600)
    assert shown(0)["bills"] == []


@pytest.mark.requirement("DLR-07")
def test_a_dealer_whom_nobody_registered_is_one_clear_sentence(world: World) -> None:
    said = world.command("streams", "dealer", "bills", "cme-nobody")
    assert (said.returncode, "no dealer is registered whom CME knows as 'cme-nobody'" in said.stderr) == (2, True)


@pytest.mark.requirement("DLR-06", "PIPE-09")
def test_the_auditor_finds_nothing_to_say_of_dealers(world: World, dealer: DealerStory) -> None:
    world.told(BillSent, bill_id=dealer.bill(100))
    done = world.command("streams", "audit", "--wait", "60")
    assert done.returncode == 0, done.stdout
