"""Refunds: reversals of authorised purchases, back to where the money came from (PRI-13)."""

import pytest

from schemas.prison_advances import AdvanceRepaid
from schemas.prison_finance import FundingSource, PurchaseRefunded, RefundPart
from schemas.refusals import Reason
from streams.ledger.draft import Refused

from .partition import WHO, Partition, entries, moment, pounds, told

pytestmark = pytest.mark.requirement("PRI-13")


def bought() -> Partition:
    """P1 for 60: spends 10 and cash 20 paid the canteen 25 and BT 5; an advance paid BT the other 30."""
    prison = Partition()
    prison.credit(10)
    prison.credit(20, "cash")
    prison.change(cash_permission_until=moment("2100-01-01 00:00"))
    prison.buy("P1", {"canteen": 25, "BT": 35}, funding="spends cash advance")
    return prison


def test_a_whole_refund_puts_everything_back_where_it_came_from() -> None:
    prison = bought()
    answer = prison.refund("R1", "P1")
    assert isinstance(answer, list)
    assert told(answer) == ["PurchaseRefunded", "AdvanceRepaid"]
    assert entries(answer) == ["2502 -> 1502 30", "2501 -> 2101 15", "2502 -> 2101 5", "2501 -> 2102 10"]
    assert {(line.transaction_id, line.reverses) for line in prison.lines[-8:]} == {("refund/R1", "P1")}
    assert prison.stands() == "cash 20, prison 30, spends 10"
    assert prison.advances() == ""


def test_a_part_goes_back_in_the_reverse_order_of_funding() -> None:
    prison = bought()
    assert entries(prison.refund("R1", "P1", {"BT": 33})) == ["2502 -> 1502 30", "2502 -> 2101 3"]
    assert entries(prison.refund("R2", "P1", {"canteen": 16})) == ["2501 -> 2101 15", "2501 -> 2102 1"]
    assert entries(prison.refund("R3", "P1")) == ["2502 -> 2101 2", "2501 -> 2102 9"]
    assert prison.stands() == "cash 20, prison 30, spends 10"


def test_what_an_advance_paid_repays_it_while_something_is_owed_and_the_rest_is_the_prisoners() -> None:
    prison = Partition()
    prison.buy("P1", 40, "09 10:00", funding="advance")
    prison.credit(100, at="16 10:00")  # repays 10
    prison.credit(1_000, "savings", credit_id="C2")
    answer = prison.refund("R1", "P1", at="17 10:00")
    assert isinstance(answer, list)
    assert answer[:2] == [
        PurchaseRefunded(
            refund_id="R1",
            purchase_id="P1",
            prisoner_id=WHO,
            parts=(
                RefundPart(source=FundingSource.ADVANCE, supplier_id="canteen", account="owed", amount_minor=30),
                RefundPart(source=FundingSource.ADVANCE, supplier_id="canteen", account="spends", amount_minor=10),
            ),
            total=pounds(40),
            reason="out of stock",
            at=moment("17 10:00"),
        ),
        AdvanceRepaid(
            advance_id="P1",
            prisoner_id=WHO,
            transaction_id="refund/R1",
            amount=pounds(30),
            outstanding_minor=0,
            at=moment("17 10:00"),
        ),
    ]
    assert prison.stands() == "prison 1100, savings 1000, spends 100"
    assert prison.advances() == ""


def test_what_was_written_off_is_made_good_before_the_prisoner_gets_anything() -> None:
    prison = Partition()
    prison.buy("P1", 40, "09 10:00", funding="advance")
    prison.credit(10, at="16 10:00")  # all of it is repaid
    prison.write_off("P1", at="17 10:00")
    assert entries(prison.refund("R1", "P1", {"canteen": 12})) == ["2501 -> 4104 12"]
    assert entries(prison.refund("R2", "P1")) == ["2501 -> 4104 18", "2501 -> 2102 10"]
    assert prison.stands() == "prison 10, spends 10"


