"""A small clean world, written out by hand: five decisions on one book, and all that should follow from them.

    deposit/3@0  e-1  deposit d-1 of 100.00           accepted    funding > wallet 100.00, opens lot d-1
    deposit/3@1  e-1  the same once more              duplicate
    deposit/3@2       no message at all               dead letter
    trip/3@0     e-2  trip t-1 starts                 accepted    locks 20.00 of the wallet for msp-7
    trip/3@1     e-3  trip t-1 ends                   accepted    settles 15.00, voids 5.00
    trip/3@2     e-4  trip t-2 starts                 accepted    locks 30.00
    trip/3@3     e-5  trip t-3 starts                 refused     insufficient_funds

Each of them but the repetition tells one event, and the end of t-1 tells two; a notice closes a day of partition 3.
Of another book, that of a dealer, there are the events that `dealing.py` has.

Tests tamper with one thing of it and see what the auditor says.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from streams.audit.evidence import Entry, Event, Letter, Partition, Place, Projection, Record, Row, Span, Told
from streams.audit.findings import Finding
from streams.audit.homes import home_of
from tests.unit.audit import dealing

BOOK = "group:riverside"
FUNDING, WALLET, TRIPS = f"{BOOK}|funding|EUR", f"{BOOK}|wallet|EUR", f"{BOOK}|trips/msp-7|EUR"
LOCK = f"{BOOK}|trip:t-2"
DEPOSIT, TRIP, TICK, JOURNAL, TOLD = (
    Partition(topic, 3) for topic in ("deposit", "trip", "clock.second.tick.v1", "journal", "told")
)
UPSTREAM = ("deposit", "trip")
PARTITIONS = 8
"""Of which the book is on number 3."""
MINUTE_US = 60_000_000
DEADLINE = 100 * MINUTE_US


class World:
    """`streams.audit.evidence.Evidence`, in memory and open to tampering."""

    def __init__(self) -> None:
        self.entries: list[Entry | Finding] = [
            *enter(
                decided("e-1", DEPOSIT, 0, line("posted", 100_00, "funding", "wallet", opened=lot(100_00)), events=1),
                decided("e-1", DEPOSIT, 1, outcome="duplicate", figures={"of": f"{BOOK}|e-1|deposit|3|0"}),
                decided("e-2", TRIP, 0, trip("locked", 20_00, "t-1", deadline=DEADLINE), events=1),
                decided("e-3", TRIP, 1, trip("settled", 15_00, "t-1"), trip("voided", 5_00, "t-1"), events=2),
                decided("e-4", TRIP, 2, trip("locked", 30_00, "t-2", deadline=DEADLINE), events=1),
                decided("e-5", TRIP, 3, outcome="refused", reason="insufficient_funds", events=1),
            )
        ]
        self.told: list[Event | Finding] = [
            *tell(
                (DEPOSIT, 0, "e-1", "0"), (TRIP, 0, "e-2", "0"), (TRIP, 1, "e-3", "0"), (TRIP, 1, "e-3", "1"),
                (TRIP, 2, "e-4", "0"), (TRIP, 3, "e-5", "refused"),
            ),
            Event(Place(TOLD, 6), None, "mobility:3/day/2026-03-02/0"),
        ]  # fmt: skip
        self.dealt: list[Told | Finding] = [*dealing.told()]
        self.letters: list[Place | Finding] = [Place(DEPOSIT, 2)]
        self.records = [Place(DEPOSIT, offset) for offset in range(3)] + [Place(TRIP, offset) for offset in range(4)]
        self.kept: tuple[bytes | None, bytes | None] = (b"key", b"no message")
        """What dead letters hold of the key and the value of the records that they bury."""
        self.sizes = (3, 10)
        """How long both are in whole, as the letters say."""
        self.sent: tuple[bytes | None, bytes | None] = (b"key", b"no message")
        """The key and the value of all records."""
        self.offsets = {DEPOSIT: 3, TRIP: 4}
        self.held = {DEPOSIT: Span(0, 3), TRIP: Span(0, 4), TICK: Span(500, 900), JOURNAL: Span(0, 7)}
        self.now = {3: DEADLINE - MINUTE_US}
        self.tables: dict[str, dict[str, dict[str, Any]]] = {
            "balances": balances_table(),
            "locks": locks_table(),
            "commission_rates": {"r1": {"rate_id": "r1", "version": 1, "share": "0.05", "valid_from": 0}},
        }
        self.strays: dict[tuple[str, int], dict[str, Row]] = {}
        """Rows in other partitions than their book's, by table and partition."""
        self.topics = projection("topic")
        self.postgres = [projection("Postgres")]
        self.newer: list[Partition] = []

    def spans(self) -> Mapping[Partition, Span]:
        return self.held

    def partitions(self) -> int:
        return PARTITIONS

    def committed(self) -> Mapping[Partition, int]:
        return self.offsets

    def ticked(self) -> Mapping[int, int]:
        return self.now

    def journal(self) -> Iterable[Entry | Finding]:
        return self.entries

    def dead_letters(self) -> Iterator[Letter | Finding]:
        for each in self.letters:
            yield each if isinstance(each, Finding) else Letter(each, *self.kept, *self.sizes)

    def inputs(self) -> Iterator[Record]:
        return (Record(place, *self.sent) for place in self.records)

    def events(self) -> Iterable[Event | Finding]:
        return self.told

    def dealings(self) -> Iterable[Told | Finding]:
        return self.dealt

    def table(self, name: str) -> Sequence[Mapping[str, Row]]:
        home = [self.tables[name] if number == 3 else {} for number in range(PARTITIONS)]
        return [{**rows, **self.strays.get((name, number), {})} for number, rows in enumerate(home)]

    def projected(self) -> Projection:
        return self.topics

    def landings(self) -> Iterator[Projection]:
        return iter(self.postgres)

    def grown(self) -> Iterable[Partition]:
        return self.newer

    # ---- for tampering

    def fields(self, number: int) -> dict[str, Any]:
        """The fields of the journal's entry of this number, from 0."""
        entry = self.entries[number]
        assert isinstance(entry, Entry)
        assert isinstance(entry.fields, dict)
        return entry.fields

    def add(self, *entries: dict[str, Any]) -> None:
        """More decisions, and the records that caused them."""
        self.entries += enter(*entries, first=len(self.entries))
        for entry in entries:
            cause = Place(Partition(entry["cause_topic"], entry["cause_partition"]), entry["cause_offset"])
            if cause.partition in self.offsets and cause not in self.records:
                self.records.append(cause)
                self.offsets[cause.partition] = cause.offset + 1


