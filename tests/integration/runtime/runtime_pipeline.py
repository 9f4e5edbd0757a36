"""A pipeline under test: its topics, its workers as processes of their own, and what a reader of its topics sees."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

APPS = Path(__file__).parent / "apps"
CHECKOUT = Path(__file__).parents[3]

SESSION_S = 6.0
"""The shortest session a broker allows by default."""

Command = dict[str, Any]


def wait_until(condition: Callable[[], Any], timeout_s: float = 30.0, *, why: str = "") -> Any:
    """The first true value of `condition`. Fails after `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s:.0f} s in vain for {why or condition}")
        time.sleep(0.05)
    return value


@dataclass
class Worker:
    """One worker process."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    def page(self, path: str) -> tuple[int, str]:
        """Status and body of one of its pages; status 0 while there is no server."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2.0) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready(self) -> bool:
        """Assigned and restored. Fails at once if the process has ended."""
        assert self.process.poll() is None, f"the worker ended: {self.said()}"
        return self.page("/ready")[0] == 200

    def wait_ready(self, timeout_s: float = 40.0) -> "Worker":
        """Itself, once ready."""
        wait_until(self.ready, timeout_s, why=f"a ready worker: {self.log}")
        return self

    def partitions(self) -> list[str]:
        """What it owns."""
        body = self.page("/ready")[1]
        return list(json.loads(body)["partitions"]) if body else []

    def metric(self, name: str) -> float:
        """Sum of a metric over its labels."""
        lines = self.page("/metrics")[1].splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))

    def send(self, what: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(what)

    def stopped(self) -> bool:
        """SIGSTOP has taken effect."""
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def end(self, timeout_s: float = 40.0) -> int:
        """Exit code, once it has ended."""
        return self.process.wait(timeout_s)

    def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        self.send(signal.SIGTERM)
        return self.end()

    def said(self) -> str:
        """Everything it printed."""
        return self.log.read_text(errors="replace")


@dataclass
class Pipeline:
    """Topics `<run>-…` on a broker, and the workers of the app `run`."""

    kafka: str
    run: str
    folder: Path
    partitions: int = 4
    workers: list[Worker] = field(default_factory=list)

    def create_topics(self, *names: str, partitions: int | None = None) -> None:
        """Create `<run>-<name>`; the ledger app's topics if none is named."""
        wanted = [f"{self.run}-{name}" for name in names or ("in", "out", "balances")]
        self._admin_create([NewTopic(name, partitions or self.partitions, 1) for name in wanted])

    def _admin_create(self, topics: list[NewTopic]) -> None:
        admin = AdminClient({"bootstrap.servers": self.kafka})
        for created in admin.create_topics([*topics, NewTopic("runtime.dead-letter.v1", 1, 1)]).values():
            try:
                created.result(30)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise

    def start(self, app: str = "ledger", *, worker: str | None = None, **environment: str) -> Worker:
        """Start a worker of one of the apps; environment on top of ours, MILLRACE_… as it is named there."""
        number = len(self.workers)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = self.folder / f"worker-{number}.log"
        settings = {
            "KAFKA": self.kafka, "RUN": self.run, "PARTITIONS": str(self.partitions), "PYTHONPATH": str(CHECKOUT),
            "MILLRACE_WORKER": worker or str(number), "MILLRACE_SESSION_TIMEOUT_S": str(SESSION_S),
            "MILLRACE_TRANSACTION_TIMEOUT_S": "5", "MILLRACE_COMMIT_TIMEOUT_S": "10", **environment}  # fmt: skip
        command = [sys.executable, str(APPS / f"{app}.py"), "worker", "-l", "info", "-p", str(port)]
        with log.open("wb") as out:
            process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=out, stderr=out)
        self.workers.append(Worker(process, port, log))
        return self.workers[-1]

    def close(self) -> None:
        """End what still runs."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait(10)

    def put(self, records: Iterable[tuple[bytes, bytes]], topic: str = "in", rate: float = 0.0) -> None:
        """Write (key, value) records to `<run>-<topic>`, at most `rate` a second."""
        producer = Producer({"bootstrap.servers": self.kafka, "partitioner": "murmur2_random", "linger.ms": 2,
                             "enable.idempotence": True})  # fmt: skip
        begun = time.monotonic()
        for n, (key, value) in enumerate(records):
            producer.produce(f"{self.run}-{topic}", value, key)
            if rate and n % 50 == 0:
                producer.poll(0)
                time.sleep(max(0.0, begun + n / rate - time.monotonic()))
        assert producer.flush(60) == 0

    def read(self, topic: str, isolation: str = "read_committed") -> list[Message]:
        """Every record of `topic` up to its end, in order within each partition."""
        reader = Consumer({"bootstrap.servers": self.kafka, "group.id": f"{self.run}-test", "fetch.wait.max.ms": 20,
                           "isolation.level": isolation, "enable.partition.eof": True})  # fmt: skip
        open_ = set(reader.list_topics(topic, 10).topics[topic].partitions)
        reader.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in open_])
        records, deadline = list[Message](), time.monotonic() + 30
        while open_:
            assert time.monotonic() < deadline, f"{topic}: no end of {open_}"
            message = reader.poll(1.0)
            for each in (message, *reader.consume(10_000, 0)) if message is not None else ():
                if each.error() is None:
                    records.append(each)
                else:
                    open_.discard(each.partition())
        reader.close()
        return records

    def read_own(self, topic: str, isolation: str = "read_committed") -> list[Message]:
        """`read` of `<run>-<topic>`."""
        return self.read(f"{self.run}-{topic}", isolation)

    def outcomes(self, isolation: str = "read_committed") -> list[Command]:
        """What the ledger app answered."""
        return [json.loads(record.value()) for record in self.read_own("out", isolation)]

    def table(self, name: str) -> dict[str, Any]:
        """A table as its changelog tells it."""
        rows: dict[str, Any] = {}
        for record in self.read_own(f"{name}-changelog"):
            rows[record.key().decode()] = None if record.value() is None else json.loads(record.value())
        return {key: row for key, row in rows.items() if row is not None}

    def wait_outcomes(self, count: int, timeout_s: float = 60.0) -> None:
        """Until `count` outcomes are visible."""
        wait_until(lambda: len(self.outcomes()) >= count, timeout_s, why=f"{count} outcomes of {self.run}")


def commands(count: int, seed: int = 1, first: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """`count` deterministic commands for the ledger app, of ids from `first`."""
    dice = random.Random(seed)
    for n in range(first, first + count):
        book = f"book-{dice.randrange(40)}"
        command = {
            "id": n,
            "op": dice.choice(["pay", "pay", "lock", "settle"]),
            "account": f"{book}|{dice.randrange(5)}",
            "amount": dice.randrange(1, 100),
            "lock": f"{book}|L{dice.randrange(20)}",
        }
        yield book.encode(), json.dumps(command).encode()
