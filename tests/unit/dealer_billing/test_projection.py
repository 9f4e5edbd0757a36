"""What analysts and the dealer's queries see of a book's rows (DLR-10)."""

import json

import pytest

from schemas.dealer_accounts import Requisites
from schemas.dealer_bills import BillState
from schemas.dealer_projections import ProjectedBill
from streams.dealer_billing.projection import project_account, project_bill, project_dealer
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
