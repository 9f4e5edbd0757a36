"""An answer that Kafka does not take is seen to wait, though each worker ends over it (PIPE-11, DLR-01, PRI-11)."""

from collections.abc import Callable

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    ResourceType,
)
from prometheus_client import REGISTRY

from schemas.topics import Topic
from sinks.errors import KafkaUnavailable
from tests.integration.sinks import general_ledger
from tests.integration.sinks.billing import Desk, client
from tests.integration.sinks.sop import PATIENCE_S, Sop
from tests.integration.sinks.world import World, purchase


def set_most_bytes(world: World, topic: Topic, most: int) -> None:
    """Of a record in this topic."""
    entry = ConfigEntry(
        "max.message.bytes", str(most), source=ConfigSource.DYNAMIC_TOPIC_CONFIG,
        incremental_operation=AlterConfigOpType.SET,
    )  # fmt: skip
    resource = ConfigResource(ResourceType.TOPIC, topic.name, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": world.settings.kafka})
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(30)


def waiting(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"millrace_sink_{name}_waiting")


def seen_to_wait(world: World, topic: Topic, work: Callable[[], None], name: str) -> None:
    """The first worker ends before it has looked again, the second one sees; a Kafka that takes them is the end."""
    set_most_bytes(world, topic, 1)
    for _ in range(2):
        with pytest.raises(KafkaUnavailable, match="nothing is lost"):
            work()
    assert waiting(name) == 1

    set_most_bytes(world, topic, 1_000_000)
    work()
    assert waiting(name) == 0


@pytest.mark.requirement("PIPE-11", "DLR-01")
def test_an_answer_of_billing_that_cannot_be_published_is_counted(desk: Desk) -> None:
    desk.ask(client())
    seen_to_wait(desk.world, desk.world.answers, lambda: desk.carry(until_idle_s=4), "billing_answers")


@pytest.mark.requirement("PIPE-11", "PRI-11")
def test_an_acknowledgement_that_cannot_be_published_is_counted(world: World) -> None:
    with general_ledger.serving() as ledger:
        ledger.client_patience_s = PATIENCE_S
        sop = Sop(world, ledger)
        sop.file("2026-07-03", purchase(1, day="2026-07-03"))
        seen_to_wait(world, world.acknowledgements, sop.upload, "acknowledgements")
