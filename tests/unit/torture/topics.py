"""What the verifier reads, made without servers: inputs, and all that a pipeline without a fault makes of them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from tests.torture import kafka
from tests.torture.canteen import STRANGER
from tests.torture.events import ANSWERS, BATCHED, BATCHES, DEPOSITS, TRIPS
from tests.torture.load import EXPECT
from tests.torture.verifier import mobility
from tests.torture.verifier.books import Line
from tests.torture.verifier.check import JOURNAL, LETTERS, RULES, TICKS, Check
from tests.torture.verifier.model import Input, Model, Verdict
from tests.torture.verifier.places import partition_of
from tests.unit.torture.test_torture_model import FACTS, NOW

CHARGES, EVENTS_OF_TRIPS = "mobility.card-charge.command.v1", "mobility.trip-payment.event.v1"
EVENTS_OF_BATCHES = "prison_finance.batch.event.v1"
BOOK = "group:grp-1"
HOME = partition_of(BOOK)
BATCH = "batch:b1"
BETWEEN = ("BatchedSubmit", "BatchAnswer")
HOUR_US = 3_600_000_000
TICK = NOW + 100 * HOUR_US
START = {"group_id": "grp-1", "rider_id": "rid-1", "vehicle_id": "veh-1", "estimated_seconds": 600,
         "funding": "card_only"}  # fmt: skip
END = {"group_id": "grp-1", "ridden_seconds": 600}

Fields = dict[str, Any]
Head = tuple[tuple[str, bytes], ...]


class Record(NamedTuple):
    """As `confluent_kafka.Message` answers; `of` is the decoded value."""

    at: tuple[str, int, int]
    of: Any = None
    head: Head = ()
    named: bytes = b""

    def topic(self) -> str:
        return self.at[0]

    def partition(self) -> int:
        return self.at[1]

    def offset(self) -> int:
        return self.at[2]

    def key(self) -> bytes:
        return self.named

    def value(self) -> Any:
        return self.of

    def headers(self) -> list[tuple[str, bytes]]:
        return list(self.head)

    def timestamp(self) -> tuple[int, int]:
        return 2, NOW // 1_000 + self.at[2]


class Wire:
    """Values are decoded already."""

    def decode(self, value: Any) -> Any:
        return value


class Topics:
    """Two trips paid by card alone: one ends and is said to again, one times out. A record that was buried. A batch."""

    def __init__(self) -> None:
        self.model, self.records = Model(FACTS), dict[str, list[Record]]()
        self.say("e0", "TripStarted", {"trip_id": "t1", **START}, "TripFundsLocked")
        self.say("e1", "TripEnded", {"trip_id": "t1", **END}, "TripSettled", "ChargeCard")
        self.say("e1", "TripEnded", {"trip_id": "t1", **END})
        self.say("e3", "TripEnded", {"trip_id": "t1", **END}, "Refused")
        self.say("e4", "TripStarted", {"trip_id": "t2", **START}, "TripFundsLocked")
        self.time_out("t2")
        self.bury()
        self.batch()

    def say(
        self,
        event_id: str,
        name: str,
        fields: Fields,
        *events: str,
        topic: str = TRIPS,
        book: str = BOOK,
        source: str = "torture",
    ) -> str:
        """An input, its journal entry, and its events. Gives the decision's id."""
        when = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=NOW)).isoformat()
        head = {"ce_id": event_id, "ce_source": source, "ce_time": when, "ce_type": f"millrace.{name}"}
        at = self.add(topic, (name, fields), tuple((key, value.encode()) for key, value in head.items()), book)
        decision = f"{topic}/{at.partition()}/{at.offset()}"
        verdict = self.model.answer(Input(decision, event_id, source, NOW, book, name, fields), RULES)
        self.decide(at, decision, verdict, len(events), book=book, cause_type=f"millrace.{name}", cause_id=event_id,
                    correlation_id=event_id, actor=source, effective_at=NOW)  # fmt: skip
        for number, event in enumerate(events):
            if event not in BETWEEN:  # what other books decide is said for itself
                self.tell(f"{decision}/{'refused' if event == 'Refused' else number}", event, book)
        return decision

    def batch(self) -> None:
        """A batch of one stranger: it asks his book, which says no."""
        ids = {"batch_id": "b1", "prisoner_id": STRANGER, "purchase_id": "P1"}
        purchase = {"purchase_id": "P1", "prisoner_id": STRANGER}
        submit = {"batch_id": "b1", "purchases": [purchase]}
        asked = self.say("b1-submit", "SubmitBatch", submit, "BatchAsked", "BatchedSubmit", topic=BATCHES,
                         book=BATCH)  # fmt: skip
        fields = {"batch_id": "b1", "prisoner_id": STRANGER, "purchase": purchase}
        refused = self.say(f"{asked}/1", "BatchedSubmit", fields, "Refused", "BatchAnswer", topic=BATCHED,
                           book=f"prisoner:{STRANGER}", source="millrace/prison_batches")  # fmt: skip
        answer = {**ids, "answer": "refused", "reason": "unknown_prisoner"}
        self.say(f"{refused}/refused/1", "BatchAnswer", answer, "BatchMemberAnswered", "BatchAnswered", topic=ANSWERS,
                 book=BATCH, source="millrace/prison_finance")  # fmt: skip

    def time_out(self, trip_id: str) -> None:
        """A tick passes a trip's deadline."""
        at = self.add(TICKS, ("Tick", {"now": TICK}))
        verdict = mobility.time_out(self.model, BOOK, trip_id, TICK)
        assert verdict is not None
        decision = f"{BOOK}/{trip_id}/{TICK}/timed_out"
        self.decide(at, decision, verdict, 1, cause_type="millrace.clock.Tick", cause_id=f"tick:{TICK}",
                    correlation_id=f"tick:{TICK}", actor="clock", effective_at=TICK)  # fmt: skip
        self.tell(f"{decision}/0", "TripReleased")

    def bury(self) -> None:
        """A record that is no message, and its letter."""
        head = ((EXPECT, b"not_framed"),)
        at = self.add(DEPOSITS, b'{"no": "avro"}', head)
        told = {"topic": at.topic(), "partition": at.partition(), "offset": at.offset(), "reason": "not_framed"}
        added = tuple((f"dl-{name}", str(value).encode()) for name, value in told.items())
        self.add(LETTERS, at.value(), head + added)

    def decide(self, at: Record, decision: str, verdict: Verdict, events: int, **context: Any) -> None:
        """The journal's entry of what a record led to."""
        entry = {
            "decision_id": decision, "book": BOOK, "room": "mobility", "outcome": verdict.outcome,
            "reason": verdict.reason, "figures": {}, "lines": [line_fields(line) for line in verdict.lines],
            "events": events, "cause_topic": at.topic(), "cause_partition": at.partition(),
            "cause_offset": at.offset(), "recorded_at": at.timestamp()[1] * 1_000, **context,
        }  # fmt: skip
        self.add(JOURNAL, ("Decided", entry), book=entry["book"])

    def tell(self, event_id: str, name: str, book: str = BOOK) -> None:
        """An event."""
        topic = CHARGES if name == "ChargeCard" else EVENTS_OF_BATCHES if "Batch" in name else EVENTS_OF_TRIPS
        self.add(topic, (name, {"trip_id": "t1"}), (("ce_id", event_id.encode()),), book)

    def add(self, topic: str, value: Any, head: Head = (), book: str = BOOK) -> Record:
        """One more record of a book, at the end of a topic."""
        held = self.records.setdefault(topic, [])
        held.append(Record((topic, partition_of(book), len(held)), value, head, book.encode()))
        return held[-1]

    def read(self, _: str, *topics: str) -> Iterable[Record]:
        return [record for topic in topics for record in self.records.get(topic, [])]

    def entry(self, number: int) -> Fields:
        """The fields of a journal entry, to be tampered with."""
        fields: Fields = self.records[JOURNAL][number].of[1]
        return fields

    def verified(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The differences that the verifier finds."""
        monkeypatch.setattr(kafka, "read", self.read)
        wire: Any = Wire()
        return Check("", wire, Model(FACTS)).run().kept


def line_fields(line: Line) -> dict[str, Any]:
    """A line as the journal has it."""
    return {
        "step": line.step, "debit": line.debit, "credit": line.credit, "amount_minor": line.amount,
        "currency": line.currency, "lock_id": line.lock, "deadline": line.deadline, "spent": [], "opened": None,
    }  # fmt: skip
