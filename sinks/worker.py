"""The loop of a sink: poll, one transaction, put, again. See `sinks/__init__.py` for what a crash can do to it."""

import logging
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from schemas.codec import Codec, Undecodable
from schemas.fields import Message
from schemas.topics import Topic
from sinks import manifest, metrics, parked, positions
from sinks.database import Connection, Cursor, connect, reconnect
from sinks.inlet import FirstOffset, Inlet, Raw
from sinks.sink import Applied, Arrived, Sink
from sinks.storage import Storage

log = logging.getLogger(__name__)

BATCH_RECORDS = 200
"""Most records of one transaction: about a second of Typst, so that no lock is held longer."""
POLL_S = 0.2
OBSERVE_S = 2.0
DELIVER_S = 0.5
PUT_FILES = 200
"""Most files that are held in memory while files of before a crash are stored."""


def nothing_to_deliver(_: Connection) -> int:
    """What a sink whose whole effect is files delivers besides them."""
    return 0


class Worker:
    """One process of one sink. It ends on SIGTERM, on SIGINT, or after `until_idle_s` at its partitions' ends.

    `deliver` sends what committed transactions left in tables of the sink's own, and returns how much that was.
    """

    def __init__(
        self,
        sink: Sink,
        codec: Codec,
        storage: Storage,
        *,
        kafka: str,
        postgres: str,
        until_idle_s: float | None,
        deliver: Callable[[Connection], int] = nothing_to_deliver,
    ) -> None:
        self._sink = sink
        self._codec = codec
        self._storage = storage
        self._deliver = deliver
        self._postgres = postgres
        self._until_idle_s = until_idle_s
        self._connection: Connection = connect(postgres)
        self._inlet = Inlet(kafka, sink.topic.name, f"millrace-sink-{sink.name}", self._positions)
        self._busy_at = time.monotonic()
        self._observed_at = 0.0
        self._delivered_at = 0.0
        self._stopping = False

    def run(self) -> None:
        """Work until told to stop. Raises `SinkError`; what it had not committed is done by the next start."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._stop)
        try:
            self._put_outgoing()
            while not self._stopping and not self._is_idle():
                try:
                    self._turn()
                except psycopg.OperationalError as error:
                    self._reconnect(error)
        finally:
            self._inlet.close()
            self._connection.close()

    def _turn(self) -> None:
        records = self._inlet.poll(BATCH_RECORDS, POLL_S)
        self._observe()
        self._deliver_waiting()
        if not records:
            return
        moves = self._inlet.moves(records)
        try:
            applied = self._commit(records, moves)
        except positions.Stale as stale:
            log.warning("%s: %s; reading on from there", self._sink.name, stale)
            metrics.STALE.labels(self._sink.name).inc()
            self._inlet.place()
            return
        self._inlet.moved(moves)
        self._put({file.name: file.content for file in applied.files})
        self._count(records, applied)
        self._busy_at = time.monotonic()

    def _commit(self, records: Sequence[Raw], moves: dict[int, tuple[int, int]]) -> Applied:
        arrived = [read(self._codec, self._sink.topic, record) for record in records]
        with (
            metrics.TRANSACTION_SECONDS.labels(self._sink.name).time(),
            self._connection.transaction(),
            self._connection.cursor() as cursor,
        ):
            positions.advance(cursor, self._sink.name, self._sink.topic.name, moves)
            return carry_out(self._sink, cursor, arrived)

    def _deliver_waiting(self) -> None:
        if time.monotonic() - self._delivered_at < DELIVER_S:
            return
        if self._deliver(self._connection):
            self._busy_at = time.monotonic()
        self._delivered_at = time.monotonic()

    # ---- files

    def _put(self, files: dict[str, bytes]) -> None:
        if not files:
            return
        with metrics.PUT_SECONDS.labels(self._sink.name).time():
            self._storage.put(files)
        manifest.stored(self._connection, files)

    def _put_outgoing(self) -> None:
        """What was committed before a crash. Files of another worker in flight are put twice, with the same bytes."""
        while files := manifest.outgoing(self._connection, PUT_FILES):
            log.info("%s: storing %s files of an earlier run", self._sink.name, len(files))
            self._put(files)

    # ---- trouble and rest

    def _reconnect(self, error: psycopg.OperationalError) -> None:
        """Whether the last transaction was committed is not known: the positions tell, and outgoing files are put."""
        log.warning("%s: lost Postgres: %s", self._sink.name, error)
        metrics.RECONNECTS.labels(self._sink.name).inc()
        self._connection.close()
        self._connection = reconnect(self._postgres)
        self._inlet.place()
        self._put_outgoing()

    def _positions(self, partitions: list[int], first_offset: FirstOffset) -> dict[int, int]:
        return positions.read(self._connection, self._sink.name, self._sink.topic.name, partitions, first_offset)

    def _stop(self, *_: Any) -> None:
        self._stopping = True

    def _is_idle(self) -> bool:
        if not self._inlet.is_at_end:
            self._busy_at = time.monotonic()
        return self._until_idle_s is not None and time.monotonic() - self._busy_at > self._until_idle_s

    def _count(self, records: Sequence[Raw], applied: Applied) -> None:
        name = self._sink.name
        metrics.RECORDS.labels(name).inc(len(records))
        for file in applied.files:
            metrics.FILES.labels(name, file.kind).inc()
            metrics.FILE_BYTES.labels(name, file.kind).inc(len(file.content))
        for item in applied.parked:
            log.warning("parked %s", item)
            metrics.PARKED.labels(name, item.reason).inc()

    def _observe(self) -> None:
        """Gauges of what others change too, now and then."""
        if time.monotonic() - self._observed_at < OBSERVE_S:
            return
        self._observed_at = time.monotonic()
        metrics.WAITING.labels(self._sink.name).set(parked.count(self._connection, self._sink.name))
        for partition, lag in self._inlet.lags():
            metrics.LAG.labels(self._sink.name, partition).set(lag)


def carry_out(sink: Sink, cursor: Cursor, arrived: Sequence[Arrived]) -> Applied:
    """Apply records, register their files, keep what is parked: all that a transaction does besides its position."""
    applied = sink.apply(cursor, arrived)
    manifest.record(cursor, sink.topic.name, applied.files)
    parked.park(cursor, applied.parked)
    return applied


def read(codec: Codec, topic: Topic, record: Raw) -> Arrived:
    """Decode a record. What cannot be decoded goes on as such: the sink parks it."""
    message: Message | Undecodable
    try:
        message = codec.decode(topic, record.value)
    except Undecodable as error:
        message = error
    return Arrived(record.partition, record.offset, message, record.headers)
