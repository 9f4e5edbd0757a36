"""Every upstream record has exactly one outcome: one journal entry that names it, or one dead letter."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from streams.audit.evidence import Entry, Partition, Place, Span
from streams.audit.findings import Finding, Kind

DEAD_LETTER = "dead letter"


class Outcomes:
    """Takes entries and dead letters first, then the inputs, then tells what is left over.

    `upstream` names the topics whose records need an outcome. Other topics (ticks, for one) may cause any number of
    decisions, or none.
    """

    def __init__(
        self, upstream: Collection[str], spans: Mapping[Partition, Span], committed: Mapping[Partition, int]
    ) -> None:
        self._upstream = frozenset(upstream)
        self._spans = spans
        self._committed = committed
        self._answers: dict[Partition, dict[int, str]] = {}
        self._decisions: set[str] = set()
        self._repetitions: set[str] = set()
        self._accepted: set[str] = set()
        self._waiting: dict[Partition, list[int]] = {}
        self.decided: Counter[str] = Counter()
        self.inputs: Counter[str] = Counter()
        self.letters: Counter[str] = Counter()

    # ---- outcomes

    def enter(self, entry: Entry) -> Iterator[Finding]:
        """Take one journal entry."""
        fields = entry.fields
        decision_id, outcome = fields["decision_id"], fields["outcome"]
        self.decided[outcome] += 1
        if decision_id in self._decisions:
            yield Finding(Kind.DECISION_TWICE, f"{entry.place}", "a decision of its own", f"{decision_id} again")
        if outcome == "duplicate":
            yield from self._repeats(entry)
            self._repetitions.add(decision_id)
        self._decisions.add(decision_id)
        cause = Place(Partition(fields["cause_topic"], fields["cause_partition"]), fields["cause_offset"])
        if cause.partition.topic not in self._upstream:
            yield from self._exists(cause, decision_id)
            return
        yield from self._answer(cause, decision_id)
        if outcome == "accepted":
            # an id is unique within its source, and a topic has one
            message = f"{fields['book']}|{cause.partition.topic}|{fields['cause_id']}"
            if message in self._accepted:
                yield Finding(Kind.EFFECT_TWICE, decision_id, f"one effect of message {message}", "a second one")
            self._accepted.add(message)

    def bury(self, buried: Place) -> Iterator[Finding]:
        """Take one dead letter, by the place of the record that was buried."""
        self.letters[buried.partition.topic] += 1
        if buried.partition.topic in self._upstream:
            yield from self._answer(buried, DEAD_LETTER)

    def _repeats(self, entry: Entry) -> Iterator[Finding]:
        original = entry.fields["figures"].get("of", "")
        if original not in self._decisions or original in self._repetitions:
            expected = "an earlier decision that is not itself a repetition"
            yield Finding(Kind.NO_ORIGINAL, entry.fields["decision_id"], expected, original or "none named")

    def _answer(self, cause: Place, answer: str) -> Iterator[Finding]:
        answers = self._answers.setdefault(cause.partition, {})
        if cause.offset in answers:
            yield Finding(Kind.TWO_OUTCOMES, str(cause), f"one outcome: {answers[cause.offset]}", f"also: {answer}")
        answers.setdefault(cause.offset, answer)

    def _exists(self, cause: Place, decision_id: str) -> Iterator[Finding]:
        span = self._spans.get(cause.partition)
        if span is None or not 0 <= cause.offset < span.end:
            yield Finding(Kind.NO_CAUSE, decision_id, "a cause that exists", str(cause))

    # ---- inputs

    def meet(self, place: Place) -> Iterator[Finding]:
        """Take one upstream record."""
        self.inputs[place.partition.topic] += 1
        answer = self._answers.get(place.partition, {}).pop(place.offset, None)
        consumed = place.offset < self._committed.get(place.partition, 0)
        if answer is None and consumed:
            yield Finding(Kind.NO_OUTCOME, str(place), "a journal entry or a dead letter", "neither")
        elif answer is None:
            self._waiting.setdefault(place.partition, []).append(place.offset)
        elif not consumed:
            yield Finding(Kind.OUTCOME_UNCOMMITTED, str(place), "a committed offset beyond it", answer)

    def left_over(self) -> Iterator[Finding]:
        """What remains when all inputs were met. Causes that retention has deleted are not held against anybody."""
        for partition, offsets in sorted(self._waiting.items()):
            found = f"{len(offsets)} record{'' if len(offsets) == 1 else 's'} from offset {min(offsets)} on"
            yield Finding(Kind.UNPROCESSED, str(partition), "every record consumed", found)
        for partition, answers in sorted(self._answers.items()):
            span = self._spans.get(partition)
            for offset, answer in answers.items():
                if span is None or offset >= span.low:
                    yield Finding(Kind.NO_CAUSE, answer, "a cause that exists", str(Place(partition, offset)))
