"""Several workers, some of them undead: numbers stay free of gaps, and the stale are refused (PIPE-08)."""

import signal
import time
from collections.abc import Callable

import psycopg
import pytest

from sinks import metrics
from sinks.errors import StorageUnavailable
from sinks.inlet import Raw
from sinks.loop import Loop
from tests.integration.sinks.world import PARTITIONS, World, closed, purchase, trip

pytestmark = pytest.mark.requirement("PIPE-08")


def wait_until(condition: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def test_two_workers_share_the_partitions_and_leave_no_gap(world: World) -> None:
    workers = [world.start("invoices", until_idle_s=6) for _ in range(2)]
    for each in range(8):
        for partition in range(PARTITIONS):
            world.settle(trip(100 * each + partition), trip(100 * each + 50 + partition, "zoom"), partition=partition)
        if each == 3:  # one dies in the middle of it all, the other takes over
            workers[0].kill()
    assert [worker.wait(120) for worker in workers] == [-signal.SIGKILL, 0]
    world.run("invoices")

    expected = [(f"{code}-26-{partition:02d}", number) for code in ("SWIFT", "ZOOM") for partition in range(PARTITIONS)
                for number in range(1, 9)]  # fmt: skip
    assert world.numbers() == expected
    assert len(world.files()) == len(expected)
    assert world.differences("invoices") == []


def test_a_worker_whose_position_was_moved_by_another_writes_nothing(world: World) -> None:
    """The zombie as the database sees it: it has read records that another worker has carried out meanwhile."""
    refused = metrics.STALE.labels("invoices")._value.get()
    world.settle(*(trip(number) for number in range(3)))
    zombie = world.worker("invoices")
    read = zombie._inlet.poll

    def poll_late(limit: int, timeout_s: float) -> list[Raw]:
        records = read(limit, timeout_s)
        if records:
            world.query("update sink.position set next_offset = 3 where partition = 0")
        return records

    zombie._inlet.poll = poll_late  # type: ignore[method-assign]
    zombie.run()

    assert metrics.STALE.labels("invoices")._value.get() == refused + 1
    assert world.numbers() == []
    assert world.files() == {}


def test_a_worker_that_was_stopped_while_another_took_over_does_no_harm(world: World) -> None:
    """SIGSTOP until the group has given its partitions away, then SIGCONT."""
    sleeper = world.start("invoices", until_idle_s=40)
    world.settle(trip(1))
    wait_until(lambda: len(world.files()) == 1)
    sleeper.send_signal(signal.SIGSTOP)
    for number in range(2, 6):
        world.settle(trip(number))
    heir = world.start("invoices", until_idle_s=15)
    try:
        wait_until(lambda: len(world.files()) == 5)
    finally:
        sleeper.send_signal(signal.SIGCONT)
    world.settle(trip(6))
    wait_until(lambda: len(world.files()) == 6)
    sleeper.terminate()

    assert sleeper.wait(30) == 0
    assert heir.wait(90) == 0
    assert world.numbers() == [("SWIFT-26-00", number) for number in range(1, 7)]
    assert world.differences("invoices") == []


@pytest.mark.requirement("PRI-11")
def test_two_workers_that_close_a_day_together_cut_it_once(world: World) -> None:
    workers = [world.start("adi", until_idle_s=6) for _ in range(2)]
    days = [f"2026-07-{day:02d}" for day in range(1, 7)]
    for number, day in enumerate(days):
        for partition in range(PARTITIONS):
            mine = purchase(10 * number + partition, day=day)
            world.post(*((partition, line) for line in mine), (partition, closed(day, mine)))
    assert [worker.wait(120) for worker in workers] == [0, 0]

    assert world.numbers() == [(series, number) for series in ("adi-csv/LEI", "adi/LEI") for number in range(1, 7)]
    assert [file[4:14] for file in sorted(world.files())] == [day for day in days for _ in range(2)]
    assert world.differences("adi") == []


def test_a_worker_whose_connection_to_postgres_breaks_goes_on(world: World) -> None:
    worker = world.start("invoices", until_idle_s=12)
    for number in range(10):
        world.settle(trip(number))
        if number % 3 == 0:
            world.query(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and application_name = 'millrace-sinks'"
            )
    assert worker.wait(90) == 0

    assert world.numbers() == [("SWIFT-26-00", number) for number in range(1, 11)]
    assert world.differences("invoices") == []


@pytest.mark.requirement("DLR-01")
def test_a_postgres_that_lets_a_worker_in_and_keeps_nothing_is_tried_again_ever_more_seldom(world: World) -> None:
    """Its disk is full. What comes before the failed step, as asking Billing, must not be done without a pause."""
    turns, until = 0, time.monotonic() + 3
    loop = Loop("billing", world.postgres, None)

    def turn() -> bool:
        nonlocal turns
        turns, loop.stopping = turns + 1, time.monotonic() > until
        raise psycopg.errors.DiskFull("could not extend file")

    loop.run(turn)

    assert 3 <= turns <= 8


@pytest.mark.requirement("BEY-02")
def test_files_that_the_storage_refuses_wait_until_it_takes_them(world: World) -> None:
    world.blob.write_text("a file where the folder should be")
    world.settle(trip(1), trip(2))
    with pytest.raises(StorageUnavailable, match=r"nothing is lost, the files wait in sink\.outgoing"):
        world.run("invoices")
    assert world.query("select count(*) from sink.outgoing") == [(2,)]

    world.blob.unlink()
    world.run("invoices")

    assert world.numbers() == [("SWIFT-26-00", 1), ("SWIFT-26-00", 2)]
    assert len(world.files()) == 2
    assert world.differences("invoices") == []
