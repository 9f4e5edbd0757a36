"""What cannot be carried out waits, stops nothing, and can be tried again (PIPE-08)."""

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from msgspec.structs import replace

from schemas.avro import schema_of
from schemas.fields import Money
from schemas.general_ledger import LedgerSide
from sinks import database, retry
from sinks.storage import Storage
from tests.integration.sinks.world import PARTITIONS, World, closed, line, purchase, trip

DAY = "2026-07-03"


def tried(world: World, sink: str, subject: str | None = None) -> retry.Retried:
    with database.connect(world.postgres) as connection:
        storage = Storage(f"file://{world.blob}")
        return retry.retry(world.sink(sink), world.codec, connection, world.settings.kafka, storage, subject)


def retried(world: World, sink: str) -> list[str]:
    """What `retry` leaves, as it says it."""
    return [str(item) for item in tried(world, sink).left]


def reasons(world: World) -> list[tuple[int, str, str]]:
    return [
        (row[0], row[1], row[2])
        for row in world.query("select record_offset, subject, reason from sink.parked order by partition, 1, 2")
    ]


@pytest.mark.requirement("MOB-25")
def test_an_unknown_issuer_blocks_nobody_and_is_invoiced_later(world: World) -> None:
    world.settle(trip(1), trip(2, "newcomer"), trip(3), trip(4, "newcomer"))
    world.run("invoices")
    assert reasons(world) == [(1, "", "unknown_issuer"), (3, "", "unknown_issuer")]
    assert world.numbers() == [("SWIFT-26-00", 1), ("SWIFT-26-00", 2)]
    assert len(retried(world, "invoices")) == 2

    world.onboard("newcomer", "NEWCO")

    assert retried(world, "invoices") == []
    assert world.query("select trip_id from sink.invoice where name like '%%NEWCO%%' order by name") == [
        ("trip-2",), ("trip-4",),
    ]  # fmt: skip
    assert len(world.files()) == 4
    assert world.differences("invoices") == []


@pytest.mark.requirement("MOB-25", "PIPE-08")
def test_one_record_is_tried_again_and_the_others_wait_on(world: World) -> None:
    world.settle(trip(1, "newcomer"), trip(2, "newcomer"))
    world.run("invoices")
    second = f"{world.trips.name}/0@1"
    assert tried(world, "invoices", "another").left == []
    assert [item.record for item in tried(world, "invoices", second).left] == [second]
    world.onboard("newcomer", "NEWCO")

    let_go, left = tried(world, "invoices", second)

    assert ([item.what for item in let_go], left) == ([f"invoices {second}"], [])
    assert reasons(world) == [(0, "", "unknown_issuer")]
    assert world.query("select trip_id from sink.invoice") == [("trip-2",)]


@pytest.mark.requirement("PRI-11", "PIPE-08")
def test_one_prison_is_tried_again_by_its_name_or_by_its_day(world: World) -> None:
    crooked = [*purchase(1, day=DAY), line(2, LedgerSide.DEBIT, 100, day=DAY)]
    others = [*purchase(3, day=DAY, prison="MDI"), line(4, LedgerSide.DEBIT, 100, day=DAY, prison="MDI")]
    for partition, mine in enumerate((crooked, others, [])):
        world.post(*((partition, each) for each in mine), (partition, closed(DAY, mine)))
    world.run("adi")
    assert {subject for _, subject, _ in reasons(world)} == {f"{DAY}/LEI", f"{DAY}/MDI"}

    assert [item.subject for item in tried(world, "adi", "LEI").left] == [f"{DAY}/LEI"]
    assert len(tried(world, "adi", DAY).left) == 2
    assert tried(world, "adi", "LE") == ([], []), "a part of a name names nothing"


@pytest.mark.requirement("MOB-25")
def test_a_record_that_kafka_no_longer_holds_stays_parked_and_stops_no_other(world: World) -> None:
    world.settle(trip(1, "newcomer"), trip(2, "newcomer"))
    world.run("invoices")
    world.onboard("newcomer", "NEWCO")
    admin = AdminClient({"bootstrap.servers": world.settings.kafka})
    for removed in admin.delete_records([TopicPartition(world.trips.name, 0, 1)]).values():
        removed.result(30)

    assert len(retried(world, "invoices")) == 1

    assert reasons(world) == [(0, "", "record_gone")]
    assert world.numbers() == [("NEWCO-26-00", 1)]


@pytest.mark.requirement("MOB-25")
def test_numbers_of_retried_invoices_follow_those_given_meanwhile(world: World) -> None:
    world.query("update sink.issuer set zone = 'Nowhere' where code = 'SWIFT'")
    world.settle(trip(1))
    world.run("invoices")
    world.query("update sink.issuer set zone = 'Europe/Copenhagen' where code = 'SWIFT'")
    world.settle(trip(2))
    world.run("invoices")

    assert retried(world, "invoices") == []

    assert world.query("select trip_id from sink.invoice order by name") == [("trip-2",), ("trip-1",)]


