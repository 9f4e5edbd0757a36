"""The broker that all contestants share, as the harness sees it."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import psutil
from confluent_kafka import Consumer, IsolationLevel, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from benchmarks.work import PARTITIONS, Command, Outcome
from stack import api
from stack.api import Endpoints, ServerName

INSTANCE = "bench"
LIMIT_S = 30.0
READ_RECORDS = 10_000
_CRITICAL = 2
"""What fails, raises; the clients need not mourn the broker when it is removed."""

_IN_ORDER = {"enable.idempotence": True}
"""A producer without it changes the order where a request is repeated, as to a topic whose leader is not known yet."""

Ends = tuple[int, ...]
"""Of each partition of a topic, the offset after its last committed record."""


class Broker:
    """Topics, and the broker's own process."""

    def __init__(self, endpoints: Endpoints, process_id: int, partitions: int = PARTITIONS) -> None:
        self.endpoints = endpoints
        self.servers = endpoints.kafka
        self.partitions = partitions
        """Of every topic that this is asked about."""
        self._client: dict[str, Any] = {"bootstrap.servers": self.servers, "log_level": _CRITICAL}
        self._admin = AdminClient(self._client)
        self._process = psutil.Process(process_id)

    def of(self, partitions: int) -> "Broker":
        """The same broker, for topics of so many partitions."""
        return Broker(self.endpoints, self._process.pid, partitions)

    def cpu_s(self) -> float:
        """CPU time the broker has used so far."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def create(self, topic: str) -> None:
        """Make an empty topic."""
        self._admin.create_topics([NewTopic(topic, self.partitions, 1)])[topic].result(LIMIT_S)

    def fill(self, topic: str, work: Iterable[tuple[int, Command]]) -> None:
        """Make a topic with these commands."""
        self.create(topic)
        producer = Producer({**self._client, **_IN_ORDER, "linger.ms": 20, "queue.buffering.max.messages": 2_000_000})
        for partition, command in work:
            producer.produce(topic, orjson.dumps(command), command["owner"], partition)
            producer.poll(0)
        if producer.flush(LIMIT_S):
            raise TimeoutError(f"the commands could not be written to {topic}")

    def delete(self, prefix: str) -> None:
        """Remove every topic whose name contains this."""
        names = [name for name in self._admin.list_topics(timeout=LIMIT_S).topics if prefix in name]
        for deleted in self._admin.delete_topics(names).values() if names else ():
            deleted.result(LIMIT_S)

    def ends(self, topic: str) -> Ends:
        """Where the committed records of a topic end now."""
        asked = {TopicPartition(topic, number): OffsetSpec.latest() for number in range(self.partitions)}
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                answers = self._admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED)
                return tuple(answers[each].result(LIMIT_S).offset for each in asked)
            except KafkaException:  # the broker is slow, or this client believes that the topic is unknown (ADR 2, 9)
                if time.monotonic() > deadline:
                    raise
                self._admin = AdminClient(self._client)
                time.sleep(0.5)

    def outcomes(self, topic: str) -> tuple[Counter[Outcome], Ends]:
        """How often each outcome was committed, and the offsets after the last ones, without the markers behind."""
        seen: Counter[Outcome] = Counter()
        last = [0] * self.partitions
        for message in self.committed(topic):
            seen[Outcome(**orjson.loads(message.value()))] += 1
            last[message.partition()] = message.offset() + 1
        return seen, tuple(last)

    def committed(self, topic: str, since: Ends | None = None) -> Iterator[Any]:
        """Every committed record of a topic from these offsets on, up to where it ends now."""
        reader, open_ = self.reader(topic, since), set(range(self.partitions))
        while open_:
            for message in reader.consume(READ_RECORDS, 1.0):
                if message.error() is not None:
                    open_.discard(message.partition())
                else:
                    yield message
        reader.close()

    def reader(self, topic: str, since: Ends | None = None) -> Any:
        """A consumer of committed records, all or from offsets on; each partition's end is an error message."""
        reader = Consumer({**self._client, "group.id": "bench-reader", "isolation.level": "read_committed",
                           "enable.auto.commit": False, "enable.partition.eof": True, "fetch.wait.max.ms": 100,
                           "queued.min.messages": 500_000})  # fmt: skip
        offsets = since or (0,) * self.partitions
        reader.assign([TopicPartition(topic, number, offset) for number, offset in enumerate(offsets)])
        return reader

    def sender(self) -> Any:
        """A producer that sends every record at once."""
        return Producer({**self._client, **_IN_ORDER, "linger.ms": 0})


@contextmanager
def broker(*servers: ServerName) -> Iterator[Broker]:
    """A fresh broker, and what other servers are wanted; gone when the contest is over."""
    with api.while_up(INSTANCE, only=[ServerName.KAFKA, *servers]) as endpoints:
        running = api.server(INSTANCE, ServerName.KAFKA).instance.running(ServerName.KAFKA)
        if running is None:
            raise RuntimeError("the broker has ended")
        yield Broker(endpoints, running.pid)
