"""The demo's reference data: all of it is waited for before the day begins."""

import pytest

from connectors.tables import TABLES
from streams.demo.world import Scale, make_world, rows


@pytest.mark.requirement("PIPE-06")
def test_of_every_table_that_is_captured_the_demo_knows_how_many_rows_come() -> None:
    """Prices of vehicles are captured by vehicle, from several tables."""
    world = make_world(7, Scale())
    typed = {statement.split()[2].removeprefix("reference."): len(values) for statement, values in rows(world)}
    expected = {table.name: count for table, count in zip(TABLES, world.counts, strict=True)}
    assert expected.pop("vehicle_prices") == typed["vehicles"]
    assert expected == {name: typed[name] for name in expected}
