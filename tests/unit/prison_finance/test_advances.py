"""Advances: approved, lent with the purchase, repaid by schedule, written off (PRI-05, PRI-06, PRI-12)."""

import pytest

from schemas.prison_advances import AdvanceActive, AdvancePending, AdvanceRepaid, AdvanceVoided, AdvanceWrittenOff
from schemas.prison_finance import AdvanceApproval, PinnedCode, VoidCause
from schemas.refusals import Reason
from streams.ledger.draft import Refused

from .partition import CODES, PRISONER, WHO, Partition, entries, moment, pounds, told

pytestmark = pytest.mark.requirement("PRI-05", "PRI-12")


def lent(amount: int = 40, at: str = "09 10:00") -> Partition:
    """An active advance P1."""
    prison = Partition()
    prison.buy("P1", amount, at, funding="advance")
    return prison


# ---- approval and bounds


def test_without_money_the_refusal_recommends_what_the_prison_would_lend() -> None:
    prison = Partition()
    assert prison.submit("P1", 40, funding="spends cash") == Refused(
        Reason.INSUFFICIENT_FUNDS,
        {
            "spends_available": "0",
            "cash_available": "0",
            "total": "40",
            "missing": "40",
            "advance_recommended": "40",
            "advance_allowed": "100",
        },
    )


def test_an_advance_that_would_be_too_large_is_not_recommended() -> None:
    refusal = Partition().submit("P1", 101)
    assert isinstance(refusal, Refused)
    assert "advance_recommended" not in refusal.figures


@pytest.mark.parametrize("by", ["nobody", "deputy", "stranger"])
def test_who_may_not_approve_advances_here_is_refused(by: str) -> None:
    prison = Partition()
    refusal = prison.submit("P1", 40, funding="advance", approved_by=by)
    assert refusal == Refused(Reason.NOT_AUTHORISED, {"officer": by, "prison": "LEI"})
    assert prison.stands() == ""


def test_a_circumstance_of_the_prisons_policy_needs_no_officer() -> None:
    prison = Partition()
    assert told(prison.submit("P1", 40, funding="advance", circumstance="arrival")) == [
        "PurchasePending",
        "AdvancePending",
    ]


def test_another_circumstance_needs_one() -> None:
    refusal = Partition().submit("P1", 40, funding="advance", circumstance="birthday")
    assert refusal == Refused(Reason.NO_ADVANCE_POLICY, {"prison": "LEI", "circumstance": "birthday"})


def test_a_prison_without_a_policy_lends_nothing() -> None:
    prison = Partition()
    prison.kept.prisons["LEI"] = prison.kept.prisons["LEI"].model_copy(update={"advance_allowed_minor": None})
    refusal = prison.submit("P1", 40, funding="advance", approved_by="governor")
    assert refusal == Refused(Reason.NO_ADVANCE_POLICY, {"prison": "LEI"})
    del prison.kept.prisons["LEI"]
    assert prison.submit("P1", 40, funding="advance", approved_by="governor") == refusal


def test_no_more_is_lent_than_allowed_with_what_is_outstanding_and_pending() -> None:
    prison = lent(40)
    prison.submit("P2", 30, funding="advance", approved_by="governor")
    before = prison.stands()
    assert prison.submit("P3", 31, funding="advance", approved_by="governor") == Refused(
        Reason.ADVANCE_TOO_LARGE, {"allowed": "100", "outstanding": "70", "wanted": "31"}
    )
    assert prison.stands() == before
    assert isinstance(prison.submit("P3", 30, funding="advance", approved_by="governor"), list)


def test_a_prisoner_has_at_most_twenty_open_advances() -> None:
    prison = Partition()
    for number in range(20):
        prison.buy(f"P{number}", 1, funding="advance")
    refusal = prison.submit("P20", 1, funding="advance", approved_by="governor")
    assert refusal == Refused(Reason.TOO_MANY_ADVANCES, {"bound": "20"})
    prison.write_off("P0")
    assert isinstance(prison.submit("P20", 1, funding="advance", approved_by="governor"), list)


