"""What consumers are given: records and events, with the methods of `confluent_kafka.Message`."""

from enum import Enum
from typing import NamedTuple

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError

Headers = list[tuple[str, bytes | None]]


class Place(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Fate(Enum):
    """What became of the transaction that wrote a record, as the record's partition knows it."""

    OPEN = "open"
    COMMITTED = "committed"
    ABORTED = "aborted"


class Span:
    """What one transaction has written to one partition, from offset `first` on."""

    __slots__ = ("fate", "first", "producer_id")

    def __init__(self, producer_id: int, first: int) -> None:
        self.producer_id = producer_id
        self.first = first
        self.fate = Fate.OPEN


class Message:
    """One record in a log, or an event where `failed` is set. `span` is None outside transactions."""

    __slots__ = ("_failed", "_headers", "_key", "_offset", "_place", "_timestamp_ms", "_value", "span")

    def __init__(
        self,
        place: Place,
        offset: int,
        key: bytes | None = None,
        value: bytes | None = None,
        headers: Headers | None = None,
        timestamp_ms: int = -1,
        span: Span | None = None,
        failed: KafkaError | None = None,
    ) -> None:
        self._place = place
        self._offset = offset
        self._key = key
        self._value = value
        self._headers = headers
        self._timestamp_ms = timestamp_ms
        self._failed = failed
        self.span = span

    def topic(self) -> str:
        return self._place.topic

    def partition(self) -> int:
        return self._place.partition

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> Headers | None:
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        """When the broker wrote it, in ms: every topic is kept by the broker's time."""
        return TIMESTAMP_LOG_APPEND_TIME, self._timestamp_ms

    def error(self) -> KafkaError | None:
        return self._failed

    def __len__(self) -> int:
        return len(self._value or b"")
