"""One running system for all stories; the last thing that happens to it is an audit."""

from collections.abc import Iterator

import pytest

from schemas.settings import Settings
from tests.e2e.world import World


@pytest.fixture(scope="session")
def world(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(settings, tmp_path_factory.mktemp("world")).running() as running:
        yield running
