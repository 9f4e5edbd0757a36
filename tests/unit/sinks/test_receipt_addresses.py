"""An address that the mail library cannot use is parked, and stops no other receipt (PRI-13, PIPE-04).

`=?x?q?a?=@example.com` is an address by our contract, and by SMTP's: an atom may have `=` and `?`. The library takes it
for an encoded word of an unknown charset.
"""

import email
from email.policy import default
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import TypeAdapter

from schemas.envelope import Envelope
from schemas.fields import EmailAddress
from schemas.prison_finance import PurchaseAuthorised
from sinks.receipts.receipt import UnusableAddress, receipt
from sinks.receipts.sink import ReceiptSink
from sinks.receipts.smtp import fit_to_tell
from sinks.sink import Arrived
from tests.unit.sinks.test_receipt_text import ID, PAID, SENDER

pytestmark = pytest.mark.requirement("PRI-13", "PIPE-04")

CHARSET = "=?x?q?a?=@example.com"
STRANGE = [CHARSET, "=??Q?=40?=b@a.example", "=??B?_?=@a.example", "=??b?a?=@a.example", "=?utf-8?q?a=40b?=@a.example"]
"""Each makes the library fail in another way."""

ATOMS = st.text("=?&'*+/!#$%^_{}~-aZ0", min_size=1, max_size=20)
ENCODED_WORDS = st.builds(
    "{}=?{}?{}?{}?={}".format,
    st.sampled_from(["", "a"]),
    st.sampled_from(["", "x", "utf-8", "utf-16", "utf-8*en", "unknown-8bit", "idna", "hex"]),
    st.sampled_from("qQbBx"),
    st.sampled_from(["", "a", "_", "YQ", "YQ=", "YQ==", "=40", "a=40b", "=0A", "=0D=0A", "=FF", "=2C", "=00", "=xx"]),
    st.sampled_from(["", "b", "=?x?q?a?="]),
)
ADDRESSES = st.builds(
    "{}@{}".format,
    st.lists(ATOMS | ENCODED_WORDS, min_size=1, max_size=3).map(".".join),
    st.sampled_from(["example.com", "a.b", "-.-", "xn--a.example"]),
)
"""Addresses by the contract, most of them strange."""


class Cursor:
    """Keeps what is executed."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def execute(self, _: str, values: tuple[Any, ...]) -> None:
        self.kept.append(values)


def arrived(event: PurchaseAuthorised, offset: int) -> Arrived:
    envelope = Envelope(f"e-{offset}", "millrace/prison_finance", "t", event.at, "prisoner:A1", "c", "", "shop")
    return Arrived(0, offset, event, envelope.headers())


@pytest.mark.parametrize("address", STRANGE)
def test_an_address_that_the_mail_library_fails_at_is_told_as_that_with_its_field(address: str) -> None:
    assert TypeAdapter(EmailAddress).validate_python(address) == address
    with pytest.raises(UnusableAddress, match=r"^receipt_to: ") as refused:
        receipt(replace(PAID, receipt_to=address), ID, SENDER)
    assert address not in str(refused.value)


@settings(deadline=None)
@given(ADDRESSES)
@example("a=?b@example.com")
def test_any_address_of_the_contract_gets_a_message_to_it_alone_or_is_told_as_unusable(address: str) -> None:
    assert TypeAdapter(EmailAddress).validate_python(address) == address
    try:
        made = receipt(replace(PAID, receipt_to=address), ID, SENDER)
    except UnusableAddress:
        assert "=?" in address
        return
    mail: Any = email.message_from_bytes(made.content, policy=default)
    assert [each.addr_spec for each in mail["To"].addresses] == [made.recipient] == [address]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("<ann.o+x@example.com> unknown here", "<<recipient>> unknown here"),
        (f"{'no ' * 76}Ann.O+x@Example.com", f"{'no ' * 76}<recipient>"),
        ("no\x00such\r\n \x1b[1muser", "no such [1muser"),
        ("", "no reason given"),
    ],
)
def test_what_a_mail_server_says_is_told_in_a_line_without_the_address(said: str, told: str) -> None:
    assert fit_to_tell(said, "Ann.O+x@Example.com") == told


def test_one_strange_address_is_parked_and_the_next_receipt_is_kept() -> None:
    cursor: Any = Cursor()
    records = [arrived(replace(PAID, receipt_to=CHARSET), 0), arrived(PAID, 1)]

    applied = ReceiptSink(SENDER).apply(cursor, records)

    assert [(each.record_offset, each.reason) for each in applied.parked] == [(0, "unusable_address")]
    assert [values[3] for values in cursor.kept] == [1]
