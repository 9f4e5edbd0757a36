"""General-ledger lines of an id that is used again while earlier lines of it are open (PRI-11).

Ids of credits are remembered for seven days and those of purchases for ninety; what comes later under a used id is new.
"""

import pytest

from schemas.fields import Message
from schemas.general_ledger import GeneralLedgerLine
from streams.ledger.draft import Refused

from .partition import Partition

FIRST = "repayment/2024-01-16/wages/1"

pytestmark = pytest.mark.requirement("PRI-11", "PRI-12")


def repaid_twice_by_one_credit_id() -> Partition:
    """A credit repays an instalment on the 16th, another credit of the same id repays one on the 24th."""
    prison = Partition()
    prison.tick("09 10:00")
    prison.buy("P1", 40, "09 10:00", funding="advance")
    prison.credit(10, at="16 10:00", credit_id="wages")
    prison.tick("24 00:00")
    prison.credit(10, at="24 10:00", credit_id="wages")
    prison.tick("25 00:00")
    return prison


def files(prison: Partition) -> dict[tuple[str, str], list[GeneralLedgerLine]]:
    """The lines by transaction and day: a day's file holds what the general ledger answers to together."""
    found: dict[tuple[str, str], list[GeneralLedgerLine]] = {}
    for line in prison.lines:
        found.setdefault((line.accounting_date, line.transaction_id), []).append(line)
    return found


def test_what_the_general_ledger_took_of_each_days_file_is_processed() -> None:
    prison = repaid_twice_by_one_credit_id()
    answers: dict[tuple[str, str], list[Message] | Refused] = {}
    for (day, transaction), lines in files(prison).items():
        taken = tuple(line.line_id for line in lines)
        answers[day, transaction] = prison.processed(transaction, taken, "25 09:00")
    assert not [place for place, answer in answers.items() if isinstance(answer, Refused)], answers


def test_a_correction_writes_again_only_lines_that_were_refused() -> None:
    prison = repaid_twice_by_one_credit_id()
    (first,) = (lines for (_, name), lines in files(prison).items() if name == FIRST)
    refused = {line.line_id for line in first}
    prison.lines_refused(FIRST, tuple(refused), "25 09:00")
    prison.correct(FIRST, "25 10:00")
    assert {line.corrects for line in prison.lines if line.corrects} == refused


def test_a_purchase_id_is_not_used_again_while_lines_of_it_are_open() -> None:
    prison = Partition()
    prison.credit(100)
    prison.tick("09 10:00")
    prison.buy("P1", 30, "09 10:00")
    prison.tick("10 00:00")
    prison.lines_refused("P1", at="2024-02-09 10:00")
    prison.tick("2024-04-10 10:00")
    assert (prison.state("P1"), len(prison.open_lines("P1"))) == (None, 2)

    prison.submit("P1", 5, "2024-04-10 11:00")
    prison.authorise("P1", "2024-04-10 11:01")

    assert not isinstance(prison.correct("P1", "2024-04-11 10:00"), Refused)
