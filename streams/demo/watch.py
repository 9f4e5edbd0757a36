"""Reads along while the demo runs: outcomes, dead letters, and how far every topic has been written."""

from collections import Counter
from typing import Any, NamedTuple

from confluent_kafka import Consumer, TopicPartition

from schemas.codec import Codec
from schemas.fields import Fact, Money
from schemas.ledger import Decided, Outcome
from schemas.prison_advances import AdvanceRepaid, AdvanceWrittenOff
from schemas.prison_finance import PurchaseAuthorised, PurchaseRefunded
from schemas.settings import Settings
from schemas.topics import (
    ADVANCE_EVENTS,
    BILL_EVENTS,
    BILLING_ANSWERS,
    BILLING_CALLS,
    DEAD_LETTERS,
    DEAL_EVENTS,
    DEALER_EVENTS,
    JOURNAL,
    PARTITIONS,
    PURCHASE_EVENTS,
    TOPICS,
    UPSTREAM,
)
from streams.demo.bills import Bills
from streams.demo.deals import Deals

PUBLISHED = {topic.name for topic in UPSTREAM if topic is not BILLING_ANSWERS}
"""What the demo itself publishes: what Billing answers follows from it."""
TOPIC_NAMED = {
    topic.name: topic for topic in (PURCHASE_EVENTS, ADVANCE_EVENTS, BILL_EVENTS, DEAL_EVENTS, DEALER_EVENTS)
}


class Paid(NamedTuple):
    """How often, and how much in pence."""

    times: int
    total_minor: int


class Tally:
    """Counts what the pipeline has written, record by record."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.outcomes: Counter[str] = Counter()
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.dead_letters: Counter[tuple[str, str]] = Counter()
        self.written: Counter[str] = Counter()
        self.paid: dict[str, Paid] = {}
        """What became of prisoners' purchases, by what paid them."""
        self.bills = Bills()
        self.deals = Deals()
        self.answers = 0
        """Of Billing, each counted once."""
        self.decisions = 0
        self.lines = 0
        self.ends: dict[tuple[str, int], int] = {}

    @property
    def answered(self) -> int:
        """Records of the demo that have their outcome or their dead letter."""
        return self.outcomes.total() + self.dead_letters.total()

    @property
    def calls(self) -> int:
        """To Billing."""
        return self.written[BILLING_CALLS.name]

    def count(self, record: Any) -> None:
        """Take one committed record."""
        topic = record.topic()
        self.written[topic] += 1
        self.ends[topic, record.partition()] = record.offset() + 1
        if topic == JOURNAL.name:
            decided = self._codec.decode(JOURNAL, record.value())
            assert isinstance(decided, Decided)
            self._count_decision(decided)
        elif topic in TOPIC_NAMED:
            event = self._codec.decode(TOPIC_NAMED[topic], record.value())
            self._count_payment(event)
            self.bills.take(event)
            self.deals.take(event)
        elif topic == DEAD_LETTERS.name:
            headers = dict(record.headers())
            self.dead_letters[headers["dl-topic"].decode(), headers["dl-reason"].decode()] += 1

    def _count_payment(self, event: Fact) -> None:
        match event:
            case PurchaseAuthorised():
                sources = dict.fromkeys(part.source for part in event.parts)
                self._add("paid from " + ", ".join(sources), event.total)
            case PurchaseRefunded():
                self._add("refunded", event.total)
            case AdvanceRepaid():
                self._add("advances repaid", event.amount)
            case AdvanceWrittenOff():
                self._add("advances written off", event.amount)

    def _add(self, what: str, amount: Money) -> None:
        before = self.paid.get(what, Paid(0, 0))
        self.paid[what] = Paid(before.times + 1, before.total_minor + amount.amount_minor)

    def _count_decision(self, decided: Decided) -> None:
        self.decisions += 1
        self.lines += len(decided.lines)
        if decided.cause_topic in PUBLISHED:
            self.outcomes[decided.outcome.value] += 1
        if decided.outcome is Outcome.ACCEPTED:
            self.answers += decided.cause_topic == BILLING_ANSWERS.name
        if decided.reason is not None:
            self.refusals[decided.room, decided.reason] += 1


class Watch(Tally):
    """A read_committed reader of every topic that the pipeline writes. `read` takes what is there and counts it."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        super().__init__(codec)
        self._kafka = Consumer(
            settings.client(
                group_id="millrace-demo-watch",
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
            )
        )
        self._group = Consumer(settings.client(group_id="millrace"))
        self._kafka.assign([TopicPartition(topic.name, p, 0) for topic in TOPICS for p in range(PARTITIONS)])

    def read(self, timeout_s: float = 0.2) -> int:
        """Count what has been committed since the last call; how many records these are."""
        records = [record for record in self._kafka.consume(5_000, timeout_s) if record.error() is None]
        for record in records:
            self.count(record)
        return len(records)

    def is_consumed(self, *topics: str) -> bool:
        """Whether the workers have committed past every record seen so far of these topics."""
        ends = {place: end for place, end in self.ends.items() if place[0] in topics}
        if not ends:
            return True
        committed = self._group.committed([TopicPartition(*place) for place in ends], timeout=10)
        return all(at.offset >= ends[at.topic, at.partition] for at in committed)

    def close(self) -> None:
        """Leave Kafka."""
        self._kafka.close()
        self._group.close()
