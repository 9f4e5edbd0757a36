"""Billing's answers into Kafka: at least once, and each under an id that follows from its call (DLR-01, DLR-05).

The row is marked when Kafka has the event. A crash in between publishes it again under the same id, which the room
recognises as a repetition.
"""

from typing import Any

from schemas.billing import BillingDone, BillingRefused
from schemas.codec import Codec
from schemas.publishing import NotPublished, Upstream, publish, upstream
from schemas.settings import Settings
from schemas.topics import Topic
from sinks.billing import tables
from sinks.billing.answer import event_id
from sinks.billing.tables import ToPublish
from sinks.database import Connection, alone_with
from sinks.errors import KafkaUnavailable

SOURCE = "billing-sink"
ACTOR = "billing"
MOST_EVENTS = 500
"""Of one round."""
FLUSH_S = 30


def publish_waiting(connection: Connection, settings: Settings, codec: Codec, topic: Topic) -> int:
    """Publish what waits, and mark it; how much it was. Raises `KafkaUnavailable`."""
    with alone_with(connection, "billing answers") as mine:
        waiting = tables.to_publish(connection, MOST_EVENTS) if mine else []
        if waiting:
            try:
                publish(settings, codec, [event(each, topic) for each in waiting], FLUSH_S)
            except NotPublished as error:
                raise KafkaUnavailable(f"{error}: nothing is lost, they wait in sink.billing_call") from error
            tables.published(connection, [each.call_id for each in waiting])
        return len(waiting)


def event(row: ToPublish, topic: Topic) -> Upstream:
    """A row as the event that it is. Pure: the same row is the same event."""
    return upstream(
        topic,
        _message(row),
        event_id=event_id(row.call_id),
        source=SOURCE,
        time_us=row.said_at,
        actor=ACTOR,
        correlation_id=row.correlation_id,
        causation_id=row.causation_id,
    )


def _message(row: ToPublish) -> BillingDone | BillingRefused:
    about: dict[str, Any] = {
        "call_id": row.call_id,
        "dealer_id": row.dealer_id,
        "account": row.account,
        "bill_id": row.bill_id,
        "lot_id": row.lot_id,
    }
    if row.billing_id is not None:
        return BillingDone(**about, billing_id=row.billing_id, url=row.url)
    assert row.code is not None
    assert row.words is not None
    return BillingRefused(**about, code=row.code, text=row.words)
