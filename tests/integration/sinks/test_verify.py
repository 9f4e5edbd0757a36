"""`verify` finds what somebody changed, wherever along the way it was (BEY-02)."""

from collections.abc import Callable

import pytest

from tests.integration.sinks.world import PARTITIONS, World, closed, purchase, trip

pytestmark = pytest.mark.requirement("BEY-02")
SECOND = "invoices/SWIFT/2026/SWIFT-26-00-000002.pdf"
DAY = "2026-07-03"


def tampered_file(world: World) -> None:
    path = world.blob / SECOND
    path.write_bytes(path.read_bytes().replace(b"%PDF", b"%pdf"))


def missing_file(world: World) -> None:
    (world.blob / SECOND).unlink()


def forgotten_file(world: World) -> None:
    world.query("delete from sink.invoice where name = %s", SECOND)
    world.query("delete from sink.manifest where name = %s", SECOND)


def forgotten_last_file(world: World) -> None:
    last = SECOND.replace("02.pdf", "03.pdf")
    world.query("delete from sink.invoice where name = %s", last)
    world.query("delete from sink.manifest where name = %s", last)


def renumbered_file(world: World) -> None:
    world.query("update sink.manifest set number = 9 where name = %s", SECOND)


def changed_row(world: World) -> None:
    world.query("update sink.invoice set content = jsonb_set(content, '{rider_id}', '\"me\"') where name = %s", SECOND)


def other_bytes_in_row_and_storage(world: World) -> None:
    (world.blob / SECOND).write_bytes(b"%PDF forged")
    forged = "b6d81b360a5672d80c27430f39153e2c4a3f0d1b2c1bd5dd0f9f0d3f3dd5ff00"
    world.query("update sink.manifest set sha256 = %s where name = %s", forged, SECOND)


@pytest.mark.parametrize(
    ("crime", "said"),
    [
        (tampered_file, [f"{SECOND}: the bytes in the blob storage are not those that were registered"]),
        (missing_file, [f"{SECOND}: is missing in the blob storage"]),
        (forgotten_file, ["number 3 of series SWIFT-26-00 comes after 1", "/0@1: trip trip-1 has no invoice"]),
        (forgotten_last_file, ["series SWIFT-26-00 ends with 2, but 3 was given", "/0@2: trip trip-2 has no invoice"]),
        (renumbered_file, ["number 3 of series SWIFT-26-00 comes after 1", f"{SECOND}: number 9 of series"]),
        (
            changed_row,
            [f"{SECOND}: its rows give other bytes", "invoice SWIFT-26-00-000002 is not what the record says"],
        ),
        (other_bytes_in_row_and_storage, [f"{SECOND}: its rows give other bytes", "is not chained"]),
    ],
)
def test_verify_finds_the_crime(world: World, crime: Callable[[World], None], said: list[str]) -> None:
    world.settle(*(trip(number) for number in range(3)))
    world.run("invoices")
    assert world.differences("invoices") == []

    crime(world)

    found = world.differences("invoices")
    assert all(any(sentence in line for line in found) for sentence in said), found


@pytest.mark.requirement("PRI-11")
@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("update sink.adi_line set amount_minor = amount_minor + 1", "is not kept as the record says it"),
        ("update sink.adi_line set amount_minor = amount_minor + 1", "its rows give other bytes"),
        ("delete from sink.adi_line where partition = 1", "is neither kept nor parked"),
        ("update sink.adi_line set file = null", "the day is closed, but 6 lines are in no file"),
        ("update sink.adi_file set initials = 'XX'", "its rows give other bytes"),
    ],
)
def test_verify_finds_changed_lines(world: World, sql: str, said: str) -> None:
    for partition in range(PARTITIONS):
        mine = purchase(partition, day=DAY)
        world.post(*((partition, line) for line in mine), (partition, closed(DAY, mine)))
    world.run("adi")
    assert world.differences("adi") == []

    world.query(sql)

    assert any(said in line for line in world.differences("adi"))
