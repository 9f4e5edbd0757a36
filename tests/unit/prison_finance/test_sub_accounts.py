"""Credits and moves between a prisoner's sub-accounts (PRI-01)."""

import pytest
from pydantic import ValidationError

from schemas.prison_finance import MoveBetweenSubAccounts, MovedBetweenSubAccounts, PrisonerCredited, SubAccount
from schemas.refusals import Reason
from streams.ledger.accounts import Audience
from streams.ledger.draft import Refused
from streams.prison_finance.accounts import account_of

from .partition import WHO, Partition, pounds

pytestmark = pytest.mark.requirement("PRI-01")


@pytest.mark.parametrize("sub_account", ["cash", "spends", "savings"])
def test_a_credit_stands_on_its_sub_account(sub_account: str) -> None:
    prison = Partition()
    assert prison.credit(100, sub_account) == [
        PrisonerCredited(credit_id="C1", prisoner_id=WHO, sub_account=SubAccount(sub_account), amount=pounds(100))
    ]
    assert sorted(prison.stands().split(", ")) == sorted(["prison 100", f"{sub_account} 100"])


def test_a_credit_of_an_unknown_prisoner_is_refused() -> None:
    prison = Partition()
    assert prison.credit(100, who="Z9") == Refused(Reason.UNKNOWN_PRISONER, {"prisoner": "Z9"})
    assert prison.stands("Z9") == ""


def test_money_that_is_not_sterling_is_refused_whatever_is_done_with_it() -> None:
    prison = Partition()
    refusal = Refused(Reason.CURRENCY_MISMATCH, {"currency": "GBP", "given": "EUR", "wanted": "100"})
    assert prison.credit(100, currency="EUR") == refusal
    assert prison.move(100, "cash", "spends", currency="EUR") == refusal
    assert prison.submit("P1", 100, currency="EUR") == refusal


def test_money_moves_between_sub_accounts() -> None:
    prison = Partition()
    prison.credit(100, "cash")
    assert prison.move(60, "cash", "spends") == [
        MovedBetweenSubAccounts(
            transfer_id="T1",
            prisoner_id=WHO,
            source=SubAccount.CASH,
            target=SubAccount.SPENDS,
            amount=pounds(60),
        )
    ]
    assert prison.stands() == "cash 40, prison 100, spends 60"


@pytest.mark.parametrize(("source", "target"), [("cash", "spends"), ("spends", "savings"), ("savings", "cash")])
def test_no_more_moves_than_there_is(source: str, target: str) -> None:
    prison = Partition()
    prison.credit(100, source)
    prison.credit(500, target)
    assert prison.move(101, source, target) == Refused(
        Reason.INSUFFICIENT_FUNDS,
        {"account": source, "currency": "GBP", "available": "100", "locked": "0", "wanted": "101", "missing": "1"},
    )


@pytest.mark.parametrize("sub_account", list(SubAccount))
def test_a_prisoner_sees_his_sub_accounts(sub_account: SubAccount) -> None:
    assert account_of(sub_account).audience is Audience.OWNER


def test_what_a_purchase_has_locked_does_not_move() -> None:
    prison = Partition()
    prison.credit(100)
    prison.submit("P1", 70)
    assert prison.move(31, "spends", "savings") == Refused(
        Reason.INSUFFICIENT_FUNDS,
        {"account": "spends", "currency": "GBP", "available": "30", "locked": "70", "wanted": "31", "missing": "1"},
    )
    prison.move(30, "spends", "savings")
    assert prison.stands() == "prison 100, savings 30, spends 70/70"


def test_the_money_of_a_prisoner_who_left_still_moves() -> None:
    prison = Partition()
    prison.credit(100, "cash")
    del prison.kept.prisoners[WHO]
    prison.move(100, "cash", "spends")
    assert prison.stands() == "prison 100, spends 100"


@pytest.mark.parametrize("sub_account", list(SubAccount))
def test_a_move_to_where_the_money_is_is_no_message(sub_account: SubAccount) -> None:
    with pytest.raises(ValidationError) as refusal:
        MoveBetweenSubAccounts(
            transfer_id="T1",
            prisoner_id=WHO,
            source=sub_account,
            target=sub_account,
            amount=pounds(1),
            description="nowhere",
        )
    (error,) = refusal.value.errors()
    assert error["loc"] == ("target",)
    assert f"is the source, {sub_account}, too" in error["msg"]