@pytest.mark.parametrize("purpose", ["spends", "cash", "advance", "owed", "written_off"])
def test_every_ledger_account_that_an_advance_may_need_is_needed_at_submission(purpose: str) -> None:
    prison = Partition()
    del prison.kept.gl_accounts[purpose]
    refusal = prison.submit("P1", 40, funding="advance", approved_by="governor")
    assert refusal == Refused(Reason.NO_GL_ACCOUNT, {"purpose": purpose})


def test_while_an_advance_is_open_its_id_is_not_used_again_even_after_its_purchase_is_forgotten() -> None:
    prison = lent(40)
    prison.processed("P1", at="2024-02-09 10:00")
    prison.tick("2024-06-09 10:00")
    assert (prison.state("P1"), prison.advances()) == (None, "P1 active 40/0")
    prison.credit(100, "savings")
    again = prison.submit("P1", 40, "2024-06-09 10:00", funding="advance", approved_by="governor")
    assert again == Refused(Reason.ALREADY_EXISTS, {"advance": "P1"})
    assert told(prison.credit(100, at="2024-06-09 10:00", credit_id="C2")) == ["PrisonerCredited", "AdvanceRepaid"]
    assert isinstance(prison.submit("P1", 40, "2024-06-09 10:00"), list)


def test_an_advance_is_written_off_after_its_purchase_is_forgotten_too() -> None:
    prison = lent(40)
    prison.tick("2024-06-09 10:00")
    assert entries(prison.write_off("P1", at="2024-06-09 10:00")) == ["4104 -> 1502 40"]


# ---- flow 4: an advance alone


def test_both_transfers_are_pending_with_the_purchase() -> None:
    prison = Partition()
    _, pending = prison.submit("P1", 40, "09 10:00", funding="advance", approved_by="governor")
    codes = {name: CODES[name] for name in ("spends", "cash", "owed", "advance", "written_off")}
    assert pending == AdvancePending(
        advance_id="P1",
        prisoner_id=WHO,
        prisoner=PRISONER,
        amount=pounds(40),
        approval=AdvanceApproval(approved_by="governor"),
        instalment_minor=10,
        every_days=7,
        gl_accounts=tuple(
            PinnedCode(account=account, gl_account=code)
            for account, code in {**codes, "supplier/canteen": "2501"}.items()
        ),
        deadline=moment("09 10:30"),
    )
    assert sorted(prison.money.locks) == [f"prisoner:{WHO}|advance:P1/account", f"prisoner:{WHO}|advance:P1/prisoner"]
    assert prison.stands() == "advance 0/40"
    assert prison.advances() == "P1 pending 40/0"


def test_authorised_with_its_purchase_it_passes_the_advance_account_and_is_owed() -> None:
    prison = Partition()
    prison.submit("P1", 40, "09 10:00", funding="advance", approved_by="governor")
    answer = prison.authorise("P1", "09 10:05")
    assert told(answer) == ["AdvanceActive", "PurchaseAuthorised"]
    assert isinstance(answer, list)
    assert answer[0] == AdvanceActive(
        advance_id="P1", prisoner_id=WHO, amount=pounds(40), since="2024-01-09", at=moment("09 10:05")
    )
    assert entries(answer) == ["1502 -> 2198 40", "2198 -> 2102 40", "2102 -> 2501 40"]
    assert prison.stands() == "owed 40, supplier/canteen 40"
    assert prison.advances() == "P1 active 40/0"


@pytest.mark.parametrize("cause", list(VoidCause))
def test_it_ends_with_a_purchase_that_does_not_take_place(cause: VoidCause) -> None:
    prison = Partition()
    prison.submit("P1", 40, "09 10:00", funding="advance", approved_by="governor")
    answer = prison.cancel("P1", "09 10:30") if cause is VoidCause.CANCELLED else prison.tick("09 10:30")
    assert isinstance(answer, list)
    assert answer[0] == AdvanceVoided(
        advance_id="P1", prisoner_id=WHO, cause=cause, amount=pounds(40), at=moment("09 10:30")
    )
    assert told(answer)[:2] == ["AdvanceVoided", "PurchaseVoided"]
    assert (prison.stands(), prison.advances(), list(prison.money.locks)) == ("", "", [])


