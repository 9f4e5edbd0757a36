"""What the broker in memory claims, asked of it and of a real Kafka alike."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, TopicPartition

from schemas.partitioning import partition_of
from tests.simulation.clusters import PATIENCE_S, Cluster, drain, name_of

pytestmark = [pytest.mark.requirement("BEY-06", "PIPE-03"), pytest.mark.timeout(120)]

SEES_ALL = {"isolation.level": "read_uncommitted"}


def eventually(cluster: Cluster, ask: Callable[[], Any], is_enough: Callable[[Any], object] = bool) -> Any:
    for _ in range(int(PATIENCE_S / 0.1)):
        if is_enough(value := ask()):
            return value
        cluster.wait(0.1)
    raise AssertionError(f"waited in vain, and last saw {value!r}")


def end_becomes(cluster: Cluster, topic: str, wanted: int) -> None:
    eventually(cluster, lambda: end_of(cluster, topic), lambda end: end == wanted)


def started(cluster: Cluster, transactional_id: str = "t", **config: Any) -> Any:
    producer = cluster.producer(transactional_id, **config)
    producer.init_transactions(30)
    return producer


def write(producer: Any, topic: str, *values: bytes, partition: int = 0) -> None:
    """One committed transaction."""
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, b"key", partition)
    producer.commit_transaction(30)


@contextmanager
def open_transaction(producer: Any, topic: str, *values: bytes) -> Iterator[None]:
    """Values at the broker, not yet decided; aborted at the end."""
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, b"key", 0)
    producer.flush(10)
    yield
    producer.abort_transaction(30)


def values(cluster: Cluster, topic: str, **config: Any) -> list[tuple[int, bytes]]:
    return [(each.offset(), each.value()) for each in drain(cluster, topic, **config) if each.error() is None]


def end_of(cluster: Cluster, topic: str, **config: Any) -> int:
    reader = cluster.consumer(**config)
    try:
        return int(reader.get_watermark_offsets(TopicPartition(topic, 0), 5)[1])
    finally:
        reader.close()


class Member:
    """A consumer that has joined a group, and what it was told."""

    def __init__(self, cluster: Cluster, group: str, *topics: str) -> None:
        self.kafka = cluster.consumer(group)
        self.told: list[tuple[str, list[tuple[str, int]]]] = []
        self.owned: list[tuple[str, int]] = []
        self.kafka.subscribe(
            list(topics), on_assign=self._hear("assigned"), on_revoke=self._hear("revoked"), on_lost=self._hear("lost")
        )

    def _hear(self, what: str) -> Callable[[Any, list[TopicPartition]], None]:
        def callback(kafka: Any, partitions: list[TopicPartition]) -> None:
            places = sorted((tp.topic, tp.partition) for tp in partitions)
            self.told.append((what, places))
            self.owned = places if what == "assigned" else []
            if what == "assigned":
                kafka.assign([])
            else:
                kafka.unassign()

        return callback

    def poll(self) -> None:
        self.kafka.poll(0.05)


def settle(cluster: Cluster, *members: Member, own: int = 2) -> None:
    """Poll until the members own so many partitions together, and each some."""

    def settled() -> bool:
        for member in members:
            member.poll()
        return sum(len(member.owned) for member in members) == own and all(member.owned for member in members)

    eventually(cluster, settled)


# ---- what a reader sees


def test_a_committed_record_is_seen_and_its_marker_takes_an_offset(cluster: Cluster) -> None:
    topic = cluster.topic()
    producer = started(cluster)
    write(producer, topic, b"first", b"second")
    write(producer, topic, b"third")
    assert values(cluster, topic) == [(0, b"first"), (1, b"second"), (3, b"third")]
    assert end_of(cluster, topic) == 5


def test_an_aborted_record_is_seen_only_by_who_reads_uncommitted(cluster: Cluster) -> None:
    topic = cluster.topic()
    producer = started(cluster)
    with open_transaction(producer, topic, b"aborted"):
        pass
    write(producer, topic, b"committed")
    assert values(cluster, topic) == [(2, b"committed")]
    assert values(cluster, topic, **SEES_ALL) == [(0, b"aborted"), (2, b"committed")]


def test_nothing_after_an_open_transaction_is_seen_before_it_is_decided(cluster: Cluster) -> None:
    topic = cluster.topic()
    one, other = started(cluster, "one"), started(cluster, "other")
    write(one, topic, b"before")
    with open_transaction(one, topic, b"open"):
        write(other, topic, b"after")
        assert values(cluster, topic) == [(0, b"before")]
        assert (end_of(cluster, topic), end_of(cluster, topic, **SEES_ALL)) == (2, 5)
    end_becomes(cluster, topic, 6)
    assert values(cluster, topic) == [(0, b"before"), (3, b"after")]


def test_the_end_is_told_at_the_last_stable_offset_and_again_when_there_was_more(cluster: Cluster) -> None:
    topic = cluster.topic()
    producer = started(cluster)
    write(producer, topic, b"first")
    reader = cluster.consumer()
    reader.assign([TopicPartition(topic, 0, 0)])
    assert reader.position([TopicPartition(topic, 0)])[0].offset == OFFSET_INVALID

    def next_of() -> tuple[int, str]:
        (message,) = eventually(cluster, lambda: reader.consume(1, 0.1))
        return message.offset(), "end" if message.error() is not None else message.value().decode()

    assert next_of() == (0, "first")
    assert next_of() == (2, "end")
    assert reader.position([TopicPartition(topic, 0)])[0].offset in (2, 3)  # librdkafka 2.8 counts the end as read
    assert reader.poll(0.3) is None
    with open_transaction(producer, topic, b"aborted"):
        assert reader.poll(0.3) is None
    assert next_of() == (4, "end")
    reader.close()


def test_the_end_is_an_event_with_its_own_error_code(cluster: Cluster) -> None:
    topic = cluster.topic()
    (end,) = drain(cluster, topic)
    assert (end.error().code(), end.offset(), end.partition()) == (KafkaError._PARTITION_EOF, 0, 0)


def test_a_reader_begins_where_it_is_told_and_takes_no_more_than_it_asks_for(cluster: Cluster) -> None:
    topic = cluster.topic()
    write(started(cluster), topic, *(b"%d" % n for n in range(10)))
    reader = cluster.consumer()
    reader.assign([TopicPartition(topic, 0, 4)])
    (first,) = eventually(cluster, lambda: reader.consume(1, 0.1))
    more = eventually(cluster, lambda: reader.consume(3, 1.0))
    assert [each.value() for each in (first, *more)] == [b"4", b"5", b"6", b"7"]
    reader.close()


def test_records_carry_the_brokers_time_key_headers_and_the_partition_of_their_key(cluster: Cluster) -> None:
    topic = cluster.topic(partitions=8)
    producer = cluster.producer(None)
    producer.produce(topic, b"value", b"group:grp-000", headers=[("name", b"content")])
    producer.flush(10)
    (record,) = [each for n in range(8) for each in drain(cluster, topic, n) if each.error() is None]
    assert (record.key(), record.headers()) == (b"group:grp-000", [("name", b"content")])
    assert record.timestamp()[0] == 2
    assert record.timestamp()[1] > 1_772_000_000_000
    assert record.partition() == partition_of(b"group:grp-000")


# ---- producers


def test_delivery_is_told_with_the_offset_before_a_commit_returns(cluster: Cluster) -> None:
    topic = cluster.topic()
    producer = started(cluster)
    told: list[tuple[Any, int]] = []
    producer.begin_transaction()
    producer.produce(topic, b"value", b"key", 0, lambda error, message: told.append((error, message.offset())))
    producer.commit_transaction(30)
    producer.poll(0)
    assert told == [(None, 0)]


def test_a_second_producer_of_the_same_id_aborts_what_the_first_left_open_and_fences_it(cluster: Cluster) -> None:
    topic = cluster.topic()
    old = started(cluster)
    old.begin_transaction()
    old.produce(topic, b"old", b"key", 0)
    old.flush(10)
    new = started(cluster)
    write(new, topic, b"new")
    old.produce(topic, b"zombie", b"key", 0)
    with pytest.raises(KafkaException) as caught:
        old.commit_transaction(30)
    assert caught.value.args[0].code() == KafkaError._FENCED
    assert caught.value.args[0].fatal()
    assert name_of(lambda: old.abort_transaction(30)) != "ok"
    assert [value for _, value in values(cluster, topic, **SEES_ALL)] == [b"old", b"new"]
    assert [value for _, value in values(cluster, topic)] == [b"new"]


def test_an_idle_producer_learns_with_its_next_transaction_that_it_was_fenced(cluster: Cluster) -> None:
    topic = cluster.topic()
    old = started(cluster)
    started(cluster)
    old.begin_transaction()
    old.produce(topic, b"zombie", b"key", 0)
    assert name_of(lambda: old.commit_transaction(30)) == "_FENCED"
    assert values(cluster, topic) == []


def test_calls_out_of_order_are_refused(cluster: Cluster) -> None:
    topic = cluster.topic()
    producer = started(cluster)
    assert name_of(lambda: producer.produce(topic, b"value")) == "_STATE"
    assert name_of(lambda: producer.commit_transaction(5)) == "_STATE"
    producer.begin_transaction()
    assert name_of(producer.begin_transaction) == "_STATE"
    producer.commit_transaction(5)
    assert name_of(lambda: producer.abort_transaction(5)) == "_STATE"


def test_a_transaction_open_for_too_long_is_aborted_and_its_producer_fenced(cluster: Cluster) -> None:
    topic = cluster.topic()
    slow = started(cluster, **{"transaction.timeout.ms": 5_000})  # longer than a busy broker takes for the message
    delivered: list[object] = []
    slow.begin_transaction()
    slow.produce(topic, b"slow", b"key", 0, on_delivery=lambda failed, _: delivered.append(failed))
    assert slow.flush(10) == 0
    assert delivered == [None]
    assert end_of(cluster, topic) == 0
    end_becomes(cluster, topic, 2)
    assert name_of(lambda: slow.commit_transaction(30)) == "_FENCED"
    assert values(cluster, topic) == []


# ---- offsets


def send(producer: Any, member: Any, topic: str, offset: int) -> None:
    producer.begin_transaction()
    producer.send_offsets_to_transaction([TopicPartition(topic, 0, offset)], member, 30)


def committed(consumer: Any, topic: str, timeout: float = 1.0) -> int:
    return int(consumer.committed([TopicPartition(topic, 0)], timeout=timeout)[0].offset)


def test_offsets_count_when_their_transaction_is_committed(cluster: Cluster) -> None:
    topic = cluster.topic(partitions=2)
    member = Member(cluster, "g", topic)
    settle(cluster, member)
    producer = started(cluster)
    assert committed(member.kafka, topic) == OFFSET_INVALID
    send(producer, member.kafka.consumer_group_metadata(), topic, 5)
    producer.commit_transaction(30)
    eventually(cluster, lambda: name_of(lambda: committed(member.kafka, topic)) == "ok")
    assert committed(member.kafka, topic) == 5
    send(producer, member.kafka.consumer_group_metadata(), topic, 9)
    producer.abort_transaction(30)
    eventually(cluster, lambda: name_of(lambda: committed(member.kafka, topic)) == "ok")
    assert committed(member.kafka, topic) == 5
    member.kafka.close()


def test_pending_offsets_are_not_told_to_who_reads_committed(cluster: Cluster) -> None:
    topic = cluster.topic(partitions=2)
    member = Member(cluster, "g", topic)
    settle(cluster, member)
    producer = started(cluster)
    send(producer, member.kafka.consumer_group_metadata(), topic, 5)
    assert name_of(lambda: committed(member.kafka, topic)) == "_TIMED_OUT"
    careless = cluster.consumer("g", **SEES_ALL)
    assert committed(careless, topic) == OFFSET_INVALID
    assert member.kafka.committed([TopicPartition(topic, 1)], timeout=5.0)[0].offset == OFFSET_INVALID
    producer.commit_transaction(30)
    assert eventually(cluster, lambda: committed(careless, topic) == 5)
    careless.close()
    member.kafka.close()


def test_offsets_of_a_producer_that_died_become_stable_when_its_id_is_taken_over(cluster: Cluster) -> None:
    topic = cluster.topic(partitions=2)
    member = Member(cluster, "g", topic)
    settle(cluster, member)
    dead = started(cluster)
    send(dead, member.kafka.consumer_group_metadata(), topic, 5)
    started(cluster)
    eventually(cluster, lambda: name_of(lambda: committed(member.kafka, topic)) == "ok")
    assert committed(member.kafka, topic) == OFFSET_INVALID
    member.kafka.close()


# ---- groups


def test_topics_of_one_group_are_split_in_the_same_ranges(cluster: Cluster) -> None:
    topics = sorted(cluster.topic(partitions=5) for _ in range(2))
    members = [Member(cluster, "g", *topics) for _ in range(2)]

    def shares() -> list[list[list[int]]]:
        for member in members:
            member.poll()
        return sorted([[n for topic, n in member.owned if topic == each] for each in topics] for member in members)

    # A member that does not know one of the topics yet is left out of it, until its next metadata.
    eventually(cluster, lambda: shares() == [[[0, 1, 2], [0, 1, 2]], [[3, 4], [3, 4]]])
    for member in members:
        member.kafka.close()


def test_a_rebalance_revokes_everything_before_it_gives_anything(cluster: Cluster) -> None:
    topic = cluster.topic(partitions=2)
    first = Member(cluster, "g", topic)
    settle(cluster, first)
    second = Member(cluster, "g", topic)
    settle(cluster, first, second)
    whole = [(topic, 0), (topic, 1)]
    assert first.told[:2] == [("assigned", whole), ("revoked", whole)]
    assert first.told[2][0] == second.told[0][0] == "assigned"
    assert sorted(first.owned + second.owned) == whole
    second.kafka.close()
    assert second.told[-1][0] == "revoked"
    settle(cluster, first)
    assert first.owned == whole
    first.kafka.close()


def test_more_members_than_partitions_stand_by_with_an_empty_assignment(cluster: Cluster) -> None:
    topic = cluster.topic(partitions=1)
    members = [Member(cluster, "g", topic) for _ in range(2)]

    def settled() -> bool:
        for member in members:
            member.poll()
        return all(member.told and member.told[-1][0] == "assigned" for member in members) and any(
            member.owned for member in members
        )

    eventually(cluster, settled)
    assert sorted(len(member.owned) for member in members) == [0, 1]
    for member in members:
        member.kafka.close()


def test_offsets_of_an_earlier_generation_are_refused_and_the_transaction_can_only_be_aborted(cluster: Cluster) -> None:
    topic, out = cluster.topic(partitions=2), cluster.topic()
    first = Member(cluster, "g", topic)
    settle(cluster, first)
    then = first.kafka.consumer_group_metadata()
    second = Member(cluster, "g", topic)
    settle(cluster, first, second)
    producer = started(cluster)
    producer.begin_transaction()
    producer.produce(out, b"of the past", b"key", 0)
    with pytest.raises(KafkaException) as caught:
        producer.send_offsets_to_transaction([TopicPartition(topic, 0, 5)], then, 30)
    assert caught.value.args[0].code() == KafkaError.ILLEGAL_GENERATION
    assert caught.value.args[0].txn_requires_abort()
    assert not caught.value.args[0].fatal()
    assert name_of(lambda: producer.commit_transaction(30)) == "ILLEGAL_GENERATION"
    producer.abort_transaction(30)
    write(producer, out, b"of the present")
    assert [value for _, value in values(cluster, out)] == [b"of the present"]
    assert committed(second.kafka, topic) == OFFSET_INVALID
    for member in (first, second):
        member.kafka.close()


def test_offsets_of_a_member_that_has_left_are_refused(cluster: Cluster) -> None:
    topic = cluster.topic(partitions=2)
    first, second = (Member(cluster, "g", topic) for _ in range(2))
    settle(cluster, first, second)
    then = first.kafka.consumer_group_metadata()
    first.kafka.close()
    producer = started(cluster)
    assert name_of(lambda: send(producer, then, topic, 5)) == "UNKNOWN_MEMBER_ID"
    second.kafka.close()


def test_a_worker_frozen_for_longer_than_its_session_loses_its_partitions_and_its_transaction(cluster: Cluster) -> None:
    topic, out = cluster.topic(partitions=2), cluster.topic()
    frozen = cluster.frozen("g", topic, out)
    other = Member(cluster, "g", topic)
    settle(cluster, other)
    assert frozen.go_on() == "UNKNOWN_MEMBER_ID"
    assert committed(other.kafka, topic) == OFFSET_INVALID
    assert values(cluster, out) == []
    assert [value for _, value in values(cluster, out, **SEES_ALL)] == [b"of the frozen one"]
    other.kafka.close()


# ---- compaction


def test_compaction_keeps_the_last_committed_record_of_each_key_at_its_offset(cluster: Cluster) -> None:
    config = {"cleanup_policy": "compact", "segment_ms": "100", "min_cleanable_dirty_ratio": "0.001"}
    topic = cluster.topic(**config, min_compaction_lag_ms="0", max_compaction_lag_ms="100")
    producer = started(cluster)
    for key, value in ((b"a", b"a1"), (b"b", b"b1"), (b"a", b"a2"), (b"c", None)):
        producer.begin_transaction()
        producer.produce(topic, value, key, 0)
        producer.commit_transaction(30)
    producer.begin_transaction()
    producer.produce(topic, b"b2", b"b", 0)
    producer.flush(10)
    producer.abort_transaction(30)
    cluster.compact(topic)

    def seen() -> list[tuple[int, bytes | None]]:
        records = [each for each in drain(cluster, topic) if each.error() is None]
        return [(each.offset(), each.value()) for each in records if each.key() != b"last"]

    eventually(cluster, lambda: len(seen()) < 4)
    assert seen() == [(2, b"b1"), (4, b"a2"), (6, None)]


# ---- the flaw that KIP-890 mends, and librdkafka has not mended


def test_a_late_commit_request_commits_the_next_transaction_of_its_epoch(cluster: Cluster) -> None:
    topic = cluster.topic()
    producer = started(cluster)
    write(producer, topic, b"first")
    producer.begin_transaction()
    producer.produce(topic, b"half", b"key", 0)
    producer.flush(10)
    cluster.repeat_commit(producer)
    eventually(cluster, lambda: [value for _, value in values(cluster, topic)] == [b"first", b"half"])


def test_late_offsets_replace_those_of_the_next_transaction_of_their_epoch(cluster: Cluster) -> None:
    topic = cluster.topic(partitions=2)
    member = Member(cluster, "g", topic)
    settle(cluster, member)
    producer = started(cluster)
    group = member.kafka.consumer_group_metadata()
    send(producer, group, topic, 5)
    producer.commit_transaction(30)
    send(producer, group, topic, 9)
    cluster.repeat_offsets(producer, "g", [TopicPartition(topic, 0, 5)])
    producer.commit_transaction(30)
    eventually(cluster, lambda: name_of(lambda: committed(member.kafka, topic)) == "ok")
    assert committed(member.kafka, topic) == 5
    member.kafka.close()


def test_a_producer_that_takes_the_id_over_is_safe_from_late_requests(cluster: Cluster) -> None:
    topic = cluster.topic()
    old = started(cluster)
    write(old, topic, b"first")
    new = started(cluster)
    new.begin_transaction()
    new.produce(topic, b"half", b"key", 0)
    new.flush(10)
    cluster.repeat_commit(old)
    assert [value for _, value in values(cluster, topic)] == [b"first"]
    new.abort_transaction(30)
    assert [value for _, value in values(cluster, topic)] == [b"first"]
