"""A deployment of the connectors for tests: a database, topics, a slot and connector names of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from psycopg import sql

from connectors.cdc import Change, ChangeReader
from connectors.configuration import Deployment
from connectors.tables import CDC_CONFIG, TABLE_OF, TABLES
from schemas.avro import schema_of
from schemas.codec import Codec
from schemas.publishing import introduce
from schemas.registry import ConfluentRegistry
from schemas.settings import Settings
from schemas.topics import PARTITIONS, TOPICS, Kind, Topic

PROJECTIONS = tuple(topic for topic in TOPICS if topic.kind is Kind.PROJECTION)
WITHIN_S = 60.0


@dataclass(frozen=True)
class Place:
    """Where a test's rows and records go. `settings` name the database of its own."""

    settings: Settings
    deployment: Deployment
    codec: Codec

    def sql(self, statement: str, *values: object) -> list[Any]:
        """The rows of a statement, in a transaction of its own."""
        with psycopg.connect(self.settings.postgres, autocommit=True) as connection:
            answer = connection.execute(statement, values or None)
            return answer.fetchall() if answer.description else []

    def until(self, statement: str, *values: object) -> list[Any]:
        """The rows of a query, once it has any."""
        return eventually(lambda: self.sql(statement, *values), f"rows of {statement}")

    def put(self, topic: Topic, key: str, *values: bytes | None) -> None:
        """Write records to this deployment's topic of that name, in this order."""
        producer = Producer({"bootstrap.servers": self.settings.kafka})
        for value in values:
            producer.produce(self.deployment.topic_prefix + topic.name, key=key, value=value)
        introduce(producer, [self.deployment.topic_prefix + topic.name], WITHIN_S)
        assert producer.flush(WITHIN_S) == 0

    def records(self, topic: str, enough: Callable[[list[Message]], bool]) -> list[Message]:
        """The committed records of one of this deployment's topics, from its beginning until they are enough."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.settings.kafka,
                "group.id": f"{self.deployment.name}-reads",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "topic.metadata.refresh.interval.ms": 500,
            }
        )
        consumer.subscribe([self.deployment.topic_prefix + topic])
        found: list[Message] = []
        deadline = time.monotonic() + WITHIN_S
        while not enough(found):
            assert time.monotonic() < deadline, f"{len(found)} records of {topic} were not enough in {WITHIN_S:.0f} s"
            record = consumer.poll(0.2)
            if record is not None and not record.error():
                found.append(record)
        consumer.close()
        return found

    def changes(self, table: str, row_id: str, count: int) -> list[Change]:
        """The first changes of one row, as an agent reads them; the last of them is awaited."""
        reader = ChangeReader(ConfluentRegistry(self.settings.registry))

        def of_row(records: list[Message]) -> list[Change]:
            read = [reader.read(record.value()) for record in records]
            return [change for change in read if change is not None and _row_id(change) == row_id]

        return of_row(self.records(TABLE_OF[table].cdc_topic, lambda records: len(of_row(records)) >= count))


def make_database(server: Settings, name: str) -> Settings:
    """An empty database of this name, and the settings that point to it."""
    with psycopg.connect(server.postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return server.model_copy(update={"postgres": psycopg.conninfo.make_conninfo(server.postgres, dbname=name)})


def drop_database(server: Settings, name: str) -> None:
    """Drop the database under whoever still uses it."""
    with psycopg.connect(server.postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def make_topics(settings: Settings, deployment: Deployment) -> None:
    """The topics that `python -m streams topics` makes, under this deployment's prefix."""
    configs = {table.cdc_topic: CDC_CONFIG for table in TABLES} | {topic.name: topic.config for topic in PROJECTIONS}
    new = [NewTopic(deployment.topic_prefix + name, PARTITIONS, 1, config=each) for name, each in configs.items()]
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    for made in admin.create_topics(new).values():
        made.result(WITHIN_S)


def drop_topics(settings: Settings, deployment: Deployment) -> None:
    """Every topic under this deployment's prefix."""
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    ours = [name for name in admin.list_topics(timeout=10).topics if name.startswith(deployment.topic_prefix)]
    for dropped in admin.delete_topics([*ours, f"__debezium-heartbeat.{deployment.name}"]).values():
        dropped.result(WITHIN_S)


def projection_codec(settings: Settings) -> Codec:
    """A codec of the projections, whose schemas are registered."""
    registry = ConfluentRegistry(settings.registry)
    for topic in PROJECTIONS:
        for message in topic.messages:
            registry.register(topic.subject(message), schema_of(message), topic.compatibility)
    return Codec(registry, PROJECTIONS)


def eventually(answer: Callable[[], list[Any]], what: str) -> list[Any]:
    """The answer, once it is not empty."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := answer()):
        assert time.monotonic() < deadline, f"no {what} within {WITHIN_S:.0f} s"
        time.sleep(0.1)
    return found


def _row_id(change: Change) -> object:
    row = change.after if change.after is not None else change.before
    assert row is not None
    return row[TABLE_OF[change.table].row_id]
