"""Restores from snapshots: whatever happens in between, the rows are those of the changelog."""

import hashlib
import json
import signal
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from runtime_auditor import audit
from runtime_pipeline import Pipeline, Worker, commands, wait_until

from streams.runtime.snapshot import Header

pytestmark = [pytest.mark.requirement("PIPE-02"), pytest.mark.timeout(180)]

APP = "telling_ledger"
TABLES = ["accounts", "locks"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


@pytest.fixture
def ledger(pipeline: Pipeline) -> Pipeline:
    pipeline.create_topics("ask", "told")
    return pipeline


def start(pipeline: Pipeline, folder: Path | None, app: str = APP, **environment: str) -> Worker:
    """A worker with snapshots in `folder`, taken as often as possible, or with none."""
    if folder is not None:
        environment = {"MILLRACE_SNAPSHOTS": str(folder), "MILLRACE_SNAPSHOT_RECORDS": "1", **environment}
    return pipeline.start(app, **environment)


def rows_told(pipeline: Pipeline) -> dict[str, dict[str, Any]]:
    """The rows that the workers hold now, by table."""
    question = uuid.uuid4().hex.encode()
    producer = Producer({"bootstrap.servers": pipeline.kafka})
    for partition in range(pipeline.partitions):
        producer.produce(f"{pipeline.run}-ask", b"", question, partition)
    assert producer.flush(10) == 0

    def answers() -> list[Any]:
        told = pipeline.read_own("told")
        return [json.loads(record.value()) for record in told if record.key() == question]

    wait_until(lambda: len(answers()) == len(TABLES) * pipeline.partitions, why="all rows")
    rows: dict[str, dict[str, Any]] = {table: {} for table in TABLES}
    for answer in answers():
        rows[answer["table"]] |= answer["rows"]
    return rows


def check(pipeline: Pipeline) -> None:
    """What the workers hold is what the changelogs tell, and that is what the input demands."""
    assert rows_told(pipeline) == {table: pipeline.table(table) for table in TABLES}
    audit(pipeline)


def work(pipeline: Pipeline, folder: Path | None, first: int, count: int, **environment: str) -> None:
    """Let one worker carry out `count` commands from id `first`, and stop."""
    pipeline.put(commands(count, seed=first + 1, first=first))
    worker = start(pipeline, folder, **environment).wait_ready()
    pipeline.wait_outcomes(first + count)
    assert worker.terminate() == 0


def rewritten(file: Path, **header: Any) -> None:
    """Give a snapshot another header, and the checksum that belongs to it."""
    old, _, rest = file.read_bytes().partition(b"\n")
    new = msgspec.structs.replace(msgspec.json.decode(old, type=Header), **header)
    body = msgspec.json.encode(new) + b"\n" + rest[:-65]
    file.write_bytes(body + hashlib.sha256(body).hexdigest().encode() + b"\n")


def alter_changelogs(pipeline: Pipeline, **config: str) -> None:
    admin = AdminClient({"bootstrap.servers": pipeline.kafka})
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in config.items()
    ]
    resources = [
        ConfigResource(ResourceType.TOPIC, f"{pipeline.run}-{table}-changelog", incremental_configs=entries)
        for table in TABLES
    ]
    for altered in admin.incremental_alter_configs(resources).values():
        altered.result(10)


def test_a_start_from_snapshots_has_the_rows_of_the_changelog_and_reads_only_what_came_later(
    ledger: Pipeline, folder: Path
) -> None:
    work(ledger, folder, 0, 3_000)
    assert len(list(folder.iterdir())) == len(TABLES) * ledger.partitions
    work(ledger, None, 3_000, 300)  # deletes locks, too
    later = sum(len(ledger.read_own(f"{table}-changelog")) for table in TABLES)

    worker = start(ledger, folder).wait_ready()

    assert worker.metric("millrace_snapshot_rows_read_total") > 200
    assert 0 < worker.metric("millrace_restored_records_total") <= 600 < later
    check(ledger)