def test_another_advance_is_not_repaid_by_a_refund() -> None:
    prison = bought()
    prison.buy("P2", 5, funding="advance")
    prison.refund("R1", "P1")
    assert prison.advances() == "P2 active 5/0"


def test_a_supplier_gives_back_no_more_than_it_got() -> None:
    prison = bought()
    before = prison.stands()
    assert prison.refund("R1", "P1", {"canteen": 26}) == Refused(
        Reason.EXCEEDS_PURCHASE, {"supplier": "canteen", "paid": "25", "left": "25", "wanted": "26"}
    )
    assert prison.stands() == before
    prison.refund("R1", "P1", {"canteen": 20})
    assert prison.refund("R2", "P1", {"BT": 1, "canteen": 6}) == Refused(
        Reason.EXCEEDS_PURCHASE, {"supplier": "canteen", "paid": "25", "left": "5", "wanted": "6"}
    )


def test_a_supplier_that_got_nothing_gives_nothing() -> None:
    prison = Partition()
    prison.credit(100)
    prison.buy("P1", 30)
    assert prison.refund("R1", "P1", {"BT": 1}) == Refused(
        Reason.EXCEEDS_PURCHASE, {"supplier": "BT", "paid": "0", "left": "0", "wanted": "1"}
    )


def test_where_all_is_refunded_nothing_is_left_to_refund() -> None:
    prison = bought()
    prison.refund("R1", "P1")
    assert prison.refund("R2", "P1") == Refused(Reason.EXCEEDS_PURCHASE, {"purchase": "P1", "left": "0"})


def test_a_refunds_id_is_used_once_even_after_its_message_is_forgotten() -> None:
    prison = bought()
    prison.refund("R1", "P1", {"BT": 1})
    assert prison.refund("R1", "P1", {"BT": 1}) == Refused(Reason.ALREADY_EXISTS, {"refund": "R1"})


def test_a_purchase_is_refunded_in_a_hundred_parts_and_then_as_a_whole() -> None:
    """Its row knows the ids of all its refunds, and must fit into a record."""
    prison = Partition()
    prison.credit(150)
    prison.buy("P1", 150)
    for number in range(100):
        assert not isinstance(prison.refund(f"R{number}", "P1", {"canteen": 1}), Refused)
    assert prison.refund("R100", "P1", {"canteen": 1}) == Refused(
        Reason.TOO_MANY_REFUNDS, {"purchase": "P1", "bound": "100"}
    )
    assert entries(prison.refund("R101", "P1")) == ["2501 -> 2102 50"]
    assert prison.stands() == "prison 150, spends 150"


@pytest.mark.parametrize(("steps", "state"), [((), "pending"), (("cancel",), "cancelled"), (("tick",), "timed_out")])
def test_only_what_was_paid_is_refunded(steps: tuple[str, ...], state: str) -> None:
    prison = Partition()
    prison.credit(100)
    prison.submit("P1", 30, "09 10:00")
    for step in steps:
        prison.tick("09 10:30") if step == "tick" else prison.cancel("P1")
    assert prison.refund("R1", "P1") == Refused(Reason.WRONG_STATE, {"purchase": "P1", "state": state})


def test_an_unknown_purchase_is_not_refunded() -> None:
    assert Partition().refund("R1", "P1") == Refused(Reason.NOT_FOUND, {"purchase": "P1"})


def test_other_money_is_not_refunded() -> None:
    refusal = bought().refund("R1", "P1", {"BT": 1}, currency="EUR")
    assert refusal == Refused(Reason.CURRENCY_MISMATCH, {"currency": "GBP", "given": "EUR", "wanted": "1"})


def test_a_processed_purchase_is_refunded_too() -> None:
    prison = Partition()
    prison.credit(100)
    prison.buy("P1", 30)
    prison.processed("P1")
    assert entries(prison.refund("R1", "P1")) == ["2501 -> 2102 30"]
    assert prison.stands() == "prison 100, spends 100"
