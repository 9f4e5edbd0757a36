"""The one consumer of a worker process. All of its calls, and so all rebalance callbacks, run in one thread."""

import logging
from collections.abc import Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Message, TopicPartition

from streams.runtime import metrics
from streams.runtime.assignment import Assignment
from streams.runtime.outside import REAL, Outside
from streams.runtime.settings import Settings

log = logging.getLogger(__name__)

_TRANSIENT = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TIMED_OUT,
    KafkaError._RESOLVE,
}
"""librdkafka goes on by itself after these."""


class RecordsRemovedError(Exception):
    """The committed offset is not in the topic any more; somebody must decide where to go on."""


class Source:
    """Reads committed records of the subscribed topics, in batches that never straddle a rebalance."""

    def __init__(self, settings: Settings, client: dict[str, Any], group: str, outside: Outside = REAL) -> None:
        self.assignment = Assignment()
        self._outside = outside
        self._current_until = outside.wall_s()
        self._batch_records = settings.batch_records
        self._seen: dict[tuple[str, int], int] = {}
        self._kafka: Any = None
        self._config = {
            **client,
            "group.id": group,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,  # where the end is a transaction marker, only this tells
            "auto.offset.reset": "error",  # retention that overtook this worker is lost money, not a place to go on
            "partition.assignment.strategy": "range",  # co-partitioned topics of equal size stay together
            "session.timeout.ms": int(settings.session_timeout_s * 1000),
            "heartbeat.interval.ms": int(settings.heartbeat_s * 1000),
            "max.poll.interval.ms": int(settings.max_poll_interval_s * 1000),
            "check.crcs": True,
            "fetch.wait.max.ms": 100,  # a drained partition joins the next fetch only; 10 ms burn a fifth of a core
            "queued.min.messages": 4 * settings.batch_records,
            "fetch.queue.backoff.ms": 5,  # a full queue is asked for more after a second by default, and runs dry
        }

    @property
    def member(self) -> Any:
        """The consumer itself, for queries of the group."""
        return self._kafka

    @property
    def age_s(self) -> float:
        """Seconds since the last poll that found this worker still in possession."""
        return self._outside.wall_s() - self._current_until

    def subscribe(self, topics: Sequence[str]) -> None:
        """Join the group. Nothing flows before `flow`."""
        assignment = self.assignment
        assignment.topics = tuple(topics)
        self._kafka = self._outside.new_consumer(self._config)
        self._kafka.subscribe(
            list(topics), on_assign=assignment.on_assign, on_revoke=assignment.on_revoke, on_lost=assignment.on_revoke
        )

    def flow(self, committed: Sequence[TopicPartition]) -> None:
        """Let records of the assigned partitions come from `committed`; those without offset from the beginning."""
        self._seen.clear()
        self._kafka.assign([_start(tp) for tp in committed])

    def poll(self, timeout_s: float) -> list[Message]:
        """The next records, at most a batch; empty after `timeout_s`, or when the assignment changed meanwhile.

        Waits for one record and then takes what is there already: `consume(n, t)` would always wait for all of t.
        Raises RecordsRemovedError, and KafkaException for what will not pass by itself.
        """
        epoch = self.assignment.epoch
        first = self._kafka.poll(timeout_s)
        if epoch == self.assignment.epoch:
            self._current_until = self._outside.wall_s()
        if first is None:
            return []
        messages = [first]
        if self._batch_records > 1:
            messages += self._kafka.consume(self._batch_records - 1, 0)
        if epoch != self.assignment.epoch:
            return []  # fetched in part under the previous assignment; its new owner will fetch it again
        return [message for message in messages if message.error() is None or self._note(message)]

    def stay(self) -> None:
        """Poll while nothing flows, only to stay in the group and hear of rebalances."""
        message = self._kafka.poll(0)
        if message is not None and (message.error() is None or self._note(message)):
            raise AssertionError(f"a record came before the restore was done: {message.topic()}/{message.partition()}")

    def observe_lag(self) -> None:
        """Set the lag of every assigned partition from what librdkafka knows already; asks no broker.

        Once it has told of a partition's end, librdkafka 2.8 counts that as read: the next record alone is no lag.
        """
        for tp in self.assignment.partitions:
            end = self._kafka.get_watermark_offsets(tp, cached=True)[1]
            at = max(self._seen.get((tp.topic, tp.partition), 0), self._kafka.position([tp])[0].offset)
            if end >= 0:
                metrics.LAG.labels(tp.topic, tp.partition).set(max(0, end - max(at, 0)))

    def close(self) -> None:
        """Leave the group."""
        if self._kafka is not None:
            self._kafka.close()

    def _note(self, message: Message) -> bool:
        """Take note of an event that is not a record. Always false. Raises unless it is harmless."""
        error = message.error()
        if error.code() == KafkaError._PARTITION_EOF:
            self._seen[message.topic(), message.partition()] = message.offset()
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            place = f"{message.topic()}/{message.partition()}"
            raise RecordsRemovedError(f"{place}: retention removed records that were never worked on ({error.str()})")
        elif error.code() in _TRANSIENT:
            log.warning("consumer: %s", error)
        else:
            raise KafkaException(error)
        return False


def _start(committed: TopicPartition) -> TopicPartition:
    if committed.offset >= 0:
        return committed
    return TopicPartition(committed.topic, committed.partition, OFFSET_BEGINNING)
