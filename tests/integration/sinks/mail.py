"""A real SMTP server, aiosmtpd, that keeps what it takes and refuses what it is told to; events that ask for mail."""

import email
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from schemas.avro import full_name
from schemas.envelope import Envelope
from schemas.fields import Money
from schemas.prison_finance import FundingSource, PurchaseAuthorised, PurchasePart
from schemas.prison_reference import Supplier
from tests.rooms import moment

AT = moment("2026-07-03T10:00:00Z")


class Mailbox:
    """Every message that was taken, in order; the next replies to DATA and RCPT, which are 250 when none is left."""

    def __init__(self) -> None:
        self.address = ""
        self.taken: list[bytes] = []
        self.recipients: list[str] = []
        self.callers: set[tuple[str, int]] = set()
        self.data_replies: deque[str] = deque()
        self.recipient_replies: deque[str] = deque()

    @property
    def mails(self) -> list[EmailMessage]:
        read = [email.message_from_bytes(each, policy=default) for each in self.taken]
        return [each for each in read if isinstance(each, EmailMessage)]

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.recipient_replies and not (reply := self.recipient_replies.popleft()).startswith("250"):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.callers.add(session.peer)
        reply = self.data_replies.popleft() if self.data_replies else "250 taken"
        if reply.startswith("250"):
            self.taken.append(envelope.content)
            self.recipients += envelope.rcpt_tos
        return reply


class _AnyPort(Controller):
    """On a port that the system gives."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def serving() -> Iterator[Mailbox]:
    """A mail server on a free port of this machine."""
    mailbox = Mailbox()
    controller = _AnyPort(mailbox, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        mailbox.address = f"127.0.0.1:{controller.port}"
        yield mailbox
    finally:
        controller.stop()


def authorised(number: int, to: str | None) -> PurchaseAuthorised:
    amount = 1_000 + number
    return PurchaseAuthorised(
        purchase_id=f"CANTEEN-{number:04d}",
        prisoner_id="A1234BC",
        suppliers=(Supplier(supplier_id="DHL", name="DHL Supply Chain", gl_account="2617902101"),),
        parts=(PurchasePart(source=FundingSource.SPENDS, supplier_id="DHL", amount_minor=amount),),
        total=Money(amount_minor=amount, currency="GBP"),
        description="Canteen Spends",
        receipt_to=to,
        batch_id=None,
        at=AT,
    )


def envelope(event: PurchaseAuthorised) -> Envelope:
    return Envelope(
        id=f"{event.purchase_id}/authorised", source="millrace/prison_finance", type=full_name(type(event)), time_us=AT,
        subject=f"prisoner:{event.prisoner_id}", correlation_id="c", causation_id="c", actor="shop",
    )  # fmt: skip
