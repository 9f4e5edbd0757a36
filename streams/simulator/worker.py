"""One worker's life, turn by turn: the product's parts, in the order in which `streams.runtime.cycle` calls them."""

from enum import Enum
from typing import Any, NamedTuple

from confluent_kafka import TopicPartition

from schemas.codec import Codec
from schemas.registry import Registry
from streams.app import APP_ID, wire
from streams.runtime.assignment import Phase
from streams.runtime.outside import Outside
from streams.runtime.restore import Restore
from streams.runtime.settings import Settings
from streams.runtime.source import Source
from streams.runtime.transaction import Transaction, Transactions
from streams.simulator.app import App, Table
from streams.simulator.kafka.host import Host

IDLE_POLL_S = 0.25

Batches = dict[tuple[str, int], list[Any]]


class Contracts(NamedTuple):
    """Codec and registry; making them takes a while, and all workers may share them."""

    codec: Codec
    registry: Registry


class Step(Enum):
    """What a worker does on its own, between two requests."""

    WORK = "work"
    RESTORE = "restore"


class Worker:
    """One process: it may be dropped at any moment, and nothing of it remains but what the broker has."""

    def __init__(self, host: Host, outside: Outside, settings: Settings, contracts: Contracts) -> None:
        self._host, self._outside, self._settings = host, outside, settings
        self._client: dict[str, Any] = {}
        self.app = App(APP_ID)
        wire(self.app, contracts.codec, contracts.registry)
        self.source = Source(settings, self._client, APP_ID, outside)
        self.transactions = Transactions(
            {
                "transactional.id": f"{APP_ID}-{settings.worker}",
                "transaction.timeout.ms": int(settings.transaction_timeout_s * 1000),
            },
            request_timeout_s=settings.request_timeout_s,
            commit_timeout_s=settings.commit_timeout_s,
            new_producer=outside.new_producer,
            monotonic_s=outside.monotonic_s,
        )
        self._epoch = 0
        self._restore: Restore | None = None
        self.committed = 0
        """Transactions so far."""

    @property
    def tables(self) -> list[Table]:
        """All tables."""
        return list(self.app.tables.values())

    @property
    def partitions(self) -> list[int]:
        """The partitions whose tables are in use."""
        assignment = self.source.assignment
        flowing = assignment.phase is Phase.FLOWING and self._epoch == assignment.epoch
        return sorted({tp.partition for tp in assignment.partitions}) if flowing else []

    def start(self) -> None:
        """Take the transactional id over, and join the group."""
        self.transactions.start()
        self.source.subscribe(self.app.topics)

    def turn(self) -> list[int]:
        """Do what comes next, for a moment; the partitions on which something was committed."""
        if self._restore is not None:
            self._go_on_restoring(self._restore)
            return []
        records = self.source.poll(IDLE_POLL_S)
        if self._epoch != self.source.assignment.epoch:
            self._rebalance()
        elif records:
            return self._process(records)
        return []

    def stop(self) -> None:
        """Leave the group in good order."""
        self.source.close()
        self.transactions.close()
        self.app.close()

    # ---- one cycle

    def _process(self, records: list[Any]) -> list[int]:
        batches: Batches = {}
        for record in records:
            batches.setdefault((record.topic(), record.partition()), []).append(record)
        for (topic, partition), batch in batches.items():
            self.app.deliver(topic, partition, batch)
        self._host.at(Step.WORK)
        outputs = self.app.outbox.take()
        writes = [write for table in self.tables for write in table.take_changes(outputs.append)]
        offsets = [TopicPartition(*slot, batch[-1].offset() + 1) for slot, batch in batches.items()]
        self.transactions.commit(Transaction(outputs, writes, offsets, self.source.assignment.group))
        self.committed += 1
        return sorted({partition for _, partition in batches})

    # ---- between cycles

    def _rebalance(self) -> None:
        assignment = self.source.assignment
        self._epoch = assignment.epoch
        numbers = {tp.partition for tp in assignment.partitions}
        for table in self.tables:
            table.disown(numbers, self.source.age_s, self._settings.warm_s)
        if assignment.phase is Phase.UNASSIGNED:
            return
        assignment.check_copartitioned()
        if not assignment.partitions:
            self._flow([])
            return
        restoring = {**self._client, "group.id": f"{APP_ID}-restore"}
        self._restore = Restore(
            self.source.member, self.tables, assignment.partitions, self._settings, restoring, self._outside
        )

    def _go_on_restoring(self, restore: Restore) -> None:
        self._host.at(Step.RESTORE)
        restore.step()
        self.source.stay()
        if self._epoch != self.source.assignment.epoch:
            self._end_restore()
            self._rebalance()
        elif restore.done:
            committed = restore.committed
            self._end_restore()
            self._flow(committed)

    def _end_restore(self) -> None:
        if self._restore is not None:
            self._restore.close()
            self._restore = None

    def _flow(self, committed: list[TopicPartition]) -> None:
        self.source.flow(committed)
        self.source.assignment.restored(self._epoch)
