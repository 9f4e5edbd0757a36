"""The room's seams: which id is used once, what a refusal says, what is no message of the room."""

import pytest

from schemas.dealer_billing import BillingPayment, Refused
from schemas.dealer_bills import CreateBill
from schemas.dealer_deposits import DepositReceived, DepositReturned
from schemas.refusals import Reason
from streams.dealer_billing import accounts
from streams.ledger import draft as drafts
from streams.ledger.accounts import Account, Audience, Overdraft
from streams.ledger.draft import Draft, Ledger

from .book import BOOK, DEALER, REWARD, DealerBook, paid

BILL = CreateBill(bill_id="B1", dealer_id=DEALER, operation=REWARD, amount=paid(1), text="A car")
PAYMENT = BillingPayment(payment_id="P1", dealer_id=DEALER, bill_id="B1", amount=paid(1))
WHY = drafts.Refused(Reason.UNKNOWN_DEALER, {"dealer": DEALER})


@pytest.mark.requirement("PIPE-05")
def test_a_payment_id_is_known_to_the_processor_a_bill_id_to_its_row() -> None:
    room = DealerBook().room
    assert room.identity(PAYMENT) == "payment:P1"
    for deposit in (DepositReceived, DepositReturned):
        assert room.identity(deposit(payment_id="P1", dealer_id=DEALER, amount=paid(1))) == "payment:P1"
    assert room.identity(BILL) is None


@pytest.mark.requirement("BEY-03")
def test_a_refusal_names_what_it_refuses() -> None:
    room = DealerBook().room
    said = {"dealer_id": DEALER, "reason": "unknown_dealer", "figures": {"dealer": DEALER}}
    assert room.refusal(BILL, WHY) == [Refused(refused_id="B1", **said)]
    assert room.refusal(PAYMENT, WHY) == [Refused(refused_id="P1", **said)]


def test_what_is_no_message_of_the_room_is_a_bug() -> None:
    book = DealerBook()
    stranger = book.kept.dealers[DEALER]
    for use in (
        lambda: book.room.decide(Draft(BOOK, 0, Ledger(*book.money)), stranger),
        lambda: book.room.evolve(stranger),
        lambda: book.room.refusal(stranger, WHY),
    ):
        with pytest.raises(TypeError, match="Dealer is no"):
            use()


@pytest.mark.requirement("DLR-06")
def test_bills_and_payments_wait_as_long_as_it_takes() -> None:
    book = DealerBook()
    book.draft("B1", 100)
    book.send_bill("B2", 100)
    book.pay("P1", "B1", 40)
    assert list(book.room.due(10**18)) == []


@pytest.mark.parametrize("account", [accounts.CURRENT, accounts.SUSPENSE, accounts.RECEIVABLE])
def test_no_more_is_paid_than_is_there_or_owed(account: Account) -> None:
    assert account.overdraft is Overdraft.FORBIDDEN


def test_a_dealer_sees_his_current_balance() -> None:
    assert accounts.CURRENT.audience is Audience.OWNER
