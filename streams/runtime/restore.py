"""Bring the tables of newly assigned partitions up to everything any earlier owner can have committed.

The order matters (ADR 2, finding 2):
1. `committed()` on a read_committed consumer waits until pending transactional offsets are decided (KIP-447), so an
   earlier owner's last transaction is decided.
2. Its markers may still be on their way to the changelog, so the target is the high watermark, not the last stable
   offset.
3. Read, read_committed, up to the target; from the start, or from where rows that are at hand are complete: those
   that this process kept since it last owned the partition, or a snapshot's (ADR 5).
"""

import logging
from collections.abc import Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition

from streams.runtime import metrics
from streams.runtime.outside import REAL, Outside
from streams.runtime.settings import Settings
from streams.runtime.snapshots import Snapshots
from streams.runtime.tables import OwnedRows

log = logging.getLogger(__name__)

READ_RECORDS = 20_000
POLL_S = 0.1
QUERY_TIMEOUT_S = 5.0

Slot = tuple[str, int]
"""Changelog topic and partition."""


class RestoreStalledError(Exception):
    """A restore made no progress for too long."""


class Restore:
    """One restore, driven by repeated `step()` until `done`; every call runs in the thread that polls."""

    def __init__(
        self,
        member: Any,
        tables: Sequence[OwnedRows],
        source: Sequence[TopicPartition],
        settings: Settings,
        client: dict[str, Any],
        outside: Outside = REAL,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._member, self._source, self._settings, self._client = member, list(source), settings, client
        self._outside, self._snapshots = outside, snapshots
        self._tables = {table.changelog_topic_name: table for table in tables}
        self._latest: dict[Slot, dict[bytes, bytes | None]] = {}
        self._reader: Any = None
        self._undecided: list[tuple[Slot, int, int]] | None = None
        """With its first and next offset, each slot whose start is still to be found; None before `_begin`."""
        self._from_snapshots: set[Slot] = set()
        self._starts: list[TopicPartition] = []
        self._progress_at = self._outside.monotonic_s()
        self.committed: list[TopicPartition] = []
        """Where each source partition goes on; negative offset: nothing was ever committed."""
        self.targets: dict[Slot, int] = {}
        self.records = 0

    @property
    def done(self) -> bool:
        """All tables own their partitions."""
        return self._reader is not None and not self.targets

    def step(self) -> None:
        """Go on for at most about `POLL_S` seconds.

        Raises KafkaException for what will not pass by itself, RestoreStalledError if nothing moves for long.
        """
        progressed = self._advance()
        now = self._outside.monotonic_s()
        if progressed:
            self._progress_at = now
        elif now - self._progress_at > self._settings.restore_stall_timeout_s:
            waiting_for = self.targets or "the committed offsets"
            raise RestoreStalledError(
                f"no progress for {self._settings.restore_stall_timeout_s:.0f} s; still before {waiting_for}. "
                "If the brokers are well, a transaction was never ended: see kafka-transactions.sh find-hanging"
            )

    def close(self) -> None:
        """Let the reader go, and what only a snapshot tells: it is of no known age, and the file is still there."""
        for topic, number in self._from_snapshots & self.targets.keys():
            self._tables[topic].forget(number)
        if self._reader is not None:
            self._reader.close()

    def _advance(self) -> bool:
        if self._reader is not None:
            return self._read(self._reader)
        return self._begin() if self._undecided is None else self._find_start(self._undecided)

    def _begin(self) -> bool:
        try:
            stable = self._member.committed(self._source, timeout=2.0)
            undecided = next((tp.error for tp in stable if tp.error), None)
            if undecided is not None:
                raise KafkaException(undecided)
            ends = self._ends()
        except KafkaException as error:  # an undecided transaction, an election, a broker coming back
            log.info("restore: not yet: %s", error)
            self._outside.sleep(POLL_S)
            return False
        self.committed = stable
        if self._snapshots is not None:
            self._snapshots.identify(list(self._tables.values()))
        self._undecided = [(slot, low, high) for slot, (low, high) in ends.items()]
        return True

    def _find_start(self, undecided: list[tuple[Slot, int, int]]) -> bool:
        """Of one slot only: a snapshot may take a while. After the last one, begin to read."""
        if undecided:
            start = self._start(*undecided.pop())
            self._starts += [start] if start is not None else []
            return True
        reading = {"isolation.level": "read_committed", "enable.partition.eof": True, "auto.offset.reset": "error"}
        self._reader = self._outside.new_consumer({**self._client, **reading})
        self._reader.assign(self._starts)
        return True

    def _ends(self) -> dict[Slot, tuple[int, int]]:
        # Not AdminClient.list_offsets: it can answer "unknown topic" from a stale cache for minutes (ADR 2, finding 9).
        probe = self._outside.new_consumer({**self._client, "isolation.level": "read_uncommitted"})
        partitions = sorted({tp.partition for tp in self._source})
        try:
            return {
                (topic, number): probe.get_watermark_offsets(TopicPartition(topic, number), QUERY_TIMEOUT_S)
                for topic in self._tables
                for number in partitions
            }
        finally:
            probe.close()

    def _start(self, slot: Slot, low: int, end: int) -> TopicPartition | None:
        topic, number = slot
        table = self._tables[topic]
        position = table.position(number)
        if position is not None and position > end:  # not the changelog that these rows came from
            table.forget(number)
            position = None
        if position is None and self._snapshots is not None and self._snapshots.load(table, number, low, end):
            position = table.position(number)
            self._from_snapshots.add(slot)
        if position == end or end == 0:
            table.own(number, (), end)
            return None
        self.targets[slot] = end
        self._latest[slot] = {}
        return TopicPartition(topic, number, OFFSET_BEGINNING if position is None else position)

    def _read(self, reader: Any) -> bool:
        first = reader.poll(POLL_S)
        if first is None:
            return False
        for message in (first, *reader.consume(READ_RECORDS, 0)):
            slot, error = (message.topic(), message.partition()), message.error()
            if error is None:
                if slot in self._latest:  # else somebody writes on: this worker stood still, and has lost the partition
                    self._latest[slot][message.key()] = message.value()
                    self.records += 1
            elif error.code() == KafkaError._PARTITION_EOF:
                self._reached(slot, message.offset())
            elif not error.retriable():
                raise KafkaException(error)
        return True

    def _reached(self, slot: Slot, offset: int) -> None:
        if slot not in self.targets or offset < self.targets[slot]:  # held up by an undecided transaction
            return
        del self.targets[slot]
        latest = self._latest.pop(slot)
        table = self._tables[slot[0]]
        table.own(slot[1], latest.items(), offset)
        metrics.RESTORED_RECORDS.labels(table.name).inc(len(latest))
