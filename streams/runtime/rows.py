"""The rows of one table in one partition: a dictionary that knows what changed and what falls due.

Pure: no Kafka, no Faust, no clock. Unit tests and simulators use it as it is.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import Any, Generic, NoReturn, TypeVar

import msgspec
from pydantic import BaseModel

from streams.runtime.frozen import refuse_mutable

R = TypeVar("R")

_MISSING: Any = object()
_SLACK = 64


class Rows(Generic[R]):
    """Rows of one partition, keyed by str, each a frozen `msgspec.Struct` (or a tagged union of them).

    Rows are live objects; only what changed is encoded, once, when the cycle commits. Because rows are frozen, a
    change can only happen by assignment, so none can be missed.

    `due` tells when a row falls due (UTC microseconds) or None if it never does. A heap beside the rows keeps the
    earliest on top; entries of rows that changed since are dropped when they surface, so no operation walks the table.

    Raises TypeError if the row type can be changed in place.
    """

    def __init__(self, row: Any, due: Callable[[R], int | None] | None = None) -> None:
        self._types: tuple[type, ...] = refuse_mutable(row)
        self._decode: Callable[[bytes], R] = msgspec.json.Decoder(row, dec_hook=_from_plain).decode
        self._decode_many: Callable[[bytes], dict[str, R]] = msgspec.json.Decoder(
            dict[str, row], dec_hook=_from_plain
        ).decode
        self._encode = msgspec.json.Encoder(enc_hook=_to_plain).encode
        self._due_of = due
        self._rows: dict[str, R] = {}
        self._changed: dict[str, None] = {}  # an ordered set: changelogs of equal runs are equal
        self._heap: list[tuple[int, str]] = []
        self._closed = False

    def get(self, key: str) -> R | None:
        """The row of `key`, or None."""
        if self._closed:
            self._refuse()
        return self._rows.get(key)

    def __getitem__(self, key: str) -> R:
        if self._closed:
            self._refuse()
        return self._rows[key]

    def __setitem__(self, key: str, row: R) -> None:
        if self._closed:
            self._refuse()
        if not isinstance(row, self._types):
            raise TypeError(f"{key}: a row must be {self._type_names()}, not {type(row).__name__}")
        before = self._rows.get(key)
        if row is before:
            return
        self._rows[key] = row
        self._changed[key] = None
        if self._due_of is not None:
            self._schedule(key, before, row, self._due_of)

    def __delitem__(self, key: str) -> None:
        if self._closed:
            self._refuse()
        del self._rows[key]
        self._changed[key] = None

    def __contains__(self, key: object) -> bool:
        if self._closed:
            self._refuse()
        return key in self._rows

    def __iter__(self) -> Iterator[str]:
        if self._closed:
            self._refuse()
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def due(self, now_us: int, limit: int) -> list[str]:
        """Keys of at most `limit` rows due at or before `now_us`, earliest first, equal moments by key.

        Asking changes nothing: a row stays due until it is changed or deleted. The cost depends on the rows found
        and on the stale entries passed once, not on the size of the table.
        """
        if self._closed:
            self._refuse()
        if self._due_of is None:
            raise TypeError("this table was declared without due=")
        heap, found = self._heap, list[tuple[int, str]]()
        while heap and heap[0][0] <= now_us and len(found) < limit:
            entry = heappop(heap)
            row = self._rows.get(entry[1])
            stale = row is None or self._due_of(row) != entry[0]
            twice = bool(found) and found[-1] == entry
            if not (stale or twice):
                found.append(entry)
        for entry in found:
            heappush(heap, entry)
        return [key for _, key in found]

    # ---- for the runtime -------------------------------------------------------------------------------------------

    def take_changes(self) -> list[tuple[str, R | None]]:
        """Each key changed since the last call with its last row, or None if it is gone; in order of first change."""
        get = self._rows.get
        changes = [(key, get(key)) for key in self._changed]
        self._changed.clear()
        return changes

    def encode(self, row: R) -> bytes:
        """The changelog value of `row`."""
        return self._encode(row)

    def pack(self, rows: dict[str, R]) -> bytes:
        """Several rows as one JSON object without line breaks, each row as `encode` would have it."""
        return self._encode(rows)

    def unpack(self, packed: bytes) -> dict[str, R]:
        """What was packed. Raises msgspec.DecodeError if it is not of the row type."""
        return self._decode_many(packed)

    def copied(self) -> dict[str, R]:
        """All rows, in a dictionary of the caller's own."""
        return self._rows.copy()

    def begin_from(self, rows: dict[str, R]) -> None:
        """Be these rows; `restore` must follow."""
        self._rows = rows

    def restore(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Apply changelog records, oldest first; nothing counts as changed.

        Raises msgspec.ValidationError if a record is not of the row type: the table's type was changed without
        regard to what its changelog holds.
        """
        rows, decode = self._rows, self._decode
        for raw_key, value in records:
            key = raw_key.decode()
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = decode(value)
        self._rebuild_heap()

    def open(self) -> None:
        """Let an agent's event use these rows."""
        self._closed = False

    def close(self) -> None:
        """Refuse any use until opened again: a reference kept beyond its event could write unseen or read the past."""
        self._closed = True

    # ---- the heap of due rows --------------------------------------------------------------------------------------

    def _schedule(self, key: str, before: R | None, row: R, due_of: Callable[[R], int | None]) -> None:
        at = due_of(row)
        if at is None or (before is not None and due_of(before) == at):  # then its entry is there already
            return
        heappush(self._heap, (at, key))
        if len(self._heap) > 2 * len(self._rows) + _SLACK:  # bounded, however often deadlines move
            self._rebuild_heap()

    def _rebuild_heap(self) -> None:
        if self._due_of is None:
            return
        moments = ((self._due_of(row), key) for key, row in self._rows.items())
        self._heap = [(at, key) for at, key in moments if at is not None]
        heapify(self._heap)

    # ---- refusals --------------------------------------------------------------------------------------------------

    def _type_names(self) -> str:
        return " or ".join(each.__name__ for each in self._types)

    def _refuse(self) -> NoReturn:
        raise RuntimeError("these rows are closed: ask table.rows(partition) again in every event")


def _to_plain(message: BaseModel) -> dict[str, Any]:
    """A message inside a row, or as one, in terms that msgspec encodes."""
    return message.model_dump()


def _from_plain(kind: type[BaseModel], plain: Any) -> BaseModel:
    return kind.model_validate(plain)
