"""A Kafka for the runtime's tests, and a fresh pipeline for each."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from runtime_pipeline import Pipeline

from stack import api
from stack.api import Server, ServerName


@pytest.fixture(scope="session")
def instance(worker_id: str) -> str:
    """Name of the stack's instance that only these tests use; one for each of pytest's processes."""
    return f"runtime-{worker_id}"


@pytest.fixture(scope="package")
def own_kafka(instance: str) -> Iterator[str]:
    """host:port of a broker that only these tests use and may break."""
    with api.while_up(instance, only=[ServerName.KAFKA]) as endpoints:
        yield endpoints.kafka


@pytest.fixture(scope="package")
def kafka(request: pytest.FixtureRequest) -> str:
    """host:port of a broker: the one in MILLRACE_KAFKA, else our own."""
    given = os.environ.get("MILLRACE_KAFKA")
    return given if given else str(request.getfixturevalue("own_kafka"))


@pytest.fixture
def broker(own_kafka: str, instance: str) -> Server:
    """The broker of `own_kafka`, to be killed and started."""
    return api.server(instance, ServerName.KAFKA)


@pytest.fixture
def pipeline(kafka: str, tmp_path: Path) -> Iterator[Pipeline]:
    """Topics of a new name on `kafka`; its workers are ended with the test."""
    yield from _pipeline(kafka, tmp_path)


@pytest.fixture
def breakable_pipeline(own_kafka: str, tmp_path: Path) -> Iterator[Pipeline]:
    """As `pipeline`, on the broker that may be broken."""
    yield from _pipeline(own_kafka, tmp_path)


def _pipeline(servers: str, folder: Path) -> Iterator[Pipeline]:
    made = Pipeline(servers, f"rt-{uuid.uuid4().hex[:8]}", folder)
    made.create_topics()
    try:
        yield made
    finally:
        made.close()
