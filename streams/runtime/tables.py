"""Tables: one `Rows` per owned partition, backed by a compacted changelog topic."""

# mypy: allow-subclassing-any

import asyncio
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import msgspec
from faust import Table
from faust.streams import current_event
from faust.tables.manager import TableManager

from streams.runtime.fatal import UnsupportedError
from streams.runtime.model import refused
from streams.runtime.outbox import OutRecord, outbox_of
from streams.runtime.rows import Rows
from streams.runtime.snapshot import fingerprint
from streams.runtime.transaction import TableWrite

Projection = Callable[[str, Any], OutRecord | None]

_USE_ROWS = "use table.rows(partition), where partition is that of the agent's batch"


class ChangelogError(Exception):
    """A changelog does not fit the table's row type: the type was changed without regard to what is stored."""


class OwnedRows:
    """The rows of one table in the partitions that this worker owns: all of a table but what is Faust's.

    `row`: frozen `msgspec.Struct` type of the rows; keys are str. `due`: see `Rows`. `projection`: called once for
    each key changed in a cycle with its last row, or None if deleted; what it returns is written by the same
    transaction. Raises TypeError for a row type that can be changed in place.
    """

    name: str
    changelog_topic_name: str

    def _keep(self, row: Any, due: Callable[[Any], int | None] | None, projection: Projection | None) -> None:
        """Begin with no partition."""
        self._row, self._due, self._projection = row, due, projection
        self._new_rows()  # to refuse a bad row type here, where it is declared
        self._owned: dict[int, Rows[Any]] = {}
        self._warm: dict[int, Rows[Any]] = {}
        self._position: dict[int, int] = {}
        self._open: dict[int, Rows[Any]] = {}

    def rows(self, partition: int) -> Rows[Any]:
        """The rows of `partition`, for use until the agent asks for its next batch.

        Raises RuntimeError outside an agent's event, for another partition than the event's (the table would not be
        co-partitioned), and for a partition that is not owned.
        """
        event = current_event()
        if event is None:
            raise RuntimeError(f"table {self.name} may only be used while an agent works on an event")
        if event.message.partition != partition:
            raise RuntimeError(f"table {self.name}: partition {partition} is not that of the event, "
                               f"{event.message.topic}/{event.message.partition}")  # fmt: skip
        rows = self._open.get(partition)
        return rows if rows is not None else self._open_rows(partition)

    def _open_rows(self, partition: int) -> Rows[Any]:
        if partition not in self._owned:
            raise RuntimeError(f"table {self.name}: partition {partition} is not owned by this worker")
        rows = self._open[partition] = self._owned[partition]
        rows.open()
        return rows

    def __len__(self) -> int:
        """Rows in all owned partitions."""
        return sum(len(rows) for rows in self._owned.values())

    # ---- for the cycle ---------------------------------------------------------------------------------------------

    def take_changes(self, project: Callable[[OutRecord], None]) -> list[TableWrite]:
        """Close the rows used in this cycle and hand over what changed, encoded; projections go to `project`."""
        topic, writes = self.changelog_topic_name, []
        for partition, rows in self._open.items():
            changes = rows.take_changes()
            rows.close()
            if not changes:
                continue
            encode = rows.encode
            encoded = [(key.encode(), None if row is None else encode(row)) for key, row in changes]
            writes.append(TableWrite(self.name, topic, partition, encoded, self._written_to(partition)))
            self._project(changes, project)
        self._open.clear()
        return writes

    def _project(self, changes: Iterable[tuple[str, Any]], project: Callable[[OutRecord], None]) -> None:
        if self._projection is not None:
            for key, row in changes:
                record = self._projection(key, row)
                if record is not None:
                    project(record)

    def _written_to(self, partition: int) -> Callable[[int], None]:
        def written(offset: int) -> None:
            self._position[partition] = offset + 1  # the transaction's marker follows: a safe lower bound

        return written

    # ---- for the restore -------------------------------------------------------------------------------------------

    def disown(self, keep: Iterable[int], age_s: float, warm_s: float) -> None:
        """Own nothing. Rows of `keep` stay as the base of a restore, if they were current `warm_s` seconds ago or less.

        Also what comes straight back is disowned: another worker may have written in between (ADR 2, finding 4). Older
        rows would miss deletions whose tombstones the changelog has dropped by now.
        """
        fresh = set(keep) if age_s <= warm_s else set()
        self._warm = {number: rows for number, rows in {**self._warm, **self._owned}.items() if number in fresh}
        self._position = {number: at for number, at in self._position.items() if number in self._warm}
        self._owned.clear()
        self._open.clear()

    def position(self, partition: int) -> int | None:
        """Changelog offset up to which warm rows are complete; None if there are none."""
        return self._position.get(partition)

    def forget(self, partition: int) -> None:
        """Drop warm rows that cannot be a base."""
        self._warm.pop(partition, None)
        self._position.pop(partition, None)

    def own(self, partition: int, records: Iterable[tuple[bytes, bytes | None]], position: int) -> None:
        """Take `partition` into use: its warm rows, if any, with `records` on top, complete up to `position`.

        Raises ChangelogError.
        """
        warm = self._warm.pop(partition, None)
        rows = self._new_rows() if warm is None else warm
        try:
            rows.restore(records)
        except msgspec.DecodeError as error:
            raise ChangelogError(f"{self.changelog_topic_name}/{partition} holds a row that is no "
                                 f"{self._row}: {error}") from error  # fmt: skip
        rows.close()
        self._owned[partition] = rows
        self._position[partition] = position

    def _new_rows(self) -> Rows[Any]:
        return Rows(self._row, self._due)

    # ---- for snapshots ---------------------------------------------------------------------------------------------

    @property
    def owned(self) -> list[int]:
        """Partitions in use."""
        return list(self._owned)

    @cached_property
    def row_type(self) -> str:
        """The row type's fingerprint."""
        return fingerprint(self._row)

    def count(self, partition: int) -> int:
        """Rows of an owned partition."""
        return len(self._owned[partition])

    def copied(self, partition: int) -> dict[str, Any]:
        """The rows of an owned partition, as they are; between two cycles that is as they were committed."""
        return self._owned[partition].copied()

    def begin_from(self, partition: int, rows: dict[str, Any], position: int) -> None:
        """Let a restore of `partition` start from these rows, complete up to `position`."""
        warm = self._warm[partition] = self._new_rows()
        warm.begin_from(rows)
        self._position[partition] = position

    @cached_property
    def pack(self) -> Callable[[dict[str, Any]], bytes]:
        """See `Rows.pack`."""
        return self._new_rows().pack

    @cached_property
    def unpack(self) -> Callable[[bytes], dict[str, Any]]:
        """See `Rows.unpack`."""
        return self._new_rows().unpack


