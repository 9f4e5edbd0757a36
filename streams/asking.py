"""A command is published, and what its decision tells of it is waited for: how a person asks a room."""

import time
from contextlib import closing
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.codec import Codec
from schemas.envelope import read_envelope
from schemas.partitioning import partition_of
from schemas.publishing import Upstream, publish
from schemas.settings import Settings
from schemas.topics import Topic
from streams.topics import ServerDown, kafka_down

CONNECT_S = 15.0
POLL_S = 0.2


class NotAnswered(RuntimeError):
    """The command is published, and nothing was told of it in time; it will be decided all the same."""


def ask(settings: Settings, codec: Codec, command: Upstream, answers: Topic, wait_s: float) -> Any:
    """Publish a command; the first event of its decision on `answers`, whose key is the command's.

    Raises `NotAnswered`, `NotPublished`, `ServerDown`, `RegistryUnavailable`, `UnknownSchema`.
    """
    own = TopicPartition(answers.name, partition_of(command.envelope.subject.encode()))
    kafka = Consumer(
        settings.client(
            group_id="millrace-asking", isolation_level="read_committed", enable_auto_commit=False,
            auto_offset_reset="error", fetch_wait_max_ms=10,
        )
    )  # fmt: skip
    with closing(kafka):
        try:
            own.offset = kafka.get_watermark_offsets(own, CONNECT_S)[1]
        except KafkaException as error:
            raise kafka_down(settings, error) from error
        kafka.assign([own])
        publish(settings, codec, [command])
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            record = kafka.poll(POLL_S)
            if record is None:
                continue
            if record.error() is not None:
                raise ServerDown(f"Kafka at {settings.kafka} does not give its answer: {record.error().str()}")
            if read_envelope(record.headers()).correlation_id == command.envelope.correlation_id:
                return codec.decode(answers, record.value())
    raise NotAnswered(f"no answer within {wait_s:g} s: a worker that runs decides it (python -m streams worker)")
