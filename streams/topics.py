"""`python -m streams topics`: make Kafka and the registry what `schemas.topics` declares, or report how they differ."""

from collections.abc import Iterable
from typing import NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from schemas.avro import schema_of
from schemas.registry import ConfluentRegistry, UnknownSchema, register_all
from schemas.settings import Settings
from schemas.topics import PARTITIONS, TOPICS, Topic

TIMEOUT_S = 15.0


class ServerDown(RuntimeError):
    """A server does not answer: which one, where, and what to do."""


class Drift(NamedTuple):
    """One way in which a server differs from the declarations."""

    where: str
    what: str
    declared: str
    found: str


def apply(settings: Settings, replication: int = 1) -> list[str]:
    """Create what is missing and register every schema. Gives the names of the topics it created.

    Raises `ServerDown`, `RegistryUnavailable`; `SchemaRegistryError` where a schema breaks its subject's compatibility.
    """
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    present = _partitions(admin, settings)
    missing = [topic for topic in TOPICS if topic.name not in present]
    new = [NewTopic(topic.name, PARTITIONS, replication, config=topic.config) for topic in missing]
    for future in (admin.create_topics(new) if new else {}).values():
        future.result(TIMEOUT_S)
    register_all(ConfluentRegistry(settings.registry))
    return [topic.name for topic in missing]


def drift(settings: Settings) -> list[Drift]:
    """Every difference between the declarations and the servers. Empty is good."""
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    present = _partitions(admin, settings)
    found = [Drift(topic.name, "topic", "exists", "missing") for topic in TOPICS if topic.name not in present]
    existing = [topic for topic in TOPICS if topic.name in present]
    found += [
        Drift(topic.name, "partitions", str(PARTITIONS), str(present[topic.name]))
        for topic in existing
        if present[topic.name] != PARTITIONS
    ]
    return found + list(_config_drift(admin, existing)) + list(_schema_drift(ConfluentRegistry(settings.registry)))


def _partitions(admin: AdminClient, settings: Settings) -> dict[str, int]:
    try:
        topics = admin.list_topics(timeout=TIMEOUT_S).topics
    except KafkaException as error:
        raise ServerDown(
            f"no Kafka broker answers at {settings.kafka} ({error.args[0].str()}): start it, or set MILLRACE_KAFKA"
        ) from error
    return {name: len(topic.partitions) for name, topic in topics.items()}


def _config_drift(admin: AdminClient, topics: Iterable[Topic]) -> Iterable[Drift]:
    resources = {topic.name: ConfigResource(ResourceType.TOPIC, topic.name) for topic in topics}
    if not resources:
        return
    answers = {resource.name: future for resource, future in admin.describe_configs(list(resources.values())).items()}
    for topic in topics:
        config = answers[topic.name].result(TIMEOUT_S)
        for name, declared in topic.config.items():
            if config[name].value != declared:
                yield Drift(topic.name, name, declared, str(config[name].value))


def _schema_drift(registry: ConfluentRegistry) -> Iterable[Drift]:
    for topic in TOPICS:
        for message in topic.messages:
            try:
                registry.id_of(topic.subject(message), schema_of(message))
            except UnknownSchema:
                yield Drift(topic.subject(message), "schema", "registered as declared", "not registered")