def test_money_that_comes_in_while_it_is_pending_changes_nothing_of_it() -> None:
    prison = Partition()
    prison.submit("P1", 40, funding="advance", approved_by="governor")
    assert told(prison.credit(100)) == ["PrisonerCredited"]
    prison.authorise("P1")
    assert prison.stands() == "owed 40, prison 100, spends 100, supplier/canteen 40"


# ---- flow 5: what is there, and an advance for the rest


@pytest.mark.requirement("PRI-06")
def test_an_advance_pays_what_spends_and_cash_do_not() -> None:
    prison = Partition()
    prison.credit(10)
    prison.credit(20, "cash")
    prison.change(cash_permission_until=moment("2100-01-01 00:00"))
    prison.submit("P1", {"canteen": 25, "BT": 35}, funding="spends cash advance", approved_by="governor")
    assert prison.stands() == "advance 0/30, cash 20/20, prison 30, spends 10/10"
    assert entries(prison.authorise("P1")) == [
        "1502 -> 2198 30",
        "2198 -> 2102 30",
        "2102 -> 2501 10",
        "2101 -> 2501 15",
        "2101 -> 2502 5",
        "2102 -> 2502 30",
    ]
    assert prison.stands() == "owed 30, prison 30, supplier/BT 35, supplier/canteen 25"


@pytest.mark.requirement("PRI-06")
def test_cash_beside_spends_needs_permission_there_too() -> None:
    prison = Partition()
    prison.credit(10)
    prison.credit(20, "cash")
    refusal = prison.submit("P1", 60, funding="spends cash advance", approved_by="governor")
    assert refusal == Refused(Reason.NOT_PERMITTED, {"permission": "none", "wanted_cash": "20"})
    assert isinstance(prison.submit("P1", 60, funding="spends advance", approved_by="governor"), list)


@pytest.mark.requirement("PRI-06")
def test_where_the_funds_suffice_nothing_is_lent_and_nobody_need_approve() -> None:
    prison = Partition()
    prison.credit(60)
    assert told(prison.submit("P1", 60, funding="spends advance", approved_by="nobody")) == ["PurchasePending"]


# ---- repayment


def test_a_credit_pays_the_instalments_that_are_due() -> None:
    prison = lent(40, "09 10:00")
    assert told(prison.credit(100, at="15 23:59")) == ["PrisonerCredited"]
    answer = prison.credit(100, "cash", at="16 00:00", credit_id="C2")
    assert isinstance(answer, list)
    assert answer[1] == AdvanceRepaid(
        advance_id="P1",
        prisoner_id=WHO,
        transaction_id="repayment/2024-01-16/C2/1",
        amount=pounds(10),
        outstanding_minor=30,
        at=moment("16 00:00"),
    )
    assert entries(answer) == ["2101 -> 1502 10"]
    assert prison.stands() == "cash 90, owed 30, prison 200, spends 100, supplier/canteen 40"
    assert told(prison.credit(100, at="22 23:59", credit_id="C3")) == ["PrisonerCredited"]


def test_never_more_is_repaid_than_came_in_and_the_rest_stays_due() -> None:
    prison = lent(40, "09 10:00")
    prison.credit(1_000, "savings", at="08 10:00")
    prison.credit(3, at="16 10:00")
    assert prison.advances() == "P1 active 40/3"
    assert prison.stands() == "owed 37, prison 1003, savings 1000, supplier/canteen 40"
    prison.credit(50, at="17 10:00", credit_id="C2")
    assert prison.advances() == "P1 active 40/10"


def test_the_oldest_advance_is_repaid_first_each_by_a_transaction_of_its_own() -> None:
    prison = lent(40, "09 10:00")
    prison.buy("P2", 20, "09 11:00", funding="advance")
    answer = prison.credit(15, at="16 10:00")
    assert told(answer) == ["PrisonerCredited", "AdvanceRepaid", "AdvanceRepaid"]
    assert prison.advances() == "P1 active 40/10, P2 active 20/5"
    assert [line.transaction_id for line in prison.lines[-4:]] == [
        *["repayment/2024-01-16/C1/1"] * 2,
        *["repayment/2024-01-16/C1/2"] * 2,
    ]


