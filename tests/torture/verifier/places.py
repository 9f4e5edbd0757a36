"""On which partition a book lies, and what is the last row of each key there."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from tests.torture import kafka
from tests.torture.verifier.differences import Differences

PARTITIONS = 8
_SEED, _FACTOR, _MASK = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF


@lru_cache(maxsize=100_000)
def partition_of(book: str) -> int:
    """By murmur2, as Kafka's clients for Java have it."""
    key = book.encode()
    whole = len(key) // 4 * 4
    mixed = _SEED ^ len(key)
    for at in range(0, whole, 4):
        word = int.from_bytes(key[at : at + 4], "little") * _FACTOR & _MASK
        mixed = (mixed * _FACTOR & _MASK) ^ ((word ^ word >> 24) * _FACTOR & _MASK)
    if whole < len(key):
        mixed = (mixed ^ int.from_bytes(key[whole:], "little")) * _FACTOR & _MASK
    mixed = (mixed ^ mixed >> 13) * _FACTOR & _MASK
    return ((mixed ^ mixed >> 15) & 0x7FFFFFFF) % PARTITIONS


def book_of(key: str) -> str:
    """The book that the key of a row or record begins with."""
    return key.partition("|")[0]


def check(record: Any, differences: Differences, about: Callable[[str], str] = book_of) -> None:
    """A record must be on the partition of what it is about, mostly its book; one without key is of all."""
    key = record.key()
    if key is not None and (rightly := partition_of(about(key.decode()))) != record.partition():
        place = f"{record.topic()}/{record.partition()}/{record.offset()}"
        differences.add("partition", f"{place} is about {key.decode()}, of partition {rightly}")


def latest(
    servers: str,
    topic: str,
    differences: Differences,
    read: Callable[[bytes], Any] = json.loads,
    about: Callable[[str], str] = book_of,
) -> dict[str, Any]:
    """The last value of each key of a compacted topic: what a restore would give.

    A row that is in another partition than its book is a difference: it is restored, and decides nothing, or comes
    back to life with the next repartition.
    """
    rows: dict[tuple[int, str], Any] = {}
    for record in kafka.read(servers, topic):
        place = record.partition(), record.key().decode()
        if record.value() is None:
            rows.pop(place, None)
        else:
            rows[place] = record
    for record in rows.values():
        check(record, differences, about)
    return {key: read(record.value()) for (_, key), record in rows.items()}
