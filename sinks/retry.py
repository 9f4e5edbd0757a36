"""Try again what was parked, in the order of the log, each in a transaction of its own.

A file that comes of it takes the next number of its series at that moment, after those that were given meanwhile. The
positions are not touched: the records were passed long ago. A running worker and a second `retry` do no harm: the
parked row is taken out in the transaction that carries it out, and a series is locked while a number is taken.
"""

from collections.abc import Callable

from schemas.codec import Codec
from sinks import manifest
from sinks.database import Connection
from sinks.log import Log
from sinks.parked import Parked, park, unpark, waiting
from sinks.sink import Sink
from sinks.storage import Storage
from sinks.worker import carry_out, read


def retry(
    sink: Sink, codec: Codec, connection: Connection, kafka: str, storage: Storage, say: Callable[[str], None]
) -> int:
    """Retry everything of this sink; returns how much is still parked."""
    log = Log(kafka, sink.topic.name)
    try:
        left = waiting(connection, sink.name)
        before = len(left) + 1
        while left and len(left) < before:  # one success may be what another waits for
            for item in left:
                _retry(sink, codec, connection, log, storage, item)
            before, left = len(left), waiting(connection, sink.name)
    finally:
        log.close()
    for item in left:
        say(str(item))
    return len(left)


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
