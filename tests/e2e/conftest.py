"""One running system for all stories; the last thing that happens to it is an audit."""

from collections.abc import Iterator

import pytest

from schemas.settings import Settings
from tests.conftest import docker_answers, processes
from tests.e2e.world import World


@pytest.fixture(scope="package")
def servers(request: pytest.FixtureRequest, worker_id: str) -> Iterator[Settings]:
    """All servers: the containers, else some for the stories alone."""
    if docker_answers():
        yield request.getfixturevalue("settings")
    else:
        yield from processes(f"stories-{worker_id}")


@pytest.fixture(scope="package")
def world(servers: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(servers, tmp_path_factory.mktemp("world")).running() as running:
        yield running
