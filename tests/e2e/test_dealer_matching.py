"""A person says for which bill a payment in suspense is, from the command line (DLR-06)."""

import subprocess

import pytest

from schemas.dealer_billing import AccountType
from schemas.dealer_bills import BillPaid, BillState, HandOverPayment, PaymentWaits
from tests.e2e.dealer import DealerStory
from tests.e2e.world import World, fresh

pytestmark = pytest.mark.requirement("DLR-06")


@pytest.fixture(scope="module")
def dealer(world: World) -> DealerStory:
    """Registered, with an account to settle."""
    dealer = DealerStory(world)
    dealer.register()
    dealer.open(AccountType.COMMISSION)
    dealer.add_fast_buyout()
    dealer.open(AccountType.SETTLEMENT)
    return dealer


def matched(world: World, payment: str, bill_id: str, *options: str) -> subprocess.CompletedProcess[str]:
    return world.command("streams", "dealer", "match", payment, bill_id, *options)


def landed(world: World, payment: str, bill_id: str) -> None:
    """Both can be looked up."""
    world.told(PaymentWaits, payment_id=payment)
    world.wait(lambda: world.sql("SELECT 1 FROM projection.suspense WHERE payment_id = %s", payment) or None)
    world.wait(lambda: world.sql("SELECT 1 FROM projection.bill WHERE bill_id = %s", bill_id) or None)


def test_a_mistyped_payment_is_given_to_its_bill_once(world: World, dealer: DealerStory) -> None:
    bill_id = dealer.bill(700)
    payment = dealer.pay(f"{bill_id}-oh", 300)
    landed(world, payment, bill_id)

    done = matched(world, payment, bill_id)

    assert (done.stdout, done.returncode) == (f"payment {payment} pays 3.00 EUR of bill {bill_id}, now part paid\n", 0)
    assert world.told(BillPaid, payment_id=payment).paid_minor == 300
    world.wait(lambda: not world.sql("SELECT 1 FROM projection.suspense WHERE payment_id = %s", payment) or None)
    again = matched(world, payment, bill_id)
    assert (again.returncode, f"no payment {payment} in suspense" in again.stderr) == (2, True)


def test_a_payment_of_the_wrong_dealer_goes_to_whose_bill_it_is(world: World, dealer: DealerStory) -> None:
    bill_id, other = dealer.bill(400), DealerStory(world)
    astray = other.pay(bill_id, 400)
    landed(world, astray, bill_id)

    done = matched(world, astray, bill_id)

    assert done.stdout == f"payment {astray} goes to dealer {dealer.dealer_id}, for bill {bill_id}\n"
    handed = world.told(HandOverPayment, from_dealer_id=other.dealer_id)
    assert world.told(BillPaid, payment_id=handed.payment_id).state is BillState.PAID


def test_what_the_book_refuses_is_told_with_its_reason(world: World, dealer: DealerStory) -> None:
    bill_id = dealer.bill(400)
    payment = dealer.pay(f"{bill_id}-oh", 400, "USD")
    landed(world, payment, bill_id)

    done = matched(world, payment, bill_id)

    assert (done.returncode, done.stdout.startswith("refused: currency mismatch (")) == (1, True)


def test_a_bill_that_nobody_knows_and_another_ones_are_one_clear_sentence(world: World, dealer: DealerStory) -> None:
    bill_id = dealer.bill(400)
    payment = dealer.pay(f"{bill_id}-oh", 100)
    landed(world, payment, bill_id)
    unknown = matched(world, payment, fresh("bil"))
    assert (unknown.returncode, "no bill bil-" in unknown.stderr) == (2, True)
    elsewhere = matched(world, payment, bill_id, "--bill-dealer", "nobody")
    assert f"no bill {bill_id} of dealer nobody, but of {dealer.dealer_id}" in elsewhere.stderr
