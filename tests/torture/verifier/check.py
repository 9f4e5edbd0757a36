"""The comparison of inputs, journal, dead letters and events."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from tests.torture import kafka
from tests.torture.events import (
    ANSWERS,
    BATCHED,
    BETWEEN_BOOKS,
    BILLING_ANSWERS,
    BILLING_CALLS,
    CHARGES,
    HANDED,
    LOT_ANSWERS,
    UPSTREAM,
)
from tests.torture.load import EXPECT
from tests.torture.verifier import (
    accounts,
    batches,
    dealers,
    deals,
    deposits,
    lots,
    mobility,
    places,
    prisoners,
)
from tests.torture.verifier.books import Line
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.model import DUPLICATE, REFUSED, Input, Model, Sent, Verdict
from tests.torture.wire import Wire

JOURNAL, LETTERS, TICKS = "ledger.decided.journal.v1", "pipeline.record.dead-letter.v1", "clock.second.tick.v1"
TICK = "millrace.clock.Tick"
EVENTS = (
    "mobility.trip-payment.event.v1", "dealer_billing.dealer.event.v1", "dealer_billing.bill.event.v1", BILLING_CALLS,
    "dealer_billing.deal.event.v1", "dealer_billing.lot.event.v1",
    "prison_finance.purchase.event.v1",
    "prison_finance.advance.event.v1", "prison_finance.gl-transaction.event.v1", "prison_finance.gl-line.event.v1",
    "prison_finance.batch.event.v1", "mobility.card-charge.command.v1", *BETWEEN_BOOKS,
)  # fmt: skip
RULES = mobility.RULES | dealers.RULES | deposits.RULES | lots.RULES | deals.RULES | prisoners.RULES | batches.RULES
MAY_BE_SILENT = (ANSWERS, BILLING_ANSWERS, CHARGES)
"""What may change nothing, and is then told to nobody."""

Fields = dict[str, Any]
SAYS: dict[str, Callable[[str, Fields], Sent]] = {
    BATCHED: batches.sent, ANSWERS: batches.sent, HANDED: dealers.sent, CHARGES: lots.sent, LOT_ANSWERS: lots.sent,
}  # fmt: skip
"""What a record of each topic between books says."""

Raw = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
"""Key, value and headers, as they lie in Kafka."""


class Decision(NamedTuple):
    """What the journal says of one decision; `events` is how many it told."""

    outcome: str
    events: int
    may_be_silent: bool
    """As `MAY_BE_SILENT` says of its topic."""


class Context(NamedTuple):
    """What an entry repeats of the record that caused it. Moments in UTC micros."""

    book: str
    cause_type: str
    cause_id: str
    correlation_id: str
    actor: str
    effective_at: int
    recorded_at: int


class Check:
    """One look at everything that lies in Kafka. `differences` is empty where all is right."""

    def __init__(self, servers: str, wire: Wire, model: Model) -> None:
        self._servers, self._wire, self.model = servers, wire, model
        self.differences = Differences()
        self.inputs: dict[str, Input | str] = {}
        """By place: a message, or the reason for which its record must be buried; records between books too."""
        self.outcomes: Counter[str] = Counter()
        self._diverged: set[str] = set()
        self._decisions: dict[str, Decision] = {}
        self._contexts: dict[str, Context] = {}
        """By place."""
        self._ticks: dict[tuple[int, int], int] = {}
        """The first offset at which a partition was told a moment."""
        self._recorded: dict[str, int] = {}
        """By place, of ticks."""
        self._spoilt: dict[str, Raw] = {}
        self._sent: Counter[tuple[str, Sent]] = Counter()
        """What decisions must send to other books and to Billing, less what lies there."""

    @property
    def given(self) -> int:
        """How many records upstream has written."""
        return sum(not place.startswith(BETWEEN_BOOKS) for place in self.inputs)

    def run(self) -> Differences:
        """Check everything but files and Postgres."""
        self._read_inputs()
        self._read_calls()
        self._read_ticks()
        self._check_letters()
        self._check_journal()
        self._check_sent()
        self._check_events()
        return self.differences

    # ---- inputs and dead letters

    def _read_inputs(self) -> None:
        for record in kafka.read(self._servers, *UPSTREAM, *BETWEEN_BOOKS):
            headers = {name: value.decode() for name, value in record.headers()}
            place = _place(record)
            if EXPECT in headers:
                self.inputs[place], self._spoilt[place] = headers[EXPECT], _raw(record)
                continue
            name, fields = self._wire.decode(record.value())
            if record.topic() in BETWEEN_BOOKS:
                self._sent[_decision_of(headers["ce_id"])[0], SAYS[record.topic()](name, fields)] -= 1
            moment = datetime.fromisoformat(headers["ce_time"])
            at = int(moment.timestamp()) * 1_000_000 + moment.microsecond
            book, event_id, source = record.key().decode(), headers["ce_id"], headers["ce_source"]
            self.inputs[place] = Input(place, event_id, source, at, book, name, fields)
            story, actor = headers.get("ce_correlationid", event_id), headers.get("ce_actor", source)
            self._contexts[place] = Context(book, headers["ce_type"], event_id, story, actor, at, _recorded(record))

    def _read_calls(self) -> None:
        """What Billing is asked for is sent like what another book is told."""
        for record in kafka.read(self._servers, BILLING_CALLS):
            event_id = dict(record.headers())["ce_id"].decode()
            self._sent[_decision_of(event_id)[0], accounts.call(*self._wire.decode(record.value()))] -= 1

    def _read_ticks(self) -> None:
        """Ticks are taken together, and the latest moment of them counts, with the last record as its place."""
        for record in kafka.read(self._servers, TICKS):
            now, partition = self._wire.decode(record.value())[1]["now"], record.partition()
            self._ticks.setdefault((partition, now), record.offset())
            self._recorded[_place(record)] = _recorded(record)

    def _check_letters(self) -> None:
        buried: Counter[str] = Counter()
        for record in kafka.read(self._servers, LETTERS):
            told = {name: value.decode() for name, value in record.headers() if name.startswith("dl-")}
            place = f"{told['dl-topic']}/{told['dl-partition']}/{told['dl-offset']}"
            buried[place] += 1
            expected = self.inputs.get(place)
            if expected != told["dl-reason"]:
                self.differences.add("dead letter", f"{place} was buried as {told['dl-reason']}, expected {expected}")
            elif _raw(record) != self._spoilt[place]:
                self.differences.add("dead letter", f"{place} is {self._spoilt[place]}, its letter {_raw(record)}")
        for place, expected in self.inputs.items():
            if isinstance(expected, str) and buried[place] != 1:
                self.differences.add("dead letter", f"{place} ({expected}) has {buried[place]} letters")
        self.outcomes["buried"] = buried.total()

    # ---- the journal

    def _check_journal(self) -> None:
        answered: Counter[str] = Counter()
        last: dict[str, int] = {}
        for record in kafka.read(self._servers, JOURNAL):
            places.check(record, self.differences)
            _, entry = self._wire.decode(record.value())
            place = f"{entry['cause_topic']}/{entry['cause_partition']}/{entry['cause_offset']}"
            if entry["decision_id"] in self._decisions:
                self.differences.add("decision twice", entry["decision_id"])
            may_be_silent = entry["outcome"] == DUPLICATE or entry["cause_topic"] in MAY_BE_SILENT
            self._decisions[entry["decision_id"]] = Decision(entry["outcome"], entry["events"], may_be_silent)
            self._check_context(entry, place)
            if entry["cause_topic"] == TICKS:
                self._check_entry(entry, self._due(entry))
                continue
            answered[place] += 1
            self.outcomes["between books" if entry["cause_topic"] in BETWEEN_BOOKS else entry["outcome"]] += 1
            slot, _, offset = place.rpartition("/")
            if int(offset) <= last.get(slot, -1):
                self.differences.add("order", f"{place} was decided after {last[slot]}")
            last[slot] = int(offset)
            given = self.inputs.get(place)
            if not isinstance(given, Input):
                self.differences.add("journal", f"{place} has an entry, but is {given}")
            elif entry["book"] not in self._diverged:
                self._check_entry(entry, self.model.answer(given, RULES))
        for place, given in self.inputs.items():
            if isinstance(given, Input) and answered[place] != 1:
                kind = "no outcome" if not answered[place] else "two outcomes"
                self.differences.add(kind, f"{place} ({given.name}) has {answered[place]}")

    def _check_context(self, entry: Fields, place: str) -> None:
        """An entry says of its record what the record says."""
        found = Context(*(entry[name] for name in Context._fields))
        expected = self._tick(entry, place) if entry["cause_topic"] == TICKS else self._contexts.get(place)
        if found != expected:
            self.differences.add("entry", f"{entry['decision_id']} tells {found}, but {place} is {expected}")

    def _tick(self, entry: Fields, place: str) -> Context | None:
        """What an entry that time caused must tell; None if there was no such tick by then, or no such record."""
        now, recorded = entry["effective_at"], self._recorded.get(place)
        told_at = self._ticks.get((entry["cause_partition"], now))
        if recorded is None or told_at is None or told_at > entry["cause_offset"]:
            return None
        return Context(entry["book"], TICK, f"tick:{now}", f"tick:{now}", "clock", now, recorded)

    def _due(self, entry: Fields) -> Verdict | None:
        """What a tick makes of the row that the decision's id names."""
        now, book = entry["effective_at"], entry["book"]
        parts = entry["decision_id"].split("/")
        if entry["room"] == "prison_batches":
            return (batches.time_out if parts[-1] == "late" else batches.set_deadline)(self.model, book, now)
        if entry["room"] == "prison_finance":
            return prisoners.time_out(self.model, book, parts[1], now)
        if entry["room"] == "dealer_billing":
            return deals.due(self.model, book, parts[1:], now)
        if parts[-1] == "expired":
            return mobility.expire(self.model, book, now)
        return mobility.time_out(self.model, book, parts[1], now)

    def _check_entry(self, entry: Fields, expected: Verdict | None) -> None:
        found = Verdict(entry["outcome"], entry["reason"], tuple(map(line_of, entry["lines"])))
        for each in () if expected is None else expected.sent:
            self._sent[entry["decision_id"], each] += 1
        if entry["book"] not in self._diverged and (expected is None or found != expected._replace(sent=())):
            self._diverged.add(entry["book"])
            self.differences.add("decision", f"{entry['decision_id']}: expected {expected}, found {found}")

    # ---- between books

    def _check_sent(self) -> None:
        """Each book has been told what others decided, once, and nothing else."""
        for (decision, sent), count in self._sent.items():
            if count:
                word = "missing" if count > 0 else "too many"
                self.differences.add("sent", f"{decision}: {sent} is {abs(count)} times {word}")

    # ---- events

    def _check_events(self) -> None:
        """Every decision has as many events as its entry counts, once each, numbered from 0; a repetition has none."""
        told: dict[str, list[str]] = defaultdict(list)
        for record in kafka.read(self._servers, *EVENTS):
            places.check(record, self.differences)
            decision, number = _decision_of(dict(record.headers())["ce_id"].decode())
            if not decision.startswith("prison_finance:"):  # a whole partition's: an accounting day is closed
                told[decision].append(number)
        for decision, (outcome, events, may_be_silent) in self._decisions.items():
            numbers = sorted(told.pop(decision, []), key=lambda each: (len(each), each))
            whole = _refusals(events) if outcome == REFUSED else [str(number) for number in range(events)]
            if numbers != whole or (not events and not may_be_silent) or (events and outcome == DUPLICATE):
                self.differences.add("events", f"{decision} ({outcome}, {events} events) has events {numbers}")
        for decision, numbers in told.items():
            self.differences.add("events", f"events {numbers} of no decision {decision}")


