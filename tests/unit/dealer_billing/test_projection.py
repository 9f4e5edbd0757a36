"""What analysts and the dealer's queries see of a book's rows (DLR-06, DLR-10)."""

import json

import pytest

from schemas.dealer_accounts import Requisites
from schemas.dealer_bills import BillState
from schemas.dealer_projections import ProjectedBill, ProjectedSuspense
from streams.dealer_billing.projection import project_account, project_bill, project_dealer, project_suspense
from streams.dealer_billing.registration import Registered

from .book import BOOK, DEALER, OPEN, DealerBook

pytestmark = pytest.mark.requirement("DLR-10")

REQUISITES = Requisites(
    legal_name="Anvil Motors", tax_number="7701234567", legal_address="1 Forge Road", bank_code="044525225",
    bank_account="40702810900000000001",
)  # fmt: skip


def shown(book: DealerBook, bill_id: str) -> ProjectedBill:
    key = f"{BOOK}|{bill_id}"
    return project_bill(key, book.kept.bills[key])


def test_a_draft_owes_nothing_yet_and_has_no_url() -> None:
    book = DealerBook()
    book.draft("B1", 100)
    bill = shown(book, "B1")
    assert (bill.id, bill.bill_id, bill.dealer_id, bill.account_type) == (f"{BOOK}|B1", "B1", DEALER, "COMMISSION")
    assert (bill.common_sum_minor, bill.paid_sum_minor, bill.currency) == (100, 0, "EUR")
    assert (bill.state, bill.url, bill.successor) == (BillState.DRAFT, None, None)


def test_a_bill_has_its_url_as_soon_as_billing_has_it_and_keeps_it_while_it_is_paid() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    assert (shown(book, "B1").state, shown(book, "B1").url) == (BillState.SENT, "https://billing.example/B1.pdf")
    book.pay("P1", "B1", 40)
    assert (shown(book, "B1").state, shown(book, "B1").paid_sum_minor) == (BillState.PART_PAID, 40)
    book.pay("P2", "B1", 70)
    assert (shown(book, "B1").state, shown(book, "B1").paid_sum_minor) == (BillState.OVERPAID, 100)
    assert shown(book, "B1").url == "https://billing.example/B1.pdf"


def test_a_corrected_bill_names_its_successor_and_nothing_is_paid_of_it() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.pay("P1", "B1", 40)
    book.correct("B1", "B2", 60)
    assert (shown(book, "B1").state, shown(book, "B1").paid_sum_minor) == (BillState.CORRECTED, 0)
    assert shown(book, "B1").successor == "B2"


def in_suspense(book: DealerBook, payment_id: str) -> ProjectedSuspense | None:
    key = f"{book.book}|{payment_id}"
    return project_suspense(key, book.kept.payments[key])


@pytest.mark.requirement("DLR-06")
def test_a_payment_is_in_suspense_while_it_waits_for_its_bill_and_no_longer() -> None:
    book = DealerBook()
    book.pay("P1", "B1", 40)
    assert in_suspense(book, "P1") == ProjectedSuspense(
        id=f"{BOOK}|P1", payment_id="P1", dealer_id=DEALER, bill_id="B1", named="B1", amount_minor=40, currency="EUR"
    )
    book.draft("B1", 100)
    assert in_suspense(book, "P1") is not None
    book.issue("B1")
    assert in_suspense(book, "P1") is None


@pytest.mark.requirement("DLR-06")
def test_a_payment_that_pays_at_once_or_is_credited_is_never_in_suspense() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    book.pay("P1", "B1", 40)
    book.void("B1")
    book.pay("P2", "B1", 60)
    assert [in_suspense(book, payment_id) for payment_id in ("P1", "P2")] == [None, None]


@pytest.mark.requirement("DLR-06")
def test_a_payment_in_the_wrong_currency_stays_in_suspense_when_its_bill_is_sent() -> None:
    book = DealerBook()
    book.pay("P1", "B1", 40, "USD")
    book.send_bill("B1", 100)
    left = in_suspense(book, "P1")
    assert left is not None
    assert (left.bill_id, left.amount_minor, left.currency) == ("B1", 40, "USD")


@pytest.mark.requirement("DLR-06")
def test_a_payment_that_follows_its_bill_to_a_successor_waits_for_that_one_and_keeps_what_billing_named() -> None:
    book = DealerBook()
    book.draft("B1", 100)
    book.pay("P1", "B1", 40)
    book.correct("B1", "B2", 60)
    left = in_suspense(book, "P1")
    assert left is not None
    assert (left.bill_id, left.named) == ("B2", "B1")


@pytest.mark.requirement("DLR-06")
def test_a_payment_that_is_matched_or_handed_over_leaves_suspense() -> None:
    book = DealerBook()
    book.send_bill("B1", 100)
    for payment_id in ("P1", "P2"):
        book.pay(payment_id, "mistyped", 40)
    book.match("P1", "B1")
    assert in_suspense(book, "P1") is None
    book.match("P2", "B7", of="D2")
    assert in_suspense(book, "P2") is None


def test_an_account_has_what_billing_gave_it() -> None:
    account = project_account(f"{BOOK}|DEPOSIT", OPEN)
    assert (account.dealer_id, account.account_type, account.state) == (DEALER, "DEPOSIT", "open")
    assert (account.client_id, account.payer_id, account.contract_id) == ("client", "payer", "contract")


def test_a_dealer_has_his_requisites_as_bytes_of_json() -> None:
    dealer = project_dealer(BOOK, Registered("cme-1", REQUISITES, 3))
    assert (dealer.id, dealer.dealer_id, dealer.cme_client_id, dealer.version) == (BOOK, DEALER, "cme-1", 3)
    assert json.loads(dealer.requisite) == REQUISITES.model_dump(exclude_none=True)


@pytest.mark.requirement("PIPE-15")
def test_requisites_are_in_no_log() -> None:
    dealer = project_dealer(BOOK, Registered("cme-1", REQUISITES, 3))
    said = f"{dealer} {dealer!r} {[dealer]}"
    assert "cme-1" in said
    for secret in REQUISITES.model_dump(exclude_none=True).values():
        assert secret not in said
