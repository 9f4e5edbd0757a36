"""What the general ledger answers: processed, refused, corrected (PRI-11)."""

import pytest

from schemas.general_ledger import LinesAreCorrected, LinesAreRefused, TransactionProcessed
from schemas.prison_finance import PurchaseProcessed
from schemas.prison_reference import GlAccount, GlPurpose
from schemas.refusals import Reason
from streams.ledger.draft import Refused

from .partition import BT, LEEDS, WHO, Partition, entries, moment, told

pytestmark = pytest.mark.requirement("PRI-11")

FIRST = (f"{WHO}/P1/2024-01-09/1/debit", f"{WHO}/P1/2024-01-09/1/credit")
SECOND = (f"{WHO}/P1/2024-01-10/2/debit", f"{WHO}/P1/2024-01-10/2/credit")


def bought() -> Partition:
    """P1, authorised, whose lines are open."""
    prison = Partition()
    prison.credit(100)
    prison.tick("09 10:00")
    prison.buy("P1", 30, "09 10:00")
    return prison


def refused() -> Partition:
    """P1, whose lines the general ledger has refused, on the next day."""
    prison = bought()
    prison.tick("10 00:00")
    prison.lines_refused("P1")
    return prison


def test_when_all_lines_are_taken_the_purchase_is_processed() -> None:
    prison = bought()
    assert prison.open_lines("P1") == FIRST
    assert prison.processed("P1", at="10 09:00") == [
        TransactionProcessed(
            prisoner_id=WHO, transaction_id="P1", file="adi/1.xlsx", line_ids=FIRST, at=moment("10 09:00")
        ),
        PurchaseProcessed(purchase_id="P1", prisoner_id=WHO, at=moment("10 09:00")),
    ]
    assert (prison.state("P1"), prison.open_lines("P1")) == ("processed", ())


def test_a_transaction_is_taken_whole_or_not_at_all() -> None:
    prison = bought()
    assert prison.processed("P1", FIRST[:1]) == Refused(
        Reason.WRONG_STATE, {"transaction": "P1", "lines_differ": FIRST[1]}
    )
    assert prison.processed("P1", (*FIRST, "other")) == Refused(
        Reason.WRONG_STATE, {"transaction": "P1", "lines_differ": "other"}
    )
    assert prison.state("P1") == "authorised"


def test_what_was_taken_is_neither_taken_nor_refused_nor_corrected_again() -> None:
    prison = bought()
    prison.processed("P1")
    again = Refused(Reason.WRONG_STATE, {"transaction": "P1", "state": "processed"})
    assert prison.processed("P1", FIRST) == again
    assert prison.lines_refused("P1", FIRST) == again
    assert prison.correct("P1") == again


@pytest.mark.parametrize("step", ["processed", "lines_refused", "correct"])
def test_a_transaction_that_nobody_wrote_is_not_found(step: str) -> None:
    assert getattr(Partition(), step)("P1") == Refused(Reason.NOT_FOUND, {"transaction": "P1"})


def test_a_refusal_is_told_line_by_line_and_the_purchase_waits() -> None:
    prison = bought()
    (event,) = prison.lines_refused("P1", at="10 09:00")
    assert isinstance(event, LinesAreRefused)
    assert [(each.line_id, each.reason) for each in event.reasons] == [(FIRST[0], "unknown account")]
    assert prison.state("P1") == "authorised"
    assert prison.processed("P1") == Refused(Reason.WRONG_STATE, {"transaction": "P1", "state": "refused"})


def test_a_refusal_of_a_line_that_is_not_open_is_refused() -> None:
    prison = bought()
    assert prison.lines_refused("P1", ("other",)) == Refused(
        Reason.WRONG_STATE, {"transaction": "P1", "not_open": "other"}
    )


def test_a_correction_writes_the_lines_again_on_the_open_day_with_todays_codes() -> None:
    prison = refused()
    prison.kept.gl_accounts["spends"] = GlAccount(purpose=GlPurpose.SPENDS, nomis_code="2102", sop_account="77")
    prison.kept.suppliers["canteen"] = BT.model_copy(update={"supplier_id": "canteen", "gl_account": "88"})
    prison.kept.prisons["LEI"] = LEEDS.model_copy(update={"cost_centre": "new"})
    before = prison.stands()
    answer = prison.correct("P1", "10 09:00")
    assert isinstance(answer, list)
    assert answer[0] == LinesAreCorrected(
        correction_id="K1", prisoner_id=WHO, transaction_id="P1", line_ids=FIRST, at=moment("10 09:00")
    )
    assert entries(answer) == ["77 -> 88 30"]
    lines = prison.lines[-2:]
    assert [(line.line_id, line.corrects) for line in lines] == list(zip(SECOND, FIRST, strict=True))
    assert {(line.accounting_date, line.cost_centre, line.prison_id) for line in lines} == {
        ("2024-01-10", "new", "LEI")
    }
    assert prison.stands() == before


def test_corrected_lines_are_processed_in_place_of_the_old_ones() -> None:
    prison = refused()
    prison.correct("P1", "10 09:00")
    assert isinstance(prison.processed("P1", FIRST), Refused)
    assert told(prison.processed("P1", SECOND)) == ["TransactionProcessed", "PurchaseProcessed"]


def test_corrected_lines_may_be_refused_and_corrected_again() -> None:
    prison = refused()
    prison.correct("P1", "10 09:00")
    prison.lines_refused("P1")
    prison.correct("P1", "10 10:00")
    assert prison.open_lines("P1") == tuple(line.replace("/2/", "/3/") for line in SECOND)


def test_only_refused_lines_are_corrected() -> None:
    assert bought().correct("P1") == Refused(Reason.WRONG_STATE, {"transaction": "P1", "state": "written"})


@pytest.mark.parametrize(("missing", "reason"), [("spends", "no_gl_account"), ("canteen", "unknown_supplier")])
def test_a_correction_waits_until_every_code_is_there(missing: str, reason: str) -> None:
    prison = refused()
    if missing == "spends":
        del prison.kept.gl_accounts[missing]
    else:
        del prison.kept.suppliers[missing]
    refusal = prison.correct("P1")
    assert isinstance(refusal, Refused)
    assert refusal.reason.value == reason
    assert prison.open_lines("P1") == FIRST


def test_repayments_refunds_and_write_offs_are_acknowledged_by_ids_of_their_own() -> None:
    prison = Partition()
    prison.buy("P1", 40, "01 10:00", funding="advance")
    prison.credit(12, at="09 10:00", credit_id="P1")  # an id that is a purchase's too
    prison.refund("P1", "P1", {"canteen": 5})
    prison.write_off("P1")
    for transaction in ("repayment/2024-01-09/P1/1", "refund/P1", "write-off/P1"):
        assert told(prison.processed(transaction)) == ["TransactionProcessed"]
    assert prison.state("P1") == "authorised"
    assert told(prison.processed("P1")) == ["TransactionProcessed", "PurchaseProcessed"]


def test_a_transaction_is_forgotten_three_months_after_its_last_news() -> None:
    prison = bought()
    prison.processed("P1", at="2024-02-09 10:00")
    prison.tick("2024-05-09 09:59")
    assert list(prison.kept.transactions) == [f"prisoner:{WHO}|P1"]
    prison.tick("2024-05-09 10:00")
    assert not list(prison.kept.transactions)
