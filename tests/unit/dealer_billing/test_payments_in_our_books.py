"""Billing is told that a payment is still with it only where it is (DLR-06)."""

import pytest

from schemas.refusals import Reason
from streams.ledger.draft import Refused

from .book import DealerBook

pytestmark = pytest.mark.requirement("DLR-06", "PIPE-05")


def test_a_payment_that_waits_in_suspense_is_not_told_to_be_corrected_and_reported_anew() -> None:
    book = DealerBook()
    book.pay("P1", "B1", 40, "USD")
    book.send_bill("B1", 40)  # in EUR: P1 stays in suspense
    again = book.pay("P1", "B1", 40, "USD")  # its message is forgotten after seven days
    assert isinstance(again, Refused)
    assert again.reason is Reason.ALREADY_EXISTS
