"""`python -m streams deadletters`: see what could not be read, and send it again once its cause is mended (PIPE-04)."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, PARTITIONS
from streams.topics import ServerDown

TIMEOUT_S = 15.0
POLL_S = 0.2
UNREACHABLE = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE)
ADDED = "dl-"


class NoSuchLetter(LookupError):
    """No dead letter has this id."""


class DeadLetter(NamedTuple):
    """A record that became a dead letter; `id` is where it lies: `partition:offset` of the dead-letter topic."""

    id: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    reason: str
    error: str
    field: str
    schema: str
    stack: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def read(settings: Settings) -> Iterator[DeadLetter]:
    """Every dead letter, oldest first in each partition. Raises `ServerDown`."""
    kafka = Consumer(
        settings.client(
            group_id="millrace-dead-letters",
            isolation_level="read_committed",
            enable_auto_commit=False,
            enable_partition_eof=True,
            auto_offset_reset="earliest",
        )
    )
    kafka.assign([TopicPartition(DEAD_LETTERS.name, partition, 0) for partition in range(PARTITIONS)])
    unfinished = PARTITIONS
    silent_since = time.monotonic()
    try:
        while unfinished:
            records = kafka.consume(500, POLL_S)
            if records:
                silent_since = time.monotonic()
            elif time.monotonic() - silent_since > TIMEOUT_S:
                raise ServerDown(f"no Kafka broker answers at {settings.kafka}: start it, or set MILLRACE_KAFKA")
            for record in records:
                if record.error() is None:
                    yield _letter(record)
                elif record.error().code() == KafkaError._PARTITION_EOF:
                    unfinished -= 1
                elif record.error().code() not in UNREACHABLE:
                    raise KafkaException(record.error())
    finally:
        kafka.close()


def find(settings: Settings, letter_id: str) -> DeadLetter:
    """The dead letter of an id. Raises `NoSuchLetter`."""
    for letter in read(settings):
        if letter.id == letter_id:
            return letter
    raise NoSuchLetter(f"there is no dead letter {letter_id}; `python -m streams deadletters list` names them all")


def replay(settings: Settings, letters: list[DeadLetter]) -> int:
    """Publish the raw records again where they came from, with their own key and headers. Gives how many were taken.

    A record that still is no message becomes a dead letter again; one that was mended by a new release is decided now.
    """
    producer = Producer(settings.client(enable_idempotence=True))
    taken = 0

    def delivered(error: KafkaError | None, _: Any) -> None:
        nonlocal taken
        taken += error is None

    for letter in letters:
        producer.produce(letter.topic, letter.value, letter.key, headers=letter.headers, on_delivery=delivered)
        producer.poll(0)
    producer.flush(TIMEOUT_S)
    return taken


def _letter(record: Any) -> DeadLetter:
    headers = record.headers() or []
    added = {name: value.decode(errors="replace") for name, value in headers if name.startswith(ADDED)}
    return DeadLetter(
        id=f"{record.partition()}:{record.offset()}",
        topic=added["dl-topic"],
        partition=int(added["dl-partition"]),
        offset=int(added["dl-offset"]),
        timestamp_ms=int(added["dl-timestamp"]),
        reason=added["dl-reason"],
        error=added["dl-error"],
        field=added["dl-field"],
        schema=added["dl-schema"],
        stack=added["dl-stack"],
        key=record.key(),
        value=record.value(),
        headers=[(name, value) for name, value in headers if not name.startswith(ADDED)],
    )
