"""A room without Kafka: give it messages, let time pass, read what it said.

    stage = Stage(lambda ledger: Room(Tables(trips, prices, ledger.balances), ledger), trips, prices)
    told = stage.send(DepositBudget(...))              # real Avro, real CloudEvents headers, the real processor
    assert told.outcome == "accepted"
    assert told.event(BudgetDeposited).amount.amount_minor == 500
    assert stage.balance("group:g1", "wallet").posted == 500
    stage.wait(4 * HOUR)                               # one tick, so many microseconds later

After every record and every tick the stage checks the laws that hold for all rooms: one journal entry or one dead
letter per record, nothing changed by what was refused, repeated or buried, debits equal credits, lots add up to their
account, statement lines are numbered without gaps and carry the running balance, every event has an envelope and an id
of its own.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar

from schemas.clock import Tick
from schemas.codec import Codec
from schemas.envelope import Envelope, Headers, read_envelope
from schemas.fields import Message, to_micros
from schemas.ledger import Decided, Outcome, StatementLine
from schemas.registry import RegistryUnavailable
from schemas.topics import JOURNAL, STATEMENT_LINES, TICKS, TOPICS, Topic
from streams.forgetting import SETTLED_US, UNSEEN_US, Forgetting
from streams.ledger.accounts import Balance
from streams.ledger.draft import Ledger
from streams.ledger.limits import Usage
from streams.ledger.locks import Lock
from streams.processing import TOPIC_OF, TYPE_NAME, Processor, Seen
from streams.rooms import Room
from streams.runtime.rows import Rows
from streams.simulator.registry import MemoryRegistry

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
PARTITION = 3
TOPIC_NAMED = {topic.name: topic for topic in TOPICS}

Event = TypeVar("Event", bound=Message)


def moment(text: str) -> int:
    """`2026-03-01T08:00Z` in UTC microseconds."""
    return to_micros(datetime.fromisoformat(text))


MORNING = moment("2026-03-01T08:00:00Z")
"""When every stage's clock begins."""


class FakeRegistry(MemoryRegistry):
    """The simulator's registry, which can be down."""

    def __init__(self) -> None:
        super().__init__()
        self.is_up = True

    def schema(self, schema_id: int) -> Any:
        """The schema of a number."""
        if not self.is_up:
            raise RegistryUnavailable("the registry does not answer")
        return super().schema(schema_id)


@cache
def shared_codec() -> Codec:
    """A codec for tests that teach it nothing; making one takes a while."""
    return Codec(FakeRegistry())


class Record(NamedTuple):
    """What the pipeline uses of a `confluent_kafka.Message`."""

    on: str
    at_offset: int
    with_key: bytes | None
    with_value: bytes | None
    with_headers: list[tuple[str, bytes | None]] | None
    written_ms: int
    on_partition: int = PARTITION

    def topic(self) -> str:
        return self.on

    def partition(self) -> int:
        return self.on_partition

    def offset(self) -> int:
        return self.at_offset

    def key(self) -> bytes | None:
        return self.with_key

    def value(self) -> bytes | None:
        return self.with_value

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return self.with_headers

    def timestamp(self) -> tuple[int, int]:
        return (2, self.written_ms)


class Letter(NamedTuple):
    """A dead letter: the record and why it is one."""

    record: Any
    reason: str
    error: BaseException | str
    field: str | None
    schema: str | None


class Sent(NamedTuple):
    """A record that left the room."""

    topic: Topic
    key: bytes | None
    message: Message
    headers: Headers | None
    partition: int


class Told(NamedTuple):
    """All that one record, or one tick, has caused."""

    entries: list[Decided]
    events: list[Message]
    statement: list[StatementLine]
    letters: list[Letter]
    sent: list[Sent]

    @property
    def entry(self) -> Decided:
        """The only decision."""
        assert not self.letters, self.letters
        (entry,) = self.entries
        return entry

    @property
    def letter(self) -> Letter:
        """The only dead letter."""
        (letter,) = self.letters
        return letter

    @property
    def outcome(self) -> str:
        """`accepted`, `refused`, `duplicate`, or `dead letter`."""
        return "dead letter" if self.letters else self.entry.outcome.value

    @property
    def reason(self) -> str | None:
        """Why it was refused, or buried."""
        return self.letter.reason if self.letters else self.entry.reason

    @property
    def figures(self) -> dict[str, str]:
        """The figures of a refusal."""
        return self.entry.figures

    def event(self, kind: type[Event]) -> Event:
        """The only event of a kind."""
        (found,) = (event for event in self.events if isinstance(event, kind))
        return found

    @property
    def says(self) -> list[str]:
        """The names of the events, in order."""
        return [type(event).__name__ for event in self.events]


