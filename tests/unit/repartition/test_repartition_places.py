"""Every table of the pipeline has a place for its rows when partitions are added."""

from typing import Any

import pytest

from streams.app import wire
from streams.repartition.command import TABLES

pytestmark = pytest.mark.requirement("PIPE-02")


class Wiring:
    """Takes the place of a Faust app, and keeps the names of tables."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def Table(self, name: str, **_: Any) -> None:  # noqa: N802  as Faust has it
        self.names.append(name)

    def topic(self, *_: Any) -> None: ...

    def agent(self, *_: Any, **__: Any) -> Any:
        return lambda function: function


def test_it_is_said_of_each_table_where_its_rows_belong() -> None:
    app: Any = Wiring()
    none: Any = None
    wire(app, codec=none, registry=none)
    assert sorted(app.names) == sorted(TABLES)