class PartitionedTable(OwnedRows, Table):
    """`app.Table(name, partitions=n, row=Lock, due=..., projection=...)`, each as `OwnedRows` says (PIPE-02)."""

    def __init__(
        self,
        app: Any,
        *,
        row: Any = None,
        due: Callable[[Any], int | None] | None = None,
        projection: Projection | None = None,
        partitions: int | None = None,
        default: Any = None,
        **options: Any,
    ) -> None:
        if row is None or partitions is None or default is not None:
            raise UnsupportedError(f"table {options.get('name')} without row= and partitions=, or with default=",
                                   "declare app.Table(name, partitions=n, row=RowType)")  # fmt: skip
        super().__init__(app, partitions=partitions, **options)
        self._keep(row, due, projection)

    # ---- what Faust's table could do and this one refuses ----------------------------------------------------------

    async def on_start(self) -> None:
        """Nothing: the driver has made the changelog topic."""

    def using_window(self, window: Any, **_: Any) -> Any:
        """Refused."""
        raise UnsupportedError(f"windowed table {self.name}", "keep the window in the row, driven by ticks")

    data = property(refused("using a table as a dictionary", _USE_ROWS))
    __getitem__ = __setitem__ = __delitem__ = __contains__ = __iter__ = refused("a table as a dictionary", _USE_ROWS)
    get = pop = update = setdefault = clear = keys = values = items = refused("a table as a dictionary", _USE_ROWS)
    join = left_join = inner_join = outer_join = combine = refused("joining a table", _USE_ROWS)


class RestoredTables(TableManager):
    """Tables are restored by the cycle (`restore.py`), not by Faust's subscription to changelogs and its recovery."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self.ready = asyncio.Event()
        outbox_of(app)

    async def on_start(self) -> None:
        """Let the conductor go on; nothing is subscribed for the tables (ADR 2, finding 11)."""
        self._tables_finalized.set()
        self._recovery_started.set()
        for table in self.values():
            await table.maybe_start()
        self._tables_registered.set()

    async def on_stop(self) -> None:
        """Stop the tables."""
        for table in self.values():
            await table.stop()

    async def wait_until_recovery_completed(self) -> bool:
        """Wait for the first restore; true if the app is stopping instead."""
        return bool(await self.wait_for_stopped(self.ready))

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Nothing: the cycle disowns the tables."""

    async def on_rebalance(self, *_: Any, **__: Any) -> None:
        """Nothing: the cycle restores the tables."""