def test_when_all_is_repaid_it_ends() -> None:
    prison = lent(25, "09 10:00")
    prison.credit(100, at="2024-03-09 10:00")
    assert (prison.advances(), prison.stands()) == ("", "prison 100, spends 75, supplier/canteen 25")
    assert told(prison.credit(100, at="2024-04-09 10:00", credit_id="C2")) == ["PrisonerCredited"]


def test_savings_and_transfers_repay_nothing() -> None:
    prison = lent(40, "01 10:00")
    prison.credit(100, "savings", at="16 10:00")
    prison.move(100, "savings", "spends")
    assert prison.stands() == "owed 40, prison 100, spends 100, supplier/canteen 40"


def test_a_credit_of_before_the_advance_repays_nothing() -> None:
    prison = lent(40, "16 10:00")
    assert told(prison.credit(100, at="09 10:00")) == ["PrisonerCredited"]


def test_repayments_bear_the_prison_and_the_codes_that_lent() -> None:
    prison = lent(40, "09 10:00")
    prison.change(prison_id="MDI", cost_centre="999")
    del prison.kept.gl_accounts["owed"]
    prison.credit(100, at="16 10:00")
    assert [(line.prison_id, line.cost_centre, line.gl_account) for line in prison.lines[-2:]] == [
        ("LEI", "10572801", "2102"),
        ("LEI", "10572801", "1502"),
    ]


@pytest.mark.parametrize(
    ("last_of_the_day", "first_of_the_next"),
    [("2024-03-31 22:59:59", "2024-03-31 23:00"), ("2024-10-27 23:59:59", "2024-10-28 00:00")],
)
def test_instalments_fall_due_at_midnight_in_london(last_of_the_day: str, first_of_the_next: str) -> None:
    day = int(last_of_the_day[8:10])
    since = f"{last_of_the_day[:8]}{day - 6:02} 12:00"
    prison = lent(40, since)
    prison.credit(100, at=last_of_the_day)
    assert prison.advances() == "P1 active 40/0"
    prison.credit(100, at=first_of_the_next, credit_id="C2")
    assert prison.advances() == "P1 active 40/10"


# ---- write-off


def test_what_is_outstanding_is_given_up() -> None:
    prison = lent(40, "09 10:00")
    prison.credit(15, at="16 10:00")
    answer = prison.write_off("P1", at="17 10:00")
    assert isinstance(answer, list)
    assert answer[0] == AdvanceWrittenOff(
        advance_id="P1",
        prisoner_id=WHO,
        amount=pounds(30),
        written_off_by="governor",
        reason="released",
        at=moment("17 10:00"),
    )
    assert entries(answer) == ["4104 -> 1502 30"]
    assert prison.stands() == "prison 15, spends 5, supplier/canteen 40, written_off 30"
    assert prison.advances() == ""


@pytest.mark.parametrize("by", ["nobody", "deputy", "stranger"])
def test_who_may_not_write_off_here_is_refused(by: str) -> None:
    prison = lent(40)
    assert prison.write_off("P1", by) == Refused(Reason.NOT_AUTHORISED, {"officer": by, "prison": "LEI"})
    assert prison.advances() == "P1 active 40/0"


def test_nothing_is_written_off_of_an_advance_that_is_unknown_pending_or_ended() -> None:
    prison = Partition()
    assert prison.write_off("P1") == Refused(Reason.NOT_FOUND, {"advance": "P1"})
    prison.submit("P1", 40, funding="advance", approved_by="governor")
    assert prison.write_off("P1") == Refused(Reason.WRONG_STATE, {"advance": "P1", "state": "pending"})
    prison.authorise("P1")
    prison.write_off("P1")
    assert prison.write_off("P1") == Refused(Reason.NOT_FOUND, {"advance": "P1"})
