"""One face for a real broker and the one in memory, so that one suite can ask both the same questions."""

import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.simulator.kafka.broker import Broker
from streams.simulator.kafka.errors import Refusal
from streams.simulator.kafka.groups import GroupMetadata
from streams.simulator.kafka.host import Host
from streams.simulator.kafka.messages import Fate, Place
from tests.simulation import late_requests

SESSION_S = 3.0
PATIENCE_S = 60.0

READING = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "partition.assignment.strategy": "range",
    "session.timeout.ms": int(SESSION_S * 1000),
    "heartbeat.interval.ms": 300,
    "fetch.wait.max.ms": 10,
}
WRITING = {"transaction.timeout.ms": 60_000, "partitioner": "murmur2_random", "linger.ms": 0, "retry.backoff.ms": 5}


class Frozen(Protocol):
    """A worker that has joined, written to a transaction, and then fell silent."""

    def go_on(self) -> str:
        """Wake up, send offsets and commit; the name of the error, or `committed`."""
        ...


class Cluster(Protocol):
    """What the suite needs of a broker."""

    def topic(self, partitions: int = 1, **config: str) -> str: ...
    def producer(self, transactional_id: str | None, **config: Any) -> Any: ...
    def consumer(self, group: str = "readers", **config: Any) -> Any: ...
    def wait(self, seconds: float) -> None: ...
    def compact(self, topic: str) -> None: ...
    def frozen(self, group: str, source: str, out: str) -> Frozen: ...
    def repeat_commit(self, producer: Any) -> None:
        """Let the broker have a producer's commit request once more, as if it had been long on its way."""
        ...

    def repeat_offsets(self, producer: Any, group: str, offsets: list[TopicPartition]) -> None: ...


def name_of(call: Callable[[], object]) -> str:
    """The name of the error that a call raises, or `ok`."""
    try:
        call()
    except KafkaException as error:
        return str(error.args[0].name())
    return "ok"


class MemoryCluster:
    """The broker of the simulator."""

    def __init__(self) -> None:
        self.broker = Broker(now_s=1_772_409_600.0)
        self._topics = 0

    def topic(self, partitions: int = 1, **config: str) -> str:
        self._topics += 1
        self.broker.create_topic(f"topic-{self._topics}", partitions)
        return f"topic-{self._topics}"

    def producer(self, transactional_id: str | None, **config: Any) -> Any:
        identity = {} if transactional_id is None else {"transactional.id": transactional_id}
        return self.broker.host().new_producer({**WRITING, **identity, **config})

    def consumer(self, group: str = "readers", **config: Any) -> Any:
        return self.broker.host().new_consumer({**READING, "group.id": group, **config})

    def wait(self, seconds: float) -> None:
        self.broker.pass_time(seconds)

    def compact(self, topic: str) -> None:
        for place, log in self.broker.logs.items():
            if place.topic == topic:
                log.compact(log.end)

    def frozen(self, group: str, source: str, out: str) -> Frozen:
        return FrozenInMemory(self.broker, group, source, out)

    def repeat_commit(self, producer: Any) -> None:
        self._late(lambda: self.broker.transactions.end(*_identity(producer), Fate.COMMITTED))

    def repeat_offsets(self, producer: Any, group: str, offsets: list[TopicPartition]) -> None:
        late = {Place(tp.topic, tp.partition): tp.offset for tp in offsets}
        nobody = GroupMetadata(group, "", -1)
        self._late(lambda: self.broker.commit_offsets(producer._identity, producer._epoch, late, nobody))

    def _late(self, request: Callable[[], object]) -> None:
        with suppress(Refusal):
            request()


def _identity(producer: Any) -> tuple[str, int]:
    return producer._config["transactional.id"], producer._epoch


class FrozenInMemory:
    """A worker on a host of its own that the broker hears nothing of."""

    def __init__(self, broker: Broker, group: str, source: str, out: str) -> None:
        self._broker, self._source = broker, source
        self._host = Host(broker, "frozen")
        self._consumer = self._host.new_consumer({**READING, "group.id": group})
        self._producer = self._host.new_producer({**WRITING, "transactional.id": f"frozen-{group}"})
        self._group = begin_work(self._consumer, self._producer, source, out)
        self._host.process.silent_since = broker.now_s

    def go_on(self) -> str:
        self._broker.expire()
        self._host.process.silent_since = None
        return finish_work(self._producer, self._source, self._group)


