"""The partitioner of Java's clients, and of ours."""

from functools import lru_cache

from aiokafka.partitioner import murmur2 as _murmur2


@lru_cache(maxsize=100_000)
def murmur2(key: bytes) -> int:
    """The hash of a key."""
    return int(_murmur2(key))
