"""The turns of a sink: poll, one transaction, put. See `sinks/__init__.py` for what a crash can do to it."""

import logging
import time
from collections.abc import Callable, Sequence

from schemas.codec import Codec, Undecodable
from schemas.fields import Message
from schemas.topics import Topic
from sinks import manifest, metrics, parked, positions
from sinks.database import Connection, Cursor
from sinks.inlet import FirstOffset, Inlet, Raw
from sinks.loop import Loop
from sinks.sink import Applied, Arrived, Sink
from sinks.storage import Storage

log = logging.getLogger(__name__)

BATCH_RECORDS = 200
"""Most records of one transaction: about a second of Typst, so that no lock is held longer."""
POLL_S = 0.2
OBSERVE_S = 2.0
DELIVER_S = 0.5
PUT_FILES = 200
"""Most files that are stored at a time, and held in memory while files of before a crash are."""


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
        self._loop = Loop(sink.name, postgres, until_idle_s)
        self._inlet = Inlet(kafka, sink.topic.name, f"millrace-sink-{sink.name}", self._positions)
        self._observed_at = 0.0
        self._delivered_at = 0.0

    @property
    def _connection(self) -> Connection:
        return self._loop.connection

    def run(self) -> None:
        """Work until told to stop. Raises `SinkError`; what it had not committed is done by the next start."""
        try:
            self._loop.run(self._turn, self._take_up)
        finally:
            self._inlet.close()

    def _take_up(self) -> None:
        """The positions tell whether the last transaction before a loss was committed; its files are put."""
        self._inlet.place()
        self._put_outgoing()

    def _positions(self, partitions: list[int], first_offset: FirstOffset) -> dict[int, int]:
        return positions.read(self._connection, self._sink.name, self._sink.topic.name, partitions, first_offset)

    def _turn(self) -> bool:
        """Whether it did anything, or has not come to the ends of its partitions."""
        records = self._inlet.poll(BATCH_RECORDS, POLL_S)
        self._observe()
        delivered = self._deliver_waiting()
        if records:
            self._work_on(records)
        return bool(records) or delivered > 0 or not self._inlet.is_at_end

    def _work_on(self, records: Sequence[Raw]) -> None:
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

    def _commit(self, records: Sequence[Raw], moves: dict[int, tuple[int, int]]) -> Applied:
        arrived = [read(self._codec, self._sink.topic, record) for record in records]
        with (
            metrics.TRANSACTION_SECONDS.labels(self._sink.name).time(),
            self._connection.transaction(),
            self._connection.cursor() as cursor,
        ):
            positions.advance(cursor, self._sink.name, self._sink.topic.name, moves)
            return carry_out(self._sink, cursor, arrived)

    def _deliver_waiting(self) -> int:
        """How much was delivered."""
        if time.monotonic() - self._delivered_at < DELIVER_S:
            return 0
        delivered = self._deliver(self._connection)
        self._delivered_at = time.monotonic()
        return delivered

    # ---- files

    def _put(self, files: dict[str, bytes]) -> None:
        if not files:
            return
        names = list(files)
        with metrics.PUT_SECONDS.labels(self._sink.name).time():
            for start in range(0, len(names), PUT_FILES):
                metrics.goes_on(self._sink.name)
                self._storage.put({name: files[name] for name in names[start : start + PUT_FILES]})
        manifest.stored(self._connection, files)

    def _put_outgoing(self) -> None:
        """What was committed before a crash. Files of another worker in flight are put twice, with the same bytes."""
        while files := manifest.outgoing(self._connection, PUT_FILES):
            log.info("%s: storing %s files of an earlier run", self._sink.name, len(files))
            self._put(files)

    # ---- what tells of it

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
