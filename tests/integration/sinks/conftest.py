"""Servers for the tests of the sinks, and a fresh world for each."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.settings import Settings
from stack import billing as double
from tests.integration.sinks.billing import PATIENCE_S, Desk
from tests.integration.sinks.world import World, build


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Settings:
    """Those of MILLRACE_KAFKA and the others where they are given, else fresh ones."""
    if "MILLRACE_KAFKA" in os.environ:
        return Settings()
    given: Settings = request.getfixturevalue("settings")
    return given


@pytest.fixture
def world(servers: Settings, tmp_path: Path) -> World:
    """Topics, a database with two issuers, and a blob folder, for one test."""
    made = build(servers, tmp_path / "blob")
    made.onboard("swift", "SWIFT")
    made.onboard("zoom", "ZOOM", zone="America/New_York")
    return made


@pytest.fixture
def desk(world: World) -> Iterator[Desk]:
    """The world, with a Billing beside it."""
    with double.serving() as billing:
        billing.client_patience_s = PATIENCE_S
        yield Desk(world, billing)
