"""Fixtures that every test may use. Where a server cannot start, the tests that need it fail; they never skip."""

import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException
from testcontainers.compose import DockerCompose
from xdist.scheduler import LoadScopeScheduling

from schemas.settings import Settings
from stack import api
from stack.api import ServerName
from stack.instance import USUAL
from stack.kafka import PERFORMANCE_VARIABLE
from stack.program import JAVA_QUICK_START

REPOSITORY = Path(__file__).parents[1]
COMPANIES = {
    "tests/e2e/test_demo.py": "own servers",
    "tests/stack/": "own servers",
    "tests/torture/": "own servers",
    "tests/integration/runtime/test_runtime_late": "own servers",
    "tests/integration/runtime/": "runtime",
    "tests/e2e/": "stories",
    "tests/integration/connectors/": "connectors",
}
"""Tests that start servers, by the beginnings of their ids, in the order in which they begin: those that take longest
first. A company stays together in one of pytest's processes: it shares its servers, which are gone when it is done."""
CORE = [ServerName.KAFKA, ServerName.POSTGRES, ServerName.REGISTRY]
CONTAINERS = ["kafka", "postgres", "registry", "connect", "prometheus"]

# A broker that lives for minutes is not worth the second compiler.
os.environ.setdefault(PERFORMANCE_VARIABLE, " ".join(JAVA_QUICK_START))


def pytest_xdist_auto_num_workers() -> int:
    """Tests wait more than they work, so four run side by side, each with its servers. Containers have fixed ports."""
    return 1 if docker_answers() else 4


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Companies first. On containers, which all share, the stories last: their worker writes what other tests read."""
    order = [*dict.fromkeys(COMPANIES.values()), ""]
    if docker_answers():
        order.append(order.pop(order.index("stories")))
    items.sort(key=lambda item: order.index(company(item.nodeid)))


def company(nodeid: str) -> str:
    """The company of a test; none is empty."""
    return next((name for beginning, name in COMPANIES.items() if nodeid.startswith(beginning)), "")


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """A company, or else a file, goes to one process, in the order of the tests: long ones do not meet at the end."""

    def _split_scope(self, nodeid: str) -> str:
        return company(nodeid) or nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    return Scheduler(config, log)


@pytest.fixture(scope="session")
def shared_instance(worker_id: str) -> str:
    """Name of the stack's instance that has the servers of `settings`."""
    return f"test-{worker_id}"


@pytest.fixture(scope="session")
def settings(shared_instance: str) -> Iterator[Settings]:
    """Kafka, Postgres and the registry, fresh, and gone when the tests are over.

    In containers where a Docker engine answers, else here.
    """
    yield from (containers() if docker_answers() else processes(shared_instance, CORE))


def docker_answers() -> bool:
    """Whether a Docker engine answers; the client alone is not enough."""
    try:
        docker.from_env().ping()
    except DockerException:
        return False
    return True


def processes(instance: str, only: Iterable[ServerName] = USUAL) -> Iterator[Settings]:
    """Servers of `python -m stack`, on free ports."""
    with api.while_up(instance, only=only):
        yield Settings(_env_file=REPOSITORY / ".stack" / instance / "env")


def containers() -> Iterator[Settings]:
    """The servers of docker-compose.yml, on the ports that it publishes on 127.0.0.1."""
    password = os.environ.setdefault("MILLRACE_POSTGRES_PASSWORD", secrets.token_hex(12))
    with DockerCompose(REPOSITORY, build=True, wait=True, services=CONTAINERS):
        yield Settings(_env_file=None, postgres=f"postgresql://millrace:{password}@127.0.0.1:15432/millrace")
