"""The log of one partition: records, transaction markers, the last stable offset, compaction."""

from bisect import bisect_left
from typing import NamedTuple

from streams.simulator.kafka.messages import Fate, Headers, Message, Place, Span


class Slice(NamedTuple):
    """Records that a reader may have, and the offset at which it goes on."""

    records: list[Message]
    next_offset: int


class PartitionLog:
    """Records in the order of their offsets. A marker takes an offset and is never given to a reader."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.end = 0
        """The high watermark: the offset of what comes next."""
        self._records: list[Message] = []
        self._offsets: list[int] = []
        self._open: dict[int, Span] = {}
        self._written: dict[tuple[int, int], list[int]] = {}

    @property
    def stable(self) -> int:
        """The last stable offset: before it, every transaction is decided."""
        return min(span.first for span in self._open.values()) if self._open else self.end

    def holds_more(self, offset: int) -> bool:
        """Whether there is, from `offset` on, any record that is or may yet be committed."""
        return self.stable < self.end or bool(self.read(offset, 1, committed=True).records)

    def append(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None,
        timestamp_ms: int,
        producer_id: int | None = None,
    ) -> int:
        """Write one record, as part of a transaction if a producer id is given; its offset."""
        offset, span = self.end, None
        if producer_id is not None:
            span = self._open.get(producer_id)
            if span is None:
                span = self._open[producer_id] = Span(producer_id, offset)
        self._records.append(Message(self.place, offset, key, value, headers, timestamp_ms, span))
        self._offsets.append(offset)
        self.end += 1
        return offset

    def written(self, producer_id: int, epoch: int) -> list[int]:
        """Offsets of what a producer has written in an epoch, by the sequence of its records; append to it."""
        return self._written.setdefault((producer_id, epoch), [])

    def mark(self, producer_id: int, fate: Fate) -> None:
        """Write the marker that decides a producer's transaction, be it an empty one."""
        span = self._open.pop(producer_id, None)
        if span is not None:
            span.fate = fate
        self.end += 1

    def read(self, offset: int, limit: int, *, committed: bool) -> Slice:
        """At most `limit` records from `offset` on; of committed transactions only, if so asked."""
        bound = self.stable if committed else self.end
        found: list[Message] = []
        for at in range(bisect_left(self._offsets, offset), len(self._records)):
            record = self._records[at]
            if record.offset() >= bound:
                break
            if committed and record.span is not None and record.span.fate is Fate.ABORTED:
                continue
            if len(found) == limit:
                return Slice(found, found[-1].offset() + 1)
            found.append(record)
        return Slice(found, max(offset, bound))

    def compact(self, below: int, tombstones_before_ms: int = 0) -> None:
        """Keep the last record of each key below offset `below`, and drop aborted ones; offsets stay.

        What is not yet stable is never touched. Tombstones written before `tombstones_before_ms` go too.
        """
        dirty = bisect_left(self._offsets, min(below, self.stable))
        last: dict[bytes | None, Message] = {}
        for record in self._records[:dirty]:
            if record.span is None or record.span.fate is Fate.COMMITTED:
                last[record.key()] = record
        kept = [record for record in last.values() if not _is_old_tombstone(record, tombstones_before_ms)]
        kept.sort(key=Message.offset)
        self._records[:dirty] = kept
        self._offsets[:dirty] = [record.offset() for record in kept]


def _is_old_tombstone(record: Message, before_ms: int) -> bool:
    return record.value() is None and record.timestamp()[1] < before_ms
