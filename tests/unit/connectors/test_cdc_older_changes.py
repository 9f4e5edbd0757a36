"""A row's older change that comes again after a newer one: a replayed letter, or Debezium after a restart (PIPE-06)."""

import pytest

from connectors.cdc import Op
from schemas.prison_reference import Supplier
from streams.demo.world import make_world
from streams.simulator.faults import MACHINES
from streams.simulator.reference import RowChange, rows_of
from streams.simulator.run import studio
from streams.simulator.script import SCALE, Script, reference_sends
from streams.simulator.world import Berth, World

pytestmark = pytest.mark.requirement("PIPE-06")


def test_an_older_change_of_a_row_does_not_undo_a_newer_one() -> None:
    made = studio()
    rows = list(rows_of(make_world(1, SCALE)))
    first = next(row.after for row in rows if isinstance(row.after, Supplier))
    older = first.model_copy(update={"gl_account": "older"})
    newer = first.model_copy(update={"gl_account": "newer"})
    sends = [
        *reference_sends(0.0, rows, made.debezium),
        *reference_sends(10.0, [RowChange("suppliers", Op.UPDATED, older, newer, lsn=9)], made.debezium),
        *reference_sends(20.0, [RowChange("suppliers", Op.UPDATED, first, older, lsn=5)], made.debezium),
    ]
    world = World(Script(1, tuple(sends), (), ()), made.contracts, [Berth(MACHINES[0], 50, is_wanted=True)])
    world.run()

    worker = world.machines[0].worker
    assert worker is not None
    table = next(table for table in worker.tables if table.name == "suppliers")
    codes = {table.peek(number)[first.supplier_id].gl_account for number in worker.partitions}
    assert codes == {"newer"}
