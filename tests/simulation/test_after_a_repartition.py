"""A pipeline that got more partitions, and works on: what it has left in the old ones is no difference to the auditor.

The move is made here of what a run without faults has left: up to a moment all stands on 8 partitions, and from then
on 12, as docs/operations.md says. Tables are where they belong now, as `python -m streams repartition` takes them.
"""

from collections.abc import Callable, Iterator

import pytest

from schemas.ledger import StatementLine
from schemas.topics import BALANCES, JOURNAL, OPEN_LOCKS, PARTITIONS, PROJECTED_SUSPENSE, STATEMENT_LINES
from streams.audit.findings import Finding, Kind
from streams.audit.servers import CHANGELOGS
from streams.simulator.evidence import audit, visible
from streams.simulator.faults import MACHINES
from streams.simulator.kafka.broker import Broker
from streams.simulator.kafka.log import PartitionLog
from streams.simulator.kafka.messages import Message, Place
from streams.simulator.kafka.partitioner import murmur2
from streams.simulator.run import script_of, studio
from streams.simulator.world import Berth, World

pytestmark = [pytest.mark.requirement("PIPE-09")]

MORE = 12
PROJECTED = (BALANCES.name, OPEN_LOCKS.name, PROJECTED_SUSPENSE.name)


@pytest.fixture
def broker() -> Broker:
    """What a run of seed 1, without any fault, has left behind."""
    script = script_of(1)._replace(faults=())
    world = World(script, studio().contracts, [Berth(MACHINES[0], 50, is_wanted=True)])
    world.run()
    return world.broker


def found(broker: Broker) -> list[Finding]:
    return audit(broker, studio().wire).findings.kept


def records_of(broker: Broker, topic: str) -> list[Message]:
    """In the order of time."""
    every = [record for number in range(PARTITIONS) for record in visible(broker, Place(topic, number))]
    return sorted(every, key=lambda record: record.timestamp()[1])


def place_again(broker: Broker, topic: str, where: Callable[[Message], int]) -> None:
    """Make a topic anew with more partitions, and put each of its records where it should be."""
    records = records_of(broker, topic)
    broker.topics[topic] = MORE
    for number in range(MORE):
        broker.logs[Place(topic, number)] = PartitionLog(Place(topic, number))
    for record in records:
        log = broker.logs[Place(topic, where(record))]
        log.append(record.key(), record.value(), record.headers(), record.timestamp()[1])


def partition_of(key: bytes, partitions: int) -> int:
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def book_of(record: Message) -> bytes:
    return (record.key() or b"").partition(b"|")[0]


def time_of_the_move(broker: Broker) -> int:
    """The middle of the journal, in ms."""
    entries = records_of(broker, JOURNAL.name)
    return entries[len(entries) // 2].timestamp()[1]


def repartition(broker: Broker, astray: Message | None = None) -> None:
    """Let there be more partitions since the middle of the journal; a record astray comes as if there were not."""
    moved_ms = time_of_the_move(broker)

    def partitions_at(record: Message) -> int:
        return PARTITIONS if record is astray or record.timestamp()[1] < moved_ms else MORE

    for topic in (JOURNAL.name, STATEMENT_LINES.name):
        place_again(broker, topic, lambda record: partition_of(book_of(record), partitions_at(record)))
    for topic in PROJECTED:
        place_again(broker, topic, lambda record: partition_of(record.key() or b"", partitions_at(record)))
    for topic in CHANGELOGS.values():
        place_again(broker, topic, lambda record: partition_of(book_of(record), MORE))


def statements(broker: Broker) -> Iterator[tuple[int, str, int]]:
    """Of each statement line its partition, account and number."""
    for number in range(MORE):
        for record in visible(broker, Place(STATEMENT_LINES.name, number)):
            line = studio().wire.fields(StatementLine, record.value())
            yield number, f"{line['book']}|{line['account']}", line["number"]


def test_a_pipeline_that_got_more_partitions_is_found_right(broker: Broker) -> None:
    repartition(broker)
    lines = sorted(statements(broker))
    assert lines != sorted(lines, key=lambda line: line[1:]), "no account has lines in two partitions"
    assert found(broker) == []


def test_an_entry_that_comes_where_its_book_was_before_is_found(broker: Broker) -> None:
    moved_ms = time_of_the_move(broker)
    late = [
        record for record in records_of(broker, JOURNAL.name)
        if record.timestamp()[1] > moved_ms
        and partition_of(book_of(record), PARTITIONS) != partition_of(book_of(record), MORE)
    ]  # fmt: skip
    repartition(broker, astray=late[-1])
    assert [finding.kind for finding in found(broker)] == [Kind.MISPLACED]


@pytest.mark.parametrize("topic", [OPEN_LOCKS.name, PROJECTED_SUSPENSE.name])
def test_what_has_ended_since_may_lie_open_where_it_was_before(topic: str, broker: Broker) -> None:
    """Its end is a tombstone in another partition, which compaction takes away some day."""
    repartition(broker)
    ended = {record.key() for number in range(MORE) for record in visible(broker, Place(topic, number))
             if record.value() is None}  # fmt: skip
    for number in range(MORE):
        broker.logs[Place(topic, number)].compact(1 << 40, tombstones_before_ms=1 << 50)
    left = {record.key() for number in range(MORE) for record in visible(broker, Place(topic, number))}
    assert ended & left, "nothing has ended on another partition"
    assert found(broker) == []


@pytest.mark.parametrize("topic", PROJECTED)
def test_an_older_row_where_its_key_was_before_is_no_difference(topic: str, broker: Broker) -> None:
    history: dict[bytes, list[Message]] = {}
    for record in records_of(broker, topic):
        history.setdefault(record.key() or b"", []).append(record)
    older = next(rows for rows in history.values() if len({record.value() for record in rows}) > 1)[0]
    here = partition_of(older.key() or b"", PARTITIONS)
    for number in {*range(PARTITIONS)} - {here}:
        broker.logs[Place(topic, number)].append(older.key(), older.value(), None, older.timestamp()[1])
    assert found(broker) == []


@pytest.mark.parametrize("topic", PROJECTED)
def test_an_older_row_where_its_key_is_now_is_found(topic: str, broker: Broker) -> None:
    history: dict[bytes, list[Message]] = {}
    for record in records_of(broker, topic):
        history.setdefault(record.key() or b"", []).append(record)
    older = next(rows for rows in history.values() if len({record.value() for record in rows}) > 1)[0]
    here = partition_of(older.key() or b"", PARTITIONS)
    broker.logs[Place(topic, here)].append(older.key(), older.value(), None, older.timestamp()[1])
    assert {finding.kind for finding in found(broker)} >= {Kind.PROJECTION_DIFFERS}