def test_a_start_with_nothing_changed_since_reads_nothing(ledger: Pipeline, folder: Path) -> None:
    work(ledger, folder, 0, 1_000)
    worker = start(ledger, folder).wait_ready()
    assert worker.metric("millrace_snapshot_rows_read_total") > 0
    assert worker.metric("millrace_restored_records_total") == 0
    check(ledger)


def torn(_: Pipeline, folder: Path) -> None:
    for file in folder.iterdir():
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])


def made_anew(pipeline: Pipeline, _: Path) -> None:
    names = [f"{pipeline.run}-{table}-changelog" for table in TABLES]
    admin = AdminClient({"bootstrap.servers": pipeline.kafka})
    for deleted in admin.delete_topics(names).values():
        deleted.result(10)
    wait_until(lambda: not {*names} & admin.list_topics(timeout=5).topics.keys())


def of_other_rows(_: Pipeline, folder: Path) -> None:
    for file in folder.iterdir():
        rewritten(file, row_type="another")


def ahead(_: Pipeline, folder: Path) -> None:
    for file in folder.iterdir():
        rewritten(file, offset=1_000_000)


def behind(pipeline: Pipeline, _: Path) -> None:
    """The start of the changelogs is beyond the snapshots, as no compaction alone can bring about."""
    work(pipeline, None, 1_000, 1_000)
    alter_changelogs(pipeline, cleanup_policy="compact,delete")
    admin = AdminClient({"bootstrap.servers": pipeline.kafka})
    ends = [TopicPartition(f"{pipeline.run}-{table}-changelog", number, -1)
            for table in TABLES for number in range(pipeline.partitions)]  # fmt: skip
    for deleted in admin.delete_records(ends).values():
        deleted.result(10)


def too_old(pipeline: Pipeline, _: Path) -> None:
    """The changelog has been told to forget tombstones at once, which Kafka may have done before the restore reads."""
    alter_changelogs(pipeline, delete_retention_ms="0")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (torn, "unreadable"),
        (made_anew, "other_changelog"),
        (of_other_rows, "other_rows"),
        (ahead, "ahead"),
        (behind, "behind"),
        (too_old, "too_old"),
    ],
)
def test_a_snapshot_that_does_not_fit_is_refused_and_the_changelog_is_read_from_its_start(
    ledger: Pipeline, folder: Path, spoil: Callable[[Pipeline, Path], None], reason: str
) -> None:
    work(ledger, folder, 0, 1_000)
    spoil(ledger, folder)

    worker = start(ledger, folder).wait_ready()

    assert f"snapshot refused ({reason})" in worker.said()
    assert worker.metric("millrace_snapshot_problems_total") == len(TABLES) * ledger.partitions
    assert worker.metric("millrace_snapshot_rows_read_total") == 0
    assert rows_told(ledger) == {table: ledger.table(table) for table in TABLES}


@pytest.mark.parametrize("point", ["line", "whole", "renamed"])
def test_killed_while_it_writes_a_snapshot_a_worker_leaves_none_that_misleads(
    ledger: Pipeline, folder: Path, point: str
) -> None:
    work(ledger, folder, 0, 1_000)
    ledger.put(commands(1_000, seed=2, first=1_000))
    trapped = start(ledger, folder, "trapped_snapshots", worker="0", POINT=point)
    assert trapped.end() == -signal.SIGKILL
    assert "TRAPPED" in trapped.said()
    assert len(list(folder.glob("*.tmp"))) == (0 if point == "renamed" else 1)

    ledger.put(commands(300, seed=3, first=2_000))
    worker = start(ledger, folder, worker="0").wait_ready()

    assert list(folder.glob("*.tmp")) == []
    assert worker.metric("millrace_snapshot_rows_read_total") > 0
    assert worker.metric("millrace_snapshot_problems_total") == 0
    ledger.wait_outcomes(2_300)
    check(ledger)