def enter(*entries: dict[str, Any], first: int = 0) -> list[Entry]:
    """Decisions as the journal holds them, each on the partition of its book."""
    numbered = enumerate(entries, first)
    homes = (Partition(JOURNAL.topic, home_of(fields["book"], PARTITIONS)) for fields in entries)
    return [
        Entry(Place(home, number), fields["book"], fields)
        for home, (number, fields) in zip(homes, numbered, strict=True)
    ]


def tell(*events: tuple[Partition, int, str, str]) -> Iterator[Event]:
    """Events, each by its cause and by how its id ends, one after the other on partition 3."""
    for place, (cause, offset, cause_id, end) in enumerate(events):
        yield Event(Place(TOLD, place), BOOK.encode(), f"{decision_id(cause_id, cause, offset)}/{end}")


def decision_id(cause_id: str, cause: Partition, offset: int) -> str:
    """The id of a decision."""
    return f"{BOOK}|{cause_id}|{cause.topic}|{cause.number}|{offset}"


def decided(
    cause_id: str,
    cause: Partition,
    offset: int,
    *lines: dict[str, Any],
    outcome: str = "accepted",
    reason: str | None = None,
    figures: dict[str, str] | None = None,
    events: int | None = 0,
) -> dict[str, Any]:
    """One decision on the book, a minute after the other by the offset of its cause."""
    return {
        "decision_id": decision_id(cause_id, cause, offset),
        "book": BOOK,
        "room": "mobility",
        "outcome": outcome,
        "reason": reason,
        "figures": figures or {},
        "lines": list(lines),
        "events": events,
        "cause_type": "a type",
        "cause_id": cause_id,
        "cause_topic": cause.topic,
        "cause_partition": cause.number,
        "cause_offset": offset,
        "correlation_id": "story",
        "actor": "ana",
        "effective_at": offset * MINUTE_US,
        "recorded_at": offset * MINUTE_US + 1,
    }


