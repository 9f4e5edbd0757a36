"""`python -m streams topics`: make Kafka and the registry what `schemas.topics` declares, or report how they differ."""

from collections.abc import Iterable
from typing import NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from connectors.tables import CDC_CONFIG, TABLES
from schemas.avro import schema_of
from schemas.registry import ConfluentRegistry, UnknownSchema, register_all
from schemas.settings import Settings
from schemas.topics import PARTITIONS, TOPICS

TIMEOUT_S = 15.0


class ServerDown(RuntimeError):
    """A server does not answer: which one, where, and what to do."""


def kafka_down(settings: Settings, error: KafkaException | None = None) -> ServerDown:
    """That no broker answers, with what the client says of it."""
    said = "" if error is None else f" ({error.args[0].str()})"
    return ServerDown(f"no Kafka broker answers at {settings.kafka}{said}: start it, or set MILLRACE_KAFKA")


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
    admin = AdminClient(settings.client())
    present = _partitions(admin, settings)
    missing = {name: config for name, config in declared().items() if name not in present}
    new = [NewTopic(name, PARTITIONS, replication, config=config) for name, config in missing.items()]
    for future in (admin.create_topics(new) if new else {}).values():
        future.result(TIMEOUT_S)
    register_all(ConfluentRegistry(settings.registry))
    return list(missing)


def declared() -> dict[str, dict[str, str]]:
    """Every topic's configuration by name: our own, and those that CDC writes."""
    captured = {table.cdc_topic: CDC_CONFIG for table in TABLES}
    return {topic.name: topic.config for topic in TOPICS} | captured


def drift(settings: Settings) -> list[Drift]:
    """Every difference between the declarations and the servers. Empty is good."""
    admin = AdminClient(settings.client())
    present = _partitions(admin, settings)
    found = [Drift(name, "topic", "exists", "missing") for name in declared() if name not in present]
    existing = {name: config for name, config in declared().items() if name in present}
    found += [
        Drift(name, "partitions", str(PARTITIONS), str(present[name]))
        for name in existing
        if present[name] != PARTITIONS
    ]
    return found + list(_config_drift(admin, existing)) + list(_schema_drift(ConfluentRegistry(settings.registry)))


def _partitions(admin: AdminClient, settings: Settings) -> dict[str, int]:
    try:
        topics = admin.list_topics(timeout=TIMEOUT_S).topics
    except KafkaException as error:
        raise kafka_down(settings, error) from error
    return {name: len(topic.partitions) for name, topic in topics.items()}


def _config_drift(admin: AdminClient, topics: dict[str, dict[str, str]]) -> Iterable[Drift]:
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    answers = admin.describe_configs(resources) if resources else {}
    for resource, future in answers.items():
        config = future.result(TIMEOUT_S)
        for name, wanted in topics[resource.name].items():
            if config[name].value != wanted:
                yield Drift(resource.name, name, wanted, str(config[name].value))


def _schema_drift(registry: ConfluentRegistry) -> Iterable[Drift]:
    for topic in TOPICS:
        for message in topic.messages:
            try:
                registry.id_of(topic.subject(message), schema_of(message))
            except UnknownSchema:
                yield Drift(topic.subject(message), "schema", "registered as declared", "not registered")
