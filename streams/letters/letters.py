"""`python -m streams deadletters`: see what could not be read, and send it again once its cause is mended (PIPE-04)."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from schemas.avro import full_name
from schemas.codec import Codec
from schemas.envelope import Envelope
from schemas.letters import LetterReplayed
from schemas.registry import ConfluentRegistry
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, PARTITIONS, REPLAYS
from streams import person
from streams.topics import kafka_down

TIMEOUT_S = 15.0
POLL_S = 0.2
COMMIT_S = 60.0
AT_ONCE = 200
"""Letters in one transaction: a letter holds up to a megabyte."""
TRANSACTIONAL_ID = "millrace-deadletters"
"""The same for everybody who replays, so that Kafka lets only the last of them go on."""
UNREACHABLE = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE)
SOURCE, REPLAYED = "millrace/deadletters", full_name(LetterReplayed)
ADDED = "dl-"
CUT = ("dl-key-bytes", "dl-value-bytes", "dl-header-bytes")


class NoSuchLetter(LookupError):
    """No dead letter has this id."""


class NotReplayed(RuntimeError):
    """Kafka did not take what was to be replayed: how much it had taken before, and why it refused."""


class DeadLetter(NamedTuple):
    """A record that became a dead letter; `id` is where it lies: `partition:offset` of the dead-letter topic.

    `replayed_at` is when it was last replayed, in UTC microseconds. A record longer than a letter holds `is_cut`.
    """

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
    is_cut: bool
    replayed_at: int | None


def read(settings: Settings) -> Iterator[DeadLetter]:
    """Every dead letter, oldest first in each partition.

    Raises `ServerDown`, `RegistryUnavailable`, `UnknownSchema`.
    """
    codec = _codec(settings)
    replays = (codec.decode(REPLAYS, record.value()) for record in _records(settings, REPLAYS.name))
    replayed_at = {replay.letter_id: replay.replayed_at for replay in replays}
    for record in _records(settings, DEAD_LETTERS.name):
        yield _letter(record, replayed_at)


def find(settings: Settings, letter_id: str) -> DeadLetter:
    """The dead letter of an id. Raises `NoSuchLetter`."""
    for letter in read(settings):
        if letter.id == letter_id:
            return letter
    raise NoSuchLetter(f"there is no dead letter {letter_id}; `python -m streams deadletters list` names them all")


def replay(settings: Settings, choose: Callable[[Iterable[DeadLetter]], list[DeadLetter]]) -> int:
    """Publish the raw records of the chosen letters again where they came from, with their own key and headers.

    Each is marked as replayed in the transaction that publishes it. Gives their number. A record that still is no
    message becomes a dead letter again; one that was mended by a new release is decided now.

    Raises `NotReplayed`, `ServerDown`, `RegistryUnavailable`, `UnknownSchema`, and what `choose` raises.
    """
    codec = _codec(settings)
    producer = Producer(settings.client(transactional_id=TRANSACTIONAL_ID))
    try:
        producer.init_transactions(TIMEOUT_S)  # before reading: whoever replayed until now has marked what he did
    except KafkaException as error:
        raise kafka_down(settings) from error
    chosen = choose(read(settings))
    for begin in range(0, len(chosen), AT_ONCE):
        try:
            _publish(producer, codec, chosen[begin : begin + AT_ONCE])
        except KafkaException as error:
            said = error.args[0].str()
            raise NotReplayed(
                f"{begin} of {len(chosen)} dead letters were replayed, then Kafka refused: {said}"
            ) from error
    return len(chosen)


def _publish(producer: Any, codec: Codec, letters: list[DeadLetter]) -> None:
    now, actor = time.time_ns() // 1_000, person.at_the_command_line()
    producer.begin_transaction()
    for letter in letters:
        producer.produce(letter.topic, letter.value, letter.key, headers=letter.headers)
        event_id = f"{letter.id}/{now}"
        envelope = Envelope(event_id, SOURCE, REPLAYED, now, letter.id, event_id, event_id, actor)
        mark = codec.encode(LetterReplayed(letter_id=letter.id, topic=letter.topic, replayed_at=now))
        producer.produce(REPLAYS.name, mark, letter.id, headers=envelope.headers())
    producer.commit_transaction(COMMIT_S)


def _codec(settings: Settings) -> Codec:
    return Codec(ConfluentRegistry(settings.registry), [REPLAYS])


def _records(settings: Settings, topic: str) -> Iterator[Any]:
    """Every record of a topic up to its end."""
    kafka = Consumer(
        settings.client(
            group_id="millrace-dead-letters",
            isolation_level="read_committed",
            enable_auto_commit=False,
            enable_partition_eof=True,
            auto_offset_reset="earliest",
            fetch_wait_max_ms=10,
        )
    )
    kafka.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    unfinished = PARTITIONS
    silent_since = time.monotonic()
    try:
        while unfinished:
            records = kafka.consume(500, POLL_S)
            if records:
                silent_since = time.monotonic()
            elif time.monotonic() - silent_since > TIMEOUT_S:
                raise kafka_down(settings)
            for record in records:
                if record.error() is None:
                    yield record
                elif record.error().code() == KafkaError._PARTITION_EOF:
                    unfinished -= 1
                elif record.error().code() not in UNREACHABLE:
                    raise KafkaException(record.error())
    finally:
        kafka.close()


def _letter(record: Any, replayed_at: dict[str, int]) -> DeadLetter:
    headers = record.headers() or []
    added = {name: value.decode(errors="replace") for name, value in headers if name.startswith(ADDED)}
    letter_id = f"{record.partition()}:{record.offset()}"
    return DeadLetter(
        id=letter_id,
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
        is_cut=any(size in added for size in CUT),
        replayed_at=replayed_at.get(letter_id),
    )
