"""The register of files: numbers without gaps, hashes in a chain, and the bytes until they are stored (BEY-02).

A transaction takes numbers, makes the bytes and records the files while it holds the rows of their series. The bytes
are made inside it because their hash belongs to the number: nobody waits for that, since a series is written by the
one worker that owns its partition. The bytes go to `sink.outgoing` and not only to memory, so that a file that was
committed can be stored after a crash by any later release, even one that would lay it out differently.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from itertools import count
from typing import Any, NamedTuple

import msgspec
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from sinks.database import Connection, Cursor


class Kind(StrEnum):
    """What a file is."""

    INVOICE = "invoice"
    ADI_WORKBOOK = "adi-workbook"
    ADI_CSV = "adi-csv"


class Range(NamedTuple):
    """Offsets of one partition, both ends included, that hold everything a file derives from."""

    partition: int
    first: int
    last: int


class Serial(NamedTuple):
    """A number that was taken in a series."""

    series: str
    number: int


class File(NamedTuple):
    """A file that a transaction makes. `edition` names the program that made the bytes; `made_at` is event time."""

    name: str
    kind: Kind
    serial: Serial
    sources: Sequence[Range]
    totals: Mapping[str, Any]
    edition: str
    made_at: datetime
    content: bytes

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()


class Row(msgspec.Struct, frozen=True):
    """A manifest row, as it is read back."""

    name: str
    kind: str
    series: str
    number: int
    topic: str
    sources: list[dict[str, int]]
    sha256: str
    size_bytes: int
    previous_sha256: str | None
    totals: dict[str, Any]
    edition: str
    made_at: datetime


def take_numbers(cursor: Cursor, series: Sequence[str]) -> list[Serial]:
    """The next number of each named series, in the given order; a name may come several times. Locks their rows."""
    wanted: dict[str, int] = defaultdict(int)
    for name in series:
        wanted[name] += 1
    numbers = {name: _take(cursor, name, how_many) for name, how_many in sorted(wanted.items())}
    return [Serial(name, next(numbers[name])) for name in series]


def _take(cursor: Cursor, series: str, how_many: int) -> Iterator[int]:
    cursor.execute(
        "insert into sink.series as known (series, last_number) values (%s, %s)"
        " on conflict (series) do update set last_number = known.last_number + excluded.last_number"
        " returning last_number",
        (series, how_many),
    )
    row = cursor.fetchone()
    assert row is not None
    return count(row[0] - how_many + 1)


def record(cursor: Cursor, topic: str, files: Sequence[File]) -> None:
    """Write the manifest rows of files whose numbers were taken in this transaction, and their bytes to be stored."""
    if not files:
        return
    last = _last_digests(cursor, {file.serial.series for file in files})
    rows = []
    for file in sorted(files, key=lambda file: file.serial):
        series, number = file.serial
        rows.append((
            file.name, file.kind, series, number, topic, Jsonb([source._asdict() for source in file.sources]),
            file.digest, len(file.content), last[series], Jsonb(dict(file.totals)), file.edition, file.made_at,
        ))  # fmt: skip
        last[series] = file.digest
    cursor.executemany(f"insert into sink.manifest values ({', '.join(['%s'] * 12)})", rows)
    cursor.executemany("insert into sink.outgoing values (%s, %s)", [(file.name, file.content) for file in files])
    cursor.executemany(
        "update sink.series set last_sha256 = %s where series = %s", [(digest, name) for name, digest in last.items()]
    )


def _last_digests(cursor: Cursor, series: set[str]) -> dict[str, str | None]:
    cursor.execute("select series, last_sha256 from sink.series where series = any(%s)", (sorted(series),))
    return dict(cursor.fetchall())


def outgoing(connection: Connection, limit: int) -> dict[str, bytes]:
    """Files that are committed and may not be stored yet, oldest name first."""
    cursor = connection.execute("select name, content from sink.outgoing order by name limit %s", (limit,))
    return dict(cursor.fetchall())


def outgoing_names(connection: Connection) -> list[str]:
    """The names of those files."""
    return [row[0] for row in connection.execute("select name from sink.outgoing")]


def stored(connection: Connection, names: Iterable[str]) -> None:
    """The storage has these files: their bytes need not be kept here."""
    connection.execute("delete from sink.outgoing where name = any(%s)", (sorted(names),))


def rows(connection: Connection, kinds: Iterable[Kind]) -> Iterable[Row]:
    """All manifest rows of these kinds, by series and number, a few at a time: inside the caller's transaction."""
    with connection.cursor("manifest", row_factory=class_row(Row)) as cursor:
        cursor.execute(
            "select * from sink.manifest where kind = any(%s) order by series, number", (sorted(map(str, kinds)),)
        )
        yield from cursor
