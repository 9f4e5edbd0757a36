"""Which partition a key belongs to: murmur2, as Java's clients and ours have it."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

from schemas.topics import PARTITIONS


@lru_cache(maxsize=200_000)
def partition_of(key: bytes) -> int:
    """The partition of a key in every topic of ours."""
    return int(murmur2(key) & 0x7FFFFFFF) % PARTITIONS
