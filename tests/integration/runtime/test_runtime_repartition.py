"""A pipeline at rest gets more partitions, and its rows go where their books will be."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiokafka.partitioner import murmur2
from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient
from runtime_auditor import audit
from runtime_pipeline import Pipeline, commands

from streams.repartition.move import MOVING, NotAtRestError, Place, Placing, Repartition
from streams.runtime.topics import CHANGELOG_CONFIG, ensure_topics

pytestmark = [pytest.mark.requirement("PIPE-02", "PIPE-03"), pytest.mark.timeout(150)]

MORE = 6
BY_BOOK = Place(Placing.BY_BOOK)


class Moved(Pipeline):
    """As a reader sees it who knows that a key may have older records in another partition."""

    def read_own(self, topic: str, isolation: str = "read_committed") -> list[Message]:
        records = super().read_own(topic, isolation)
        return sorted(records, key=lambda record: record.timestamp()[1]) if topic in ("in", "balances") else records


def partition_of(key: bytes) -> int:
    return int(murmur2(key) & 0x7FFFFFFF) % MORE


def repartition(pipeline: Pipeline, kind: type[Repartition] = Repartition, partitions: int = MORE) -> None:
    move = kind({"bootstrap.servers": pipeline.kafka}, pipeline.run, partitions, partition_of, 1, print)
    run = pipeline.run
    tables = {f"{run}-accounts-changelog": BY_BOOK, f"{run}-locks-changelog": BY_BOOK}
    move.run([f"{run}-in"], [f"{run}-out", f"{run}-balances"], tables, CHANGELOG_CONFIG)


def counts(pipeline: Pipeline) -> dict[str, int]:
    topics = AdminClient({"bootstrap.servers": pipeline.kafka}).list_topics(timeout=10).topics
    return {name: len(topic.partitions) for name, topic in topics.items() if name.startswith(pipeline.run)}


def placed(pipeline: Pipeline, table: str) -> dict[str, set[int]]:
    """The partitions in which each key has a row."""
    found: dict[str, set[int]] = {}
    for record in pipeline.read_own(f"{table}-changelog"):
        found.setdefault(record.key().decode(), set()).add(record.partition())
    return found


def test_after_more_partitions_every_book_goes_on_where_it_stood(kafka: str, tmp_path: Any) -> None:
    pipeline = Moved(kafka, f"rt-more-{tmp_path.parent.name}-{tmp_path.stat().st_ino}", tmp_path)
    pipeline.create_topics()
    try:
        pipeline.put(commands(2_000))
        before = pipeline.start().wait_ready()
        pipeline.wait_outcomes(2_000)
        assert before.terminate() == 0
        tables = {name: pipeline.table(name) for name in ("accounts", "locks")}

        repartition(pipeline)

        assert set(counts(pipeline).values()) == {MORE}
        assert {name: pipeline.table(name) for name in tables} == tables
        for name in tables:
            for key, partitions in placed(pipeline, name).items():
                assert partitions == {partition_of(key.partition("|")[0].encode())}
        pipeline.partitions = MORE
        for _ in range(2):
            pipeline.start().wait_ready()
        pipeline.put(commands(2_000, seed=2, first=2_000))
        pipeline.wait_outcomes(4_000)
        audit(pipeline)
    finally:
        pipeline.close()


STEPS = ["_create", "_copy", "_delete", "_create", "_copy", "_delete"]
"""Of one table, as they are taken."""


def cut_short(nth: int) -> type[Repartition]:
    """A repartition that ends before its nth step; a copy, in the middle of its transaction."""
    taken = 0

    def step(name: str) -> Callable[..., None]:
        whole = getattr(Repartition, name)

        def wrapped(self: Repartition, *args: Any) -> None:
            nonlocal taken
            if name == "_delete" and args[0] not in args[1]:
                return  # nothing is there to be deleted
            taken += 1
            if taken < nth:
                whole(self, *args)
                return
            if name == "_copy":
                self._producer.begin_transaction()
                self._producer.produce(args[1], b"half a copy", b"book-1|1", 0)
                self._producer.flush(10)
            raise InterruptedError(name)

        return wrapped

    return type("CutShort", (Repartition,), {name: step(name) for name in set(STEPS)})


def changelog_rows(pipeline: Pipeline) -> Iterator[tuple[str, bytes]]:
    for n in range(200):
        yield f"book-{n % 40}|{n}", json.dumps({"balance": n}).encode()


@pytest.mark.parametrize("nth", range(1, len(STEPS) + 2))
def test_cut_short_at_any_step_it_goes_on_when_it_is_given_again(pipeline: Pipeline, nth: int) -> None:
    changelogs = {f"{pipeline.run}-{table}-changelog": pipeline.partitions for table in ("accounts", "locks")}
    client = {"bootstrap.servers": pipeline.kafka}
    ensure_topics(client, sources=[], changelogs=changelogs, replication_factor=1, wait_s=10)
    producer = Producer(client)
    for key, value in changelog_rows(pipeline):
        producer.produce(f"{pipeline.run}-accounts-changelog", value, key, int(key[5:].partition("|")[0]) % 4)
    producer.produce(f"{pipeline.run}-accounts-changelog", None, "book-0|0", 0)  # a row that is deleted stays so
    assert producer.flush(10) == 0
    rows = pipeline.table("accounts")
    assert len(rows) == 199

    with pytest.raises(InterruptedError):
        repartition(pipeline, cut_short(nth))
    repartition(pipeline)

    assert pipeline.table("accounts") == rows
    assert set(counts(pipeline).values()) == {MORE}
    assert not [name for name in counts(pipeline) if name.endswith(MOVING)]


def test_new_partitions_of_a_table_that_stays_begin_with_what_is_made_of_the_old_rows(pipeline: Pipeline) -> None:
    changelog, client = f"{pipeline.run}-days-changelog", {"bootstrap.servers": pipeline.kafka}
    ensure_topics(client, sources=[], changelogs={changelog: pipeline.partitions}, replication_factor=1, wait_s=10)
    producer = Producer(client)
    for partition, day in enumerate((b"4", b"5", b"4")):
        producer.produce(changelog, b"3", b"open", partition)
        producer.produce(changelog, day, b"open", partition)
    assert producer.flush(10) == 0

    move = Repartition(client, pipeline.run, MORE, partition_of, 1, print)
    move.run([], [], {changelog: Place(Placing.STAYS, begin=max)}, CHANGELOG_CONFIG)

    last = {record.partition(): record.value() for record in pipeline.read_own("days-changelog")}
    assert last == {0: b"4", 1: b"5", 2: b"4", 4: b"5", 5: b"5"}


def test_while_a_worker_runs_nothing_is_changed(pipeline: Pipeline) -> None:
    pipeline.put(commands(100))
    worker = pipeline.start().wait_ready()
    pipeline.wait_outcomes(100)
    with pytest.raises(NotAtRestError, match="1 members: stop all workers first"):
        repartition(pipeline)
    assert set(counts(pipeline).values()) == {pipeline.partitions}
    assert worker.terminate() == 0
    repartition(pipeline)


def test_while_a_record_waits_nothing_is_changed(pipeline: Pipeline) -> None:
    pipeline.put(commands(100))
    worker = pipeline.start().wait_ready()
    pipeline.wait_outcomes(100)
    assert worker.terminate() == 0
    pipeline.put(commands(1, seed=2, first=100))
    with pytest.raises(NotAtRestError, match="that no worker has taken"):
        repartition(pipeline)
    assert set(counts(pipeline).values()) == {pipeline.partitions}


def test_partitions_cannot_become_fewer(pipeline: Pipeline) -> None:
    with pytest.raises(NotAtRestError, match="Kafka cannot take any away"):
        repartition(pipeline, partitions=2)
