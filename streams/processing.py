"""From a raw record to its one outcome: decode, recognise repetitions, decide, evolve, tell.

A room decides; this carries it out. Everything that a record causes, its journal entry, its events, its rows, leaves in
the transaction of the cycle that consumed it, or not at all (PIPE-04, PIPE-05, PIPE-09).
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import msgspec

from schemas.avro import full_name
from schemas.codec import Codec, Undecodable
from schemas.envelope import LATEST_US, Envelope, Headers, InvalidEnvelope, read_envelope
from schemas.fields import Contract, Fact, Message, iso
from schemas.ledger import Decided, Outcome, StatementLine
from schemas.partitioning import partition_of
from schemas.refusals import Reason
from schemas.topics import BETWEEN_BOOKS, JOURNAL, STATEMENT_LINES, TICKS, TOPICS, Topic
from streams import metrics
from streams.forgetting import Forgetting
from streams.ledger.draft import Draft, Ledger, Posted, Refused, refused
from streams.ledger.tables import DueRows
from streams.rooms import Notice, Room, Verdict

REMEMBERED_US = 7 * 24 * 3600 * 1_000_000
"""How long the id of an upstream message is remembered; a later repetition meets the room's own rows."""

AHEAD_US = 24 * 3600 * 1_000_000
"""How far upstream's clock may be ahead of Kafka's; what is further ahead would open days of another year."""

TICK_AHEAD_US = 6 * 24 * 3600 * 1_000_000
"""How far a tick may be ahead of Kafka's clock: tests run ahead by days, but no clock may make repetitions news."""

FORGOTTEN_PER_TICK = 50_000
"""Far above what one partition can take in a second, or the ids would outgrow the worker."""

TOPIC_OF = {message: topic for topic in TOPICS for message in topic.messages}
TYPE_NAME = {message: full_name(message) for message in TOPIC_OF}


class Seen(msgspec.Struct, frozen=True):
    """An id that was used: the digest of its content, the decision it led to, and when to forget it (UTC micros)."""

    digest: str
    decision_id: str
    forget_at: int


class Cause(NamedTuple):
    """The record that leads to decisions, and who sent it. `recorded_at` is when it reached Kafka, in UTC micros."""

    envelope: Envelope
    topic: Topic
    partition: int
    offset: int
    recorded_at: int


class Out(Protocol):
    """Where records go; they become visible when the cycle commits."""

    def put(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers | None = None, partition: int = -1
    ) -> None: ...


class Letters(Protocol):
    """Where records go that are no messages."""

    def bury(
        self, record: Any, *, reason: str, error: BaseException | str, field: str | None, schema: str | None
    ) -> None: ...


