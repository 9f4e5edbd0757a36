"""Rows in other partitions than their book's, put there after a run without faults: the auditor finds them."""

from collections.abc import Callable

import pytest

from streams.simulator.evidence import audit, visible
from streams.simulator.faults import MACHINES
from streams.simulator.kafka.broker import Broker, NewRecord
from streams.simulator.kafka.messages import Place
from streams.simulator.run import script_of, studio
from streams.simulator.world import Berth, World

BALANCES = "millrace-balances-changelog"


@pytest.fixture
def broker() -> Broker:
    """What a run of seed 1, without any fault, has left behind."""
    script = script_of(1)._replace(faults=())
    world = World(script, studio().contracts, [Berth(MACHINES[0], 50, is_wanted=True)])
    world.run()
    return world.broker


def last_of(broker: Broker, partition: int) -> tuple[bytes, bytes] | None:
    rows: dict[bytes, bytes | None] = {}
    for record in visible(broker, Place(BALANCES, partition)):
        rows[record.key() or b""] = record.value()
    return next(((key, value) for key, value in rows.items() if value is not None), None)


def move_a_row(broker: Broker) -> None:
    """A row lies in another partition than its book: its owner restores an account without money."""
    partition, row = next((number, row) for number in range(7) if (row := last_of(broker, number)) is not None)
    key, value = row
    broker.produce([NewRecord(Place(BALANCES, partition), key, None, None, 0)])
    broker.produce([NewRecord(Place(BALANCES, partition + 1), key, value, None, 0)])


def leave_a_copy(broker: Broker) -> None:
    """A stale copy of a row lies in another partition: whoever owns that has money of a book that is not its own."""
    partition, row = next((number, row) for number in range(7, 0, -1) if (row := last_of(broker, number)) is not None)
    broker.produce([NewRecord(Place(BALANCES, partition - 1), row[0], row[1], None, 0)])


def test_what_is_right_is_found_right(broker: Broker) -> None:
    assert audit(broker, studio().wire).findings.kept == []


@pytest.mark.requirement("PIPE-02", "PIPE-09")
@pytest.mark.parametrize("tamper", [move_a_row, leave_a_copy])
def test_a_row_in_another_partition_than_its_book_is_found(tamper: Callable[[Broker], None], broker: Broker) -> None:
    """PIPE-02: a table is restored from its changelog topic; a worker restores one partition, not the topic."""
    tamper(broker)
    assert audit(broker, studio().wire).findings.kept
