"""The files of the days around a move to more partitions (PRI-11, PIPE-01). The move itself: `streams.repartition`."""

import pytest

from sinks.adi.sink import AdiSink
from sinks.storage import Storage
from sinks.worker import Worker
from streams.prison_finance.accounting_day import Day, OpenDays, begun_beside
from streams.prison_finance.room import OPEN_DAYS
from tests.integration.sinks.world import World, closed, purchase
from tests.unit.prison_finance.partition import Partition

pytestmark = pytest.mark.requirement("PRI-11", "PIPE-01")

DAY, NEXT = "2026-07-03", "2026-07-04"


def test_a_late_line_that_comes_first_to_a_new_partition_goes_up(world: World) -> None:
    """Two partitions have closed the 3rd and its files are cut; then there are three. The first command in the new one
    is of the 3rd, and comes before the first tick."""
    before = purchase(1, day=DAY)
    world.post(*((0, line) for line in before), (0, closed(DAY, before)), (1, closed(DAY, [])))
    two = Worker(
        AdiSink(2, world.lines), world.codec, Storage(f"file://{world.blob}"),
        kafka=world.settings.kafka, postgres=world.postgres, until_idle_s=1.5,
    )  # fmt: skip
    two.run()
    assert len(world.files()) == 2

    added = Partition()
    added.kept.open_days[OPEN_DAYS] = begun_beside([OpenDays((Day(NEXT),)) for _ in range(2)])
    added.credit(1_234, at="2026-07-04 00:20")
    added.submit("P1", 1_234, "2026-07-03 22:40")  # 23:40 in London
    added.authorise("P1", "2026-07-03 22:41")
    added.tick("2026-07-05 10:00")
    assert {line.accounting_date for line in added.lines} == {NEXT}
    world.post(*((2, line) for line in added.lines), (2, closed(NEXT, added.lines)))
    world.post((0, closed(NEXT, [])), (1, closed(NEXT, [])))
    world.run("adi")

    assert world.query("select reason, problem from sink.parked") == []
    assert world.query("select line_id from sink.adi_line where file is null") == []
    assert len(world.files()) == 4
    assert world.differences("adi") == []
