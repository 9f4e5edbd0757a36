"""Brings the topics and tables of a pipeline to more partitions (docs/operations.md).

For a pipeline at rest: nothing unread, no worker running. Source and output topics grow in place; their old records
stay where they are. Each row of a table goes where the records of its book will go from now on. A changelog is copied
to `<changelog>-moving`, made anew, and copied back; each copy is one transaction, so it is there whole or not at all,
and the move, cut short at any point, goes on from there when it is begun again.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupState,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from schemas.publishing import introduce

MOVING = "-moving"
TIMEOUT_S = 30.0
TRANSACTION_S = 900.0
"""The longest that brokers allow by default; a table must be copied within it."""

_PASSING = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
}
"""As a topic that was just made answers."""

Rows = dict[tuple[int, bytes], bytes]
"""By partition and key, the last value of each row."""
PartitionOf = Callable[[bytes], int]
Say = Callable[[str], None]


class Placing(Enum):
    """How a table's rows find their partitions."""

    BY_BOOK = "by book"
    """The row's key begins with the key of the book's records, up to a bar."""
    EVERYWHERE = "everywhere"
    """Reference data that every partition has."""
    STAYS = "stays"
    """Of the partition itself; new partitions begin without, or with what `Place.begin` makes."""


class Place(NamedTuple):
    """How a table's rows are placed.

    `prefix` is that of its records' keys where the rows' keys lack it. `begin` makes a row from those that the old
    partitions have under the same key: that of a new partition, which has none without it; of what is everywhere, that
    of every partition.
    """

    placing: Placing
    prefix: str = ""
    begin: Callable[[Sequence[bytes]], bytes] | None = None


class NotAtRestError(Exception):
    """The pipeline cannot be repartitioned now; the message says why in one sentence."""


