"""Files: one invoice for every fare, every ledger line in one journal file, and the register as the blobs are."""

import csv
import hashlib
import io
import time
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from tests.torture import kafka
from tests.torture.facts import Facts
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.model import Model
from tests.torture.verifier.places import PARTITIONS
from tests.torture.wire import Wire

PAYMENTS, GL_LINES = "mobility.trip-payment.event.v1", "prison_finance.gl-line.event.v1"
CHARGES = "mobility.card-charge.command.v1"
SINKS = {"invoices": PAYMENTS, "adi": GL_LINES}
WAIT_S = 600.0

Fields = dict[str, Any]


class Row(NamedTuple):
    """A line of a journal file."""

    prison: str
    day: str
    line: str
    transaction: str
    cost_centre: str
    code: str
    side: str
    amount: int


def check(servers: str, postgres: str, blob: Path, wire: Wire, model: Model, differences: Differences) -> int:
    """Compare everything the sinks wrote. Gives the number of files."""
    settled, lines, closed = _read(servers, postgres, wire)
    _check_settled(model, settled, differences)
    _check_charges(servers, wire, model, differences)
    _check_lines(model, lines, differences)
    _check_totals(lines, closed, differences)
    with psycopg.connect(postgres) as connection:
        register = connection.execute(
            "SELECT name, kind, series, number, sha256, size_bytes, previous_sha256 FROM sink.manifest"
            " ORDER BY series, number"
        ).fetchall()
        invoices = connection.execute("SELECT trip_id, name FROM sink.invoice").fetchall()
        parked = connection.execute("SELECT sink, reason, problem FROM sink.parked").fetchall()
    for each in parked:
        differences.add("parked", str(each))
    _check_register(register, blob, differences)
    charged = Counter(trip for trip, fare in settled if fare)
    for trip, count in (charged - Counter(trip for trip, _ in invoices)).items():
        differences.add("invoice", f"trip {trip} lacks {count}")
    for trip, count in (Counter(trip for trip, _ in invoices) - charged).items():
        differences.add("invoice", f"trip {trip} has {count} too many")
    if {name for _, name in invoices} != {row[0] for row in register if row[1] == "invoice"}:
        differences.add("invoice", "invoices and register name different files")
    _check_journals(register, blob, lines, closed, differences)
    return len(register)


def _read(servers: str, postgres: str, wire: Wire) -> tuple[list[tuple[str, int]], list[Fields], list[Fields]]:
    """Settled trips with their fares, ledger lines and closings with their partitions; once the sinks have them all."""
    settled, lines, closed = list[tuple[str, int]](), list[Fields](), list[Fields]()
    ends: dict[kafka.Slot, int] = {}
    for record in kafka.read(servers, PAYMENTS, GL_LINES):
        ends[record.topic(), record.partition()] = record.offset() + 1
        name, fields = wire.decode(record.value())
        if name == "TripSettled":
            settled.append((fields["trip_id"], fields["fare_minor"]))
        elif name == "GeneralLedgerLine":
            lines.append({**fields, "partition": record.partition(), "offset": record.offset()})
        elif name == "AccountingDayClosed":
            closed.append({**fields, "partition": record.partition(), "offset": record.offset()})
    _await_sinks(postgres, ends)
    return settled, lines, closed


def _await_sinks(postgres: str, ends: dict[kafka.Slot, int]) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        with psycopg.connect(postgres) as connection:
            rows = connection.execute("SELECT sink, topic, partition, next_offset FROM sink.position").fetchall()
            [(outgoing,)] = connection.execute("SELECT count(*) FROM sink.outgoing").fetchall()
        at = {(topic, partition): offset for sink, topic, partition, offset in rows if SINKS[sink] == topic}
        behind = {slot: end - at.get(slot, 0) for slot, end in ends.items() if at.get(slot, 0) < end}
        if not behind and not outgoing:
            return
        assert time.monotonic() < deadline, f"the sinks did not finish: behind {behind}, {outgoing} files outgoing"
        time.sleep(0.5)


def _check_settled(model: Model, settled: list[tuple[str, int]], differences: Differences) -> None:
    expected = {each["trip_id"]: each["fare"] for each in model.trips.values() if each["state"] == "settled"}
    differences.compare("settled trips", expected, dict(settled))
    for trip, count in Counter(trip for trip, _ in settled).items():
        if count != 1:
            differences.add("settled trips", f"{trip} settled {count} times")


def _check_charges(servers: str, wire: Wire, model: Model, differences: Differences) -> None:
    """Each card is charged what the wallet did not pay of a trip, once."""
    found: Counter[str] = Counter()
    for record in kafka.read(servers, CHARGES):
        _, charge = wire.decode(record.value())
        found[" ".join((charge["trip_id"], charge["rider_id"], str(charge["amount"]["amount_minor"])))] += 1
    expected = {f"{trip['trip_id']} {trip['rider_id']} {trip['card']}": 1 for trip in model.trips.values()
                if trip.get("card")}  # fmt: skip
    differences.compare("card charges", expected, dict(found))


