"""The broker: topics, transactions and groups, request by request. Its clock moves when somebody moves it."""

from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError

from streams.simulator.kafka.errors import Refusal
from streams.simulator.kafka.groups import Group, GroupMetadata
from streams.simulator.kafka.host import Host
from streams.simulator.kafka.log import PartitionLog
from streams.simulator.kafka.messages import Fate, Headers, Place
from streams.simulator.kafka.partitioner import murmur2
from streams.simulator.kafka.transactions import Producer, Transactions

OFFSETS = "__consumer_offsets"
"""Where a group's offsets are: `Place(OFFSETS, …)` stands for the group in a transaction."""


class NewRecord(NamedTuple):
    """A record on its way to the broker."""

    place: Place
    key: bytes | None
    value: bytes | None
    headers: Headers | None
    sequence: int


class Broker:
    """One Kafka in memory. `now_s` is its clock, in seconds since 1970."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s
        self.logs: dict[Place, PartitionLog] = {}
        self.transactions = Transactions(self._write_marker)
        self._partitions: dict[str, int] = {}
        self._groups: dict[str, Group] = {}
        self._group_places: dict[Place, Group] = {}
        self._members = 0

    def host(self, name: str = "host") -> Host:
        """A host without faults."""
        return Host(self, name)

    # ---- topics

    def create_topic(self, name: str, partitions: int) -> None:
        """Make a topic, unless it exists."""
        if name not in self._partitions:
            self._partitions[name] = partitions
            self.logs |= {place: PartitionLog(place) for number in range(partitions) if (place := Place(name, number))}

    @property
    def topics(self) -> dict[str, int]:
        """Every topic with the number of its partitions."""
        return self._partitions

    def partition_of(self, topic: str, key: bytes | None) -> int:
        """Where a record goes that names no partition: by murmur2 of its key, as Java's and our clients do it."""
        return 0 if key is None else (murmur2(key) & 0x7FFFFFFF) % self._partitions[topic]

    # ---- time

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and with it sessions and transactions expire."""
        self.now_s += seconds
        self.expire()

    def expire(self) -> None:
        """End what is over: sessions of silent members, transactions open for too long."""
        self.transactions.expire(self.now_s)
        for group in self._groups.values():
            group.expire(self.now_s)

    # ---- requests of producers. Each raises Refusal.

    def produce(self, records: Sequence[NewRecord], owner: Producer | None = None, epoch: int = 0) -> list[int]:
        """Write records, each once whatever is repeated, and tell their offsets.

        Those of a transaction need their partitions added to it before.
        """
        timestamp_ms = int(self.now_s * 1000)
        if owner is None:
            return [
                self.logs[place].append(key, value, headers, timestamp_ms) for place, key, value, headers, _ in records
            ]
        self.transactions.check(owner.transactional_id, epoch)
        return [self._produce(owner, epoch, record, timestamp_ms) for record in records]

    def _produce(self, owner: Producer, epoch: int, record: NewRecord, timestamp_ms: int) -> int:
        place, key, value, headers, sequence = record
        log = self.logs[place]
        written = log.written(owner.producer_id, epoch)
        if sequence < len(written):
            return written[sequence]  # it was there already
        if not owner.has_open(place):
            raise Refusal(KafkaError.INVALID_TXN_STATE)
        if sequence > len(written):
            raise Refusal(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER)
        written.append(log.append(key, value, headers, timestamp_ms, owner.producer_id))
        return written[sequence]

    def add_partitions(self, owner: Producer, epoch: int, places: Sequence[Place]) -> None:
        """Make partitions part of a transaction."""
        for place in places:
            self.transactions.add(owner.transactional_id, epoch, place, self.now_s)

    def add_offsets(self, owner: Producer, epoch: int, by: GroupMetadata) -> None:
        """Make a group's offsets part of a transaction."""
        self.transactions.add(owner.transactional_id, epoch, self._group_place(by.group), self.now_s)

    def commit_offsets(self, owner: Producer, epoch: int, offsets: dict[Place, int], by: GroupMetadata) -> None:
        """Put offsets into a transaction that has the group's offsets added."""
        producer = self.transactions.check(owner.transactional_id, epoch)
        if not producer.has_open(self._group_place(by.group)):
            raise Refusal(KafkaError.INVALID_TXN_STATE)
        self.group(by.group).add_pending(owner.producer_id, offsets, by)

    def _write_marker(self, place: Place, producer_id: int, fate: Fate) -> None:
        if place.topic == OFFSETS:
            self._group_places[place].decide(producer_id, fate)
        else:
            self.logs[place].mark(producer_id, fate)

    # ---- groups

    def group(self, name: str) -> Group:
        """A consumer group; it exists when it is first asked for."""
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = Group(name, self._partitions.__getitem__)
            self._group_places[Place(OFFSETS, len(self._group_places))] = group
        return group

    def _group_place(self, name: str) -> Place:
        group = self.group(name)
        return next(place for place, each in self._group_places.items() if each is group)

    def new_member_id(self, host: str) -> str:
        """An id that nobody has had before."""
        self._members += 1
        return f"{host}-{self._members}"
