"""The whole system, running: tests publish like upstream, edit Postgres like the back office, and read topics."""

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from confluent_kafka import Consumer, TopicPartition

from connectors import connect
from connectors.database import migrate
from schemas.codec import Codec
from schemas.fields import Message
from schemas.ledger import Decided
from schemas.publishing import publish, upstream
from schemas.registry import ConfluentRegistry
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, PARTITIONS, TOPICS, UPSTREAM
from streams import topics
from streams.demo.processes import Process

WAIT_S = 60
TOPIC_OF = {message: topic for topic in TOPICS for message in topic.messages}

EVERY = range(PARTITIONS)
TOPIC_NAMED = {topic.name: topic for topic in TOPICS if topic not in (*UPSTREAM, DEAD_LETTERS)}
"""What the pipeline itself writes, and so can always be read."""

Found = TypeVar("Found")
Said = TypeVar("Said", bound=Message)


class World:
    """Servers, one worker, both sinks. Ids are fresh for every test, so that tests share it without meeting."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        topics.apply(settings)
        migrate(settings.postgres)
        connect.apply(settings)
        self.codec = Codec(ConfluentRegistry(settings.registry))
        self._messages: dict[type[Message], list[Any]] = {}
        self._kafka = Consumer(
            settings.client(
                group_id="e2e",
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
            )
        )
        self._kafka.assign(
            [TopicPartition(name, partition, 0) for name in TOPIC_NAMED for partition in range(PARTITIONS)]
        )
        self.environment = {
            "MILLRACE_" + name.upper(): str(value) for name, value in settings.model_dump().items() if value is not None
        } | {"MILLRACE_BLOB": f"file://{folder / 'blob'}"}
        self.worker = self.process("worker", ["streams", "worker", "--name", "e2e", "--port", "0"])
        self.invoices = self.process("invoices", ["sinks", "invoices"])
        self.adi = self.process("adi", ["sinks", "adi"])

    def process(self, name: str, command: list[str]) -> Process:
        """A process of the system, not started yet."""
        return Process(name, command, self.folder / f"{name}.log", self.environment)

    @contextmanager
    def running(self) -> Iterator["World"]:
        """With worker and sinks, stopped at the end."""
        processes = (self.worker, self.invoices, self.adi)
        for process in processes:
            process.start()
        try:
            yield self
        finally:
            for process in processes:
                process.stop()
            self._kafka.close()

    # ---- as upstream, back office, operator

    def send(self, message: Message, *, event_id: str = "", actor: str = "tester", at: int | None = None) -> str:
        """Publish one upstream message, as of now or of a moment in UTC micros, and give its event id."""
        event_id = event_id or uuid.uuid4().hex
        time_us = time.time_ns() // 1_000 if at is None else at
        topic = TOPIC_OF[type(message)]
        event = upstream(topic, message, event_id=event_id, source="tests", time_us=time_us, actor=actor)
        publish(self.settings, self.codec, [event])
        return event_id

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own."""
        with psycopg.connect(self.settings.postgres) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m …` as a person would."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), **self.environment},
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )

    # ---- what came of it

    def decided(self, event_id: str) -> Decided:
        """The journal entry of an event, waited for."""
        return self.told(Decided, cause_id=event_id)

    def told(self, kind: type[Said], **fields: object) -> Said:
        """The first message of a kind with these fields, waited for."""

        def found() -> Said | None:
            fitting = (m for m in self.read(kind) if all(getattr(m, name) == value for name, value in fields.items()))
            return next(fitting, None)

        return self.wait(found)

    def read(self, kind: type[Said]) -> list[Said]:
        """Every committed message of a kind so far, in the order of each partition."""
        while records := self._kafka.consume(2_000, 0.2):
            for record in records:
                assert record.error() is None, record.error()
                if record.value() is not None:
                    message = self.codec.decode(TOPIC_NAMED[record.topic()], record.value())
                    self._messages.setdefault(type(message), []).append(message)
        return self._messages.get(kind, [])

    def wait(self, find: Callable[[], Found | None]) -> Found:
        """What `find` gives once it gives something. Fails after a minute, or if the worker has died."""
        deadline = time.monotonic() + WAIT_S
        while (found := find()) is None:
            self.worker.check()
            assert time.monotonic() < deadline, f"nothing came within {WAIT_S} s"
            time.sleep(0.2)
        return found


def fresh(prefix: str) -> str:
    """An id that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:10]}"
