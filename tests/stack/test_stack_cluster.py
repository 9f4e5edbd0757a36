"""A cluster of three real brokers: one may die, and what was confirmed is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from stack import api
from stack.api import ServerName, State

COUNT = 200


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cluster")
    with api.while_up("three", only=[ServerName.KAFKA], brokers=3, home=folder):
        yield folder


def write(servers: str, first: int) -> None:
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True})
    for number in range(first, first + COUNT):
        producer.produce("kept", str(number).encode(), partition=number % 3)
    assert producer.flush(60) == 0


def read(servers: str) -> set[int]:
    reader = Consumer({"bootstrap.servers": servers, "group.id": "reads", "enable.auto.commit": False})
    reader.assign([TopicPartition("kept", number, 0) for number in range(3)])
    found: set[int] = set()
    while messages := reader.consume(1_000, 5.0):
        found |= {int(each.value()) for each in messages if each.error() is None}
        if len(found) >= 2 * COUNT:
            break
    reader.close()
    return found


@pytest.mark.requirement("PIPE-03")
def test_with_one_broker_of_three_dead_everything_can_be_written_and_read(home: Path) -> None:
    servers = api.server("three", ServerName.KAFKA, home=home).instance.endpoints().kafka
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic("kept", 3)])["kept"].result(20)
    write(servers, 0)
    victim = api.server("three", ServerName.KAFKA_2, home=home)

    victim.kill()
    write(servers, COUNT)
    states = {each.server: each.state for each in api.status("three", home=home)}
    found = read(servers)
    victim.start()

    assert found == set(range(2 * COUNT))
    assert states[ServerName.KAFKA_2] is State.DIED
    assert states[ServerName.KAFKA] is states[ServerName.KAFKA_3] is State.READY


def test_topics_have_three_replicas_of_which_two_confirm(home: Path) -> None:
    servers = api.server("three", ServerName.KAFKA, home=home).instance.endpoints().kafka
    admin = AdminClient({"bootstrap.servers": servers})

    internal = admin.list_topics("__consumer_offsets", 20).topics["__consumer_offsets"]
    [config] = admin.describe_configs([ConfigResource(ResourceType.TOPIC, "__consumer_offsets")]).values()

    assert {len(each.replicas) for each in internal.partitions.values()} == {3}
    assert config.result(20)["min.insync.replicas"].value == "2"