def line(step: str, amount_minor: int, debit: str, credit: str, **more: Any) -> dict[str, Any]:
    """One journal line in EUR."""
    plain: dict[str, Any] = {
        "lock_id": None,
        "deadline": None,
        "text": f"{step} {amount_minor}",
        "spent": [],
        "opened": None,
    }
    accounts = {"step": step, "debit": debit, "credit": credit, "amount_minor": amount_minor, "currency": "EUR"}
    return {**plain, **accounts, **more}


def trip(step: str, amount_minor: int, trip_id: str, **more: Any) -> dict[str, Any]:
    """One journal line of a trip's lock, paid from lot d-1."""
    parts = {"lock_id": f"trip:{trip_id}", "spent": [lot(amount_minor)]}
    return line(step, amount_minor, "wallet", "trips/msp-7", **{**parts, **more})


def lot(amount_minor: int, lot_id: str = "d-1", expires_at: int | None = None) -> dict[str, Any]:
    """A part of a lot, as the journal names it."""
    return {"lot_id": lot_id, "amount_minor": amount_minor, "expires_at": expires_at, "restriction": ""}


def balances_table() -> dict[str, dict[str, Any]]:
    """The balances table's rows as their changelog has them: defaults are left out."""
    held = {"lot_id": "d-1", "amount_minor": 85_00, "locked_minor": 30_00}
    return {
        FUNDING: {"side": "debit", "debits_posted": 100_00, "entries": 1},
        WALLET: {"side": "credit", "debits_posted": 15_00, "credits_posted": 100_00, "debits_pending": 30_00,
                 "entries": 2, "lots": [held]},
        TRIPS: {"side": "credit", "credits_posted": 15_00, "credits_pending": 30_00, "entries": 1},
    }  # fmt: skip


def locks_table() -> dict[str, dict[str, Any]]:
    """The locks table's rows as their changelog has them."""
    return {
        LOCK: {"debit": "wallet", "credit": "trips/msp-7", "amount_minor": 30_00, "currency": "EUR",
               "deadline": DEADLINE, "parts": [{"lot_id": "d-1", "amount_minor": 30_00}]},
    }  # fmt: skip


def projection(name: str) -> Projection:
    """What analysts should see."""
    lock = {"id": LOCK, "book": BOOK, "lock_id": "trip:t-2", "debit": "wallet", "credit": "trips/msp-7",
            "amount_minor": 30_00, "currency": "EUR", "deadline": DEADLINE}  # fmt: skip
    balances = {
        FUNDING: balance("funding", "debit", debits_posted=100_00, balance_minor=100_00, available_minor=100_00),
        WALLET: balance("wallet", "credit", debits_posted=15_00, credits_posted=100_00, debits_pending=30_00,
                        balance_minor=85_00, available_minor=55_00, entries=2, lots=1),
        TRIPS: balance("trips/msp-7", "credit", credits_posted=15_00, credits_pending=30_00, balance_minor=15_00,
                       available_minor=15_00),
    }  # fmt: skip
    lines = [
        stated(1, 100_00, 100_00, "funding", "posted 10000", decided("e-1", DEPOSIT, 0)),
        stated(2, -15_00, 85_00, "trips/msp-7", "settled 1500", decided("e-3", TRIP, 1)),
    ]
    return Projection(name, balances, {LOCK: lock}, lines, dealers=dealing.shown())


def balance(account: str, side: str, **figures: int) -> dict[str, Any]:
    """One row of the balances projection."""
    zero = dict.fromkeys(("debits_posted", "credits_posted", "debits_pending", "credits_pending"), 0)
    identity = {"id": f"{BOOK}|{account}|EUR", "book": BOOK, "account": account, "currency": "EUR", "side": side}
    return {**identity, **zero, "entries": 1, "lots": 0, **figures}


def stated(
    number: int, amount_minor: int, balance_minor: int, counter_account: str, text: str, entry: dict[str, Any]
) -> dict[str, Any]:
    """One line of the wallet's statement."""
    told = ("decision_id", "correlation_id", "actor", "effective_at", "recorded_at")
    return {
        "id": f"{WALLET}|{number}",
        "book": BOOK,
        "account": "wallet",
        "currency": "EUR",
        "number": number,
        "amount_minor": amount_minor,
        "balance_minor": balance_minor,
        "counter_account": counter_account,
        "text": text,
        **{name: entry[name] for name in told},
    }
