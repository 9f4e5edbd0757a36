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
SERVERS = ["kafka", "postgres", "registry", "connect", "prometheus"]


def pytest_xdist_auto_num_workers() -> int:
    """Tests wait more than they work, so two run side by side, each with its servers. Containers have fixed ports."""
    return 1 if docker_answers() else 2


@pytest.fixture(scope="session")
def settings(worker_id: str) -> Iterator[Settings]:
    """All servers, fresh, and gone when the tests are over: in containers where a Docker engine answers, else here."""
    yield from (containers() if docker_answers() else processes(f"test-{worker_id}"))


def docker_answers() -> bool:
    """Whether a Docker engine answers; the client alone is not enough."""
    try:
        docker.from_env().ping()
    except DockerException:
        return False
    return True


def processes(instance: str) -> Iterator[Settings]:
    """The servers of `python -m stack`, on free ports."""
    api.up(instance, data=Data.FRESH, ports=PortPlan.FREE)
    try:
        yield Settings(_env_file=REPOSITORY / ".stack" / instance / "env")
    finally:
        api.remove(instance)


def containers() -> Iterator[Settings]:
    """The servers of docker-compose.yml, on the ports that it publishes on 127.0.0.1."""
    password = os.environ.setdefault("MILLRACE_POSTGRES_PASSWORD", secrets.token_hex(12))
    with DockerCompose(REPOSITORY, build=True, wait=True, services=SERVERS):
        yield Settings(_env_file=None, postgres=f"postgresql://millrace:{password}@127.0.0.1:15432/millrace")
