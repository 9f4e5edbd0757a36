"""What a worker asks of the broker's topics before it starts."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from streams.runtime.fatal import RefusedError

log = logging.getLogger(__name__)

CREATE_TIMEOUT_S = 30.0
QUERY_TIMEOUT_S = 5.0

CHANGELOG_CONFIG = {
    "cleanup.policy": "compact",
    "delete.retention.ms": str(7 * 24 * 3600 * 1000),  # a tombstone must outlive any restore that starts in its past
    "min.cleanable.dirty.ratio": "0.1",  # little to read back after the last compaction
    "segment.ms": str(24 * 3600 * 1000),  # the open segment is never compacted
    "max.message.bytes": str(4 * 1024 * 1024),
}


def ensure_topics(
    client: Mapping[str, Any],
    *,
    sources: Sequence[str],
    changelogs: Mapping[str, int],
    replication_factor: int,
    wait_s: float,
) -> None:
    """Check that everything is there and co-partitioned, and create missing changelogs (name → partitions).

    Raises RefusedError if no broker answers within `wait_s` seconds, a source topic is missing, or partition counts
    differ where tables make them matter (PIPE-02).
    """
    admin = AdminClient(dict(client))  # must outlive the futures of its calls
    present = _partitions(admin, client["bootstrap.servers"], wait_s)
    missing = sorted(set(sources) - present.keys())
    if missing:
        servers = client["bootstrap.servers"]
        raise RefusedError(f"topic {', '.join(missing)} does not exist on {servers}; create it first")
    for name, partitions in changelogs.items():
        if name not in present:
            _create(admin, name, partitions, replication_factor)
            present[name] = partitions
    if changelogs:
        _check_equal({name: present[name] for name in (*sources, *changelogs)}, changelogs)


class TopicIdentity(NamedTuple):
    """What tells a topic from another one of its name, and for how long it keeps tombstones."""

    topic_id: str
    delete_retention_s: float


def identify(client: Mapping[str, Any], topics: Sequence[str]) -> dict[str, TopicIdentity]:
    """Ask for the identity of existing topics. Raises KafkaException."""
    admin = AdminClient(dict(client))
    resources = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
    described = admin.describe_topics(TopicCollection(list(topics)), request_timeout=QUERY_TIMEOUT_S)
    configs = {resource.name: asked for resource, asked in
               admin.describe_configs(resources, request_timeout=QUERY_TIMEOUT_S).items()}  # fmt: skip
    return {
        topic: TopicIdentity(str(asked.result().topic_id),
                             int(configs[topic].result()["delete.retention.ms"].value) / 1000)
        for topic, asked in described.items()
    }  # fmt: skip


def _partitions(admin: AdminClient, servers: str, wait_s: float) -> dict[str, int]:
    try:
        topics = admin.list_topics(timeout=wait_s).topics
    except KafkaException as error:
        raise RefusedError(f"no Kafka broker answers at {servers} ({error.args[0].str()}); start it, or correct the "
                           "broker address of the app") from error  # fmt: skip
    return {name: len(topic.partitions) for name, topic in topics.items()}


def _check_equal(counts: Mapping[str, int], changelogs: Mapping[str, int]) -> None:
    wanted = set(counts.values()) | set(changelogs.values())
    if len(wanted) > 1:
        listed = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        raise RefusedError(f"source topics and tables must have equal partition counts, but have: {listed}; declared "
                           f"for the tables: {sorted(set(changelogs.values()))}")  # fmt: skip


def _create(admin: AdminClient, name: str, partitions: int, replication_factor: int) -> None:
    topic = NewTopic(name, partitions, replication_factor, config=CHANGELOG_CONFIG)
    try:
        admin.create_topics([topic])[name].result(CREATE_TIMEOUT_S)
        log.info("created changelog %s with %d partitions", name, partitions)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another worker was quicker
            raise RefusedError(f"cannot create changelog {name}: {error.args[0].str()}") from error
