"""Acknowledgements into Kafka: at least once, and each under an id that follows from what it says (PRI-11).

The row is written with the answer and marked when Kafka has the event. A crash in between publishes it again under the
same id, which the room recognises as a repetition.
"""

from schemas.codec import Codec
from schemas.general_ledger import LineRefusal, LinesProcessed, LinesRefused
from schemas.publishing import NotPublished, Upstream, publish, upstream
from schemas.settings import Settings
from schemas.topics import Topic
from sinks.database import Connection, alone_with
from sinks.errors import KafkaUnavailable
from sinks.general_ledger import tables
from sinks.general_ledger.tables import ToPublish
from sinks.general_ledger.upload import LineStatus

SOURCE = "general-ledger-sink"
ACTOR = "general-ledger"
MOST_EVENTS = 500
"""Of one round; a transaction is one event."""
FLUSH_S = 30


def publish_waiting(connection: Connection, settings: Settings, codec: Codec, topic: Topic) -> int:
    """Publish what waits, and mark it; how much it was. Raises `KafkaUnavailable`."""
    with alone_with(connection, "general-ledger acknowledgements") as mine:
        waiting = tables.to_publish(connection, MOST_EVENTS) if mine else []
        if waiting:
            try:
                publish(settings, codec, [event(each, topic) for each in waiting], FLUSH_S)
            except NotPublished as error:
                raise KafkaUnavailable(f"{error}: nothing is lost, they wait in sink.acknowledgement") from error
            tables.published(connection, [each.event_id for each in waiting])
        return len(waiting)


def event(row: ToPublish, topic: Topic) -> Upstream:
    """A row as the event that it is. Pure: the same row is the same event."""
    return upstream(
        topic,
        _message(row),
        event_id=row.event_id,
        source=SOURCE,
        time_us=row.said_at,
        actor=ACTOR,
        correlation_id=row.transaction_id,
    )


def _message(row: ToPublish) -> LinesProcessed | LinesRefused:
    told = {"prisoner_id": row.prisoner_id, "transaction_id": row.transaction_id, "file": row.file}
    if row.outcome == LineStatus.PROCESSED:
        return LinesProcessed(**told, line_ids=tuple(str(line["line_id"]) for line in row.lines))
    reasons = tuple(LineRefusal(line_id=str(line["line_id"]), reason=str(line["reason"])) for line in row.lines)
    return LinesRefused(**told, reasons=reasons)