class Repartition:
    """One pipeline's move to `partitions`. Raises NotAtRestError, KafkaException."""

    def __init__(
        self,
        client: Mapping[str, Any],
        group: str,
        partitions: int,
        partition_of: PartitionOf,
        replication: int,
        say: Say,
    ) -> None:
        self._client, self._group, self._partitions = dict(client), group, partitions
        self._partition_of, self._replication, self._say = partition_of, replication, say
        self._admin = AdminClient(self._client)

    def run(
        self, sources: Sequence[str], others: Sequence[str], tables: Mapping[str, Place], config: dict[str, str]
    ) -> None:
        """Bring `sources` and `others` to the wanted partitions, and then the changelogs `tables` with their rows.

        `config` is that of a changelog. Nothing is changed unless all records of `sources` have been worked on.
        """
        self._check_idle()
        self._producer = self._begin()
        counts = self._counts()
        for topic in (*sources, *others, *tables):
            if counts.get(topic, 0) > self._partitions:
                raise NotAtRestError(f"{topic} has {counts[topic]} partitions already: Kafka cannot take any away")
        for topic in sources:
            self._check_drained(topic, counts.get(topic, 0))
        for changelog, place in tables.items():  # before the topics: then their growing says that all is done
            self._move(changelog, place, config)
        for topic in (*sources, *others):
            if 0 < counts.get(topic, 0) < self._partitions:
                self._grow(topic)

    # ---- is it at rest?

    def _check_idle(self) -> None:
        try:
            described = self._admin.describe_consumer_groups([self._group])[self._group].result(TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return
            raise
        if described.state not in {ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD}:
            raise NotAtRestError(f"group {self._group} has {len(described.members)} members: stop all workers first")

    def _check_drained(self, topic: str, count: int) -> None:
        reader = self._reader(self._group)
        try:
            places = [TopicPartition(topic, number) for number in range(count)]
            done = reader.committed(places, TIMEOUT_S)
            for message in _until_end(reader, [_from(tp) for tp in done]):
                raise NotAtRestError(
                    f"{topic}/{message.partition()} has records from offset {message.offset()} on that no worker has "
                    "taken: stop upstream, and let the workers finish"
                )
        finally:
            reader.close()

    # ---- moving a table

    def _move(self, changelog: str, place: Place, config: dict[str, str]) -> None:
        moving, counts = f"{changelog}{MOVING}", self._counts()
        rows = self._rows(moving, counts.get(moving, 0))
        if not rows:
            if counts.get(changelog, self._partitions) == self._partitions:
                self._delete(moving, counts)
                return
            self._delete(moving, counts)
            before = counts[changelog]
            rows = placed(self._rows(changelog, before), place, range(before, self._partitions), self._partition_of)
            self._create(moving, config)
            self._copy(rows, moving)
        if self._counts().get(changelog) != self._partitions:
            self._delete(changelog, self._counts())
            self._create(changelog, config)
        found = self._rows(changelog, self._partitions)
        if found != rows:
            if found:
                raise NotAtRestError(f"{changelog} has rows other than {moving}: somebody wrote to it meanwhile")
            self._copy(rows, changelog)
        self._delete(moving, self._counts())
        self._say(f"{changelog}: {len(rows):,} rows in {self._partitions} partitions")

    def _rows(self, topic: str, count: int) -> Rows:
        """The committed rows of a changelog."""
        rows: Rows = {}
        if count:
            reader = self._reader(f"{self._group}-repartition")
            try:
                for message in _until_end(reader, [TopicPartition(topic, n, OFFSET_BEGINNING) for n in range(count)]):
                    rows[message.partition(), message.key()] = message.value()
            finally:
                reader.close()
        return {slot: value for slot, value in rows.items() if value is not None}

    def _begin(self) -> Any:
        """A producer. From now on the last copy of a predecessor is there whole, or it never will be."""
        producer = Producer({**self._client, "transactional.id": f"{self._group}-repartition",
                             "transaction.timeout.ms": int(TRANSACTION_S * 1000),
                             "compression.type": "lz4"})  # fmt: skip
        producer.init_transactions(TIMEOUT_S)
        return producer

    def _copy(self, rows: Rows, topic: str) -> None:
        producer = self._producer
        producer.begin_transaction()
        for (partition, key), value in rows.items():
            while True:
                try:
                    producer.produce(topic, value, key, partition)
                    break
                except BufferError:
                    producer.poll(0.1)
        introduce(producer, [topic], TIMEOUT_S)
        producer.commit_transaction(TRANSACTION_S)

    # ---- topics

    def _counts(self) -> dict[str, int]:
        topics = self._admin.list_topics(timeout=TIMEOUT_S).topics
        return {name: len(topic.partitions) for name, topic in topics.items()}

    def _create(self, topic: str, config: dict[str, str]) -> None:
        new = NewTopic(topic, self._partitions, self._replication, config=config)
        self._admin.create_topics([new])[topic].result(TIMEOUT_S)
        self._wait_for(lambda: self._counts().get(topic) == self._partitions, f"{topic} to be made")

    def _grow(self, topic: str) -> None:
        self._admin.create_partitions([NewPartitions(topic, self._partitions)])[topic].result(TIMEOUT_S)
        self._wait_for(lambda: self._counts().get(topic) == self._partitions, f"more partitions of {topic}")
        self._say(f"{topic}: now has {self._partitions} partitions")

    def _delete(self, topic: str, counts: Mapping[str, int]) -> None:
        if topic in counts:
            self._admin.delete_topics([topic])[topic].result(TIMEOUT_S)
            self._wait_for(lambda: topic not in self._counts(), f"{topic} to be gone")

    def _wait_for(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            if time.monotonic() > deadline:
                raise NotAtRestError(f"waited {TIMEOUT_S:.0f} s in vain for {what}; give the command again")
            time.sleep(0.1)

    def _reader(self, group: str) -> Any:
        return Consumer({**self._client, "group.id": group, "isolation.level": "read_committed",
                         "enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "error",
                         "fetch.queue.backoff.ms": 5})  # fmt: skip


def placed(rows: Rows, place: Place, new: range, partition_of: PartitionOf) -> Rows:
    """The rows of a table where they belong once the `new` partitions are there. Pure."""
    found: Rows = {}
    for (partition, key), value in rows.items():
        match place.placing:
            case Placing.STAYS:
                targets: Sequence[int] = [partition]
            case Placing.EVERYWHERE:
                targets = range(new.stop)
            case Placing.BY_BOOK:
                targets = [partition_of(place.prefix.encode() + key.partition(b"|")[0])]
        for target in targets:
            found[target, key] = value
    if place.begin is not None:
        for key in {key: None for _, key in rows}:
            first = place.begin([value for (_, each), value in rows.items() if each == key])
            begun = range(new.stop) if place.placing is Placing.EVERYWHERE else new
            found |= dict.fromkeys(((partition, key) for partition in begun), first)
    return found


def _from(committed: TopicPartition) -> TopicPartition:
    start = committed.offset if committed.offset >= 0 else OFFSET_BEGINNING
    return TopicPartition(committed.topic, committed.partition, start)


def _until_end(reader: Any, starts: list[TopicPartition]) -> Iterator[Message]:
    """Every committed record from these places to the ends. Raises NotAtRestError, KafkaException."""
    unread = {tp.partition: _end(reader, tp) for tp in starts}
    reader.assign(starts)
    progressed_at = time.monotonic()
    while unread:
        messages = reader.consume(10_000, 1.0)
        if messages:
            progressed_at = time.monotonic()
        elif time.monotonic() - progressed_at > TIMEOUT_S:
            raise NotAtRestError(
                f"{starts[0].topic} has a transaction that is still open: give the command again later"
            )
        for message in messages:
            if message.error() is None:
                yield message
            elif message.error().code() == KafkaError._PARTITION_EOF:
                if message.offset() >= unread.get(message.partition(), 0):
                    unread.pop(message.partition(), None)
            elif message.error().code() not in _PASSING:
                raise KafkaException(message.error())


def _end(reader: Any, place: TopicPartition) -> int:
    """The high watermark; waits while a new topic has no leader yet."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return int(reader.get_watermark_offsets(place, TIMEOUT_S)[1])
        except KafkaException as error:
            if error.args[0].code() not in _PASSING or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
