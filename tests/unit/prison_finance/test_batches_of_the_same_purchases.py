"""A batch gives up its own purchases only (PRI-10)."""

import pytest

from schemas.prison_finance import CreditPrisoner, SubAccount
from streams.prison_finance.batch import ANSWER_US

from .partition import WHO, pounds
from .test_batch_laws import FUNDS, PRICE, Mail, batch_of

pytestmark = pytest.mark.requirement("PRI-08", "PRI-10")


def test_a_batch_that_is_late_does_not_cancel_a_purchase_that_another_batch_submitted() -> None:
    mail = Mail()
    mail.command(batch_of(WHO))
    mail.settle()
    mail.command(batch_of(WHO).model_copy(update={"batch_id": "week-7-again"}))
    mail.wait(1)
    mail.wait(ANSWER_US)  # the prisoner's book is slow: the second batch gives up
    mail.settle()
    assert (mail.prison.state(f"P-{WHO}"), mail.known(WHO)) == ("pending", "pending")


def test_a_batch_that_is_late_does_not_cancel_what_the_person_bought_himself_after_the_batchs_refusal() -> None:
    mail = Mail()
    mail.prison.move(FUNDS, "spends", "savings")
    mail.command(batch_of(WHO))
    mail.wait(1)
    mail.wait(ANSWER_US)  # its submission and its void are both on their way
    mail.deliver(0)  # the submission: refused, as there is no money
    credit = CreditPrisoner(
        credit_id="C2", prisoner_id=WHO, sub_account=SubAccount.SPENDS, amount=pounds(PRICE), description="Wages"
    )
    for own in (credit, batch_of(WHO).purchases[0]):
        mail.own(own)  # type: ignore[arg-type]
    mail.settle()
    assert mail.prison.state(f"P-{WHO}") == "pending"