def test_a_partition_that_comes_back_has_what_another_worker_changed_meanwhile(ledger: Pipeline, folder: Path) -> None:
    """Without warm rows, so that it comes back from the snapshot of when it went."""
    ledger.put(commands(1_000))
    first = start(ledger, folder, MILLRACE_WARM_S="0").wait_ready()
    ledger.wait_outcomes(1_000)
    wait_until(lambda: len(list(folder.glob("*.snapshot"))) == len(TABLES) * ledger.partitions, why="all snapshots")
    second = start(ledger, None).wait_ready()
    wait_until(lambda: first.partitions() and second.partitions(), why="a share for both")
    ledger.put(commands(1_000, seed=2, first=1_000))
    ledger.wait_outcomes(2_000)
    check(ledger)

    assert second.terminate() == 0
    wait_until(lambda: len(first.partitions()) == 2 * ledger.partitions, why="all")
    first.wait_ready()

    assert first.metric("millrace_snapshot_rows_read_total") > 0
    check(ledger)


def compacted(pipeline: Pipeline) -> bool:
    """More than half of what was written is gone."""
    records = pipeline.read_own("accounts-changelog")
    ends = {record.partition(): record.offset() + 1 for record in records}
    return len(records) < sum(ends.values()) / 2


def test_snapshots_from_before_a_compaction_lead_to_the_same_rows(ledger: Pipeline, folder: Path) -> None:
    work(ledger, folder, 0, 1_000)
    alter_changelogs(ledger, segment_ms="100", min_cleanable_dirty_ratio="0.01")
    work(ledger, None, 1_000, 1_000, MILLRACE_BATCH_RECORDS="20")  # many versions of each row
    work(ledger, None, 2_000, 40)  # closes the segments
    wait_until(lambda: compacted(ledger), 90, why="a compaction")

    worker = start(ledger, folder).wait_ready()

    assert worker.metric("millrace_snapshot_rows_read_total") > 0
    assert worker.metric("millrace_snapshot_problems_total") == 0
    check(ledger)


def test_kills_and_stops_under_load_with_one_folder_for_all_workers_leave_no_trace(
    ledger: Pipeline, folder: Path
) -> None:
    count = 9_000
    loader = threading.Thread(target=ledger.put, args=(commands(count),), kwargs={"rate": 600.0})
    workers = [start(ledger, folder, worker=str(slot)) for slot in range(2)]
    for worker in workers:
        worker.wait_ready()
    loader.start()
    for turn, blow in enumerate([signal.SIGKILL, signal.SIGTERM, signal.SIGKILL]):
        ledger.wait_outcomes(1_500 * (turn + 1))
        workers[turn % 2].send(blow)
        workers[turn % 2].end()
        workers[turn % 2] = start(ledger, folder, worker=str(turn % 2))
    loader.join()
    ledger.wait_outcomes(count)
    assert sum(worker.metric("millrace_snapshot_rows_read_total") for worker in workers) > 0
    check(ledger)


def test_a_disk_that_cannot_be_written_is_said_and_ends_nothing(ledger: Pipeline, folder: Path) -> None:
    ledger.put(commands(500))
    worker = start(ledger, folder).wait_ready()
    for table in TABLES:
        for partition in range(ledger.partitions):
            (folder / f"{ledger.run}-{table}-changelog-{partition}.snapshot").mkdir(exist_ok=True)
    ledger.wait_outcomes(500)
    wait_until(lambda: worker.metric("millrace_snapshot_problems_total") > 0, why="a failed snapshot")
    assert "cannot write snapshot" in worker.said()
    assert worker.terminate() == 0
    audit(ledger)


def test_a_folder_that_cannot_be_made_is_named_at_start(ledger: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    worker = start(ledger, tmp_path / "file" / "snapshots")
    assert worker.end() == 2
    assert "refused to start: the folder of MILLRACE_SNAPSHOTS cannot be used" in worker.said()
