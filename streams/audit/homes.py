"""Where a book is: the partition of its key, by murmur2 as Kafka's own clients have it, written out here once more."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from streams.audit.evidence import Row
from streams.audit.findings import Finding, Kind

FEWEST = 8
"""Partitions of the first release; no pipeline has begun with fewer, but for one that still has fewer."""

SEED, MIX, WORD = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """The hash of a key, without a sign."""
    hashed = SEED ^ len(key)
    whole = len(key) & ~3
    for at in range(0, whole, 4):
        part = int.from_bytes(key[at : at + 4], "little") * MIX & WORD
        part = (part ^ part >> 24) * MIX & WORD
        hashed = hashed * MIX & WORD ^ part
    if whole < len(key):
        hashed = (hashed ^ int.from_bytes(key[whole:], "little")) * MIX & WORD
    hashed = (hashed ^ hashed >> 13) * MIX & WORD
    return hashed ^ hashed >> 15


@lru_cache(maxsize=200_000)
def home_of(book: str, partitions: int) -> int:
    """The partition of a book among so many."""
    return (murmur2(book.encode()) & 0x7FFFFFFF) % partitions


def home_of_row(key: str, partitions: int) -> int:
    """The partition of a table's row, whose key begins with its book."""
    return home_of(key.partition("|")[0], partitions)


class Homes:
    """Where books may have been, from the beginning on: their partition among as many as there were then.

    There never were fewer than before (docs/operations.md): the first entry that is where it would not be among as many
    as until then shows that they had become more. For a pipeline that has `FEWEST` nothing is admitted but that.
    """

    def __init__(self, partitions: int) -> None:
        self._now = partitions
        self._then = min(FEWEST, partitions)

    def now(self, book: str) -> int:
        """Where a book is."""
        return home_of(book, self._now)

    def admit(self, book: str, number: int) -> bool:
        """Whether the next entry in the order of time, which is one of this book, may be on this partition."""
        if home_of(book, self._then) == number:
            return True
        for then in range(self._then + 1, self._now + 1):
            if home_of(book, then) == number:
                self._then = then
                return True
        return False


def rows_at_home(table: Sequence[Mapping[str, Row]]) -> dict[str, Row]:
    """Of the rows of a table, partition by partition, those that are where their books are."""
    return {
        key: row
        for number, rows in enumerate(table)
        for key, row in rows.items()
        if home_of_row(key, len(table)) == number
    }


def rows_elsewhere(place: str, table: Sequence[Mapping[str, Row]]) -> Iterator[Finding]:
    """Findings for all others: whoever works on such a partition has money of a book that is not there."""
    for number, rows in enumerate(table):
        for key in rows:
            home = home_of_row(key, len(table))
            if home != number:
                yield Finding(Kind.MISPLACED, f"{place} {key}", f"on partition {home}", f"on partition {number}")


class LastTold(NamedTuple):
    """The rows of a projection, and the keys of those that were last told before there were more partitions."""

    rows: dict[str, bytes]
    before: set[str]


def last_told(projection: Sequence[Mapping[str, bytes]]) -> LastTold:
    """Of the rows of a projection, partition by partition, those that were told last.

    A projection is placed by its whole key, and its rows do not move: one that has changed since there are more
    partitions is where it belongs now, and what is left where it belonged before is older.
    """
    rows, before, now = dict[str, bytes](), set[str](), len(projection)
    for number, told in enumerate(projection):
        for key, row in told.items():
            hashed = murmur2(key.encode()) & 0x7FFFFFFF
            if hashed % now == number:
                rows[key] = row
            elif _newest(hashed, key, projection) == number:
                rows[key] = row
                before.add(key)
    return LastTold(rows, before)


def _newest(hashed: int, key: str, projection: Sequence[Mapping[str, bytes]]) -> int | None:
    """Where a key was told last, among as many partitions as there may have been."""
    for then in range(len(projection), FEWEST - 1, -1):
        if key in projection[hashed % then]:
            return hashed % then
    return None
