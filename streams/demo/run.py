"""Runs the day: sets everything up, starts worker and sinks, publishes phase by phase, waits, audits, reports."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import psycopg
from confluent_kafka import Producer
from rich.progress import Progress

from connectors import connect
from connectors.database import migrate
from connectors.tables import TABLES
from schemas.clock import Tick
from schemas.codec import Codec
from schemas.publishing import Upstream
from schemas.registry import ConfluentRegistry
from schemas.settings import Settings
from schemas.topics import BETWEEN_BOOKS, GL_LINES, PARTITIONS, TICKS, TRIP_PAYMENTS, Spread
from streams import topics
from streams.audit.audit import audit
from streams.audit.report import Report
from streams.demo.day import Phase, Programme, Raw, make_day
from streams.demo.processes import Process, billing
from streams.demo.watch import Tally, Watch
from streams.demo.world import Scale, World, make_world, rows

STEP_TIMEOUT_S = 120
QUIET_S = 0.1
BILLING_TIMEOUT_S = 3
"""A Billing on this machine answers at once, so what became of a call that a killed sink has left is known soon."""
BUILD = Path("build/demo")
LOGS = BUILD / "logs"
BETWEEN = tuple(topic.name for topic in BETWEEN_BOOKS)


class Result(NamedTuple):
    """What a run has to report."""

    watch: Tally
    audit: Report
    invoices: list[dict[str, Any]]
    adi_files: list[dict[str, Any]]
    balances_sha256: str
    inputs: int
    seconds: float
    working_s: float


class Crash(NamedTuple):
    """Which processes to `kill -9` and start again in the middle of the day."""

    names: frozenset[str]


class Demo:
    """One run of a programme, mostly of the day, against running servers."""

    def __init__(
        self, settings: Settings, seed: int, scale: Scale, crash: Crash, progress: Progress, make: Programme = make_day
    ) -> None:
        self._settings = settings
        self._crash = crash
        self._progress = progress
        self._world = make_world(seed, scale)
        self._began = time.monotonic()
        with self._step("topics, schemas, tables, connectors"):
            set_up(settings, self._world)
        self._codec = Codec(ConfluentRegistry(settings.registry))
        self._phases = make(seed, scale, self._world, self._codec.encode)
        self._watch = Watch(settings, self._codec)
        self._producer = Producer(settings.client(enable_idempotence=True))
        self._processes: list[Process] = []

    def run(self) -> Result:
        """The day, from midnight to the audit. Raises `RuntimeError` where a step does not end in time."""
        try:
            with billing(LOGS / "billings-double.log") as address:
                self._processes = processes(self._settings, address)
                for process in self._processes:
                    process.start()
                try:
                    return self._run()
                finally:
                    for process in self._processes:
                        process.stop()
        finally:
            self._watch.close()

    def _run(self) -> Result:
        with self._step("reference data from Postgres"):
            self._await(self._reference_is_read)
        began = time.monotonic()
        inputs = 0
        for phase in self._phases:
            inputs += len(phase.records)
            self._play(phase, inputs)
        working_s = time.monotonic() - began
        with self._step("invoices and ADI files"):
            self._await(self._files_are_written)
        with self._step("audit"):
            report = audit(self._settings)
        return Result(
            self._watch,
            report,
            _files(self._settings, invoices=True),
            _files(self._settings, invoices=False),
            _balances_sha256(self._settings),
            inputs,
            time.monotonic() - self._began,
            working_s,
        )

    def _play(self, phase: Phase, inputs: int) -> None:
        if phase.records:
            task = self._progress.add_task(phase.name, total=len(phase.records))
            before = self._watch.answered
            for number, record in enumerate(phase.records):
                self._publish(record)
                if number == len(phase.records) // 2:
                    self._producer.flush(STEP_TIMEOUT_S)
                    self._kill_and_restart()
            self._producer.flush(STEP_TIMEOUT_S)

            def all_answered() -> bool:
                self._progress.update(task, completed=self._watch.answered - before)
                return self._watch.answered >= inputs and self._is_at_rest()

            self._await(all_answered)
        self._tick(phase.tick_us)

    def _publish(self, record: Upstream | Raw) -> None:
        if isinstance(record, Raw):
            topic, key, value, headers = record.topic, record.key, record.value, record.headers
        else:
            topic, key = record.topic, record.envelope.subject.encode()
            value, headers = self._codec.encode(record.message), record.envelope.headers()
        while True:
            try:
                self._producer.produce(topic.name, value, key, headers=headers)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def _tick(self, now_us: int) -> None:
        """Let every partition know the time, and wait until all has followed from it."""
        for partition in range(PARTITIONS):
            self._producer.produce(TICKS.name, self._codec.encode(Tick(now=now_us)), partition=partition)
        self._producer.flush(STEP_TIMEOUT_S)
        ticks = self._watch.written[TICKS.name] + PARTITIONS
        written = self._watch.written
        self._await(lambda: written[TICKS.name] >= ticks and self._watch.is_consumed(TICKS.name) and self._is_at_rest())

    def _kill_and_restart(self) -> None:
        for process in self._processes:
            if process.name in self._crash.names:
                process.kill()
                process.start()

    # ---- waiting

    def _is_at_rest(self) -> bool:
        """Whether books have heard each other, and Billing has answered all that it was asked."""
        return self._watch.answers >= self._watch.calls and self._watch.is_consumed(*BETWEEN)

    def _reference_is_read(self) -> bool:
        written = self._watch.written
        expected = {
            table.to.name: count * (PARTITIONS if table.to.spread is Spread.EVERY_PARTITION else 1)
            for table, count in zip(TABLES, self._world.counts, strict=True)
        }
        return all(written[name] >= count for name, count in expected.items()) and self._watch.is_consumed(*expected)

    def _files_are_written(self) -> bool:
        with psycopg.connect(self._settings.postgres) as connection:
            rows = connection.execute("SELECT topic, partition, next_offset FROM sink.position").fetchall()
            outgoing = connection.execute("SELECT count(*) FROM sink.outgoing").fetchone()
        read = {(topic, partition): offset for topic, partition, offset in rows}
        ends = {
            place: end for place, end in self._watch.ends.items() if place[0] in (TRIP_PAYMENTS.name, GL_LINES.name)
        }
        return outgoing == (0,) and all(read.get(place, 0) >= end for place, end in ends.items())

    def _await(self, done: Callable[[], bool]) -> None:
        """Read along until `done`, and nothing more comes of what was done last.

        Raises `RuntimeError` after two minutes without an end, or if a process has died.
        """
        deadline = time.monotonic() + STEP_TIMEOUT_S
        while True:
            self._watch.read()
            if done() and not self._watch.read(QUIET_S):
                return
            for process in self._processes:
                process.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"no end after {STEP_TIMEOUT_S} s; see the logs in {LOGS}")

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        task = self._progress.add_task(name, total=1)
        yield
        self._progress.update(task, completed=1)


def processes(settings: Settings, billing: str) -> list[Process]:
    """The worker, and the sinks of the day; `billing` is the address of the Billing that they call."""
    worker = ["streams", "worker", "--name", "demo", "--port", "0", "--loglevel", "WARN"]
    # Alone, it need not be given up soon for others to go on: a slow machine may take its time.
    alone = {"MILLRACE_CLOCK": "outside", "MILLRACE_TRANSACTION_TIMEOUT_S": "60"}
    blob = {"MILLRACE_BLOB": settings.blob}
    there = {"MILLRACE_BILLING": billing, "MILLRACE_BILLING_TIMEOUT_S": str(BILLING_TIMEOUT_S)}
    return [
        Process("worker", worker, LOGS / "worker.log", alone),
        Process("invoices", ["sinks", "invoices"], LOGS / "invoices.log", blob),
        Process("adi", ["sinks", "adi"], LOGS / "adi.log", blob),
        Process("billing", ["sinks", "billing"], LOGS / "billing.log", there),
    ]


def set_up(settings: Settings, world: World) -> None:
    """Topics, schemas, database, connectors, and the reference data of the world. Raises what each of them raises."""
    topics.apply(settings)
    migrate(settings.postgres)
    with psycopg.connect(settings.postgres) as connection, connection.cursor() as cursor:
        for statement, values in rows(world):
            cursor.executemany(statement, values)
    connect.apply(settings)


FILES = """
    SELECT name, series || '-' || lpad(number::text, 6, '0'), sha256, totals->>'currency',
        (coalesce(totals->>'gross_minor', totals->>'debit_minor'))::bigint
    FROM sink.manifest WHERE (kind = 'invoice') = %s ORDER BY name
"""


def _files(settings: Settings, *, invoices: bool) -> list[dict[str, Any]]:
    with psycopg.connect(settings.postgres) as connection:
        found = connection.execute(FILES, [invoices]).fetchall()
    folder = settings.blob.removeprefix("file://")
    return [
        {"path": f"{folder}/{name}", "number": number, "sha256": sha256, "currency": currency, "total_minor": total}
        for name, number, sha256, currency, total in found
    ]


def _balances_sha256(settings: Settings) -> str:
    """One figure for all balances: equal in two runs if, and only if, every balance is."""
    with psycopg.connect(settings.postgres) as connection:
        found = connection.execute("SELECT * FROM projection.balances ORDER BY id").fetchall()
    return hashlib.sha256(orjson.dumps(found)).hexdigest()
