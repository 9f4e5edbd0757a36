"""One partition of mobility without Kafka or Faust: the real room, processor, codec and rows, and records by hand."""

import json
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from schemas.codec import Codec
from schemas.envelope import Headers
from schemas.mobility import GroupMember, VehiclePrice
from schemas.publishing import Upstream
from streams.forgetting import Forgetting
from streams.ledger.accounts import Balance
from streams.ledger.draft import Ledger
from streams.ledger.limits import Usage
from streams.ledger.locks import Lock
from streams.mobility.room import Mobility, Tables
from streams.mobility.trip import Trip
from streams.processing import Processor, Seen
from streams.runtime import Rows

NUMBER = 0


class Record(NamedTuple):
    """What a processor asks of a Kafka message; `written_ms` in UTC."""

    of_topic: str
    at_offset: int
    with_key: bytes
    with_value: bytes
    with_headers: Headers
    on_partition: int
    written_ms: int

    def topic(self) -> str:
        return self.of_topic

    def offset(self) -> int:
        return self.at_offset

    def key(self) -> bytes:
        return self.with_key

    def value(self) -> bytes:
        return self.with_value

    def headers(self) -> Headers:
        return self.with_headers

    def partition(self) -> int:
        return self.on_partition

    def timestamp(self) -> tuple[int, int]:
        return (2, self.written_ms)


Told = tuple[Upstream, Record]


class Numbers:
    """A registry in memory: the same schema has the same number."""

    def __init__(self) -> None:
        self._known: list[str] = []

    def id_of(self, subject: str, schema: Any) -> int:
        """The number of a schema."""
        text = json.dumps(schema)
        if text not in self._known:
            self._known.append(text)
        return self._known.index(text) + 1

    def schema(self, schema_id: int) -> Any:
        """The schema of a number."""
        return json.loads(self._known[schema_id - 1])


class Outbox:
    """Forgets what is put, but counts it. A dead letter is an error here."""

    def __init__(self) -> None:
        self.count = 0

    def put(self, *_: Any) -> None:
        """Count a record."""
        self.count += 1

    def bury(self, record: Any, *, error: Any, **_: Any) -> None:
        """Refuse."""
        raise AssertionError(f"{record} became a dead letter: {error}")


class Partition:
    """A partition's tables and what works on them. Every book belongs here, whatever its name."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.balances: Rows[Balance] = Rows(Balance, due=lambda balance: balance.next_expiry)
        self.locks: Rows[Lock] = Rows(Lock)
        self.limits: Rows[Usage] = Rows(Usage)
        self.seen: Rows[Seen] = Rows(Seen, due=lambda seen: seen.forget_at)
        self.trips: Rows[Trip] = Rows(Trip, due=lambda trip: trip.until)
        self.prices: Rows[VehiclePrice] = Rows(VehiclePrice)
        self.members: Rows[GroupMember] = Rows(GroupMember)
        self.tables: tuple[Rows[Any], ...] = (self.balances, self.locks, self.limits, self.seen, self.trips)
        self.forgetting = Forgetting()
        self.outbox = Outbox()

    def take(self, records: Iterable[Told]) -> None:
        """Work on a batch as a worker does, down to the bytes of changed rows and the tick that follows it."""
        self.decide(records)
        self.encode_changes()

    def decide(self, records: Iterable[Told]) -> None:
        """Give every record of a batch its outcome, and let a tick follow."""
        ledger = Ledger(self.balances, self.locks, self.limits)
        room = Mobility(Tables(self.trips, self.prices, self.members, self.balances), ledger)
        processor = Processor(
            room,
            ledger,
            self.seen,
            self.forgetting,
            self.codec,
            self.outbox,
            self.outbox,
            NUMBER,
            partition_of=lambda _: NUMBER,
        )
        record = None
        for upstream, record in records:
            processor.process(upstream.topic, (record,))
        if record is not None:
            processor.pass_time(time.time_ns() // 1_000, record)
            processor.forget(time.time_ns() // 1_000)

    def encode_changes(self) -> None:
        """Turn each changed row into bytes, as at the end of a cycle."""
        for rows in self.tables:
            for _, row in rows.take_changes():
                if row is not None:
                    rows.encode(row)

    def record(self, upstream: Upstream, offset: int) -> Told:
        """An event as Kafka would give it."""
        topic, envelope, message = upstream
        key, value = envelope.subject.encode(), self.codec.encode(message)
        written_ms = time.time_ns() // 1_000_000
        return upstream, Record(topic.name, offset, key, value, envelope.headers(), NUMBER, written_ms)
