"""The evidence that the servers give: topics, changelogs, the consumer group's progress, Postgres."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from heapq import merge
from typing import Any, Protocol

import orjson

from schemas.avro import full_name
from schemas.codec import Undecodable
from schemas.fields import Contract
from schemas.ledger import AccountBalance, Decided, OpenLock, StatementLine
from schemas.registry import ConfluentRegistry
from schemas.settings import Settings
from schemas.topics import (
    ADVANCE_EVENTS,
    BALANCES,
    BATCH_EVENTS,
    BETWEEN_BOOKS,
    BILL_EVENTS,
    BILLING_CALLS,
    CARD_CHARGES,
    DEAD_LETTERS,
    DEAL_EVENTS,
    DEALER_EVENTS,
    DECIDED,
    GL_LINES,
    GL_TRANSACTIONS,
    JOURNAL,
    LOT_EVENTS,
    OPEN_LOCKS,
    PROJECTED_ACCOUNTS,
    PROJECTED_BILLS,
    PROJECTED_DEALERS,
    PROJECTED_DEPOSITS,
    PROJECTED_SUSPENSE,
    PURCHASE_EVENTS,
    STATEMENT_LINES,
    TICKS,
    TRIP_PAYMENTS,
    Topic,
)
from streams.audit import postgres
from streams.audit.evidence import Entry, Event, Letter, Partition, Place, Projection, Record, Row, Span, Told
from streams.audit.findings import Finding, Kind
from streams.audit.homes import last_told
from streams.audit.kafka import Snapshot
from streams.audit.letters import KEY_BYTES, VALUE_BYTES
from streams.audit.wire import Wire

APP_ID = "millrace"
"""Names the consumer group and the changelogs."""

DECIDED_NAMES = tuple(topic.name for topic in DECIDED)
TOLD = (
    TRIP_PAYMENTS, CARD_CHARGES, DEALER_EVENTS, BILL_EVENTS, BILLING_CALLS,
    DEAL_EVENTS, LOT_EVENTS,
    PURCHASE_EVENTS, ADVANCE_EVENTS, GL_LINES, GL_TRANSACTIONS, BATCH_EVENTS,
    *BETWEEN_BOOKS,
)  # fmt: skip
"""Where decisions tell their events. A topic that is left out here would be found at once: its events are missing."""

TOLD_NAMES = tuple(topic.name for topic in TOLD)
CHANGELOGS = {table: f"{APP_ID}-{table}-changelog" for table in ("balances", "locks", "commission_rates")}
LASTING = (*dict.fromkeys((*DECIDED_NAMES, *TOLD_NAMES)), JOURNAL.name, DEAD_LETTERS.name, *CHANGELOGS.values())
OF_DEALERS = {
    "dealers": PROJECTED_DEALERS,
    "accounts": PROJECTED_ACCOUNTS,
    "bill": PROJECTED_BILLS,
    "deposits": PROJECTED_DEPOSITS,
    "suspense": PROJECTED_SUSPENSE,
}
"""What is projected of dealers, by the table of Postgres."""

PROJECTIONS = (BALANCES.name, OPEN_LOCKS.name, STATEMENT_LINES.name, *(topic.name for topic in OF_DEALERS.values()))
READ = (*LASTING, *PROJECTIONS, TICKS.name)
"""Every topic that the auditor reads."""

WHOLE = (JOURNAL.name, STATEMENT_LINES.name, *TOLD_NAMES)
"""Topics of which nothing may be gone: the fold starts from the beginning, and what it tells is counted."""

TICK_RECORDS = 16
"""How far back the last tick is looked for: transaction markers take up offsets too."""


class Scope(Enum):
    """How far the audit goes: to the projection topics, or on into Postgres."""

    KAFKA = "kafka"
    POSTGRES = "postgres"


class TopicReader(Protocol):
    """Topics as they were at one moment; `kafka.Snapshot` is one."""

    spans: dict[Partition, Span]

    def of(self, *topics: str) -> Mapping[Partition, Span]: ...
    def read(self, spans: Mapping[Partition, Span]) -> Iterator[Any]: ...
    def committed(self, *topics: str) -> Mapping[Partition, int]: ...
    def grown(self, *topics: str) -> Iterable[Partition]: ...


class Topics:
    """`streams.audit.evidence.Evidence` from topics alone."""

    def __init__(self, wire: Wire, snapshot: TopicReader) -> None:
        self._wire = wire
        self._snapshot = snapshot

    def spans(self) -> Mapping[Partition, Span]:
        return self._snapshot.spans

    def partitions(self) -> int:
        return len(self._snapshot.of(JOURNAL.name))

    def committed(self) -> Mapping[Partition, int]:
        return self._snapshot.committed(*DECIDED_NAMES)

    def ticked(self) -> Mapping[int, int]:
        spans = {
            partition: Span(max(self._snapshot.spans[partition].low, at - TICK_RECORDS), at)
            for partition, at in self._snapshot.committed(TICKS.name).items()
        }
        now = {}
        for record in self._snapshot.read(spans):
            tick = self._fields(TICKS.messages[0], record)
            if not isinstance(tick, Finding):
                now[record.partition()] = tick["now"]
        return now

    def journal(self) -> Iterator[Entry | Finding]:
        for record in self._read_in_time(JOURNAL.name):
            fields = self._fields(Decided, record)
            if isinstance(fields, Finding):
                yield fields
                continue
            if not fields["events"] and not self._wire.knew(Decided, record.value(), "events"):
                fields = {**fields, "events": None}
            yield Entry(_place(record), _key(record), fields)

    def dead_letters(self) -> Iterator[Letter | Finding]:
        for record in self._read(DEAD_LETTERS.name):
            headers = dict(record.headers() or ())
            try:
                partition = Partition(headers["dl-topic"].decode(), int(headers["dl-partition"]))
                buried = Place(partition, int(headers["dl-offset"]))
                key_bytes = _whole(record.key(), KEY_BYTES, headers.get("dl-key-bytes"))
                value_bytes = _whole(record.value(), VALUE_BYTES, headers.get("dl-value-bytes"))
                yield Letter(buried, record.key(), record.value(), key_bytes, value_bytes)
            except (KeyError, ValueError, TypeError) as error:
                yield Finding(Kind.UNREADABLE, str(_place(record)), "headers that name the buried record", repr(error))

    def inputs(self) -> Iterator[Record]:
        for record in self._read(*DECIDED_NAMES):
            yield Record(_place(record), record.key(), record.value())

    def events(self) -> Iterator[Event | Finding]:
        for record in self._read(*TOLD_NAMES):
            event_id = next((value for name, value in record.headers() or () if name == "ce_id"), None)
            if event_id is None:
                yield Finding(Kind.UNREADABLE, str(_place(record)), "a header ce_id", "none")
            else:
                yield Event(_place(record), record.key(), event_id.decode(errors="replace"))

    def dealings(self) -> Iterator[Told | Finding]:
        for topic in (DEALER_EVENTS, BILL_EVENTS, LOT_EVENTS, DEAL_EVENTS):
            named = {full_name(message): message for message in topic.messages}
            for record in self._read_in_time(topic.name):
                said = next((value for name, value in record.headers() or () if name == "ce_type"), None) or b""
                message = named.get(said.decode(errors="replace"))
                if message is None:
                    yield Finding(
                        Kind.UNREADABLE, str(_place(record)), "a type of its topic", said.decode("ascii", "replace")
                    )
                    continue
                fields = self._fields(message, record)
                yield fields if isinstance(fields, Finding) else Told(message.__name__, fields)

    def table(self, name: str) -> Sequence[Mapping[str, Row]]:
        return [{key: _row(value) for key, value in rows.items()} for rows in self._latest(CHANGELOGS[name])]

    def projected(self) -> Projection:
        balances, locks = (last_told(self._latest(topic.name)) for topic in (BALANCES, OPEN_LOCKS))
        dealers = {name: last_told(self._latest(topic.name)) for name, topic in OF_DEALERS.items()}
        return Projection(
            "topic",
            {key: self._fields_or_empty(AccountBalance, row) for key, row in balances.rows.items()},
            {key: self._fields_or_empty(OpenLock, row) for key, row in locks.rows.items()},
            (self._fields(StatementLine, record) for record in self._read_in_time(STATEMENT_LINES.name)),
            {"locks": locks.before, "suspense": dealers["suspense"].before},
            {name: self._shown(OF_DEALERS[name], told.rows) for name, told in dealers.items()},
        )

    def landings(self) -> Iterator[Projection]:
        return iter(())

    def grown(self) -> Iterable[Partition]:
        return self._snapshot.grown(*LASTING, *PROJECTIONS)

    # ---- records

    def _read(self, *topics: str) -> Iterator[Any]:
        return self._snapshot.read(self._snapshot.of(*topics))

    def _read_in_time(self, topic: str) -> Iterator[Any]:
        """A topic's records as Kafka took them, each partition's in its own order."""
        spans = self._snapshot.of(topic)
        partitions = (self._snapshot.read({partition: span}) for partition, span in spans.items())
        return merge(*partitions, key=lambda record: record.timestamp()[1])

    def _latest(self, topic: str) -> list[dict[str, bytes]]:
        """Of each partition, the last value of each key, but for keys whose last record is a tombstone."""
        latest = [dict[str, bytes]() for _ in self._snapshot.of(topic)]
        for record in self._read(topic):
            rows = latest[record.partition()]
            if record.value() is None:
                rows.pop(_key(record), None)
            else:
                rows[_key(record)] = record.value()
        return latest

    def _shown(self, topic: Topic, told: Mapping[str, bytes]) -> Mapping[str, Row]:
        (message,) = topic.messages
        return {key: self._fields_or_empty(message, row) for key, row in told.items()}

    def _fields(self, message: type[Contract], record: Any) -> Row | Finding:
        try:
            return self._wire.fields(message, record.value())
        except Undecodable as error:
            return Finding(Kind.UNREADABLE, str(_place(record)), f"a {message.__name__}", str(error))

    def _fields_or_empty(self, message: type[Contract], value: bytes) -> Row:
        """A projection's row; one that cannot be read has no fields, so every field of it will be found to differ."""
        try:
            return self._wire.fields(message, value)
        except Undecodable:
            return {}


