"""Publishing events from outside the pipeline's own transactions: by `python -m streams publish` and by sinks.

Headers are CloudEvents in binary mode, the key is the envelope's subject, the partition murmur2 of it. Who publishes
the same event id again publishes a repetition, which its reader recognises (PIPE-05).
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.avro import full_name
from schemas.codec import Codec
from schemas.envelope import Envelope
from schemas.fields import Message
from schemas.settings import Settings
from schemas.topics import Topic

FLUSH_S = 60
"""How long Kafka may take to take everything."""


class NotPublished(RuntimeError):
    """Kafka has not taken every event; which of them is not known, so all of them must be published again."""


class Upstream(NamedTuple):
    """One upstream event, ready to be published."""

    topic: Topic
    envelope: Envelope
    message: Message


def upstream(
    topic: Topic,
    message: Message,
    *,
    event_id: str,
    source: str,
    time_us: int,
    actor: str,
    correlation_id: str | None = None,
    causation_id: str | None = None,
) -> Upstream:
    """A message as an event, keyed as its topic says; what it belongs to and what caused it are itself if not given."""
    assert topic.key is not None
    key = topic.key.of(message)
    assert key is not None
    envelope = Envelope(
        id=event_id,
        source=source,
        type=full_name(type(message)),
        time_us=time_us,
        subject=key,
        correlation_id=correlation_id or event_id,
        causation_id=causation_id or event_id,
        actor=actor,
    )
    return Upstream(topic, envelope, message)


def publish(settings: Settings, codec: Codec, events: Iterable[Upstream], flush_s: float = FLUSH_S) -> int:
    """Publish events in order; returns how many Kafka has taken. Raises `NotPublished` if one was not taken."""
    producer = Producer(settings.client(enable_idempotence=True, linger_ms=5))
    failed: list[KafkaError] = []
    count, topics = 0, set[str]()
    for topic, envelope, message in events:
        topics.add(topic.name)
        while True:
            try:
                producer.produce(
                    topic.name,
                    codec.encode(message),
                    envelope.subject.encode(),
                    headers=envelope.headers(),
                    on_delivery=lambda error, _: failed.append(error) if error else None,
                )
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
        count += 1
    introduce(producer, topics, flush_s)
    left = producer.flush(flush_s)
    if failed or left:
        raise NotPublished(
            f"{len(failed) + left} of {count} events did not reach Kafka at {settings.kafka}: {failed[:1]}"
        )
    return count


def introduce(producer: Any, topics: Iterable[str], timeout_s: float) -> None:
    """Ask where the partitions are of topics that a young producer has records for.

    By itself librdkafka 2.8 asks when its timer is next due, within a second; without an answer it still does.
    """
    for topic in topics:
        try:
            producer.list_topics(topic, timeout_s)
        except KafkaException:
            return
