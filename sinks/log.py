"""Reading Kafka's log again, in offset order and outside of any group: for `verify` and `retry`."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.settings import settings
from sinks.errors import KafkaUnavailable
from sinks.inlet import ANSWER_S, Raw, partition_count, raw


class Log:
    """The committed records of one topic."""

    def __init__(self, kafka: str, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._consumer: Any = Consumer(
            settings().client(
                bootstrap_servers=kafka,
                group_id=f"millrace-sinks-log-{uuid4()}",  # required by the client; never joined, never committed to
                isolation_level="read_committed",
                enable_auto_commit=False,
                enable_partition_eof=True,
                auto_offset_reset="error",
                fetch_wait_max_ms=10,  # how long the broker may wait for more before it says that a partition has ended
            )
        )
        self.partitions = partition_count(self._consumer, kafka, topic)

    def read(self, partition: int, before: int, start: int | None = None) -> Iterator[Raw]:
        """The records of a partition from `start` (its beginning) up to, and without, offset `before`.

        Nothing where `start` lies before its beginning: Kafka no longer holds what was there.
        """
        at = TopicPartition(self._topic, partition)
        try:
            low, high = self._consumer.get_watermark_offsets(at, timeout=ANSWER_S)
        except KafkaException as error:
            raise KafkaUnavailable(f"Kafka at {self._kafka} does not answer: {error.args[0].str()}") from error
        at.offset = low if start is None else start
        if not low <= at.offset < min(high, before):
            return
        self._consumer.assign([at])
        for message in self._messages():
            if message.offset() >= before:
                return
            yield raw(message)

    def one(self, partition: int, offset: int) -> Raw | None:
        """The record at one offset; None if Kafka no longer holds it."""
        return next(self.read(partition, offset + 1, offset), None)

    def close(self) -> None:
        self._consumer.close()

    def _messages(self) -> Iterator[Any]:
        while True:
            message = self._consumer.poll(ANSWER_S)
            if message is None:
                raise KafkaUnavailable(f"Kafka at {self._kafka} sends nothing of {self._topic} for {ANSWER_S:.0f} s")
            if message.error() is None:
                yield message
            elif message.error().code() == KafkaError._PARTITION_EOF:
                return
            else:
                raise KafkaUnavailable(f"Kafka at {self._kafka}: {message.error().str()}")
