"""Tables as a worker would restore them, and projections in Kafka and in Postgres, against the model."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.torture import kafka
from tests.torture.verifier import billing, deals, deposits, places
from tests.torture.verifier.batches import waiting
from tests.torture.verifier.books import Books, in_order, side
from tests.torture.verifier.dealer_rows import PROJECTED
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.model import Model
from tests.torture.verifier.places import latest
from tests.torture.verifier.rows import TABLES, Rows
from tests.torture.wire import Wire

SUMS = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")
LANDING_S = 300.0
BALANCES, LOCKS, LINES = (f"ledger.{name}.projection.v1" for name in ("balance", "open-lock", "statement-line"))


def check(servers: str, postgres: str, wire: Wire, model: Model, differences: Differences, ticked: int) -> None:
    """Compare every table and projection. `ticked` is the last tick: nothing may still wait that was due by then."""
    changelog: Callable[[str], Rows] = lambda name: latest(servers, f"millrace-{name}-changelog", differences)  # noqa: E731
    balances = changelog("balances")
    differences.compare("table balances", _balance_rows(model.books), {k: _balance_row(v) for k, v in balances.items()})
    differences.compare(
        "table locks", _lock_rows(model.books), {k: _lock_row(v) for k, v in changelog("locks").items()}
    )
    _check_zero(differences, balances)
    for table in TABLES:
        found = {key: table.found(row) for key, row in changelog(table.name).items()}
        differences.compare(f"table {table.name}", table.expected(model), found)
    _check_nothing_waits(model, differences, ticked)
    billing.check(servers, wire, model, differences)
    deposits.check_told(servers, wire, model, differences)
    _check_topics(servers, wire, model, differences)
    _check_landed(postgres, model, differences)


def _check_zero(differences: Differences, balances: Rows) -> None:
    totals = {name: sum(row.get(name, 0) for row in balances.values()) for name in SUMS}
    for state in ("posted", "pending"):
        if totals[f"debits_{state}"] != totals[f"credits_{state}"]:
            differences.add("sum", f"{state} debits and credits differ: {totals}")


def _check_nothing_waits(model: Model, differences: Differences, ticked: int) -> None:
    for key, each in (model.trips | model.purchases).items():
        if each["state"] in {"running", "pending", "end_waits"} and each["until"] <= ticked:
            differences.add("overdue", f"{key} waits since {each['until']}, and it is {ticked}")
    for book, batch in model.batches.items():
        if waiting(batch):
            differences.add("overdue", f"{book} waits for answers: {batch}")
        if batch["is_open"] and (batch["deadline"] is None or batch["deadline"] <= ticked):
            differences.add("overdue", f"{book} waits since {batch['deadline']}, and it is {ticked}")
    for sentence in deals.overdue(model, ticked):
        differences.add("overdue", sentence)
    for key, account in model.books.accounts.items():
        for lot_id, lot in account.lots.items():
            if lot.expires is not None and lot.expires <= ticked and lot.amount > lot.locked:
                differences.add("overdue", f"lot {lot_id} of {key} has expired at {lot.expires}, and it is {ticked}")


def _balance_rows(books: Books) -> Rows:
    return {
        key: {"side": side(key.split("|")[1]), **{name: getattr(account, name) for name in SUMS},
              "entries": account.entries,
              "lots": [(i, lot.amount, lot.locked, lot.expires) for i, lot in in_order(account.lots)]}
        for key, account in books.accounts.items()
    }  # fmt: skip


def _balance_row(row: Rows) -> Rows:
    lots = [(lot["lot_id"], lot["amount_minor"], lot.get("locked_minor", 0), lot.get("expires_at"))
            for lot in row.get("lots", ())]  # fmt: skip
    sums = {name: row.get(name, 0) for name in SUMS}
    return {"side": row["side"], **sums, "entries": row.get("entries", 0), "lots": lots}


def _lock_rows(books: Books) -> Rows:
    return {key: (lock.debit, lock.credit, lock.amount, lock.currency, lock.deadline, lock.parts)
            for key, lock in books.locks.items()}  # fmt: skip


def _lock_row(row: Rows) -> Any:
    parts = [(part[0], part[1]) for part in row.get("parts", ())]
    return row["debit"], row["credit"], row["amount_minor"], row["currency"], row.get("deadline"), parts


# ---- projections


def _projected(model: Model) -> dict[str, Rows]:
    books = model.books
    balances = {
        key: (*(getattr(each, name) for name in SUMS), books.balance(*key.split("|")),
              books.available(*key.split("|")), each.entries, len(each.lots))
        for key, each in books.accounts.items()
    }  # fmt: skip
    locks = {key: row[:5] for key, row in _lock_rows(books).items()}
    lines = {f"{each.key}|{each.number}": (each.amount, each.balance, each.counter) for each in books.stated}
    of_dealers = {each.table: each.expected(model) for each in PROJECTED}
    return {"balances": balances, "open_locks": locks, "statement_lines": lines, **of_dealers}


def _shown(found: dict[str, Rows]) -> dict[str, Rows]:
    columns = (*SUMS, "balance_minor", "available_minor", "entries", "lots")
    shown: dict[str, Callable[[Rows], Any]] = {
        "balances": lambda row: tuple(row[name] for name in columns),
        "open_locks": lambda row: _lock_row(row)[:5],
        "statement_lines": lambda row: (row["amount_minor"], row["balance_minor"], row["counter_account"]),
        **{each.table: each.shown for each in PROJECTED},
    }
    return {name: {key: shown[name](row) for key, row in rows.items()} for name, rows in found.items()}


def _check_topics(servers: str, wire: Wire, model: Model, differences: Differences) -> None:
    read: Callable[[bytes], Rows] = lambda value: wire.decode(value)[1]  # noqa: E731
    lines: Rows = {}
    for record in kafka.read(servers, LINES):
        places.check(record, differences)
        key = record.key().decode()
        if key in lines:
            differences.add("statement line twice", key)
        lines[key] = read(record.value())
    topics = {"balances": BALANCES, "open_locks": LOCKS, **{each.table: each.topic for each in PROJECTED}}
    rows = {name: latest(servers, topic, differences, read, about=str) for name, topic in topics.items()}
    found = _shown({**rows, "statement_lines": lines})
    for name, expected in _projected(model).items():
        differences.compare(f"projected {name}", expected, found[name])


def _check_landed(postgres: str, model: Model, differences: Differences) -> None:
    """Postgres follows by sink connectors: they may take their time, and then all must be equal."""
    expected, deadline = _projected(model), time.monotonic() + LANDING_S
    while (found := _landed(postgres, expected)) != expected and time.monotonic() < deadline:
        time.sleep(1.0)
    for name, wanted in expected.items():
        differences.compare(f"Postgres {name}", wanted, found[name])


def _landed(postgres: str, tables: Iterable[str]) -> dict[str, Rows]:
    with psycopg.connect(postgres, row_factory=dict_row) as connection:
        return _shown(
            {
                name: {row["id"]: row for row in connection.execute(f"SELECT * FROM projection.{name}")}
                for name in tables
            }
        )