def begin_work(consumer: Any, producer: Any, source: str, out: str) -> Any:
    """Join, and write to a transaction; the group metadata of then."""
    assigned: list[Any] = []
    consumer.subscribe([source], on_assign=lambda _, given: assigned.append(given), on_revoke=_ignore, on_lost=_ignore)
    for _ in range(600):
        if assigned:
            break
        consumer.poll(0.1)
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(out, b"of the frozen one", b"key", 0)
    producer.flush(10)
    return consumer.consumer_group_metadata()


def finish_work(producer: Any, source: str, group: Any) -> str:
    """Send offsets and commit; what came of it."""
    problem = name_of(lambda: producer.send_offsets_to_transaction([TopicPartition(source, 0, 7)], group, 10))
    if problem != "ok":
        producer.abort_transaction(10)
        return problem
    producer.commit_transaction(10)
    return "committed"


def _ignore(*_: Any) -> None: ...


class RealCluster:
    """A broker that listens at `servers`."""

    def __init__(self, servers: str) -> None:
        self.servers = servers
        self._run = uuid.uuid4().hex[:8]
        self._admin = AdminClient({"bootstrap.servers": servers})
        self._producers: dict[Any, late_requests.Identity] = {}
        self._frozen: list[FrozenProcess] = []
        self._topics = 0

    def close(self) -> None:
        """End the processes."""
        for each in self._frozen:
            each.kill()

    def topic(self, partitions: int = 1, **config: str) -> str:
        self._topics += 1
        topic = f"contract-{self._run}-{self._topics}"
        config = {"message.timestamp.type": "LogAppendTime"} | {k.replace("_", "."): v for k, v in config.items()}
        self._admin.create_topics([NewTopic(topic, partitions, 1, config=config)])[topic].result(30)
        return topic

    def producer(self, transactional_id: str | None, **config: Any) -> Any:
        identity = {} if transactional_id is None else {"transactional.id": f"{self._run}-{transactional_id}"}
        heard = late_requests.Identity(identity.get("transactional.id", ""))
        debug = {"debug": "eos", "logger": heard} if transactional_id is not None else {"logger": heard}
        made = Producer({"bootstrap.servers": self.servers, **WRITING, **identity, **debug, **config})
        self._producers[made] = heard
        return made

    def consumer(self, group: str = "readers", **config: Any) -> Any:
        quiet = late_requests.Identity("")
        settings = {"bootstrap.servers": self.servers, **READING, "group.id": f"{self._run}-{group}", **config}
        soon = {"topic.metadata.refresh.interval.ms": 1_000}  # who does not know a new topic yet waits for no more
        return Consumer({**settings, **soon, "logger": quiet})

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def compact(self, topic: str) -> None:
        """Write a record so that the open segment closes; the cleaner comes every 15 seconds."""
        time.sleep(0.5)
        closing = self.producer(None)
        closing.produce(topic, b"in the open segment", b"last")
        closing.flush(10)

    def frozen(self, group: str, source: str, out: str) -> Frozen:
        made = FrozenProcess(self.servers, f"{self._run}-{group}", source, out)
        self._frozen.append(made)
        return made

    def repeat_commit(self, producer: Any) -> None:
        late_requests.end_transaction(self.servers, self._producers[producer])

    def repeat_offsets(self, producer: Any, group: str, offsets: list[TopicPartition]) -> None:
        late_requests.commit_offsets(self.servers, self._producers[producer], f"{self._run}-{group}", offsets)


class FrozenProcess:
    """A worker in a process of its own, stopped by SIGSTOP."""

    def __init__(self, servers: str, group: str, source: str, out: str) -> None:
        command = [sys.executable, str(Path(__file__).parent / "frozen_worker.py"), servers, group, source, out]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        self._expect("ready")
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> str:
        self._process.send_signal(signal.SIGCONT)
        assert self._process.stdin is not None
        self._process.stdin.write("go on\n")
        self._process.stdin.flush()
        return self._expect("")

    def kill(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait(10)

    def _expect(self, word: str) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the process has ended"
        assert re.match(word, line), line
        return line


def drain(cluster: Cluster, topic: str, partition: int = 0, **config: Any) -> Iterator[Any]:
    """Every record and event of a partition from its beginning, up to its end or its last stable offset."""
    reader = cluster.consumer(**config)
    reader.assign([TopicPartition(topic, partition, 0)])
    try:
        for _ in range(300):
            message = reader.poll(0.1)
            if message is not None:
                yield message
                if message.error() is not None:
                    return
        raise AssertionError(f"{topic}: no end")
    finally:
        reader.close()
