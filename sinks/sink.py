"""What the worker, `retry` and `verify` need of a sink. One file each: `sink.py` of invoices, adi, receipts."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from schemas.codec import Undecodable
from schemas.fields import Message
from schemas.topics import Topic
from sinks.database import Connection, Cursor
from sinks.manifest import File, Kind, Row
from sinks.parked import Parked


class Arrived(NamedTuple):
    """A record at its place in the sink's topic: its message, or why it has none."""

    partition: int
    offset: int
    message: Message | Undecodable
    headers: Sequence[tuple[str, bytes | None]] = ()


class Applied(NamedTuple):
    """What records came to. The sink wrote its own rows; the worker writes the register and what is parked."""

    files: Sequence[File]
    parked: Sequence[Parked]


class Sink(Protocol):
    """One kind of effect of one topic."""

    @property
    def name(self) -> str: ...

    @property
    def topic(self) -> Topic: ...

    @property
    def kinds(self) -> Sequence[Kind]:
        """Of the files that it makes."""
        ...

    def apply(self, cursor: Cursor, records: Sequence[Arrived]) -> Applied:
        """Carry out records in the order of each partition, inside the caller's transaction.

        The same records on the same tables give the same rows and bytes.
        """
        ...

    def remake(self, connection: Connection, row: Row) -> bytes | None:
        """The bytes of a file from the rows that it was made of; None where another edition made it."""
        ...

    def differences(self, connection: Connection, records: Iterable[Arrived]) -> Iterator[str]:
        """Where the tables do not say what these records of Kafka say, in sentences."""
        ...