class Stage:
    """One room on one partition. `tables` are the room's own rows; `now` is the clock, in UTC microseconds."""

    def __init__(self, make_room: Callable[[Ledger], Room], *tables: Rows[Any], codec: Codec | None = None) -> None:
        self.now = MORNING
        self.codec = codec or shared_codec()
        self.ledger = Ledger(Rows(Balance, due=lambda row: row.next_expiry), Rows(Lock), Rows(Usage))
        self.seen: Rows[Seen] = Rows(Seen, due=lambda row: row.forget_at)
        self.history: list[Told] = []
        self._tables: tuple[Rows[Any], ...] = (*self.ledger, *tables)  # type: ignore[arg-type]
        self._puts: list[Sent] = []
        self._letters: list[Letter] = []
        self._offset = 0
        self._event_ids: Counter[str] = Counter()
        self._last_line: dict[str, StatementLine] = {}
        room = make_room(self.ledger)
        self.rightful = PARTITION
        self.processor = Processor(
            room, self.ledger, self.seen, Forgetting(), self.codec, self, self, PARTITION, lambda _: self.rightful
        )

    # ---- when

    def send(
        self,
        message: Message,
        *,
        id: str | None = None,  # noqa: A002
        source: str = "/upstream",
        at: int | None = None,
        arrived: int | None = None,
        headers: dict[str, bytes | None] | None = None,
        **record: Any,
    ) -> Told:
        """Give the room one message, as upstream would send it. By default each has an id of its own.

        `at` is when it happened upstream, `arrived` when it reached Kafka; both are now by default. `headers` replaces
        single headers (None: leaves out); `key`, `value`, `topic` replace what the record would carry.
        """
        topic = TOPIC_OF[type(message)]
        assert topic.key is not None
        key = topic.key.of(message)
        assert key is not None
        id_ = id or f"e-{self._offset}"
        time_us = self.now if at is None else at
        envelope = Envelope(id_, source, TYPE_NAME[type(message)], time_us, key, f"story-{id_}", f"cause-{id_}", "ann")
        kept = {**dict(envelope.headers()), **(headers or {})}
        return self.send_raw(
            record.get("topic", topic),
            key=record.get("key", key.encode()),
            value=record["value"] if "value" in record else self.codec.encode(message),
            headers=[(name, value) for name, value in kept.items() if value is not None],
            arrived=arrived,
        )

    def send_raw(
        self,
        topic: Topic,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes | None]] | None = None,
        arrived: int | None = None,
    ) -> Told:
        """Give the room any record."""
        written = (self.now if arrived is None else arrived) // 1_000
        header_list = None if headers is None else list(headers)
        record = Record(topic.name, self._offset, key, value, header_list, written)
        self._offset += 1
        self.processor.process(topic, [record])
        told = self._told()
        self._check_outcome(record, told)
        return told

    def tick(self, now: int | None = None) -> Told:
        """Let the room know the time. Before a late tick there were others, as if the worker had never stood still."""
        before, self.now = self.now, self.now if now is None else now
        value = self.codec.encode(Tick(now=self.now))
        record = Record(TICKS.name, self._offset, None, value, None, self.now // 1_000)
        self._offset += 1
        self.processor.pass_time(self.now, record)
        if self.now - before > UNSEEN_US:
            self.processor.forget(self.now - SETTLED_US)
        self.processor.forget(self.now)
        told = self._told()
        for rows in self._tables:
            rows.take_changes()
        assert not told.letters
        return told

    def wait(self, micros: int) -> Told:
        """Let time pass, then tick."""
        return self.tick(self.now + micros)

    # ---- then

    def balance(self, book: str, account: str, currency: str = "EUR") -> Balance | None:
        """What stands on an account; None if it was never used."""
        return self.ledger.balances.get(f"{book}|{account}|{currency}")

    def statement(self, book: str, account: str) -> list[StatementLine]:
        """The lines of an account so far."""
        lines = (line for told in self.history for line in told.statement)
        return [line for line in lines if (line.book, line.account) == (book, account)]

    @property
    def journal(self) -> list[Decided]:
        """All decisions so far."""
        return [entry for told in self.history for entry in told.entries]

    # ---- what the processor is given

    def put(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers | None = None, partition: int = -1
    ) -> None:
        """Take a record from the room, by its real encoding."""
        declared = TOPIC_NAMED[topic]
        self._puts.append(Sent(declared, key, self.codec.decode(declared, value), headers, partition))

    def bury(
        self, record: Any, *, reason: str, error: BaseException | str, field: str | None, schema: str | None
    ) -> None:
        """Take a dead letter."""
        self._letters.append(Letter(record, reason, error, field, schema))

    # ---- the laws

    def _told(self) -> Told:
        sent, letters = self._puts, self._letters
        self._puts, self._letters = [], []
        entries = [each.message for each in sent if isinstance(each.message, Decided)]
        lines = [each.message for each in sent if isinstance(each.message, StatementLine)]
        events = [each.message for each in sent if each.topic not in (JOURNAL, STATEMENT_LINES)]
        told = Told(entries, events, lines, letters, sent)
        self.history.append(told)
        self._check_records(told)
        self._check_statement(told)
        self._check_sums()
        return told

    def _check_outcome(self, record: Record, told: Told) -> None:
        assert len(told.entries) + len(told.letters) == 1, f"not one outcome but {told}"
        changed = [key for rows in self._tables for key, _ in rows.take_changes()]
        if told.letters:
            assert not told.sent, told.sent
            assert told.letter.record is record
            assert told.letter.reason
            assert not self.seen.take_changes()
        else:
            entry = told.entry
            where = (entry.cause_topic, entry.cause_partition, entry.cause_offset)
            assert where == (record.topic(), record.partition(), record.offset())
            assert (entry.outcome is Outcome.REFUSED) == (entry.reason is not None)
            self.seen.take_changes()
        if told.outcome != "accepted":
            assert not changed, f"{told.outcome}, but {changed} changed"
            assert not any(entry.lines for entry in told.entries)
        if told.outcome == "duplicate":
            assert not told.events

    def _check_records(self, told: Told) -> None:
        for each in told.sent:
            assert each.partition == PARTITION
            key = each.topic.key.of(each.message) if each.topic.key is not None else None
            assert each.key == (None if key is None else key.encode()), each
            if each.topic in (JOURNAL, STATEMENT_LINES):
                continue
            envelope = read_envelope(each.headers)
            assert envelope.type == TYPE_NAME[type(each.message)]
            self._event_ids[envelope.id] += 1
            assert self._event_ids[envelope.id] == 1, f"two events have the id {envelope.id}"

    def _check_statement(self, told: Told) -> None:
        for line in told.statement:
            account = f"{line.book}|{line.account}|{line.currency}"
            last = self._last_line.get(account)
            number, balance = (last.number, last.balance_minor) if last else (0, 0)
            assert (line.number, line.balance_minor) == (number + 1, balance + line.amount_minor), line
            self._last_line[account] = line
        for account, last in self._last_line.items():
            row = self.ledger.balances.get(account)
            assert row is not None
            assert (row.entries, row.posted) == (last.number, last.balance_minor), account

    def _check_sums(self) -> None:
        sums: Counter[tuple[str, str]] = Counter()
        balances: Any = self.ledger.balances
        for key in balances:
            row, (book, _, currency) = balances[key], key.split("|")
            sums[book, currency] += row.debits_posted - row.credits_posted
            sums[f"pending in {book}", currency] += row.debits_pending - row.credits_pending
            if row.lots:
                assert sum(lot.amount_minor for lot in row.lots) == row.posted, f"lots of {key}"
                assert sum(lot.locked_minor for lot in row.lots) == row.locked, f"locked lots of {key}"
        assert not any(sums.values()), sums
