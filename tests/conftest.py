"""Fixtures that every test may use. Where a server cannot start, the tests that need it fail; they never skip."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException
from testcontainers.compose import DockerCompose
from xdist.scheduler import LoadScopeScheduling

from schemas.settings import Settings
from stack import api

REPOSITORY = Path(__file__).parents[1]
OWN_SERVERS = (
    "tests/e2e/test_demo.py",
    "tests/stack/",
    "tests/torture/",
    "tests/integration/runtime/test_runtime_late",
)
"""Tests that start servers of their own, beside those that all share."""
SERVERS = ["kafka", "postgres", "registry", "connect", "prometheus"]


def pytest_xdist_auto_num_workers() -> int:
    """Tests wait more than they work, so three run side by side, each with its servers. Containers have fixed ports."""
    return 1 if docker_answers() else 3


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what has servers of its own, as it takes longest; last the stories.

    The stories' worker goes on writing to topics that tests of single commands read.
    """
    items.sort(key=lambda item: (not item.nodeid.startswith(OWN_SERVERS), item.nodeid.startswith("tests/e2e/")))


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """A file goes to one worker, in the order of the files, so that the long ones do not meet at the end.

    Tests with servers of their own go to the same one: more servers at once than theirs and the workers' are too many.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "own servers" if nodeid.startswith(OWN_SERVERS) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    return Scheduler(config, log)


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
    with api.while_up(instance):
        yield Settings(_env_file=REPOSITORY / ".stack" / instance / "env")


def containers() -> Iterator[Settings]:
    """The servers of docker-compose.yml, on the ports that it publishes on 127.0.0.1."""
    password = os.environ.setdefault("MILLRACE_POSTGRES_PASSWORD", secrets.token_hex(12))
    with DockerCompose(REPOSITORY, build=True, wait=True, services=SERVERS):
        yield Settings(_env_file=None, postgres=f"postgresql://millrace:{password}@127.0.0.1:15432/millrace")
