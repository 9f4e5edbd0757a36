"""What `verify` compares of the answers: each answered call has one in Kafka, as Billing gave it (BEY-02)."""

from collections.abc import Iterator

from schemas.codec import Codec
from schemas.topics import Topic
from sinks import told
from sinks.billing import outbox, tables
from sinks.billing.answer import event_id
from sinks.database import Connection
from sinks.progress import Say, unheard


def untold(connection: Connection, codec: Codec, kafka: str, topic: Topic, say: Say = unheard) -> Iterator[str]:
    """Where Kafka does not say what the tables do, in sentences. Raises `KafkaUnavailable`.

    An answer's id follows from its call, so that a second one under another id is an answer that was not given.
    """
    marked = {event_id(call_id) for call_id in tables.published_calls(connection)}
    given = ((f"the answer to {row.call_id}", outbox.event(row, topic)) for row in tables.answers(connection))
    yield from told.untold("answer", marked, given, codec, kafka, topic, outbox.SOURCE, say)
