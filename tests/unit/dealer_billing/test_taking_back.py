"""Bills that are voided, corrected, or refused by Billing, and what becomes of what was paid (DLR-05, DLR-06)."""

from collections.abc import Sequence

import pytest

from schemas.billing import CallRefused, WithdrawBill
from schemas.dealer_bills import BillCorrected, BillVoided
from schemas.fields import Fact
from schemas.refusals import Reason
from streams.ledger.draft import Refused

from .book import SETTLEMENT, DealerBook

pytestmark = pytest.mark.requirement("DLR-05", "DLR-06")


def says(events: Sequence[Fact] | Refused) -> list[str]:
    assert not isinstance(events, Refused), events
    return [type(event).__name__ for event in events]


# ---- voided


def test_a_voided_bill_is_owed_no_more_and_billing_is_told() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    events = book.void("B1")
    assert says(events) == ["BillVoided", "WithdrawBill"]
    assert isinstance(events[1], WithdrawBill)
    assert (events[1].billing_id, events[1].call_id) == ("billing-B1", "D1/COMMISSION/withdrawal/B1")
    assert book.stands() == "B1 voided 0/100"


@pytest.mark.parametrize("payments", [(40,), (100,), (60, 70)])
def test_what_was_paid_of_a_voided_bill_pays_the_next_one_first(payments: tuple[int, ...]) -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    for number, amount in enumerate(payments):
        book.pay(f"P{number}", "B1", amount)
    voided = book.void("B1")
    assert isinstance(voided, list)
    assert isinstance(voided[0], BillVoided)
    assert voided[0].credited_minor == min(100, sum(payments))
    assert book.balance("current/COMMISSION") == sum(payments)
    assert (book.balance("receivable/COMMISSION"), book.balance("revenue/COMMISSION")) == (0, 0)
    book.send_bill("B2", 200)
    assert book.bill("B2").paid_minor == sum(payments)


def test_a_draft_that_is_voided_owes_nothing_and_is_voided_in_billing_when_it_has_it() -> None:
    book = DealerBook()
    book.draft("B1", 100)
    assert says(book.void("B1")) == ["BillVoided"]
    answered = book.issue("B1")
    assert says(answered) == ["WithdrawBill"]
    assert book.stands() == "B1 voided 0/100"
    assert book.issue("B1") == []  # once


def test_what_waits_for_a_draft_that_is_voided_becomes_the_current_balance() -> None:
    book = DealerBook()
    book.pay("P1", "B1", 40)
    book.draft("B1", 100)
    book.void("B1")
    assert book.stands() == "B1 voided 0/100, bank 40, current/COMMISSION 40"


def test_a_payment_for_a_voided_bill_becomes_the_current_balance() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.void("B1")
    assert says(book.pay("P1", "B1", 100)) == ["PaymentCredited"]
    assert book.stands() == "B1 voided 0/100, bank 100, current/COMMISSION 100"
    again = book.pay("P1", "B1", 100)
    assert isinstance(again, Refused)
    assert again.reason is Reason.ALREADY_EXISTS


def test_only_a_bill_that_stands_can_be_taken_back() -> None:
    book = DealerBook()
    assert book.void("B1") == Refused(Reason.NOT_FOUND, {"bill": "B1"})
    book.send_bill("B1", 100)
    book.void("B1")
    gone = Refused(Reason.WRONG_STATE, {"bill": "B1", "state": "voided"})
    assert (book.void("B1"), book.correct("B1", "B2", 90)) == (gone, gone)


# ---- corrected


def test_a_corrected_bill_names_its_successor_and_what_was_paid_pays_that_first() -> None:
    book = DealerBook()
    book.send_bill("B1", 100, SETTLEMENT)
    book.pay("P1", "B1", 100)
    events = book.correct("B1", "B2", 80)
    assert says(events) == ["BillCorrected", "WithdrawBill", "BillDrafted", "IssueBill"]
    assert isinstance(events[0], BillCorrected)
    assert (events[0].successor_id, events[0].credited_minor) == ("B2", 100)
    assert book.stands() == "B1 corrected 0/100, B2 draft 0/80, bank 100, current/SETTLEMENT 100"
    book.issue("B2")
    assert book.stands() == (
        "B1 corrected 0/100, B2 paid 80/80, bank 100, current/SETTLEMENT 20, revenue/SETTLEMENT 80"
    )


def test_a_payment_for_a_corrected_bill_pays_the_last_of_its_successors() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.correct("B1", "B2", 80)
    book.pay("P1", "B1", 30)  # B2 is a draft
    assert book.waits("B2") == ("P1",)
    book.correct("B2", "B3", 60)
    assert (book.waits("B2"), book.waits("B3")) == ((), ("P1",))
    book.issue("B2")
    book.issue("B3")
    book.pay("P2", "B1", 30)
    assert book.stands() == "B1 corrected 0/100, B2 corrected 0/80, B3 paid 60/60, bank 60, revenue/COMMISSION 60"


def test_a_correction_keeps_account_and_currency_and_takes_a_new_id() -> None:
    book = DealerBook()
    assert book.correct("B1", "B2", 80) == Refused(Reason.NOT_FOUND, {"bill": "B1"})
    book.send_bill("B1", 100)
    book.send_bill("B2", 50)
    before = book.stands()
    other = book.correct("B1", "B3", 80, "USD")
    assert other == Refused(Reason.CURRENCY_MISMATCH, {"bill": "B1", "currency": "EUR", "wanted": "USD"})
    used = book.correct("B1", "B2", 80)
    assert isinstance(used, Refused)
    assert used.reason is Reason.ALREADY_EXISTS
    assert book.correct("B1", "B1", 80) != []
    assert book.stands() == before


# ---- refused by Billing


def test_a_draft_that_billing_refuses_is_voided_with_the_reason() -> None:
    book = DealerBook()
    book.pay("P1", "B1", 40)
    book.draft("B1", 100)
    events = book.refuse("B1")
    assert says(events) == ["BillVoided", "PaymentCredited"]
    assert isinstance(events[0], BillVoided)
    assert events[0].reason == "E7: no such contract"
    assert book.stands() == "B1 voided 0/100, bank 40, current/COMMISSION 40"


def test_a_withdrawal_that_billing_refuses_is_told_and_changes_nothing_here() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.void("B1")
    (told,) = book.refuse("B1", "withdrawal")
    assert isinstance(told, CallRefused)
    assert (told.bill_id, told.code) == ("B1", "E7")
    assert book.stands() == "B1 voided 0/100"


def test_an_answer_that_is_not_awaited_changes_nothing() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    before = book.stands()
    assert (book.issue("B1"), book.refuse("B1"), book.refuse("B1", "elsewhere")) == ([], [], [])
    assert book.stands() == before
