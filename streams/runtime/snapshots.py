"""When a worker writes snapshots of its tables, and which it restores from (PIPE-02, ADR 5)."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from confluent_kafka import KafkaException

from streams.runtime import metrics, snapshot
from streams.runtime.fatal import RefusedError
from streams.runtime.settings import Settings
from streams.runtime.snapshot import Header, SnapshotRefusedError, Wanted
from streams.runtime.tables import OwnedRows
from streams.runtime.topics import TopicIdentity, identify

log = logging.getLogger(__name__)

LINE_ROWS = 1_000
"""Rows encoded in one go, about a quarter of a millisecond in which no other thread runs."""
PAUSE_S = 0.000_5
"""After each line: the agents' thread goes first."""
NOT_WRITTEN = "not_written"
"""A reason beside those of `Refusal`."""
REFRESH = 4
"""An unchanged snapshot is written again when it has reached this part of its greatest age."""

Slot = tuple[str, int]
"""Changelog topic and partition."""


class Image(NamedTuple):
    """A table partition at one moment. The rows are a copy of the dictionary; they themselves never change."""

    table: OwnedRows
    header: Header
    rows: dict[str, Any]


class Snapshots:
    """Files of one folder, one for each table partition, perhaps shared with other workers of this machine.

    Restores and queries run in the thread that polls, images are taken in that of the agents, files are written in one
    of their own. What cannot be written is said and counted, and ends nothing.
    """

    def __init__(self, folder: Path, settings: Settings, client: Mapping[str, Any]) -> None:
        self._folder, self._settings, self._client = folder, settings, dict(client)
        self._writer = quote(settings.worker, safe="")
        self._identities: dict[str, TopicIdentity] = {}
        self._on_disk: dict[Slot, Header] = {}
        self._thread = ThreadPoolExecutor(1, "snapshots")
        self._writing: Future[None] | None = None

    def start(self) -> None:
        """Make the folder, and remove what is of no more use. Raises RefusedError if it cannot be written to."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            oldest = time.time() - self._settings.snapshot_max_age_s
            for file in self._folder.iterdir():
                unfinished = file.name.endswith(f".{self._writer}{snapshot.UNFINISHED}")
                ours = file.name.endswith((snapshot.SUFFIX, snapshot.UNFINISHED))
                if unfinished or (ours and _was_written_before(oldest, file)):
                    file.unlink(missing_ok=True)
        except OSError as error:
            raise RefusedError(f"the folder of MILLRACE_SNAPSHOTS cannot be used: {error}") from error

    # ---- restore ---------------------------------------------------------------------------------------------------

    def identify(self, tables: Sequence[OwnedRows]) -> None:
        """Learn which topics the changelogs are now; without an answer there are no snapshots until the next time."""
        self._identities = {}
        try:
            self._identities = identify(self._client, [table.changelog_topic_name for table in tables])
        except KafkaException as error:
            log.warning("no snapshots until the next restore: %s", error.args[0].str())

    def load(self, table: OwnedRows, partition: int, low: int, high: int) -> bool:
        """Make the snapshot of `partition`, if it may be used, the base of its restore; true if so."""
        topic = table.changelog_topic_name
        identity = self._identities.get(topic)
        if identity is None:
            return False
        age_s = min(self._settings.snapshot_max_age_s, identity.delete_retention_s / 2)
        wanted = Wanted(topic, identity.topic_id, partition, table.row_type, low, high, time.time() - age_s)
        try:
            found = snapshot.read(self._path(topic, partition), wanted, table.unpack)
        except SnapshotRefusedError as refused:
            log.warning("snapshot refused (%s), restoring from the changelog's start: %s", refused.reason, refused)
            metrics.SNAPSHOT_PROBLEMS.labels(refused.reason).inc()
            return False
        if found is None:
            return False
        header, rows = found
        self._on_disk[topic, partition] = header
        metrics.SNAPSHOT_ROWS_READ.labels(table.name).inc(header.rows)
        table.begin_from(partition, rows, header.offset)
        return True

    # ---- writing ---------------------------------------------------------------------------------------------------

    def write_one(self, tables: Sequence[OwnedRows], proved_at: float) -> None:
        """Begin to write the snapshot that is most overdue, if any is and no other is being written.

        Call it between two cycles, when the rows are those of the last committed transaction, or of a restore, and no
        other. `proved_at`: wall time before that transaction, or restore, began.
        """
        if self._writing is not None:
            if not self._writing.done():
                return
            self._writing.result()  # raises what is unexpected
            self._writing = None
        due = max(self._due(tables), default=None, key=lambda each: each[0])
        if due is not None:
            started = time.perf_counter()
            image = self._image(due[1], due[2], proved_at)
            metrics.SNAPSHOT_STALL_SECONDS.observe(time.perf_counter() - started)
            self._writing = self._thread.submit(self._write, image, PAUSE_S)

    def changed(self, tables: Sequence[OwnedRows], proved_at: float) -> list[Image]:
        """Images of everything that has changed since its snapshot, for `close`. Call it as `write_one`."""
        return [
            self._image(table, partition, proved_at)
            for table in tables
            for partition in table.owned
            if self._since(table, partition) > 0 and table.changelog_topic_name in self._identities
        ]

    def close(self, images: Sequence[Image]) -> None:
        """Write the last snapshots of this process, and end the thread."""
        for written in [self._thread.submit(self._write, image, 0.0) for image in images]:
            written.result()
        self._thread.shutdown()

    def _due(self, tables: Sequence[OwnedRows]) -> Iterator[tuple[float, OwnedRows, int]]:
        """How overdue (from 1), and what."""
        oldest = time.time() - self._settings.snapshot_max_age_s / REFRESH
        for table in tables:
            if table.changelog_topic_name not in self._identities:
                continue
            for partition in table.owned:
                enough = max(self._settings.snapshot_records, table.count(partition))
                overdue = self._since(table, partition) / enough
                known = self._on_disk.get((table.changelog_topic_name, partition))
                if overdue >= 1 or (known is not None and known.taken_at < oldest):
                    yield max(overdue, 1.0), table, partition

    def _since(self, table: OwnedRows, partition: int) -> int:
        """Changelog offsets that a restore would read after the snapshot."""
        known = self._on_disk.get((table.changelog_topic_name, partition))
        return (table.position(partition) or 0) - (0 if known is None else known.offset)

    def _image(self, table: OwnedRows, partition: int, proved_at: float) -> Image:
        topic, rows = table.changelog_topic_name, table.copied(partition)
        header = Header(
            topic=topic, topic_id=self._identities[topic].topic_id, partition=partition,
            offset=table.position(partition) or 0, row_type=table.row_type, rows=len(rows), taken_at=proved_at,
        )  # fmt: skip
        return Image(table, header, rows)

    def _write(self, image: Image, pause_s: float) -> None:
        table, header = image.table, image.header
        path = self._path(header.topic, header.partition)
        try:
            snapshot.write(path, header, _lines(image, pause_s), writer=self._writer)
        except OSError as error:
            log.warning("cannot write snapshot %s: %s", path.name, error)
            metrics.SNAPSHOT_PROBLEMS.labels(NOT_WRITTEN).inc()
        else:
            metrics.SNAPSHOTS_WRITTEN.labels(table.name).inc()
        self._on_disk[header.topic, header.partition] = header  # after a failure too: try again when it is due again

    def _path(self, topic: str, partition: int) -> Path:
        return self._folder / f"{topic}-{partition}{snapshot.SUFFIX}"


def _was_written_before(moment_s: float, file: Path) -> bool:
    """False for a file that is gone: another worker of this folder was quicker."""
    try:
        return file.stat().st_mtime < moment_s
    except FileNotFoundError:
        return False


def _lines(image: Image, pause_s: float) -> Iterator[bytes]:
    items = iter(image.rows.items())
    while some := dict(islice(items, LINE_ROWS)):
        yield image.table.pack(some)
        time.sleep(pause_s)
