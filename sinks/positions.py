"""Where a sink goes on reading, kept in the transaction of its effects (PIPE-08)."""

from collections.abc import Callable, Iterable, Mapping

from sinks.database import Connection, Cursor


class Stale(Exception):
    """Another worker has moved this position: what was read since is its business, and this transaction must not be.

    A worker that was paused, cut off or thought dead ends here: its numbers, rows and files are rolled back together.
    """


def read(
    connection: Connection, sink: str, topic: str, partitions: Iterable[int], first_offset: Callable[[int], int]
) -> dict[int, int]:
    """The next offset of each partition. One that was never read begins at `first_offset(partition)`."""
    wanted = sorted(partitions)
    with connection.transaction(), connection.cursor() as cursor:
        known = _known(cursor, sink, topic, wanted)
        fresh = [(sink, topic, each, first_offset(each)) for each in wanted if each not in known]
        cursor.executemany("insert into sink.position values (%s, %s, %s, %s) on conflict do nothing", fresh)
        return _known(cursor, sink, topic, wanted)


def _known(cursor: Cursor, sink: str, topic: str, partitions: list[int]) -> dict[int, int]:
    cursor.execute(
        "select partition, next_offset from sink.position where sink = %s and topic = %s and partition = any(%s)",
        (sink, topic, partitions),
    )
    return dict(cursor.fetchall())


def advance(cursor: Cursor, sink: str, topic: str, moves: Mapping[int, tuple[int, int]]) -> None:
    """Move each partition from the offset that this worker believes in to the next; raises `Stale` where it is wrong.

    It locks the rows, so it comes first in a transaction: who is stale is refused before it takes a number.
    """
    for partition, (believed, following) in sorted(moves.items()):
        cursor.execute(
            "update sink.position set next_offset = %s"
            " where sink = %s and topic = %s and partition = %s and next_offset = %s",
            (following, sink, topic, partition, believed),
        )
        if cursor.rowcount != 1:
            raise Stale(f"{topic}/{partition} no longer stands at {believed}")