class Servers(Topics):
    """Evidence from the servers of `settings`. Raises `CannotAudit`, `RegistryUnavailable`."""

    def __init__(self, settings: Settings, scope: Scope, wait_s: float) -> None:
        self._settings = settings
        self._scope = scope
        self._wait_s = wait_s
        self._kafka = Snapshot(settings, APP_ID, READ)
        super().__init__(Wire(ConfluentRegistry(settings.registry)), self._kafka)

    def close(self) -> None:
        """Let the consumers go."""
        self._kafka.close()

    def landings(self) -> Iterator[Projection]:
        return postgres.landings(self._settings.postgres, self._wait_s) if self._scope is Scope.POSTGRES else iter(())


def _place(record: Any) -> Place:
    return Place(Partition(record.topic(), record.partition()), record.offset())


def _key(record: Any) -> str:
    return (record.key() or b"").decode(errors="replace")


def _whole(kept: bytes | None, most: int, said: bytes | None) -> int:
    """How long a key or a value was that a letter keeps; it says so where it cut it, and else upstream may have."""
    length = len(kept or b"")
    return int(said) if length == most and said is not None else length


def _row(value: bytes) -> Row:
    """A changelog's row; one that is no JSON object has no fields, so every field of it will be found to differ."""
    try:
        row = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    return row if isinstance(row, dict) else {}
