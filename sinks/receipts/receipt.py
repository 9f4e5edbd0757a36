"""A receipt, made of the event alone: no clock, no look-up. The same event gives the same bytes (PRI-13). Pure."""

from collections.abc import Sequence
from datetime import UTC
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.fields import format_minor, from_micros
from schemas.prison_finance import FundingSource, PurchaseAuthorised

LONDON = ZoneInfo("Europe/London")


class UnusableAddress(ValueError):
    """What no e-mail can be addressed to. It does not repeat the address."""


class Receipt(NamedTuple):
    """An e-mail, ready to be sent."""

    message_id: str
    recipient: str
    content: bytes

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()


def receipt(event: PurchaseAuthorised, message_id: str, sender: str) -> Receipt:
    """The receipt of a purchase whose event names an address. Raises `UnusableAddress`."""
    assert event.receipt_to is not None
    at = from_micros(event.at)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("", addr_spec=sender)
    mail["To"] = _address(event.receipt_to)
    mail["Subject"] = f"Receipt for {event.purchase_id}"
    mail["Date"] = format_datetime(at.astimezone(UTC))
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_text(event), cte="quoted-printable")
    return Receipt(message_id, event.receipt_to, mail.as_bytes())


def _address(addr_spec: str) -> Address:
    """The library takes `=?…?=` in an address for an encoded word, which RFC 2047 allows in none, and fails at it in
    many ways: at its charset, its padding, its end."""
    try:
        return Address("", addr_spec=addr_spec)
    except (ValueError, MessageError, LookupError) as error:
        raise UnusableAddress("receipt_to: no e-mail can be addressed to what the event names") from error


def message_id_of(source: str, event_id: str, sender: str) -> str:
    """`<digest@domain>`: the same for the same event, another for any other."""
    digest = sha256(f"{source}|{event_id}".encode()).hexdigest()
    return f"<{digest[:40]}@{sender.rpartition('@')[2]}>"


SOURCES = {FundingSource.SPENDS: "spends", FundingSource.CASH: "private cash", FundingSource.ADVANCE: "an advance"}


def _text(event: PurchaseAuthorised) -> str:
    at, currency = from_micros(event.at).astimezone(LONDON), event.total.currency
    names = {supplier.supplier_id: supplier.name for supplier in event.suppliers}
    sums = [
        (f"{names.get(part.supplier_id, part.supplier_id)}, from {SOURCES[part.source]}", part.amount_minor)
        for part in event.parts
    ]
    sums.append(("Total", event.total.amount_minor))
    paid = [(name, format_minor(amount, currency)) for name, amount in sums]
    width = max(len(amount) for _, amount in paid)
    tables = [
        _table([(name, f"{amount:>{width}}") for name, amount in paid]),
        _table([
            ("Paid on", f"{at:%d %B %Y, %H:%M}"), ("For", event.description), ("Transaction", event.purchase_id),
        ]),
    ]  # fmt: skip
    body = "\n\n".join(tables)
    return f"Your purchase has been paid.\n\n{body}\n\nKeep this receipt. Nobody reads answers to this address.\n"


def _table(rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)