def _check_lines(model: Model, lines: list[Fields], differences: Differences) -> None:
    """Every ledger line that the model expects was written once, as the facts have it, and no other."""
    found: Counter[str] = Counter()
    for line in lines:
        number, side = line["line_id"].rsplit("/", 2)[1:]
        book, amount = f"prisoner:{line['prisoner_id']}", line["amount"]["amount_minor"]
        found[" ".join(map(str, (book, line["transaction_id"], number, side, line["account"], amount)))] += 1
        for name, expected in _bears(model.facts, line, number, side).items():
            if line[name] != expected:
                differences.add("ledger line", f"{line['line_id']}: {name} is {line[name]}, expected {expected}")
    wanted = {" ".join(map(str, place)): count for place, count in model.ledger_lines.items()}
    differences.compare("ledger lines", wanted, dict(found))


def _bears(facts: Facts, line: Fields, number: str, side: str) -> Fields:
    """What a line must bear: the code of its account, and the prison and cost centre of its prisoner."""
    prison = facts.prison_of[line["prisoner_id"]]
    named = (line["prisoner_id"], line["transaction_id"], line["accounting_date"], number, side)
    return {"prison_id": prison, "cost_centre": facts.cost_centres[prison], "gl_account": facts.codes[line["account"]],
            "side": side, "line_id": "/".join(named)}  # fmt: skip


def _check_totals(lines: list[Fields], closed: list[Fields], differences: Differences) -> None:
    """A closing tells what its partition's lines of that day came to, and none of that day follows it."""
    for each in closed:
        day = [line for line in lines if line["accounting_date"] == each["accounting_date"]
               and line["partition"] == each["partition"]]  # fmt: skip
        sums = {side: sum(line["amount"]["amount_minor"] for line in day if line["side"] == side)
                for side in ("debit", "credit")}  # fmt: skip
        told = (each["lines"], each["debit_minor"], each["credit_minor"])
        if told != (len(day), sums["debit"], sums["credit"]) or sums["debit"] != sums["credit"]:
            differences.add("closing", f"{each}: lines come to {len(day)}, {sums}")
        if any(line["offset"] > each["offset"] for line in day):
            differences.add("closing", f"{each}: a line follows")


def _check_register(register: list[Any], blob: Path, differences: Differences) -> None:
    last: dict[str, tuple[int, str | None]] = defaultdict(lambda: (0, None))
    for name, _, series, number, digest, size, previous in register:
        if (number - 1, previous) != last[series]:
            differences.add("register", f"{name}: number {number} of {series} follows {last[series]}")
        last[series] = number, digest
        path = blob / name
        content = path.read_bytes() if path.exists() else b""
        if (hashlib.sha256(content).hexdigest(), len(content)) != (digest, size):
            differences.add("blob", f"{name}: {len(content)} bytes are not those of the register")
    named = {row[0] for row in register}
    for path in (each for each in blob.rglob("*") if each.is_file() and each.suffix != ".partial"):
        if str(path.relative_to(blob)) not in named:
            differences.add("blob", f"{path.name} is in no register")


def _check_journals(
    register: list[Any], blob: Path, lines: list[Fields], closed: list[Fields], differences: Differences
) -> None:
    """Every line of a day over which all partitions have closed, that day or a later one, is in one CSV file, once.

    The file is one of the line's prison and day, and says of it what the line says.
    """
    last = {each["partition"]: each["accounting_date"] for each in sorted(closed, key=lambda each: each["offset"])}
    closed_until = min(last.values()) if len(last) == PARTITIONS else ""
    expected = Counter(
        Row(line["prison_id"], line["accounting_date"], line["line_id"],
            f"{line['prisoner_id']}/{line['transaction_id']}", line["cost_centre"],
            line["gl_account"], line["side"], line["amount"]["amount_minor"])
        for line in lines if line["accounting_date"] <= closed_until
    )  # fmt: skip
    found: Counter[Row] = Counter()
    for name in (row[0] for row in register if row[1] == "adi-csv"):
        if (blob / name).exists():
            found.update(_rows(name, (blob / name).read_text(), differences))
    for line, count in (expected - found).items():
        differences.add("journal file", f"{line} is {count} times missing")
    for line, count in (found - expected).items():
        differences.add("journal file", f"{line} is {count} times too many")
    if len(lines) != expected.total():
        differences.add("journal file", f"{len(lines) - expected.total()} lines are of days that are not closed")


def _rows(name: str, content: str, differences: Differences) -> list[Row]:
    """What a journal says, with the prison and day that its name says; its last row is the sum of the others."""
    _, folder, file = name.split("/")
    _, written, prison, _ = file.rsplit("_", 3)
    day = f"{written[4:]}-{written[2:4]}-{written[:2]}"
    if day != folder:
        differences.add("journal file", f"{name} is of two days")
    rows, told = list[Row](), list[tuple[int, int]]()
    for row in csv.DictReader(io.StringIO(content)):
        debit, credit = (int(Decimal(row[side] or 0) * 100) for side in ("Debit", "Credit"))
        if row["Entity"] == "TOTAL":
            told.append((debit, credit))
            continue
        side, amount = ("debit", debit) if debit else ("credit", credit)
        account = row["Cost Centre"], row["Account"]
        rows.append(Row(prison, day, row["Line"], row["Transaction"], *account, side, amount))
    sums = [sum(row.amount for row in rows if row.side == side) for side in ("debit", "credit")]
    if told != [tuple(sums)]:
        differences.add("journal file", f"{name} comes to {sums}, and says {told}")
    return rows
