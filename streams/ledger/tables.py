"""What the pure core asks of a table: rows by key. The worker gives one partition of a table."""

from typing import Protocol, TypeVar

Row = TypeVar("Row")


class Rows(Protocol[Row]):
    """Rows by key. A row is immutable: a change is a new row under the same key. A dict will do."""

    def get(self, key: str, /) -> Row | None: ...

    def __setitem__(self, key: str, row: Row, /) -> None: ...

    def __delitem__(self, key: str, /) -> None: ...


class DueRows(Rows[Row], Protocol[Row]):
    """Rows of which some fall due."""

    def due(self, now_us: int, limit: int) -> list[str]:
        """Keys of rows due at or before `now_us` (UTC microseconds), earliest first, at most `limit`."""
        ...


def put(rows: Rows[Row], key: str, row: Row | None) -> None:
    """Keep a row under its key; None drops what is there, if anything is."""
    if row is not None:
        rows[key] = row
    elif rows.get(key) is not None:
        del rows[key]
