"""Topics as they were when the audit began: read_committed, from their beginning to the high watermark of that time."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.settings import Settings
from streams.audit.errors import CannotAudit
from streams.audit.evidence import Partition, Span

BATCH_RECORDS = 1_000
POLL_S = 0.2
READING = {
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 10,  # how long the broker may wait for more before it says that a partition has ended
    "queued.max.messages.kbytes": 8_192,  # of each reader; where the order of time matters, each partition has one
    "fetch.queue.backoff.ms": 5,
}

TIMEOUT_S = 10.0
PATIENCE_S = 30.0
"""How long a read may stand still: a transaction that nobody decides holds back all that follows it."""

_LEADER_MOVES = {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE}

Answer = TypeVar("Answer")


class Snapshot:
    """What some topics hold when it is made. Raises `CannotAudit` where a broker or a topic is missing.

    `group` is the consumer group whose progress `committed` tells; it is asked for, never joined.
    """

    def __init__(self, settings: Settings, group: str, topics: Collection[str], patience_s: float = PATIENCE_S) -> None:
        self._servers = settings.kafka
        self._patience_s = patience_s
        self._client = settings.client(group_id=group, enable_auto_commit=False)
        # High watermarks, not last stable offsets: what an open transaction holds back must be waited for.
        self._probe = Consumer({**self._client, "isolation.level": "read_uncommitted"})
        self.spans = self._look(self._partitions(topics))

    def close(self) -> None:
        """Let the broker go."""
        self._probe.close()

    def of(self, *topics: str) -> dict[Partition, Span]:
        """The spans of some of the topics."""
        return {partition: span for partition, span in self.spans.items() if partition.topic in topics}

    def read(self, spans: Mapping[Partition, Span]) -> Iterator[Any]:
        """The records (`confluent_kafka.Message`) of these spans, each partition's in order.

        Raises `CannotAudit` if nothing comes for too long.
        """
        left = {partition: span.end for partition, span in spans.items() if span.low < span.end}
        reader = Consumer({**self._client, **READING})  # a new one: reassigned to other topics, it would take a second
        try:
            reader.assign([TopicPartition(*partition, spans[partition].low) for partition in left])
            yield from self._read(reader, left)
        finally:
            reader.close()

    def _read(self, reader: Consumer, left: dict[Partition, int]) -> Iterator[Any]:
        moved_at = time.monotonic()
        while left:
            first = reader.poll(POLL_S)  # `consume` would wait until it has as many as it may give
            if first is not None:
                for record in (first, *reader.consume(BATCH_RECORDS, 0)):
                    yield from _within(left, record)
                moved_at = time.monotonic()  # whoever reads may have been away for long
            elif time.monotonic() - moved_at > self._patience_s:
                raise self._stalled(left)

    def committed(self, *topics: str) -> dict[Partition, int]:
        """Where the group goes on, for each partition in which it has committed an offset."""
        member = Consumer({**self._client, **READING})  # read_committed: it waits for undecided offsets
        try:
            answers = member.committed([TopicPartition(*partition) for partition in self.of(*topics)], TIMEOUT_S)
        except KafkaException as error:
            raise self._unavailable(error) from error
        finally:
            member.close()
        return {Partition(each.topic, each.partition): each.offset for each in answers if each.offset >= 0}

    def grown(self, *topics: str) -> list[Partition]:
        """Which partitions of these topics have grown since."""
        now = self._look(self.of(*topics))
        return [partition for partition, span in sorted(now.items()) if span.end != self.spans[partition].end]

    # ---- asking the broker

    def _partitions(self, topics: Collection[str]) -> list[Partition]:
        try:
            present = self._probe.list_topics(timeout=TIMEOUT_S).topics
        except KafkaException as error:
            raise self._unavailable(error) from error
        missing = sorted(set(topics) - present.keys())
        if missing:
            raise CannotAudit(
                f"Kafka at {self._servers} has no topic {', '.join(missing)}: run `python -m streams topics`, "
                "then a worker, which makes the changelogs"
            )
        return [Partition(topic, number) for topic in topics for number in present[topic].partitions]

    def _look(self, partitions: Collection[Partition]) -> dict[Partition, Span]:
        try:
            return {partition: self._span(partition) for partition in partitions}
        except KafkaException as error:
            raise self._unavailable(error) from error

    def _span(self, partition: Partition) -> Span:
        ask = partial(self._probe.get_watermark_offsets, TopicPartition(*partition), TIMEOUT_S)
        return Span(*while_leaders_move(ask, self._patience_s))

    def _unavailable(self, error: KafkaException) -> CannotAudit:
        return CannotAudit(
            f"Kafka at {self._servers} does not answer ({error.args[0].str()}): "
            "start it with `python -m stack up`, or set MILLRACE_KAFKA"
        )

    def _stalled(self, left: Mapping[Partition, int]) -> CannotAudit:
        partition, end = next(iter(left.items()))
        return CannotAudit(
            f"Kafka at {self._servers} gives nothing of {partition} before offset {end} for {self._patience_s:.0f} s: "
            "a broker is down, or a transaction is not decided yet; repeat the audit later"
        )


def while_leaders_move(ask: Callable[[], Answer], patience_s: float) -> Answer:
    """Ask a partition's leader, and again where it has just become another broker.

    Raises KafkaException for everything else, and if leaders still move when `patience_s` is over.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _LEADER_MOVES or time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)


def _within(left: dict[Partition, int], record: Any) -> Iterator[Any]:
    """The record if it is within what is left to read; crosses its partition off where that is the end."""
    error, offset = record.error(), record.offset()
    partition = Partition(record.topic(), record.partition())
    end = left.get(partition)
    if error is not None and error.code() != KafkaError._PARTITION_EOF and not error.retriable():
        raise CannotAudit(f"Kafka cannot read {partition}: {error.str()}")
    if end is None:
        return
    if error is None:
        if offset < end:
            yield record
        offset += 1
    elif error.code() != KafkaError._PARTITION_EOF:
        return
    if offset >= end:  # also where the last records are transaction markers, or compacted away
        del left[partition]