@pytest.mark.requirement("PIPE-04", "MOB-25")
def test_bytes_that_are_no_message_and_trips_that_make_no_sense_wait(world: World) -> None:
    world.query("update sink.issuer set legal_name = '摩托' where code = 'ZOOM'")
    world.write_raw(world.trips, b"junk")
    world.settle(trip(1), trip(1), trip(2, fare_minor=-5), trip(3, fare_minor=0), trip(4, "zoom"), trip(5))
    world.run("invoices")

    assert [reason for _, _, reason in reasons(world)] == [
        "not_framed", "already_invoiced", "negative_fare", "unprintable",
    ]  # fmt: skip
    assert world.numbers() == [("SWIFT-26-00", 1), ("SWIFT-26-00", 2)]
    assert world.differences("invoices") == []


@pytest.mark.requirement("PRI-11")
def test_an_unbalanced_prison_waits_while_the_others_get_their_files(world: World) -> None:
    crooked = [*purchase(1, day=DAY), line(2, LedgerSide.DEBIT, 100, day=DAY)]
    straight = purchase(3, day=DAY, prison="MDI")
    world.post(*((0, each) for each in crooked), *((1, each) for each in straight))
    for partition, mine in enumerate((crooked, straight, [])):
        world.post((partition, closed(DAY, mine)))
    world.run("adi")

    assert [(subject, reason) for _, subject, reason in reasons(world)] == [(f"{DAY}/LEI", "unbalanced")]
    assert all("_MDI_" in file for file in world.files())
    assert len(world.files()) == 2
    assert world.differences("adi") == []


@pytest.mark.requirement("PRI-11")
def test_a_day_whose_control_totals_differ_is_cut_when_the_missing_line_can_be_read(world: World) -> None:
    """The line is written with a schema that the registry does not know yet: a release that came too early."""
    mine = purchase(1, day=DAY)
    world.post((2, mine[0]))
    world.write_raw(world.lines, world.codec.encode(mine[1])[:12], partition=2)
    for partition in range(PARTITIONS):
        world.post((partition, closed(DAY, mine if partition == 2 else [])))
    world.run("adi")
    assert {(subject, reason) for _, subject, reason in reasons(world)} == {
        ("", "not_avro"),
        (DAY, "control_totals_differ"),
    }
    assert world.files() == {}
    assert len(retried(world, "adi")) == 2

    # what a later release would make of the unreadable record: the same line, at the same place
    unreadable = next(offset for offset, subject, _ in reasons(world) if subject == "")
    world.query("delete from sink.parked where subject = ''")
    world.query(
        "insert into sink.adi_line (line_id, topic, partition, record_offset, transaction_id, prison_id,"
        " accounting_date, cost_centre, gl_account, side, amount_minor, description, prisoner_id)"
        " select line_id || '-credit', topic, partition, %s, transaction_id, prison_id, accounting_date, cost_centre,"
        " '1816902028', 'credit', amount_minor, description, prisoner_id from sink.adi_line",
        unreadable,
    )

    assert retried(world, "adi") == []
    assert len(world.files()) == 2


@pytest.mark.requirement("PRI-11")
def test_late_foreign_and_repeated_lines_wait(world: World) -> None:
    mine = purchase(1, day=DAY)
    dollars = replace(line(2, LedgerSide.DEBIT, 100, day=DAY), amount=Money(amount_minor=1, currency="USD"))
    world.post(*((0, each) for each in mine))
    for partition in range(PARTITIONS):
        world.post((partition, closed(DAY, mine if partition == 0 else [])))
    world.run("adi")  # what comes first on another partition is nobody's promise
    world.post((0, line(9, LedgerSide.DEBIT, 100, day=DAY)), (1, dollars))
    world.post((1, replace(mine[0], accounting_date="2026-07-04")))
    world.run("adi")

    assert [reason for _, _, reason in reasons(world)] == ["late_line", "not_gbp", "line_id_seen"]
    assert len(world.files()) == 2
    assert schema_of(type(mine[0]))["name"] == "GeneralLedgerLine"
    assert world.differences("adi") == []


@pytest.mark.requirement("PRI-11")
def test_a_day_before_a_partitions_first_is_cut_when_that_partition_has_closed_a_later_one(world: World) -> None:
    """A backlog: one partition has lines of a day at which the others had not begun."""
    mine, later = purchase(1, day=DAY), "2026-07-05"
    world.post(*((0, each) for each in mine), (0, closed(DAY, mine)), (0, closed("2026-07-04", [])))
    world.post((0, closed(later, [])))
    world.run("adi")
    assert world.files() == {}

    for partition in range(1, PARTITIONS):
        world.post((partition, closed(later, [])))
    world.run("adi")

    assert len(world.files()) == 2
    assert reasons(world) == []
    assert world.differences("adi") == []


@pytest.mark.requirement("PRI-11")
def test_lines_of_a_partition_that_never_announced_their_day_hold_it_up(world: World) -> None:
    mine, stray = purchase(1, day=DAY), purchase(2, day=DAY)
    world.post(*((0, each) for each in mine), (0, closed(DAY, mine)), *((1, each) for each in stray))
    for partition in range(1, PARTITIONS):
        world.post((partition, closed("2026-07-04", [])))
    world.post((0, closed("2026-07-04", [])))
    world.run("adi")

    assert {(subject, reason) for _, subject, reason in reasons(world)} == {(DAY, "control_totals_differ")}
    assert world.files() == {}
