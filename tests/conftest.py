"""Fixtures that every test may use. Where a server cannot start, the tests that need it fail; they never skip."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException
from testcontainers.compose import DockerCompose

from schemas.settings import Settings
from stack import api
from stack.api import Data, PortPlan

REPOSITORY = Path(__file__).parents[1]
INSTANCE = "test"
SERVERS = ["kafka", "postgres", "registry", "connect", "prometheus"]


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """All servers, fresh, and gone when the tests are over: in containers where a Docker engine answers, else here."""
    yield from (containers() if docker_answers() else processes())


def docker_answers() -> bool:
    """Whether a Docker engine answers; the client alone is not enough."""
    try:
        docker.from_env().ping()
    except DockerException:
        return False
    return True


def processes() -> Iterator[Settings]:
    """The servers of `python -m stack`, on free ports."""
    api.up(INSTANCE, data=Data.FRESH, ports=PortPlan.FREE)
    try:
        yield Settings(_env_file=REPOSITORY / ".stack" / INSTANCE / "env")
    finally:
        api.remove(INSTANCE)


def containers() -> Iterator[Settings]:
    """The servers of docker-compose.yml, on the ports that it publishes on 127.0.0.1."""
    password = os.environ.setdefault("MILLRACE_POSTGRES_PASSWORD", secrets.token_hex(12))
    with DockerCompose(REPOSITORY, build=True, wait=True, services=SERVERS):
        yield Settings(_env_file=None, postgres=f"postgresql://millrace:{password}@127.0.0.1:15432/millrace")