def _raw(record: Any) -> Raw:
    """A record without what a letter adds."""
    return record.key(), record.value(), [each for each in record.headers() if not each[0].startswith("dl-")]


def _place(record: Any) -> str:
    return f"{record.topic()}/{record.partition()}/{record.offset()}"


def _recorded(record: Any) -> int:
    return int(record.timestamp()[1]) * 1_000


def _decision_of(event_id: str) -> tuple[str, str]:
    """The decision that told an event, and which of its events it is: `3`, `refused`, `refused/1`."""
    decision, _, number = event_id.rpartition("/")
    if decision.endswith("/refused"):
        return decision.removesuffix("/refused"), f"refused/{number}"
    return decision, number


def _refusals(events: int) -> list[str]:
    return [f"refused/{number}" if number else "refused" for number in range(events)]


def line_of(line: Fields) -> Line:
    """A journal line as the model has it."""
    spent: Iterable[Fields] = line["spent"]
    opened = line["opened"]
    return Line(
        line["step"], line["debit"], line["credit"], line["amount_minor"], line["currency"], line["lock_id"],
        line["deadline"], tuple((part["lot_id"], part["amount_minor"]) for part in spent),
        None if opened is None else (opened["lot_id"], opened["amount_minor"], opened.get("expires_at")),
    )  # fmt: skip
