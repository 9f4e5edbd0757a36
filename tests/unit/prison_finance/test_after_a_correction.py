"""What follows a purchase whose lines were corrected goes where those lines went (PRI-11 to PRI-13)."""

import pytest

from schemas.general_ledger import GeneralLedgerLine
from schemas.prison_reference import GlAccount, GlPurpose

from .partition import CANTEEN, LEEDS, Partition, entries

pytestmark = pytest.mark.requirement("PRI-11")


def corrected(funding: str) -> Partition:
    """P1 for 40, bought on the 1st under old codes, refused, and written again on the 2nd under new ones."""
    prison = Partition()
    prison.credit(40)
    prison.tick("01 10:00")
    prison.buy("P1", 40, "01 10:00", funding=funding)
    prison.tick("02 00:00")
    prison.lines_refused("P1", at="02 09:00")
    for purpose, code in (("spends", "77"), ("owed", "66"), ("advance", "65")):
        prison.kept.gl_accounts[purpose] = GlAccount(purpose=GlPurpose(purpose), nomis_code=code, sop_account=code)
    prison.kept.suppliers["canteen"] = CANTEEN.model_copy(update={"gl_account": "88"})
    prison.kept.prisons["LEI"] = LEEDS.model_copy(update={"cost_centre": "new"})
    prison.correct("P1", "02 10:00")
    return prison


def cost_centres(events: object) -> set[str]:
    assert isinstance(events, list), events
    return {event.cost_centre for event in events if isinstance(event, GeneralLedgerLine)}


@pytest.mark.requirement("PRI-13")
def test_a_refund_takes_back_what_the_corrected_lines_say() -> None:
    refund = corrected("spends").refund("R1", "P1", at="03 10:00")
    assert (entries(refund), cost_centres(refund)) == (["88 -> 77 40"], {"new"})


@pytest.mark.requirement("PRI-12")
def test_a_repayment_pays_where_the_corrected_lines_say_that_it_is_owed() -> None:
    credit = corrected("advance").credit(10, "cash", "08 10:00", credit_id="C2")
    assert (entries(credit), cost_centres(credit)) == (["2101 -> 66 10"], {"new"})


@pytest.mark.requirement("PRI-12")
def test_a_write_off_gives_up_what_the_corrected_lines_say_is_owed_even_when_the_purchase_is_forgotten() -> None:
    prison = corrected("advance")
    prison.tick("2024-04-01 10:00")
    assert prison.state("P1") is None
    write_off = prison.write_off("P1", at="2024-04-01 11:00")
    assert (entries(write_off), cost_centres(write_off)) == (["4104 -> 66 40"], {"new"})


@pytest.mark.requirement("PRI-13")
def test_a_refunds_own_correction_changes_nothing_of_its_purchase() -> None:
    prison = corrected("spends")
    prison.refund("R1", "P1", {"canteen": 10}, "02 11:00")
    prison.tick("03 00:00")
    prison.lines_refused("refund/R1", at="03 09:00")
    prison.kept.suppliers["canteen"] = CANTEEN.model_copy(update={"gl_account": "99"})
    assert entries(prison.correct("refund/R1", "03 10:00")) == ["99 -> 77 10"]
    assert entries(prison.refund("R2", "P1", at="03 11:00")) == ["88 -> 77 30"]
