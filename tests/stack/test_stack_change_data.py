"""All five servers at once: a row of Postgres arrives in Kafka as Avro that the Python client reads."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from stack import api
from stack.api import Endpoints
from stack.jars import AVRO_CONVERTER_CLASS

TOPIC = "try.public.vehicle"
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    home: Path = tmp_path_factory.mktemp("stack")
    with api.while_up("all", home=home) as started:
        yield started


def source(endpoints: Endpoints) -> dict[str, str]:
    converter = {
        "": AVRO_CONVERTER_CLASS,
        ".apicurio.registry.url": endpoints.converter_registry,
        ".apicurio.registry.as-confluent": "true",
        ".apicurio.registry.use-id": "contentId",
        ".apicurio.registry.headers.enabled": "false",
        ".apicurio.registry.auto-register": "true",
    }
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": "127.0.0.1",
        "database.port": endpoints.postgres.rpartition(":")[2].partition("/")[0],
        "database.dbname": "millrace",
        "database.user": "millrace",
        "database.password": "${env:MILLRACE_POSTGRES_PASSWORD}",
        "plugin.name": "pgoutput",
        "topic.prefix": "try",
        "table.include.list": "public.vehicle",
        "exactly.once.support": "required",
        "schema.name.adjustment.mode": "avro",
        "topic.creation.default.replication.factor": "1",
        "topic.creation.default.partitions": "1",
        **{f"{part}.converter{name}": value for part in ("key", "value") for name, value in converter.items()},
    }


def consume_one(endpoints: Endpoints) -> bytes:
    consumer = Consumer(
        {
            "bootstrap.servers": endpoints.kafka,
            "group.id": "try",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "topic.metadata.refresh.interval.ms": 500,
        }
    )
    consumer.subscribe([TOPIC])
    deadline_s = time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < deadline_s:
            message = consumer.poll(1.0)
            if message is not None and message.error() is None:
                value: bytes = message.value()
                return value
    finally:
        consumer.close()
    raise AssertionError(httpx.get(f"{endpoints.connect}/connectors/try/status").text)


def test_connect_has_both_debezium_connectors(endpoints: Endpoints) -> None:
    plugins = {each["class"]: each["version"] for each in httpx.get(f"{endpoints.connect}/connector-plugins").json()}

    assert plugins == {
        "io.debezium.connector.postgresql.PostgresConnector": "3.7.0.Final",
        "io.debezium.connector.jdbc.JdbcSinkConnector": "3.6.0.Final",
    }


@pytest.mark.requirement("PIPE-06", "PIPE-12")
def test_a_row_arrives_as_avro_in_confluent_framing(endpoints: Endpoints) -> None:
    with psycopg.connect(endpoints.postgres, autocommit=True) as connection:
        connection.execute("CREATE TABLE vehicle (id text PRIMARY KEY, price_minor bigint NOT NULL)")
        connection.execute("INSERT INTO vehicle VALUES ('v-1', 12345)")

    created = httpx.put(f"{endpoints.connect}/connectors/try/config", json=source(endpoints), timeout=30.0)
    raw = consume_one(endpoints)

    decode = AvroDeserializer(SchemaRegistryClient({"url": endpoints.registry}))
    event: dict[str, Any] = decode(raw, SerializationContext(TOPIC, MessageField.VALUE))
    assert created.status_code == httpx.codes.CREATED, created.text
    assert raw[0] == 0
    assert event["op"] == "r"
    assert event["after"] == {"id": "v-1", "price_minor": 12345}


@pytest.mark.requirement("PIPE-11")
def test_a_worker_that_drops_a_file_is_scraped(endpoints: Endpoints) -> None:
    address = endpoints.prometheus.removeprefix("http://")
    target = Path(endpoints.scrape_targets) / "itself.json"
    target.write_text(f'[{{"targets": ["{address}"], "labels": {{"name": "itself"}}}}]')

    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        answer = httpx.get(f"{endpoints.prometheus}/api/v1/query", params={"query": 'up{name="itself"} == 1'}).json()
        if answer["data"]["result"]:
            return
        time.sleep(0.2)
    raise AssertionError("Prometheus did not scrape the target in time")
