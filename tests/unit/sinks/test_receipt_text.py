"""A receipt derives from its event alone (PRI-13)."""

import email
from email.policy import default

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from schemas.fields import Money
from schemas.prison_finance import FundingSource, PurchaseAuthorised, PurchasePart
from schemas.prison_reference import Supplier
from sinks.receipts.receipt import UnusableAddress, message_id_of, receipt
from tests.contracts.strategies import messages
from tests.rooms import moment

pytestmark = pytest.mark.requirement("PRI-13")

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no broken law

SENDER = "receipts@prisons.example"
ID = message_id_of("millrace/prison_finance", "e-1", SENDER)
PAID = PurchaseAuthorised(
    purchase_id="CANTEEN-0001",
    prisoner_id="A1234BC",
    suppliers=(
        Supplier(supplier_id="DHL", name="DHL Supply Chain", gl_account="2617902101"),
        Supplier(supplier_id="BT", name="BT Phone Credit", gl_account="2617902102"),
    ),
    parts=(
        PurchasePart(source=FundingSource.SPENDS, supplier_id="DHL", amount_minor=1_000),
        PurchasePart(source=FundingSource.CASH, supplier_id="DHL", amount_minor=234),
        PurchasePart(source=FundingSource.CASH, supplier_id="BT", amount_minor=500),
    ),
    total=Money(amount_minor=1_734, currency="GBP"),
    description="Canteen Spends",
    receipt_to="family@home.example",
    batch_id=None,
    at=moment("2026-07-03T22:30:00Z"),
)


def read(event: PurchaseAuthorised) -> email.message.EmailMessage:
    mail = email.message_from_bytes(receipt(event, ID, SENDER).content, policy=default)
    assert isinstance(mail, email.message.EmailMessage)
    return mail


def test_it_says_what_was_paid_to_whom_and_when_in_london() -> None:
    mail = read(PAID)

    assert (mail["From"], mail["To"], mail["Message-ID"]) == (SENDER, "family@home.example", ID)
    assert mail["Subject"] == "Receipt for CANTEEN-0001"
    text = mail.get_content()
    assert text.splitlines()[2:9] == [
        "DHL Supply Chain, from spends        10.00 GBP",
        "DHL Supply Chain, from private cash   2.34 GBP",
        "BT Phone Credit, from private cash    5.00 GBP",
        "Total                                17.34 GBP",
        "",
        "Paid on      03 July 2026, 23:30",
        "For          Canteen Spends",
    ]
    assert "CANTEEN-0001" in text
    assert "A1234BC" not in mail.as_string(), "who gets the receipt need not be the prisoner"


def test_the_same_event_gives_the_same_bytes_and_the_same_message_id() -> None:
    assert receipt(PAID, ID, SENDER) == receipt(replace(PAID), ID, SENDER)
    assert message_id_of("millrace/prison_finance", "e-1", SENDER) == ID
    others = {message_id_of("millrace/prison_finance", "e-2", SENDER), message_id_of("elsewhere", "e-1", SENDER)}
    assert ID not in others
    assert len(others) == 2
    assert ID.endswith("@prisons.example>")


@LAW
@given(messages(PurchaseAuthorised))
def test_any_event_that_names_an_address_makes_a_message_to_it_alone(event: PurchaseAuthorised) -> None:
    if event.receipt_to is None:
        event = replace(event, receipt_to="someone@home.example")
    mail = read(event)

    assert [each.addr_spec for each in mail["To"].addresses] == [event.receipt_to]
    assert event.purchase_id in mail.get_content()
    assert max(len(line) for line in mail.as_bytes().splitlines()) <= 998


@pytest.mark.parametrize(
    "address", ["a..b@home.example", ".a@home.example", "a b@home.example", "a@b@home.example", "a,b@c"]
)
def test_an_address_that_is_none_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(UnusableAddress) as refused:
        receipt(replace(PAID, receipt_to=address), ID, SENDER)
    assert address not in str(refused.value)
