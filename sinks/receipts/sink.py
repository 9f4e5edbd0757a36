"""The sink that writes receipts for authorised purchases, and what sends them (PRI-13).

    state      the event comes   250       4xx, no answer   5xx
    (none)     waiting           .         .                .
    waiting    .                 sent      waits longer     parked, row gone
    sent       .                 .         .                .
    parked     `retry`: waiting  .         .                .

Each row is locked while its message is handed over, so that two workers never send the same one.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from schemas.codec import Undecodable
from schemas.envelope import InvalidEnvelope, read_envelope
from schemas.prison_finance import PurchaseAuthorised
from schemas.topics import PURCHASE_EVENTS, Topic
from sinks.database import Connection, Cursor
from sinks.manifest import Kind, Row
from sinks.parked import Parked, parked_places
from sinks.receipts.receipt import Receipt, UnusableAddress, message_id_of, receipt
from sinks.sink import Applied, Arrived

NAME = "receipts"


class _Kept(NamedTuple):
    """A row; recipient and content are there while it waits."""

    digest: str
    recipient: str | None
    content: bytes | None


class ReceiptSink:
    """See `sinks.sink.Sink`. It makes no files: what it makes waits in `sink.receipt` for `outbox`."""

    name = NAME
    kinds: Sequence[Kind] = ()

    def __init__(self, sender: str, topic: Topic = PURCHASE_EVENTS) -> None:
        self.topic = topic
        self._sender = sender

    def apply(self, cursor: Cursor, records: Sequence[Arrived]) -> Applied:
        """Keep a receipt for each purchase whose event names an address."""
        parked: list[Parked] = []
        for each in records:
            try:
                if isinstance(each.message, Undecodable):
                    raise each.message
                if isinstance(each.message, PurchaseAuthorised) and each.message.receipt_to is not None:
                    self._keep(cursor, each, each.message)
            except Undecodable as error:
                parked.append(self._parked(each, error.reason, str(error)))
            except InvalidEnvelope as error:
                parked.append(self._parked(each, "no_event_id", str(error)))
            except UnusableAddress as error:
                parked.append(self._parked(each, "unusable_address", str(error)))
        return Applied((), parked)

    def _keep(self, cursor: Cursor, at: Arrived, event: PurchaseAuthorised) -> None:
        made = self._receipt(at, event)
        cursor.execute(
            "insert into sink.receipt (message_id, topic, partition, record_offset, purchase_id, sha256, recipient,"
            " content) values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            (
                made.message_id, self.topic.name, at.partition, at.offset, event.purchase_id, made.digest,
                made.recipient, made.content,
            ),
        )  # fmt: skip

    def _receipt(self, at: Arrived, event: PurchaseAuthorised) -> Receipt:
        envelope = read_envelope(at.headers)
        return receipt(event, message_id_of(envelope.source, envelope.id, self._sender), self._sender)

    def _parked(self, at: Arrived, reason: str, problem: str) -> Parked:
        return Parked(self.name, self.topic.name, at.partition, at.offset, "", reason, problem)

    # ---- verify

    def remake(self, connection: Connection, row: Row) -> bytes | None:
        """There are no files."""
        return None

    def differences(self, connection: Connection, records: Iterable[Arrived]) -> Iterator[str]:
        """Every event that asks for a receipt has one, sent or waiting, or is parked; no other receipt exists.

        What waits goes to whom the event names and says what it says; of what was sent only the digest is left.
        """
        rows = connection.execute(
            "select message_id, sha256, recipient, content from sink.receipt where topic = %s", (self.topic.name,)
        )
        kept = {row[0]: _Kept(*row[1:]) for row in rows}
        parked = parked_places(connection, self.name, self.topic.name)
        explained: set[str] = set()
        for each in records:
            event = each.message
            if not isinstance(event, PurchaseAuthorised) or event.receipt_to is None:
                continue
            if (each.partition, each.offset) in parked:
                continue
            place = f"{self.topic.name}/{each.partition}@{each.offset}"
            try:
                made = self._receipt(each, event)
            except (InvalidEnvelope, UnusableAddress) as error:
                yield f"{place}: purchase {event.purchase_id} can have no receipt and is not parked: {error}"
                continue
            explained.add(made.message_id)  # an event may lie in the log twice
            found = kept.get(made.message_id)
            if found is None:
                yield f"{place}: purchase {event.purchase_id} has no receipt and is not parked"
            elif found.digest != made.digest or found.content not in (None, made.content):
                yield f"{place}: the receipt of {event.purchase_id} is not what the record says"
            elif found.recipient not in (None, made.recipient):
                yield f"{place}: the receipt of {event.purchase_id} waits for somebody whom the record does not name"
        for message_id in sorted(kept.keys() - explained):
            yield f"receipt {message_id} belongs to no record"
