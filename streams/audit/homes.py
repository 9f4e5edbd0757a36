"""Where a book is: the partition of its key, by murmur2 as Kafka's own clients have it, written out here once more."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from streams.audit.evidence import Row
from streams.audit.findings import Finding, Kind

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
def number_of(book: str) -> int:
    """What a book's partition is the remainder of."""
    return murmur2(book.encode()) & 0x7FFFFFFF


def home_of(book: str, partitions: int) -> int:
    """The partition of a book among so many."""
    return number_of(book) % partitions


def rows_at_home(table: Sequence[Mapping[str, Row]]) -> dict[str, Row]:
    """Of the rows of each partition those whose book is there."""
    homes = len(table)
    return {
        key: row
        for number, rows in enumerate(table)
        for key, row in rows.items()
        if home_of(key.partition("|")[0], homes) == number
    }


def rows_elsewhere(place: str, table: Sequence[Mapping[str, Row]]) -> Iterator[Finding]:
    """Findings for all other rows: whoever works on such a partition has money of a book that is not there."""
    for number, rows in enumerate(table):
        for key in rows:
            home = home_of(key.partition("|")[0], len(table))
            if home != number:
                yield Finding(Kind.MISPLACED, f"{place} {key}", f"on partition {home}", f"on partition {number}")
