"""The servers as the app needs them: topics, schemas, reference data, money in every wallet."""

import time
from collections.abc import Iterable
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from benchmarks.broker import LIMIT_S, Broker
from benchmarks.trips import lives
from schemas.codec import Codec
from schemas.publishing import Upstream, publish
from schemas.registry import ConfluentRegistry
from schemas.settings import Settings
from schemas.topics import PARTITIONS, Spread
from streams import topics
from streams.app import APP_ID
from streams.processing import TOPIC_OF


class City:
    """Everything upstream of one worker. `broker` must run with a registry."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker.of(PARTITIONS)
        endpoints = broker.endpoints
        self.settings = Settings(_env_file=None, kafka=endpoints.kafka, registry=endpoints.registry)
        self._admin = AdminClient(self.settings.client())
        topics.apply(self.settings)
        self.codec = Codec(ConfluentRegistry(self.settings.registry))

    def build(self) -> None:
        """Make all topics anew, without any history."""
        _wait(self._admin.delete_topics(self._topics()))
        groups = self._admin.list_consumer_groups().result(LIMIT_S).valid
        if APP_ID in {group.group_id for group in groups}:
            _wait(self._admin.delete_consumer_groups([APP_ID]))
        self._await_none()
        time.sleep(1.0)  # the broker removes the files
        topics.apply(self.settings)

    def _topics(self) -> list[str]:
        present = self._admin.list_topics(timeout=LIMIT_S).topics
        return [name for name in present if name in topics.declared() or name.startswith(f"{APP_ID}-")]

    def _await_none(self) -> None:
        """Until the broker tells of none any more: it removes them behind the controller, by seconds if it is busy."""
        deadline = time.monotonic() + LIMIT_S
        while self._topics():
            if time.monotonic() > deadline:
                raise TimeoutError(f"topics were deleted, and the broker still tells of {self._topics()[:3]}")
            time.sleep(0.1)

    def open(self) -> int:
        """Publish reference data and opening deposits; how many of the latter."""
        producer = Producer(self.settings.client(enable_idempotence=True, linger_ms=20))
        for message in lives.reference():
            topic, value = TOPIC_OF[type(message)], self.codec.encode(message)
            assert topic.key is not None
            key = topic.key.of(message)
            assert key is not None
            everywhere = topic.spread is Spread.EVERY_PARTITION
            for partition in range(PARTITIONS) if everywhere else (-1,):
                producer.produce(topic.name, value, key.encode(), partition)
            producer.poll(0)
        if producer.flush(LIMIT_S):
            raise TimeoutError("reference data could not be written")
        return self.publish(lives.opening(now_us()))

    def publish(self, events: Iterable[Upstream]) -> int:
        """Publish events in order; how many."""
        return publish(self.settings, self.codec, events)

    @property
    def environment(self) -> dict[str, str]:
        """Of a worker."""
        return {"MILLRACE_KAFKA": self.settings.kafka, "MILLRACE_REGISTRY": self.settings.registry}


def now_us() -> int:
    """The wall clock in UTC microseconds."""
    return time.time_ns() // 1_000


def _wait(futures: dict[str, Any]) -> None:
    for future in futures.values():
        future.result(LIMIT_S)
