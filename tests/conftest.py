"""Fixtures that every test may use. Where a server cannot start, the tests that need it fail; they never skip."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.settings import Settings
from stack import api
from stack.api import Data, PortPlan

INSTANCE = "test"


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """All servers, fresh, on ports of their own; gone when the tests are over."""
    api.up(INSTANCE, data=Data.FRESH, ports=PortPlan.FREE)
    try:
        yield Settings(_env_file=Path(".stack") / INSTANCE / "env")
    finally:
        api.remove(INSTANCE)
