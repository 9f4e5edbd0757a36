"""Kafka, as a sink reads it: committed records only, from the positions that Postgres keeps."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.settings import settings
from sinks.errors import KafkaUnavailable

log = logging.getLogger(__name__)

ANSWER_S = 10.0
"""How long a broker may take to answer a question."""
PATIENCE_S = 60.0
"""How long librdkafka may try to reach any broker before the worker gives up."""

FirstOffset: TypeAlias = Callable[[int], int]
Positions: TypeAlias = Callable[[list[int], FirstOffset], Mapping[int, int]]


class Raw(NamedTuple):
    """One record as it lies in Kafka."""

    partition: int
    offset: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    key: bytes | None = None


class Inlet:
    """A consumer in a group. The group shares out partitions; where to read on is asked of `positions`.

    What Kafka's own group offsets say is never read; they are written after each transaction so that tools which look
    at consumer lag see the truth.
    """

    def __init__(self, kafka: str, topic: str, group: str, positions: Positions) -> None:
        self._kafka = kafka
        self._topic = topic
        self._positions = positions
        self._believed: dict[int, int] = {}
        self._assigned: list[int] = []
        self._ended: set[int] = set()
        self._misplaced = False
        self._unreachable_since: float | None = None
        self._consumer = _consumer(kafka, group, self._on_error)
        partition_count(self._consumer, kafka, topic)  # or a sentence that says what is missing
        self._consumer.subscribe([topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke)

    @property
    def is_at_end(self) -> bool:
        """Whether the group has given it partitions, and it has read all there is in them."""
        return bool(self._assigned) and self._ended.issuperset(self._assigned)

    def poll(self, limit: int, timeout_s: float) -> list[Raw]:
        """Up to `limit` records. Raises `KafkaUnavailable`."""
        messages = self._consumer.consume(limit, timeout_s)
        if self._misplaced:
            self.place()
            return []
        self._check_reachable()
        records = []
        following = dict(self._believed)
        for message in messages:
            if message.error() is not None:
                self._consider(message.error(), message.partition())
                continue
            self._ended.discard(message.partition())
            if message.offset() >= following.get(message.partition(), message.offset() + 1):
                records.append(raw(message))
                following[message.partition()] = message.offset() + 1
        return records

    def moves(self, records: Iterable[Raw]) -> dict[int, tuple[int, int]]:
        """For each partition of the records, the offset that this worker stands at and the one after them."""
        following = {record.partition: record.offset + 1 for record in records}
        return {partition: (self._believed[partition], offset) for partition, offset in following.items()}

    def moved(self, moves: Mapping[int, tuple[int, int]]) -> None:
        """The transaction of these moves is committed."""
        for partition, (_, following) in moves.items():
            self._believed[partition] = following
        offsets = [TopicPartition(self._topic, partition, offset) for partition, offset in self._believed.items()]
        self._consumer.commit(offsets=offsets, asynchronous=True)

    def place(self) -> None:
        """Read on where Postgres says: after an assignment, and whenever this worker may be wrong about it."""
        if self._assigned:
            self._believed = dict(self._positions(self._assigned, self._first_offset))
            self._consumer.assign([TopicPartition(self._topic, each, at) for each, at in self._believed.items()])
        self._ended.clear()
        self._misplaced = False

    def lags(self) -> Iterator[tuple[int, int]]:
        """For each partition, how many offsets lie before its end, as far as the last fetch showed."""
        for partition, believed in self._believed.items():
            _, high = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
            yield partition, max(0, high - believed)

    def close(self) -> None:
        self._consumer.close()

    # ---- the group

    def _on_assign(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        """Nothing is read before `place`; what this poll brought from an earlier assignment is dropped."""
        self._assigned = sorted(each.partition for each in partitions)
        self._believed = {}
        self._misplaced = True
        consumer.assign([])
        log.info("assigned %s %s", self._topic, self._assigned)

    def _on_revoke(self, _consumer: Any, _partitions: list[TopicPartition]) -> None:
        self._assigned = []
        self._believed = {}

    def _first_offset(self, partition: int) -> int:
        low, _ = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=ANSWER_S)
        return int(low)

    # ---- trouble

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._unreachable_since is None:
            log.warning("Kafka at %s does not answer: trying again for %.0f s", self._kafka, PATIENCE_S)
            self._unreachable_since = time.monotonic()

    def _check_reachable(self) -> None:
        """librdkafka reconnects by itself and does not say when it succeeded: ask, when patience ends."""
        if self._unreachable_since is None or time.monotonic() - self._unreachable_since < PATIENCE_S:
            return
        partition_count(self._consumer, self._kafka, self._topic)
        self._unreachable_since = None

    def _consider(self, error: KafkaError, partition: int) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            self._ended.add(partition)
            return
        if error.retriable():
            log.warning("Kafka at %s: %s", self._kafka, error.str())
            return
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise KafkaUnavailable(
                f"{self._topic} at {self._kafka} no longer holds the offsets where sink.position stands"
                f" ({error.str()}): was it deleted and made again? Restore it, or start with an empty database"
            )
        raise KafkaUnavailable(f"Kafka at {self._kafka} refuses {self._topic}: {error.str()}")


def raw(message: Any) -> Raw:
    """A client's message as we hand it on."""
    return Raw(message.partition(), message.offset(), message.value(), message.headers() or (), message.key())


def _consumer(kafka: str, group: str, on_error: Callable[[KafkaError], None]) -> Any:
    here = settings()
    return Consumer(
        here.client(
            bootstrap_servers=kafka,
            group_id=group,
            isolation_level="read_committed",
            enable_auto_commit=False,
            enable_auto_offset_store=False,
            auto_offset_reset="error",
            enable_partition_eof=True,
            fetch_wait_max_ms=100,  # the end of a partition is told with the answer to a fetch
            partition_assignment_strategy="range",
            session_timeout_ms=round(here.session_timeout_s * 1_000),
            heartbeat_interval_ms=round(here.session_timeout_s * 1_000 / 4),
        )
        | {"error_cb": on_error}
    )


def partition_count(consumer: Any, kafka: str, topic: str) -> int:
    """How many partitions the topic has. Raises `KafkaUnavailable` with a sentence for people."""
    try:
        found = consumer.list_topics(topic, timeout=ANSWER_S).topics[topic]
    except KafkaException as error:
        raise KafkaUnavailable(
            f"Kafka at {kafka} does not answer ({error.args[0].str()}): start it with `python -m stack up`,"
            " or set MILLRACE_KAFKA"
        ) from error
    if found.error is not None:
        raise KafkaUnavailable(
            f"Kafka at {kafka} has no topic {topic}: create the topics with `python -m streams topics`"
        )
    return len(found.partitions)
