"""Try again what was parked, in the order of the log, each in a transaction of its own.

A file that comes of it takes the next number of its series at that moment, after those that were given meanwhile. The
positions are not touched: the records were passed long ago. A running worker and a second `retry` do no harm: the
parked row is taken out in the transaction that carries it out, and a series is locked while a number is taken.

A record is carried out as a whole. Where only a part of it was asked for, and the rest can be carried out by now, that
is done as well; its own row stays until it is retried, which then finds nothing to do.
"""

from typing import NamedTuple

from schemas.codec import Codec
from sinks import manifest
from sinks.database import Connection
from sinks.log import Log
from sinks.parked import Parked, park, unpark, waiting
from sinks.sink import Sink
from sinks.storage import Storage
from sinks.worker import carry_out, read


class Retried(NamedTuple):
    """What was parked when it began: what waits no longer, and what still does."""

    let_go: list[Parked]
    left: list[Parked]


def retry(
    sink: Sink, codec: Codec, connection: Connection, kafka: str, storage: Storage, subject: str | None = None
) -> Retried:
    """Retry what is parked of this sink: all, or what `subject` names (see `Parked.is_of`)."""
    asked_for = left = _waiting(connection, sink.name, subject)
    if not left:
        return Retried([], [])
    log = Log(kafka, sink.topic.name)
    try:
        before = len(left) + 1
        while left and len(left) < before:  # one success may be what another waits for
            for item in left:
                _retry(sink, codec, connection, log, storage, item)
            before, left = len(left), _waiting(connection, sink.name, subject)
    finally:
        log.close()
    still = {item[:5] for item in left}
    return Retried([item for item in asked_for if item[:5] not in still], left)


def _waiting(connection: Connection, sink: str, subject: str | None) -> list[Parked]:
    return [item for item in waiting(connection, sink) if subject is None or item.is_of(subject)]


def _retry(sink: Sink, codec: Codec, connection: Connection, log: Log, storage: Storage, item: Parked) -> None:
    record = log.one(item.partition, item.record_offset)
    with connection.transaction(), connection.cursor() as cursor:
        if not unpark(cursor, item):
            return
        if record is None:
            park(cursor, [item._replace(reason="record_gone", problem="Kafka no longer holds the record")])
            return
        applied = carry_out(sink, cursor, [read(codec, sink.topic, record)])
    if applied.files:
        storage.put({file.name: file.content for file in applied.files})
        manifest.stored(connection, [file.name for file in applied.files])
