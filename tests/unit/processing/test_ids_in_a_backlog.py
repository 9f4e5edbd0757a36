"""Repetitions in what piled up while no worker ran (PIPE-05)."""

import pytest

from schemas.prison_finance import CreditPrisoner, SubAccount
from streams.prison_finance.room import PrisonFinance
from tests.rooms import DAY, MINUTE, Stage
from tests.unit.prison_finance.partition import WHO, Partition, pounds

pytestmark = pytest.mark.requirement("PIPE-05")

CREDIT = CreditPrisoner(
    credit_id="C1", prisoner_id=WHO, sub_account=SubAccount.CASH, amount=pounds(100), description="Postal order"
)


@pytest.mark.parametrize("standstill", [6 * DAY, 8 * DAY])
def test_a_repetition_a_minute_after_its_original_is_recognised_however_long_both_waited(standstill: int) -> None:
    kept = Partition().kept
    stage = Stage(lambda ledger: PrisonFinance(kept.tables, ledger), *kept)
    stage.tick()
    sent = stage.now
    stage.wait(standstill)  # upstream went on, the workers did not

    stage.send(CREDIT, id="e-1", at=sent, arrived=sent)
    stage.wait(1_000_000)  # a tick comes before the rest of the backlog
    again = stage.send(CREDIT, id="e-1", at=sent, arrived=sent + MINUTE)

    assert again.outcome == "duplicate"
    balance = stage.balance(f"prisoner:{WHO}", "cash", "GBP")
    assert balance is not None
    assert balance.posted == 100