class Processor:
    """Carries out what a room decides, for one partition, until the agent asks for its next batch."""

    def __init__(
        self,
        room: Room,
        ledger: Ledger,
        seen: DueRows[Seen],
        forgetting: Forgetting,
        codec: Codec,
        out: Out,
        letters: Letters,
        partition: int,
        partition_of: Callable[[bytes], int] = partition_of,
    ) -> None:
        self._room = room
        self._ledger = ledger
        self._seen = seen
        self._forgetting = forgetting
        self._codec = codec
        self._out = out
        self._letters = letters
        self._partition = partition
        self._partition_of = partition_of

    # ---- messages

    def process(self, topic: Topic, records: Iterable[Any]) -> None:
        """Give every record its one outcome: a journal entry, or a dead letter."""
        for record in records:
            try:
                cause, message = self._read(topic, record)
            except (Undecodable, InvalidEnvelope) as error:
                reason, schema = getattr(error, "reason", "bad_envelope"), getattr(error, "schema", None)
                self._letters.bury(record, reason=reason, error=error, field=error.field, schema=schema)
            else:
                self._answer(cause, message)

    def _read(self, topic: Topic, record: Any) -> tuple[Cause, Contract]:
        message = self._codec.decode(topic, record.value())
        envelope = read_envelope(record.headers())
        assert topic.key is not None
        key = topic.key.of(message)
        for field, found in (("key", (record.key() or b"").decode(errors="replace")), ("ce_subject", envelope.subject)):
            if found != key:
                raise Undecodable("wrong_key", f"{field} is {found!r}, but the message is about {key!r}", field=field)
        if (rightly := self._partition_of(record.key())) != self._partition:
            problem = (
                f"{key!r} belongs on partition {rightly}, not {self._partition}: upstream must partition by murmur2"
            )
            raise Undecodable("wrong_partition", problem, field="key")
        if envelope.type != TYPE_NAME[type(message)]:
            problem = f"ce_type says {envelope.type!r}, but the value is a {TYPE_NAME[type(message)]}"
            raise Undecodable("wrong_type", problem, field="ce_type", schema=TYPE_NAME[type(message)])
        recorded_at = record.timestamp()[1] * 1_000
        if not 0 <= recorded_at < LATEST_US:
            raise Undecodable("bad_timestamp", f"the record's timestamp is {recorded_at} us", field="timestamp")
        most_ahead = TICK_AHEAD_US if topic in BETWEEN_BOOKS else AHEAD_US  # a book may tell what a tick has caused
        refuse_future("ce_time", envelope.time_us, recorded_at, most_ahead)
        return Cause(envelope, topic, record.partition(), record.offset(), recorded_at), message

    def _answer(self, cause: Cause, message: Contract) -> None:
        self._forgetting.hear(cause.recorded_at)
        envelope = cause.envelope
        draft = Draft(envelope.subject, envelope.time_us, self._ledger)
        digest = _digest(message)
        decision_id = f"{cause.topic.name}/{cause.partition}/{cause.offset}"
        forget_at = cause.recorded_at + REMEMBERED_US
        event_id = f"{draft.book}|{envelope.source}|{envelope.id}"
        identity = self._room.identity(message)
        used_ids = (event_id,) if identity is None else (event_id, f"{draft.book}|{identity}")
        for used_id in used_ids:
            known = self._seen.get(used_id)
            if known is None:
                continue
            if known.digest != digest:
                repeated = refused(Reason.OTHER_CONTENT_UNDER_THIS_ID, id=used_id, first=known.decision_id)
                self._remember(event_id, Seen(digest, decision_id, forget_at))
                self._refuse(decision_id, draft, message, repeated, cause)
                return
            self._remember(event_id, Seen(digest, known.decision_id, forget_at))  # a repetition of that other
            self._journal(decision_id, draft, Outcome.DUPLICATE, cause, figures={"of": known.decision_id})
            return
        verdict = self._room.decide(draft, message)
        self._remember(event_id, Seen(digest, decision_id, forget_at))
        if identity is not None and not isinstance(verdict, Refused):  # what was refused may be asked for again
            self._remember(used_ids[-1], Seen(digest, decision_id, forget_at))
        self._carry_out(decision_id, draft, verdict, message, cause)

    def _remember(self, used_id: str, seen: Seen) -> None:
        """The first use of an id counts."""
        if self._seen.get(used_id) is None:
            self._seen[used_id] = seen

    # ---- time

    def pass_time(self, now: int, record: Any) -> None:
        """Carry out what has fallen due at `now` (UTC micros), and forget the ids whose time is over."""
        tick = Envelope(
            f"tick:{now}", "millrace/clock", TYPE_NAME[TICKS.messages[0]], now, "", f"tick:{now}", "", "clock"
        )
        cause = Cause(tick, TICKS, record.partition(), record.offset(), record.timestamp()[1] * 1_000)
        for due in self._room.due(now):
            if isinstance(due, Notice):
                self._announce(due, cause)
            else:
                self._carry_out(due.id.replace("|", "/"), due.draft, due.verdict, None, cause)

    def _announce(self, notice: Notice, cause: Cause) -> None:
        """Tell what is true of this whole partition; its subject and ids name the partition, as no book does."""
        partition = f"{self._room.name}:{self._partition}"
        for number, event in enumerate(notice.events):
            self._room.evolve(event)
            self._tell(event, partition, f"{partition}/{notice.id}/{number}", cause)

    def forget(self, now: int) -> None:
        """Drop the ids of messages that are too old to be repeated."""
        if (until := self._forgetting.until(now)) is not None:
            for key in self._seen.due(until, FORGOTTEN_PER_TICK):
                del self._seen[key]

    # ---- consequences

    def _carry_out(
        self, decision_id: str, draft: Draft, verdict: Verdict, message: Contract | None, cause: Cause
    ) -> None:
        if isinstance(verdict, Refused):
            self._refuse(decision_id, draft, message, verdict, cause)
            return
        draft.commit()
        for number, event in enumerate(verdict):
            self._room.evolve(event)
            self._tell(event, draft.book, f"{decision_id}/{number}", cause)
        self._journal(decision_id, draft, Outcome.ACCEPTED, cause, told=len(verdict))
        for posted in draft.posted:
            self._state(posted, draft, decision_id, cause)
        metrics.moved(self._room.name, draft.lines)

    def _refuse(self, decision_id: str, draft: Draft, message: Contract | None, why: Refused, cause: Cause) -> None:
        events = self._room.refusal(message, why) if message is not None else ()
        for number, event in enumerate(events):
            self._tell(event, draft.book, f"{decision_id}/refused{f'/{number}' if number else ''}", cause)
        untouched = Draft(draft.book, draft.at, self._ledger)
        self._journal(
            decision_id, untouched, Outcome.REFUSED, cause, told=len(events), reason=why.reason, figures=why.figures
        )

    def _tell(self, event: Fact, book: str, event_id: str, cause: Cause) -> None:
        """Write an event where its key belongs: mostly beside its book; a message to another book, to that one."""
        topic, asked = TOPIC_OF[type(event)], cause.envelope
        about = topic.key.of(event) if topic.key is not None else None
        key = None if about is None else about.encode()
        envelope = Envelope(
            id=event_id,
            source=f"millrace/{self._room.name}",
            type=TYPE_NAME[type(event)],
            time_us=asked.time_us,
            subject=about or book,
            correlation_id=asked.correlation_id,
            causation_id=asked.id,
            actor=asked.actor,
        )
        partition = self._partition if key is None or about == book else self._partition_of(key)
        self._out.put(topic.name, key, self._codec.encode(event), envelope.headers(), partition)

    def _journal(
        self,
        decision_id: str,
        draft: Draft,
        outcome: Outcome,
        cause: Cause,
        *,
        told: int = 0,
        reason: Reason | None = None,
        figures: dict[str, str] | None = None,
    ) -> None:
        asked = cause.envelope
        entry = Decided(
            decision_id=decision_id,
            book=draft.book,
            room=self._room.name,
            outcome=outcome,
            reason=reason,
            figures=figures or {},
            lines=tuple(draft.lines),
            events=told,
            cause_type=asked.type,
            cause_id=asked.id,
            cause_topic=cause.topic.name,
            cause_partition=cause.partition,
            cause_offset=cause.offset,
            correlation_id=asked.correlation_id,
            actor=asked.actor,
            effective_at=draft.at,
            recorded_at=cause.recorded_at,
        )
        self._out.put(JOURNAL.name, draft.book.encode(), self._codec.encode(entry), None, self._partition)
        metrics.decided(self._room.name, outcome, reason)

    def _state(self, posted: Posted, draft: Draft, decision_id: str, cause: Cause) -> None:
        line = StatementLine(
            id=f"{draft.book}|{posted.account}|{posted.currency}|{posted.number}",
            book=draft.book,
            account=posted.account,
            currency=posted.currency,
            number=posted.number,
            amount_minor=posted.amount_minor,
            balance_minor=posted.balance_minor,
            counter_account=posted.counter_account,
            text=posted.text,
            decision_id=decision_id,
            correlation_id=cause.envelope.correlation_id,
            actor=cause.envelope.actor,
            effective_at=draft.at,
            recorded_at=cause.recorded_at,
        )
        self._out.put(STATEMENT_LINES.name, line.id.encode(), self._codec.encode(line), None, self._partition)


def refuse_future(field: str, moment: int, recorded_at: int, most_ahead: int) -> None:
    """Raise Undecodable where `field` tells a moment too long after Kafka took its record. All in UTC micros."""
    if moment > recorded_at + most_ahead:
        days = most_ahead // (24 * 3600 * 1_000_000)
        problem = f"{iso(moment)} is over {days} d after Kafka took the record, {iso(recorded_at)}"
        raise Undecodable("in_the_future", problem, field=field)


def _digest(message: Contract) -> str:
    """A digest of what a message says, the same whichever version of its schema it was written by."""
    said = _plain(message) if isinstance(message, Message) else msgspec.json.encode(message, enc_hook=_plain).decode()
    content = f"{TYPE_NAME[type(message)]} {said}"
    return hashlib.blake2b(content.encode(), digest_size=12).hexdigest()


def _plain(message: Message) -> str:
    return message.model_dump_json(exclude_defaults=True)
