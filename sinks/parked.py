"""What could not be carried out: it waits here, by its place in Kafka, and stops nothing else."""

from collections.abc import Iterable
from typing import NamedTuple

from psycopg.rows import class_row

from sinks.database import Connection, Cursor


class Parked(NamedTuple):
    """A record, or with a `subject` a part of its effect, that waits for `python -m sinks retry`."""

    sink: str
    topic: str
    partition: int
    record_offset: int
    subject: str
    reason: str
    problem: str

    @property
    def record(self) -> str:
        """Its place in Kafka."""
        return f"{self.topic}/{self.partition}@{self.record_offset}"

    @property
    def what(self) -> str:
        """What waits, without the reason."""
        return f"{self.sink} {self.record}" + (f" ({self.subject})" if self.subject else "")

    def is_of(self, subject: str) -> bool:
        """Whether it is this record, this subject, or of what that names in one of its parts: an account, a prison."""
        return subject == self.record or (bool(subject) and f"/{subject}/" in f"/{self.subject}/")

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}: {self.problem}"


def park(cursor: Cursor, items: Iterable[Parked]) -> None:
    """Keep them, in the transaction that passes over their records."""
    cursor.executemany(
        "insert into sink.parked (sink, topic, partition, record_offset, subject, reason, problem)"
        " values (%s, %s, %s, %s, %s, %s, %s)"
        " on conflict (sink, topic, partition, record_offset, subject)"
        " do update set reason = excluded.reason, problem = excluded.problem",
        list(items),
    )


def waiting(connection: Connection, sink: str | None = None) -> list[Parked]:
    """All that waits, in the order of the log: this is the order in which `retry` tries them."""
    with connection.cursor(row_factory=class_row(Parked)) as cursor:
        cursor.execute(
            "select * from sink.parked where %(sink)s::text is null or sink = %(sink)s"
            " order by sink, topic, partition, record_offset, subject",
            {"sink": sink},
        )
        return cursor.fetchall()


def unpark(cursor: Cursor, item: Parked) -> bool:
    """Take it out, to be tried again in this transaction; false if somebody else did so before."""
    cursor.execute(
        "delete from sink.parked"
        " where sink = %s and topic = %s and partition = %s and record_offset = %s and subject = %s",
        item[:5],
    )
    return cursor.rowcount == 1


def parked_places(connection: Connection, sink: str, topic: str) -> set[tuple[int, int]]:
    """Partition and offset of everything that waits."""
    rows = connection.execute(
        "select partition, record_offset from sink.parked where sink = %s and topic = %s", (sink, topic)
    )
    return {(row[0], row[1]) for row in rows}


def count(connection: Connection, sink: str) -> int:
    """How much waits."""
    row = connection.execute("select count(*) from sink.parked where sink = %s", (sink,)).fetchone()
    return 0 if row is None else int(row[0])
