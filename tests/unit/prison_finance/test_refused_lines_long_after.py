"""Lines that the general ledger refused wait for their correction, however long (PRI-11)."""

import pytest

from streams.ledger.draft import Refused

from .partition import Partition

pytestmark = pytest.mark.requirement("PRI-11")


def test_what_was_refused_can_be_corrected_even_after_three_months() -> None:
    prison = Partition()
    prison.credit(100)
    prison.tick("09 10:00")
    prison.buy("P1", 30, "09 10:00")
    prison.tick("10 00:00")
    prison.lines_refused("P1", at="10 09:00")
    prison.tick("2024-04-09 09:00")
    answer = prison.correct("P1", "2024-04-09 10:00")
    assert not isinstance(answer, Refused), answer
