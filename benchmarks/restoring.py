"""How long a worker takes to start with a large table: from its changelog alone, and from snapshots (PIPE-02).

Each figure is of a process of its own: seconds from its start until records flow, of these in the restore, CPU seconds,
and memory.
"""

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import msgspec
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from rich.console import Console
from rich.table import Table

from benchmarks.attempt import BUILD, AttemptError
from benchmarks.broker import Broker, broker
from benchmarks.task import Task
from benchmarks.teller import TABLE, key_of, row_of
from benchmarks.tellers import Teller
from benchmarks.work import PARTITIONS
from streams.runtime.topics import CHANGELOG_CONFIG

BATCH = 2_000
LIMIT_S = 60.0
SESSION_S = 12.0
ACCOUNT_FOR = 3
"""Starts of each kind; the median counts."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Start:
    """One start of a worker, until records flow."""

    ready_s: float
    restore_s: float
    cpu_s: float
    records_read: int
    rows_from_snapshots: int
    rss_mb: float
    peak_mb: float
    load_1min: float


@dataclass(frozen=True)
class Report:
    """What was measured, in the order in which it was."""

    keys: int
    changes: int
    empty: list[Start]
    cold: list[Start]
    stall_ms: float
    """Mean time for which a cycle waits for the image of a table partition."""
    snapshot_mb: float
    snapshots: list[Start]
    snapshots_and_changes: list[Start]
    bytes_per_key: float
    """Resident memory of a worker with the rows, less that of one without, by row."""


def run(keys: int, changes: int, say: Say) -> Report:
    """Fill, start, stop and start again, on a broker of our own."""
    with broker() as shared:
        task = _task(shared)
        folder = Path(task.folder) / "snapshots"
        with_snapshots = {"MILLRACE_SNAPSHOTS": str(folder)}
        empty = [_start(task, say, "no keys") for _ in range(ACCOUNT_FOR)]
        _fill(shared, task, keys, say)
        cold = [_start(task, say, "from the changelog") for _ in range(ACCOUNT_FOR)]
        stall_ms = _write_snapshots(task, with_snapshots)
        size_mb = sum(file.stat().st_size for file in folder.iterdir()) / 2**20
        say(f"{size_mb:.0f} MB of snapshots, each after a stall of {stall_ms:.1f} ms")
        warm = [_start_from(folder, task, say, "from snapshots") for _ in range(ACCOUNT_FOR)]
        _change(shared, task, keys, changes, with_snapshots)
        changed = [_start_from(folder, task, say, "from snapshots, and changes") for _ in range(ACCOUNT_FOR)]
        used = (_median(cold).rss_mb - _median(empty).rss_mb) * 2**20 / keys
        shutil.rmtree(folder)
        return Report(keys, changes, empty, cold, stall_ms, size_mb, warm, changed, used)


def _task(shared: Broker) -> Task:
    run_name = f"restore-{uuid.uuid4().hex[:6]}"
    task = Task(shared.servers, run_name, f"{run_name}-in", f"{run_name}-out", str(BUILD / run_name))
    Path(task.folder).mkdir(parents=True)
    shared.create(task.commands)
    shared.create(task.outcomes)
    topic = f"{run_name}-{TABLE}-changelog"
    admin = AdminClient({"bootstrap.servers": shared.servers})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1, config=CHANGELOG_CONFIG)])[topic].result(LIMIT_S)
    return task


def _fill(shared: Broker, task: Task, keys: int, say: Say) -> None:
    """The changelog as a worker would write it: a transaction for every batch."""
    started = time.monotonic()
    producer = Producer({"bootstrap.servers": shared.servers, "transactional.id": f"{task.run}-fill",
                         "compression.type": "lz4", "linger.ms": 1})  # fmt: skip
    producer.init_transactions(LIMIT_S)
    for first in range(0, keys, BATCH):
        producer.begin_transaction()
        for number in range(first, min(first + BATCH, keys)):
            value = msgspec.json.encode(row_of(number))
            producer.produce(f"{task.run}-{TABLE}-changelog", value, key_of(number), number % PARTITIONS)
        producer.commit_transaction(LIMIT_S)
    say(f"wrote {keys:,} rows in {time.monotonic() - started:.0f} s")


def _start(task: Task, say: Say, what: str, **settings: str) -> Start:
    """Start a worker, and stop it once it is ready."""
    load = os.getloadavg()[0]
    teller = Teller(task, "0", **settings)
    try:
        ready_s = teller.wait_ready()
        cpu_s, (rss_mb, peak_mb) = teller.cpu_s(), teller.memory_mb()
        restore_s = teller.metric("millrace_restore_seconds_sum")
        read = int(teller.metric("millrace_restored_records_total"))
        taken = int(teller.metric("millrace_snapshot_rows_read_total"))
        teller.stop()
    finally:
        teller.end()
    say(f"{what}: ready in {ready_s:.1f} s, restore {restore_s:.1f} s, load {load:.1f}")
    return Start(ready_s, restore_s, cpu_s, read, taken, rss_mb, peak_mb, load)


def _start_from(folder: Path, task: Task, say: Say, what: str) -> Start:
    """Start from these snapshots, and leave them as they are."""
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    try:
        return _start(task, say, what, MILLRACE_SNAPSHOTS=str(copy))
    finally:
        shutil.rmtree(copy)


def _write_snapshots(task: Task, settings: dict[str, str]) -> float:
    """Let a worker write them one by one, as it does while it works."""
    teller = Teller(task, "0", **settings, MILLRACE_SNAPSHOT_RECORDS="1")
    try:
        teller.wait_ready()
        while teller.metric("millrace_snapshots_written_total") < PARTITIONS:
            teller.ready()
            time.sleep(0.2)
        images = teller.metric("millrace_snapshot_stall_seconds_count")
        stall_ms = teller.metric("millrace_snapshot_stall_seconds_sum") / images * 1000
        teller.stop()
        return stall_ms
    finally:
        teller.end()


def _change(shared: Broker, task: Task, keys: int, changes: int, settings: dict[str, str]) -> None:
    """Let a worker change rows, and kill it before it writes them to a snapshot."""
    never = {**settings, "MILLRACE_SNAPSHOT_RECORDS": str(1_000_000_000)}
    teller = Teller(task, "0", **never)
    try:
        teller.wait_ready()
        producer = Producer({"bootstrap.servers": shared.servers, "queue.buffering.max.messages": 2_000_000})
        for number in _spread(keys, changes):
            producer.produce(task.commands, b"", key_of(number), number % PARTITIONS)
            producer.poll(0)
        producer.flush(LIMIT_S)
        while teller.metric("millrace_records_consumed_total") < changes:
            teller.ready()
            time.sleep(0.2)
    finally:
        teller.end()
    time.sleep(SESSION_S)  # the group must not wait for the dead one when the next one is timed


def _spread(keys: int, changes: int) -> Iterator[int]:
    step = max(1, keys // changes) | 1
    return (number * step % keys for number in range(changes))


def _median(starts: list[Start]) -> Start:
    return sorted(starts, key=lambda start: start.ready_s)[len(starts) // 2]


def show(console: Console, report: Report, path: Path) -> None:
    """The medians as a table, everything as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(asdict(report)), indent=2))
    table = Table("start", "ready s", "restore s", "CPU s", "read", "from snapshots", "MB", "peak MB", "load")
    for name in ("empty", "cold", "snapshots", "snapshots_and_changes"):
        each = _median(getattr(report, name))
        table.add_row(name, f"{each.ready_s:.1f}", f"{each.restore_s:.2f}", f"{each.cpu_s:.1f}",
                      f"{each.records_read:,}", f"{each.rows_from_snapshots:,}", f"{each.rss_mb:.0f}",
                      f"{each.peak_mb:.0f}", f"{each.load_1min:.1f}")  # fmt: skip
    console.print(table)
    console.print(f"{report.bytes_per_key:.0f} bytes of memory a key; written to {path}", highlight=False)


def _only(context: click.Context, _: click.Parameter, keys: int | None) -> None:
    if keys is not None:
        console = Console(width=max(120, Console().width))
        try:
            show(console, run(keys, keys // 10, console.print), BUILD / "restore.json")
        except AttemptError as error:
            raise click.ClickException(str(error)) from error
        context.exit()


option = click.option("--restore", is_flag=False, flag_value=1_000_000, type=int, expose_value=False, callback=_only,
                      help="Only: starts of a worker with so many rows.")  # fmt: skip
"""`--restore` of `python -m benchmarks`, which then does nothing else."""
