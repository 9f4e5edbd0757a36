"""A sink that is killed at any step and started again leaves the same files once (PIPE-08)."""

import signal

import pytest

from sinks.worker import BATCH_RECORDS
from tests.integration.sinks.world import PARTITIONS, World, closed, purchase, trip

STEPS = ("before commit", "after commit", "in the middle of the put", "after put")
DAY = "2026-07-03"
pytestmark = [pytest.mark.requirement("PIPE-08", "BEY-02")]


@pytest.mark.parametrize("step", STEPS)
def test_invoices_appear_once_wherever_the_worker_was_killed(world: World, step: str) -> None:
    trips = [trip(number, "zoom" if number % 3 else "swift") for number in range(12)]
    world.settle(*trips)

    killed = world.start("invoices", dies=step)
    assert killed.wait(60) == -signal.SIGKILL
    world.run("invoices")

    assert world.numbers() == [("SWIFT-26-00", number) for number in range(1, 5)] + [
        ("ZOOM-26-00", number) for number in range(1, 9)
    ]
    assert len(world.files()) == 12
    assert world.query("select count(*) from sink.outgoing") == [(0,)]
    assert world.differences("invoices") == []


@pytest.mark.parametrize("step", STEPS)
def test_journal_files_appear_once_wherever_the_worker_was_killed(world: World, step: str) -> None:
    lines = {partition: purchase(partition, day=DAY) for partition in range(PARTITIONS)}
    for partition, mine in lines.items():
        world.post(*((partition, line) for line in mine), (partition, closed(DAY, mine)))

    killed = world.start("adi", dies=step)
    assert killed.wait(60) == -signal.SIGKILL
    world.run("adi")

    assert sorted(world.files()) == [
        "adi/2026-07-03/0210_SSCL_MR_03072026_LEI_MTP01.csv",
        "adi/2026-07-03/0210_SSCL_MR_03072026_LEI_MTP01.xlsx",
    ]
    assert world.query("select totals->'lines' from sink.manifest") == [(6,), (6,)]
    assert world.differences("adi") == []


def test_a_crash_changes_no_byte(world: World) -> None:
    """The same trips in two topics: one read in one go, one with a crash at every step."""
    world.settle(*(trip(number) for number in range(8)), partition=1)
    world.run("invoices")
    undisturbed = world.files()
    world.query("truncate sink.position, sink.series, sink.manifest, sink.outgoing, sink.invoice, sink.adi_line,"
                " sink.adi_file, sink.parked, sink.upload, sink.acknowledgement")  # fmt: skip
    for file in undisturbed:
        (world.blob / file).unlink()

    for step in STEPS:
        world.start("invoices", dies=step, until_idle_s=2).wait(60)
    world.run("invoices")

    assert world.files() == undisturbed


def test_more_than_one_batch_keeps_the_order_of_the_log(world: World) -> None:
    many = BATCH_RECORDS + 20
    world.settle(*(trip(number) for number in range(many)))

    world.run("invoices")

    assert world.query("select trip_id from sink.invoice order by name") == [
        (f"trip-{number}",) for number in range(many)
    ]
