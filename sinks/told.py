"""What a sink told Kafka of another system's answers, compared with what its tables say that it told (BEY-02)."""

from collections.abc import Iterable, Iterator
from typing import Final

from schemas.codec import Codec, Undecodable
from schemas.envelope import InvalidEnvelope, read_envelope
from schemas.fields import Contract
from schemas.publishing import Upstream
from schemas.topics import Topic
from sinks.log import Log
from sinks.progress import Say, telling
from sinks.worker import read

LAST: Final = 2**63 - 1
"""An offset that no partition reaches."""


def untold(
    noun: str,
    marked: set[str],
    given: Iterable[tuple[str, Upstream]],
    codec: Codec,
    kafka: str,
    topic: Topic,
    source: str,
    say: Say,
) -> Iterator[str]:
    """Where Kafka does not say what the tables do, in sentences. Raises `KafkaUnavailable`.

    `marked` has the ids of the events that the tables mark as published, and is made before Kafka is read. `given` has
    every event that was ever given, each with its name for people, and is walked afterwards. So what a worker publishes
    meanwhile is no difference. `noun` is what people call such an event.
    """
    in_kafka = _in_kafka(codec, kafka, topic, source, say)
    for what, event in given:
        said = in_kafka.pop(event.envelope.id, None)
        if said is None and event.envelope.id in marked:
            yield f"{what} is marked as published, but Kafka does not have it"
        elif said is not None and said != event.message:
            yield f"{what} is not in Kafka as it was given"
    for event_id in sorted(in_kafka):
        yield f"Kafka has {noun} {event_id}, which was not given"


def _in_kafka(codec: Codec, kafka: str, topic: Topic, source: str, say: Say) -> dict[str, Contract]:
    """What a source published, by event id; the room goes by the first of an id, and so does this."""
    found: dict[str, Contract] = {}
    log = Log(kafka, topic.name)
    try:
        records = (record for partition in range(log.partitions) for record in log.read(partition, LAST))
        for record in telling(records, f"records of {topic.name}", say):
            arrived = read(codec, topic, record)
            try:
                envelope = read_envelope(arrived.headers)
            except InvalidEnvelope:
                continue
            if envelope.source == source and not isinstance(arrived.message, Undecodable):
                found.setdefault(envelope.id, arrived.message)
    finally:
        log.close()
    return found
