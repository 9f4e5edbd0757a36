"""What the examination asks for. `kafka.py` answers from the servers, a test from memory."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeAlias

from streams.audit.findings import Finding

Row: TypeAlias = Mapping[str, Any]
"""One record or row, by field."""


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.number}"


class Place(NamedTuple):
    """Where one record stands."""

    partition: Partition
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}@{self.offset}"


class Span(NamedTuple):
    """The offsets that a partition held when the audit began: from `low` up to but without `end`."""

    low: int
    end: int


class Entry(NamedTuple):
    """One record of the journal: its place, its key, and its fields as `schemas.ledger.Decided` names them.

    `events` is None where the entry was written before entries counted them.
    """

    place: Place
    key: str
    fields: Row


class Record(NamedTuple):
    """An upstream record: its place, and its bytes."""

    place: Place
    key: bytes | None
    value: bytes | None


class Letter(NamedTuple):
    """A dead letter: the place of the record that it buries, what it holds of it, and how long that is in whole."""

    buried: Place
    key: bytes | None
    value: bytes | None
    key_bytes: int
    value_bytes: int


class Event(NamedTuple):
    """One record of the topics on which decisions tell their events. `key` is None where it speaks to a partition."""

    place: Place
    key: bytes | None
    event_id: str


class Told(NamedTuple):
    """What a dealer's book or a lot tells: the name of the message, and its fields."""

    name: str
    fields: Row


class Projection(NamedTuple):
    """Balances and locks by key, and statement lines, each account's in the order of their numbers.

    `dealers` has the rows of what dealers' books show, by table and key.

    `before` names the `locks`, and the payments in `suspense`, of which nobody has told since there are more
    partitions. Whether one of them has ended cannot be seen: the end is told on another partition, and compaction may
    have forgotten it there.
    """

    name: str
    balances: Mapping[str, Row]
    locks: Mapping[str, Row]
    lines: Iterable[Row | Finding]
    before: Mapping[str, Collection[str]] = MappingProxyType({})
    dealers: Mapping[str, Mapping[str, Row]] = MappingProxyType({})


class Evidence(Protocol):
    """Everything that is read, each part once and in this order. A record that cannot be read comes as its finding."""

    def spans(self) -> Mapping[Partition, Span]:
        """What every partition held at the beginning."""
        ...

    def partitions(self) -> int:
        """How many partitions every topic and table has now."""
        ...

    def committed(self) -> Mapping[Partition, int]:
        """The offset at which the pipeline goes on, for each partition that it has worked on."""
        ...

    def ticked(self) -> Mapping[int, int]:
        """The last tick that the pipeline has worked on, by partition number, in UTC microseconds."""
        ...

    def journal(self) -> Iterable[Entry | Finding]:
        """Every entry, in the order of time: a book's entries are in several partitions if these have become more."""
        ...

    def dead_letters(self) -> Iterable[Letter | Finding]: ...

    def inputs(self) -> Iterable[Record]:
        """All upstream records."""
        ...

    def events(self) -> Iterable[Event | Finding]:
        """What the decisions told, on whatever topic."""
        ...

    def dealings(self) -> Iterable[Told | Finding]:
        """What lots and dealers' books told, each topic's in the order of time."""
        ...

    def table(self, name: str) -> Sequence[Mapping[str, Row]]:
        """The rows that a worker would restore, of each partition."""
        ...

    def projected(self) -> Projection:
        """The projection topics; of a key in several partitions the row that was told last."""
        ...

    def landings(self) -> Iterator[Projection]:
        """Postgres, read again and again until the time allowed to its sink is over; nothing if it is left out."""
        ...

    def grown(self) -> Iterable[Partition]:
        """Partitions that have grown since the beginning."""
        ...
