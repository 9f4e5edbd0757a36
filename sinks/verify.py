"""Prove the files: recompute each from what it was made of, and say every difference (BEY-02).

    Kafka's records → the sink's rows → the bytes → the register (numbers, hashes, chain) → the blob storage

Each arrow is checked by itself, so the sentence that is printed names the place where the story breaks.
"""

from collections.abc import Iterator
from hashlib import sha256

from schemas.codec import Codec
from sinks import manifest
from sinks.database import Connection
from sinks.log import Log
from sinks.manifest import Row
from sinks.progress import Say, telling, unheard
from sinks.sink import Arrived, Sink
from sinks.storage import Storage
from sinks.worker import read


def differences(
    sink: Sink, codec: Codec, connection: Connection, kafka: str, storage: Storage, say: Say = unheard
) -> Iterator[str]:
    """Everything that is not as it was written. Workers may go on meanwhile: it looks at one moment of the tables.

    What takes long is counted aloud.
    """
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute("set local idle_in_transaction_session_timeout = 0")
        yield from _series(sink, connection)
        waiting = set(manifest.outgoing_names(connection))
        for row in telling(manifest.rows(connection, sink.kinds), f"files of {sink.name}", say):
            yield from _file(sink, connection, storage, row, waiting)
        records = telling(_records(sink, codec, connection, kafka), f"records of {sink.topic.name}", say)
        yield from sink.differences(connection, records)


def _series(sink: Sink, connection: Connection) -> Iterator[str]:
    """Numbers 1, 2, 3, ... in each series, each file chained to the one before, the last one being the series' last."""
    last: dict[str, Row] = {}
    for row in manifest.rows(connection, sink.kinds):
        before = last.get(row.series)
        number_before = before.number if before else 0
        if row.number != number_before + 1:
            yield f"{row.name}: number {row.number} of series {row.series} comes after {number_before}"
        elif row.previous_sha256 != (before.sha256 if before else None):
            yield f"{row.name}: is not chained to the file before it in series {row.series}"
        last[row.series] = row
    for series, number, digest in connection.execute("select series, last_number, last_sha256 from sink.series"):
        row_or_none = last.get(series)
        if row_or_none is not None and (row_or_none.number, row_or_none.sha256) != (number, digest):
            yield f"series {series} ends with {row_or_none.number}, but {number} was given last"


def _file(sink: Sink, connection: Connection, storage: Storage, row: Row, waiting: set[str]) -> Iterator[str]:
    remade = sink.remake(connection, row)
    if remade is not None and sha256(remade).hexdigest() != row.sha256:
        yield f"{row.name}: its rows give other bytes than were registered"
    content = storage.get(row.name)
    if content is None:
        if row.name not in waiting:
            yield f"{row.name}: is missing in the blob storage"
    elif sha256(content).hexdigest() != row.sha256:
        yield f"{row.name}: the bytes in the blob storage are not those that were registered"


def _records(sink: Sink, codec: Codec, connection: Connection, kafka: str) -> Iterator[Arrived]:
    """Every record that the sink has passed, partition by partition."""
    passed = connection.execute(
        "select partition, next_offset from sink.position where sink = %s and topic = %s order by partition",
        (sink.name, sink.topic.name),
    ).fetchall()
    log = Log(kafka, sink.topic.name)
    try:
        for partition, next_offset in passed:
            for record in log.read(partition, next_offset):
                yield read(codec, sink.topic, record)
    finally:
        log.close()
