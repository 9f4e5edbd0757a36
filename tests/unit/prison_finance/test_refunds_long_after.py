"""A refund's id while its purchase can still be refunded (PRI-13)."""

import pytest

from .partition import Partition

pytestmark = pytest.mark.requirement("PRI-13", "PIPE-05")


def test_a_refund_is_not_given_twice_while_its_purchase_is_remembered() -> None:
    prison = Partition()
    prison.credit(100)
    prison.tick("09 10:00")
    prison.buy("P1", 30, "09 10:00")
    prison.refund("R1", "P1", {"canteen": 10}, "09 11:00")
    prison.tick("10 00:00")
    prison.processed("refund/R1", at="10 09:00")
    prison.lines_refused("P1", at="10 09:00")
    prison.correct("P1", "19 10:00")
    prison.processed("P1", at="20 09:00")
    assert prison.stands() == "prison 100, spends 80, supplier/canteen 20"

    prison.tick("2024-04-10 10:00")  # three months after the refund's last news, not after the purchase's
    assert prison.state("P1") == "processed"
    prison.refund("R1", "P1", {"canteen": 10}, "2024-04-10 10:00")

    assert prison.stands() == "prison 100, spends 80, supplier/canteen 20"
