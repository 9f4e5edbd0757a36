"""A restore against the broker in memory, where its timing can be had exactly."""

from typing import Any

import msgspec
import pytest
from confluent_kafka import TopicPartition

from streams.runtime.outside import REAL
from streams.runtime.restore import Restore
from streams.runtime.settings import Settings
from streams.simulator.app import Table
from streams.simulator.kafka.broker import Broker

pytestmark = pytest.mark.requirement("PIPE-02", "PIPE-03")

CHANGELOG = "changelog"


class Row(msgspec.Struct, frozen=True):
    number: int


class Changelog:
    """Two partitions of a table's changelog, and a group that reads one topic."""

    def __init__(self) -> None:
        self.broker = Broker()
        self.broker.create_topic("in", 2)
        self.broker.create_topic(CHANGELOG, 2)
        self.host = self.broker.host()
        self.table = Table("numbers", CHANGELOG, Row, None, None)

    def writer(self, name: str) -> Any:
        producer = self.host.new_producer({"transactional.id": name})
        producer.init_transactions()
        return producer

    def write(self, producer: Any, partition: int, number: int) -> None:
        """Into an open transaction, as far as the broker."""
        producer.produce(CHANGELOG, msgspec.json.encode(Row(number)), b"key", partition)
        producer.flush()

    def restore(self) -> Restore:
        outside = REAL._replace(new_consumer=self.host.new_consumer, sleep=lambda _: None)
        source = [TopicPartition("in", number) for number in range(2)]
        member = self.host.new_consumer({"group.id": "g"})
        return Restore(member, [self.table], source, Settings(), {"group.id": "restore"}, outside)


def test_a_restore_waits_for_the_marker_of_what_stood_before_the_high_watermark() -> None:
    changelog = Changelog()
    earlier = changelog.writer("earlier owner")
    earlier.begin_transaction()
    changelog.write(earlier, 0, 7)
    restore = changelog.restore()
    for _ in range(5):
        restore.step()
    assert not restore.done
    earlier.commit_transaction()
    for _ in range(5):
        restore.step()
    assert restore.done
    assert changelog.table.peek(0) == {"key": Row(7)}


def test_a_restore_that_stood_still_is_not_troubled_by_what_its_successor_writes() -> None:
    changelog = Changelog()
    earlier, successor = changelog.writer("earlier owner"), changelog.writer("successor")
    for producer, partition in ((successor, 0), (earlier, 1)):
        producer.begin_transaction()
        changelog.write(producer, partition, 1)
    successor.commit_transaction()
    restore = changelog.restore()
    for _ in range(5):
        restore.step()
    assert list(restore.targets) == [(CHANGELOG, 1)]

    successor.begin_transaction()
    changelog.write(successor, 0, 2)
    successor.commit_transaction()
    restore.step()

    earlier.commit_transaction()
    for _ in range(5):
        restore.step()
    assert restore.done
    assert changelog.table.peek(0) == {"key": Row(1)}
    assert changelog.table.position(0) == 2
