"""An id is free when all that was written under it is forgotten, its advance's write-off too (PRI-11, PRI-12).

A purchase is forgotten three months after it was processed, its advance when it ends. The write-off is a transaction of
its own, which stays while its lines are open: a second one would add its lines to the first one's row, and neither
could be processed or corrected.
"""

import pytest

from schemas.refusals import Reason
from streams.ledger.draft import Refused

from .partition import Partition

pytestmark = pytest.mark.requirement("PRI-11", "PRI-12")

WRITE_OFF = "write-off/P1"
LATER = "2024-04-11 10:00"


def lent_and_written_off() -> Partition:
    """The purchase is processed, and forgotten by now; of its advance's write-off nothing was heard."""
    prison = Partition()
    prison.tick("09 00:00")
    prison.buy("P1", 40, "09 10:00", funding="advance")
    prison.processed("P1", at="09 11:00")
    prison.write_off("P1", at="09 12:00")
    prison.tick("2024-04-10 00:00")
    assert (prison.state("P1"), prison.advances()) == (None, "")
    return prison


def lend_again(prison: Partition, at: str) -> object:
    return prison.submit("P1", 40, at, funding="advance", approved_by="governor")


def test_while_its_write_off_is_open_the_id_is_not_used_again() -> None:
    prison = lent_and_written_off()
    first = prison.open_lines(WRITE_OFF)

    answer = lend_again(prison, LATER)

    assert answer == Refused(Reason.ALREADY_EXISTS, {"transaction": WRITE_OFF, "state": "written"})
    assert not isinstance(prison.processed(WRITE_OFF, first, "2024-04-12 10:00"), Refused)


def test_a_refused_write_off_can_be_corrected_long_after() -> None:
    prison = lent_and_written_off()
    first = prison.open_lines(WRITE_OFF)
    prison.lines_refused(WRITE_OFF, at="2024-04-10 10:00")

    assert lend_again(prison, LATER) == Refused(Reason.ALREADY_EXISTS, {"transaction": WRITE_OFF, "state": "refused"})

    prison.correct(WRITE_OFF, "2024-04-12 10:00")
    assert {line.corrects for line in prison.lines if line.corrects} == set(first)


def test_when_its_write_off_is_forgotten_the_id_is_free_and_its_next_write_off_stands_alone() -> None:
    prison = lent_and_written_off()
    prison.processed(WRITE_OFF, at="2024-04-10 10:00")
    assert isinstance(lend_again(prison, LATER), Refused)
    prison.tick("2024-07-10 00:00")

    prison.buy("P1", 40, "2024-07-11 10:00", funding="advance")
    prison.write_off("P1", at="2024-07-11 12:00")

    assert len(prison.open_lines(WRITE_OFF)) == 2
    assert not isinstance(prison.processed(WRITE_OFF, at="2024-07-12 10:00"), Refused)
