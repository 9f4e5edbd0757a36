"""What the pure core asks of a table: a mapping of rows. A dict will do; the worker gives one partition of a table."""

from typing import Protocol, TypeVar

Row = TypeVar("Row")


class Rows(Protocol[Row]):
    """Rows by key. A row is immutable: a change is a new row under the same key."""

    def get(self, key: str, /) -> Row | None: ...

    def __setitem__(self, key: str, row: Row, /) -> None: ...

    def __delitem__(self, key: str, /) -> None: ...


class Due(Protocol):
    """Rows that fall due."""

    def due(self, now: int, limit: int) -> list[str]:
        """Keys of rows due at or before `now` (UTC microseconds), earliest first, at most `limit`."""
        ...
