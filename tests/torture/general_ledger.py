"""The general ledger as upstream: reads lines, takes most transactions, refuses some, asks for corrections."""

import random
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator

from confluent_kafka import Consumer

from tests.torture.events import ACKNOWLEDGEMENTS, CORRECTIONS, Event, Fields
from tests.torture.kafka import patient
from tests.torture.wire import Wire

GL_LINES = "prison_finance.gl-line.event.v1"
TAKEN, REFUSED, CORRECTED, STRANGE = 0.6, 0.25, 0.7, 0.02
"""Shares of transactions; of the others nothing is heard. Strange answers name a line that nobody wrote."""
AGAIN, OTHERWISE = 0.05, 0.02
"""Shares of answers that come again under another event id: the same, and another one about the same file."""

Written = tuple[str, str, str]
"""Prisoner, transaction and id of a line."""


class Answers:
    """What is said to lines, from a seed; `corrected` is the share of refused transactions that are corrected."""

    def __init__(self, seed: int, corrected: float = CORRECTED) -> None:
        self._dice, self._files = random.Random(f"general ledger {seed}"), 0
        self._corrected = corrected

    def to(self, lines: Iterable[Written]) -> Iterator[Event]:
        """Acknowledgements, refusals, corrections; a transaction of which only a part has come gets a wrong answer."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for prisoner, transaction, line_id in lines:
            found[prisoner, transaction].append(line_id)
        for (prisoner, transaction), line_ids in found.items():
            for event in self._answer({"prisoner_id": prisoner, "transaction_id": transaction}, line_ids):
                yield event
                yield from self._again(event)

    def _again(self, event: Event) -> Iterator[Event]:
        chance = self._dice.random()
        if chance < AGAIN:
            yield event._replace(event_id=f"{event.event_id}-again")
        elif chance < AGAIN + OTHERWISE and "line_ids" in event.fields:
            fields = {**event.fields, "line_ids": event.fields["line_ids"][:1]}
            yield event._replace(event_id=f"{event.event_id}-otherwise", fields=fields)

    def _answer(self, ids: Fields, line_ids: list[str]) -> Iterator[Event]:
        self._files += 1
        key, file, fate = f"prisoner:{ids['prisoner_id']}", f"sop/{self._files:06}.xlsx", self._dice.random()
        if self._dice.random() < STRANGE:
            line_ids = [*line_ids, f"{line_ids[0]}x"]
        if fate < TAKEN:
            fields = {**ids, "file": file, "line_ids": line_ids}
            yield Event(ACKNOWLEDGEMENTS, "LinesProcessed", key, f"taken-{uuid.uuid4().hex}", fields)
        elif fate < TAKEN + REFUSED:
            fields = {
                **ids,
                "file": file,
                "reasons": [{"line_id": self._dice.choice(line_ids), "reason": "no account"}],
            }
            yield Event(ACKNOWLEDGEMENTS, "LinesRefused", key, f"refused-{uuid.uuid4().hex}", fields)
            if self._dice.random() < self._corrected:
                correction = f"cor-{uuid.uuid4().hex}"
                yield Event(CORRECTIONS, "CorrectLines", key, correction, {**ids, "correction_id": correction})


class GeneralLedger:
    """Answers to the lines that have come since it was asked last; corrects none.

    The ADI sink takes corrections of lines whose refusal the uploading sink has noted, and that one does not run here.
    """

    def __init__(self, kafka: str, wire: Wire, seed: int) -> None:
        self._wire, self._answers = wire, Answers(seed, corrected=0.0)
        self._kafka = Consumer({**patient(kafka), "group.id": f"torture-{uuid.uuid4().hex}",
                                "isolation.level": "read_committed", "auto.offset.reset": "earliest",
                                "enable.auto.commit": False})  # fmt: skip
        self._kafka.subscribe([GL_LINES])

    def answers(self) -> Iterator[Event]:
        """See `Answers`."""
        lines: list[Written] = []
        for record in self._kafka.consume(500, 0.0):
            if record.error() is None:
                name, line = self._wire.decode(record.value())
                if name == "GeneralLedgerLine":
                    lines.append((line["prisoner_id"], line["transaction_id"], line["line_id"]))
        return self._answers.to(lines)

    def close(self) -> None:
        """Leave Kafka."""
        self._kafka.close()
