"""The frame that rooms are wired into: the Faust app, the money tables, the codec, the way from a batch to a room."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import faust

from schemas.clock import Tick
from schemas.codec import Codec, Undecodable
from schemas.fields import Contract, Message
from schemas.ledger import AccountBalance, OpenLock
from schemas.topics import BALANCES, DEAD_LETTERS, OPEN_LOCKS, PARTITIONS, Spread, Topic
from streams.forgetting import Forgetting
from streams.ledger.accounts import Balance
from streams.ledger.draft import Ledger
from streams.ledger.limits import Usage
from streams.ledger.locks import Lock
from streams.ledger.tables import put
from streams.processing import TICK_AHEAD_US, Processor, Seen, refuse_future
from streams.rooms import Room
from streams.runtime import DeadLetters, OutRecord
from streams.runtime.outbox import ANY_PARTITION, outbox_of

RoomOf = Callable[[int], Room]


class Pipeline:
    """What every room shares. Money tables are keyed `book|…`, so rooms never meet in a row (PIPE-02)."""

    def __init__(self, app: faust.App, codec: Codec) -> None:
        self.app = app
        self._codec = codec
        self._letters = DeadLetters(outbox_of(app), DEAD_LETTERS.name)
        self._rooms: list[RoomOf] = []
        self._balances = self.table("balances", Balance, due=_next_expiry, projection=self._balance)
        self._locks = self.table("locks", Lock, projection=self._open_lock)
        self._limits = self.table("limits", Usage)
        self._seen = self.table("seen", Seen, due=_forget_at)
        self._forgetting: defaultdict[int, Forgetting] = defaultdict(Forgetting)

    # ---- for wiring

    def table(self, name: str, row: Any, **options: Any) -> Any:
        """A table of rows of one type, partitioned as all are."""
        return self.app.Table(name, partitions=PARTITIONS, row=row, **options)

    def projected(self, topic: Topic, show: Callable[[str, Any], Contract | None]) -> Callable[[str, Any], OutRecord]:
        """A table's projection: `show` makes of a key and its row what analysts see, or None; a tombstone says that
        there is nothing to see, or no row any more."""

        def project(key: str, row: Any) -> OutRecord:
            shown = None if row is None else show(key, row)
            return OutRecord(topic.name, key.encode(), None if shown is None else self._codec.encode(shown))

        return project

    def topic(self, topic: Topic) -> Any:
        """A topic for an agent to read."""
        return self.app.topic(topic.name)

    def join(self, room: RoomOf) -> None:
        """Let time pass for a room: ticks make its rows fall due."""
        self._rooms.append(room)

    # ---- for agents, between two batches

    def ledger(self, partition: int) -> Ledger:
        """The money tables of one partition."""
        return Ledger(self._balances.rows(partition), self._locks.rows(partition), self._limits.rows(partition))

    def process(self, room: RoomOf, topic: Topic, batch: list[Any]) -> None:
        """Give every record of a batch its outcome."""
        self._processor(room, batch[0].partition()).process(topic, batch)

    def pass_time(self, topic: Topic, batch: list[Any]) -> None:
        """Carry out what the latest tick of a batch makes due, in every room.

        A tick that Kafka's own clock contradicts becomes a dead letter: money does not expire by a wrong clock.
        """
        ticks = list(self._moments(topic, batch))
        if not ticks:
            return
        processors = [self._processor(room, batch[0].partition()) for room in self._rooms]
        for processor in processors:
            processor.pass_time(max(ticks), batch[-1])
        processors[0].forget(max(ticks))

    def messages(self, topic: Topic, batch: list[Any]) -> Iterator[Any]:
        """The messages of a batch that needs no outcome: reference data, ticks. What is none becomes a dead letter."""
        for record in batch:
            if message := self._decoded(topic, record):
                yield message

    def remember(self, topic: Topic, batch: list[Any], table: Any) -> None:
        """Keep reference data under its id; a tombstone drops it."""
        rows = table.rows(batch[0].partition())
        for key, message in self.references(topic, batch):
            put(rows, key, message)

    def references(self, topic: Topic, batch: list[Any]) -> Iterator[tuple[str, Any]]:
        """Reference data under its id; None where a tombstone drops it. What is no message becomes a dead letter."""
        for record in batch:
            key = (record.key() or b"").decode(errors="replace").partition(":")[2]
            message = None if record.value() is None else self._decoded(topic, record)
            if record.value() is None or message is not None:
                yield key, message

    def tell_reference(self, topic: Topic, key: str, message: Message | None) -> None:
        """Write reference data on: to its key's partition, or to every partition. None drops it."""
        value = None if message is None else self._codec.encode(message)
        partitions = range(PARTITIONS) if topic.spread is Spread.EVERY_PARTITION else (ANY_PARTITION,)
        for partition in partitions:
            self.app.outbox.put(topic.name, key.encode(), value, None, partition)

    def bury(self, record: Any, error: Undecodable) -> None:
        """Make a dead letter of a record that is no message."""
        self._letters.bury(record, reason=error.reason, error=error, field=error.field, schema=error.schema)

    def _moments(self, topic: Topic, batch: list[Any]) -> Iterator[int]:
        for record in batch:
            try:
                tick: Tick = self._codec.decode(topic, record.value())
                refuse_future("now", tick.now, record.timestamp()[1] * 1_000, TICK_AHEAD_US)
            except Undecodable as error:
                self.bury(record, error)
            else:
                yield tick.now

    def _decoded(self, topic: Topic, record: Any) -> Message | None:
        try:
            message: Message = self._codec.decode(topic, record.value())
        except Undecodable as error:
            self.bury(record, error)
            return None
        return message

    def _processor(self, room: RoomOf, partition: int) -> Processor:
        ledger, seen, forgetting = self.ledger(partition), self._seen.rows(partition), self._forgetting[partition]
        return Processor(
            room(partition), ledger, seen, forgetting, self._codec, self.app.outbox, self._letters, partition
        )

    # ---- projections of the money tables (PIPE-07)

    def _balance(self, key: str, row: Balance | None) -> OutRecord:
        assert row is not None, f"{key}: an account is never deleted"
        book, account, currency = key.split("|")
        message = AccountBalance(
            id=key,
            book=book,
            account=account,
            currency=currency,
            side=row.side,
            debits_posted=row.debits_posted,
            credits_posted=row.credits_posted,
            debits_pending=row.debits_pending,
            credits_pending=row.credits_pending,
            balance_minor=row.posted,
            available_minor=row.available,
            entries=row.entries,
            lots=len(row.lots),
        )
        return OutRecord(BALANCES.name, key.encode(), self._codec.encode(message))

    def _open_lock(self, key: str, row: Lock | None) -> OutRecord:
        if row is None:
            return OutRecord(OPEN_LOCKS.name, key.encode(), None)
        book, _, lock_id = key.partition("|")
        message = OpenLock(
            id=key,
            book=book,
            lock_id=lock_id,
            debit=row.debit,
            credit=row.credit,
            amount_minor=row.amount_minor,
            currency=row.currency,
            deadline=row.deadline,
        )
        return OutRecord(OPEN_LOCKS.name, key.encode(), self._codec.encode(message))


def _next_expiry(balance: Balance) -> int | None:
    return balance.next_expiry


def _forget_at(seen: Seen) -> int:
    return seen.forget_at
