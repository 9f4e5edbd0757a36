"""Topics read whole: read_committed, up to where they ended when asked; and how far a group is."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

STALL_S = 60.0
TIMEOUT_S = 10.0
BATCH = 10_000

Slot = tuple[str, int]


def ends(kafka: str, topics: Iterable[str]) -> dict[Slot, int]:
    """The high watermark of every partition. Raises KafkaException if a broker stays away."""
    probe = Consumer({**_client(kafka), "group.id": "torture-probe"})
    try:
        known = probe.list_topics(timeout=TIMEOUT_S).topics
        slots = [(topic, number) for topic in topics for number in known[topic].partitions]
        return {slot: probe.get_watermark_offsets(TopicPartition(*slot), TIMEOUT_S)[1] for slot in slots}
    finally:
        probe.close()


def read(kafka: str, *topics: str) -> Iterator[Any]:
    """Every committed record (`confluent_kafka.Message`), each partition's in order.

    Raises TimeoutError if a partition does not come to its end: a transaction hangs.
    """
    left = {slot: end for slot, end in ends(kafka, topics).items() if end}
    reader = Consumer({**_client(kafka), "group.id": "torture-reader", "isolation.level": "read_committed",
                       "enable.partition.eof": True, "fetch.wait.max.ms": 20})  # fmt: skip
    moved = time.monotonic()
    try:
        reader.assign([TopicPartition(topic, number, 0) for topic, number in left])
        while left:
            for message in reader.consume(BATCH, 0.2):
                moved = time.monotonic()
                yield from _within(left, message)
            if time.monotonic() - moved > STALL_S:
                raise TimeoutError(f"no end of {sorted(left.items())[:4]}")
    finally:
        reader.close()


def committed(kafka: str, group: str, slots: Iterable[Slot]) -> dict[Slot, int]:
    """Where the group goes on, for each slot; -1001 where it has nothing. Raises KafkaException while undecided."""
    member = Consumer({**_client(kafka), "group.id": group, "isolation.level": "read_committed"})
    try:
        found = member.committed([TopicPartition(*slot) for slot in slots], timeout=TIMEOUT_S)
        return {(each.topic, each.partition): each.offset for each in found}
    finally:
        member.close()


def await_consumed(
    kafka: str, group: str, topics: Iterable[str], limit_s: float, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Until the group has committed past every record of these topics as they end now; `meanwhile` may raise.

    Raises AssertionError after `limit_s` seconds.
    """
    await_past(kafka, group, ends(kafka, topics), limit_s, meanwhile)


def await_decided(kafka: str, group: str, topics: Iterable[str], limit_s: float) -> None:
    """The same for topics that are written in transactions, whose last offset may be a marker that nobody consumes."""
    last: dict[Slot, int] = {}
    for record in read(kafka, *topics):
        last[record.topic(), record.partition()] = record.offset() + 1
    await_past(kafka, group, last, limit_s)


def await_past(
    kafka: str, group: str, last: Mapping[Slot, int], limit_s: float, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Until the group has committed these offsets. Raises AssertionError after `limit_s` seconds."""
    deadline = time.monotonic() + limit_s
    while last:
        meanwhile()
        try:
            at = committed(kafka, group, last)
            behind = {slot: end - at[slot] for slot, end in last.items() if end and at[slot] < end}
        except KafkaException as error:  # offsets are undecided, or a broker has just come back
            behind = {(str(error), 0): 0}
        if not behind:
            return
        assert time.monotonic() < deadline, f"no rest after {limit_s:.0f} s; behind: {behind}"
        time.sleep(0.5)


def patient(kafka: str) -> dict[str, Any]:
    """Configuration of a client that finds a broker which is back within a second."""
    return {"bootstrap.servers": kafka, "log_level": 2, "reconnect.backoff.max.ms": 1_000}


def _client(kafka: str) -> dict[str, Any]:
    return {**patient(kafka), "enable.auto.commit": False}


def _within(left: dict[Slot, int], message: Any) -> Iterator[Any]:
    slot, error = (message.topic(), message.partition()), message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        if not error.retriable():
            raise KafkaException(error)
        return
    if slot not in left:
        return
    after = message.offset() + (1 if error is None else 0)
    if error is None and message.offset() < left[slot]:
        yield message
    if after >= left[slot]:
        del left[slot]
