"""The cycle of a worker: poll, deliver, wait for the agents, commit; and between two cycles, rebalances.

It takes the place of Faust's Fetcher and is the only module that sees a cycle whole.
"""

# mypy: allow-subclassing-any, allow-untyped-decorators

import asyncio
import gc
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from confluent_kafka import Message, TopicPartition
from faust.types import TP
from mode import Service

from streams.runtime import metrics
from streams.runtime.assignment import Assignment, Phase
from streams.runtime.fatal import die
from streams.runtime.model import BatchMessage
from streams.runtime.outbox import Outbox, outbox_of
from streams.runtime.restore import Restore
from streams.runtime.settings import Settings
from streams.runtime.snapshots import Image, Snapshots
from streams.runtime.source import Source
from streams.runtime.tables import PartitionedTable
from streams.runtime.transaction import Transaction, Transactions

log = logging.getLogger(__name__)

IDLE_POLL_S = 0.1
OBSERVE_EVERY_S = 1.0
GC_THRESHOLD = 50_000
"""Rows live long and hold no cycles: look for garbage seldom."""

Batches = dict[tuple[str, int], list[Message]]


class Cycle(Service):
    """Repeats the cycle of one worker until it is told to stop; dies of anything unexpected (PIPE-03)."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(**options)
        self.app = app
        self.settings: Settings = app.transport.settings
        client: dict[str, Any] = app.transport.client()
        self.source = Source(self.settings, client, group=app.conf.id)
        self.transactions: Transactions = app.transport.new_transactions()
        self.progressed_at = time.monotonic()
        metrics.UP.set_function(lambda: float(self.live))
        metrics.READY.set_function(lambda: float(self.ready))
        folder = self.settings.snapshots
        self.snapshots = None if folder is None else Snapshots(folder, self.settings, client)
        self._restore_client = {**client, "group.id": f"{app.conf.id}-restore", "enable.auto.commit": False,
                                "fetch.wait.max.ms": 50, "fetch.queue.backoff.ms": 5}  # fmt: skip
        self._proved_at: float | None = None
        """Wall time before the commit or restore that the rows are of; None if uncommitted changes may be in them."""
        self._epoch = 0
        self._observed_at = 0.0
        self._unfinished = 0
        self._all_finished = asyncio.Event()
        self._running, self._left = False, asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "kafka")

    @property
    def assignment(self) -> Assignment:
        """What this worker owns."""
        return self.source.assignment

    @property
    def live(self) -> bool:
        """The cycle makes progress, be it an idle one."""
        return time.monotonic() - self.progressed_at < self.settings.stuck_after_s

    @property
    def ready(self) -> bool:
        """Partitions are assigned, perhaps none, and their tables restored."""
        return self.live and self.assignment.phase is Phase.FLOWING

    async def in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        """Run a blocking call of a Kafka client in the one thread that does so."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)

    def finished(self) -> None:
        """An agent has come back for more: one batch less to wait for."""
        self._unfinished -= 1
        if not self._unfinished:
            self._all_finished.set()

    @Service.task
    async def _run(self) -> None:
        self._running = True
        try:
            while not self.should_stop:
                records = await self.in_thread(self.source.poll, IDLE_POLL_S)
                await self._observe()
                if self._epoch != self.assignment.epoch:
                    await self._rebalance()
                elif records:
                    await self._process(records)
            images = self._last_images()
            await self.in_thread(self.source.close)
            await self.in_thread(self.transactions.close)
            if self.snapshots is not None:
                await self.in_thread(self.snapshots.close, images)
        except BaseException as error:  # noqa: BLE001  the last line of defence
            die(error)
        self._left.set()

    async def on_stop(self) -> None:
        """Wait until the cycle has committed what it had finished and left the group."""
        if self._running:
            try:
                await asyncio.wait_for(self._left.wait(), self.settings.commit_limit_s)
            except TimeoutError as error:
                die(error)

    # ---- one cycle -------------------------------------------------------------------------------------------------

    async def _process(self, records: list[Message]) -> None:
        started, self._proved_at, now = time.monotonic(), None, time.time()
        batches: Batches = {}
        for record in records:
            batches.setdefault((record.topic(), record.partition()), []).append(record)
        if not await self._deliver(batches):
            return  # stopping: what was not finished was never committed, and is dropped whole
        transaction = self._gather(batches)
        metrics.PROCESS_SECONDS.observe(time.monotonic() - started)
        await asyncio.wait_for(self.in_thread(self.transactions.commit, transaction), self.settings.commit_limit_s)
        self._proved_at = now
        self._count(batches, transaction)

    async def _deliver(self, batches: Batches) -> bool:
        """Hand each batch to its agents and wait for all; false if the worker was told to stop meanwhile.

        Raises TimeoutError if an agent keeps its batch for too long.
        """
        if len(self._outbox):
            raise AssertionError("records were put outside of any cycle")
        self._unfinished = len(batches)
        self._all_finished.clear()
        limit_s = self.settings.process_timeout_s
        try:
            return not await asyncio.wait_for(self.wait_for_stopped(self._hand_over(batches)), limit_s)
        except TimeoutError:
            topics = ", ".join(sorted({topic for topic, _ in batches}))
            raise TimeoutError(f"agents of {topics} did not finish their batches in {limit_s:.0f} s") from None

    async def _hand_over(self, batches: Batches) -> None:
        consumer = self.app.consumer
        for (topic, partition), batch in batches.items():
            first = batch[0]
            message = BatchMessage(
                topic, partition, first.offset(), first.timestamp()[1] / 1000.0, 0, None, None, batch, None,
                tp=TP(topic, partition), time_in=time.monotonic(), generation_id=self._epoch)  # fmt: skip
            await consumer.callback(message)
        await self._all_finished.wait()

    def _gather(self, batches: Batches) -> Transaction:
        outputs = self._outbox.take()
        tables = [write for table in self._tables for write in table.take_changes(outputs.append)]
        offsets = [TopicPartition(*slot, batch[-1].offset() + 1) for slot, batch in batches.items()]
        return Transaction(outputs, tables, offsets, self.assignment.group)

    def _count(self, batches: Batches, transaction: Transaction) -> None:
        metrics.CYCLE_RECORDS.observe(sum(map(len, batches.values())))
        for (topic, _), batch in batches.items():
            metrics.CONSUMED.labels(topic).inc(len(batch))
        for topic, count in Counter(record.topic for record in transaction.outputs).items():
            metrics.OUTPUTS.labels(topic).inc(count)
        for write in transaction.tables:
            metrics.ROWS_CHANGED.labels(write.table).inc(len(write.rows))

    async def _observe(self) -> None:
        now = self.progressed_at = time.monotonic()
        if now - self._observed_at > OBSERVE_EVERY_S:
            self._observed_at = now
            for table in self._tables:
                metrics.TABLE_ROWS.labels(table.name).set(len(table))
            await self.in_thread(self.source.observe_lag)
            if self.snapshots is not None and self._proved_at is not None:
                self.snapshots.write_one(self._tables, self._proved_at)

    def _last_images(self) -> list[Image]:
        if self.snapshots is None or self._proved_at is None:
            return []
        return self.snapshots.changed(self._tables, self._proved_at)

    @property
    def _tables(self) -> Sequence[PartitionedTable]:
        return list(self.app.tables.values())

    @property
    def _outbox(self) -> Outbox:
        return outbox_of(self.app)

    # ---- between cycles: a rebalance -------------------------------------------------------------------------------

    async def _rebalance(self) -> None:
        """Follow the assignment until it stands still: tell Faust, restore the tables, let records flow."""
        while self._epoch != self.assignment.epoch and not self.should_stop:
            epoch, self._proved_at = self.assignment.epoch, None
            self._epoch = epoch
            await self._tell_faust(epoch)
            partitions = self.assignment.partitions
            metrics.ASSIGNED.set(len(partitions))
            metrics.LAG.clear()  # what somebody else owns by now is theirs to report
            numbers = {tp.partition for tp in partitions}
            for table in self._tables:
                table.disown(numbers, self.source.age_s, self.settings.warm_s)
            if self.assignment.phase is Phase.UNASSIGNED:
                return  # a bare revocation: the next assignment is on its way
            self.assignment.check_copartitioned()
            metrics.REBALANCES.inc()
            committed = await self._restore(epoch)
            if committed is not None:
                await self._flow(epoch, committed)

    async def _tell_faust(self, epoch: int) -> None:
        app, consumer = self.app, self.app.consumer
        app.on_rebalance_start()
        await consumer._on_partitions_revoked(consumer.owned)
        consumer.owned = {TP(tp.topic, tp.partition) for tp in self.assignment.partitions}
        app.consumer_generation_id = epoch
        await consumer._on_partitions_assigned(consumer.owned, epoch)
        app.on_rebalance_return()

    async def _restore(self, epoch: int) -> list[TopicPartition] | None:
        """Restore all tables; where each source partition goes on, or None if the assignment has moved on."""
        source = self.assignment.partitions
        if not source:
            return []
        started, now = time.monotonic(), time.time()
        restore = Restore(
            self.source.member, self._tables, source, self.settings, self._restore_client, snapshots=self.snapshots
        )
        gc.disable()  # it would look at every row again and again, and rows hold no cycles
        try:
            while not restore.done:
                await self.in_thread(restore.step)
                await self.in_thread(self.source.stay)
                self.progressed_at = time.monotonic()
                if self.assignment.epoch != epoch or self.should_stop:
                    return None
        finally:
            gc.enable()
            await self.in_thread(restore.close)
        self._proved_at = now
        seconds = time.monotonic() - started
        metrics.RESTORE_SECONDS.observe(seconds)
        log.info("restored %d partitions, %d records, in %.2f s", len(source), restore.records, seconds)
        return restore.committed

    async def _flow(self, epoch: int, committed: list[TopicPartition]) -> None:
        gc.collect()
        gc.freeze()  # restored rows stay: the collector need not look at them again
        gc.set_threshold(GC_THRESHOLD)
        self.app.consumer.resume_flow()
        self.app.flow_control.resume()
        self.app.on_rebalance_end()
        self.app.tables.ready.set()
        await self.in_thread(self.source.flow, committed)
        self.assignment.restored(epoch)
