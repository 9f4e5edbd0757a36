"""Rows that should follow from the journal, against the rows that are there: every key both ways, every field."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from streams.audit.books import Account, Books, Lock
from streams.audit.evidence import Row
from streams.audit.findings import Finding, Kind
from streams.audit.lots import in_order

SUMS = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")


def compare(kind: Kind, place: str, expected: Iterable[tuple[str, Row]], found: Mapping[str, Row]) -> Iterator[Finding]:
    """Findings for rows that are missing, that nobody expects, and for every field that differs."""
    met = set()
    for key, row in expected:
        met.add(key)
        actual = found.get(key)
        if actual is None:
            yield Finding(kind, f"{place} {key}", "a row", "none")
            continue
        for name, value in row.items():
            if actual.get(name) != value:
                yield Finding(kind, f"{place} {key}, {name}", str(value), str(actual.get(name)))
    for key in found.keys() - met:
        yield Finding(kind, f"{place} {key}", "no row", "one")


# ---- tables, as a worker restores them; a field with its default value is left out of a row


def balance_rows(books: Books) -> Iterator[tuple[str, Row]]:
    """The rows of the balances table that the journal leads to. An account's side is not in the journal."""
    for key, account in books.accounts.items():
        yield key, {**_sums(account), "entries": account.entries, "lots": _lots(account)}


def lock_rows(books: Books) -> Iterator[tuple[str, Row]]:
    """The rows of the locks table that the journal leads to."""
    for key, lock in books.locks.items():
        yield key, {**_lock(lock), "parts": [dict(part) for part in lock.parts]}


def restored_balance(row: Row) -> Row:
    """A row of the balances table with its defaults filled in."""
    numbers = {name: row.get(name, 0) for name in (*SUMS, "entries")}
    lots = [{"locked_minor": 0, "expires_at": None, "restriction": "", **lot} for lot in row.get("lots", ())]
    return {"side": row.get("side"), **numbers, "lots": lots}


def restored_lock(row: Row) -> Row:
    """A row of the locks table with its defaults filled in."""
    parts = [{"expires_at": None, "restriction": "", **part} for part in row.get("parts", ())]
    return {"deadline": None, **row, "parts": parts}


def unbalanced(place: str, rows: Mapping[str, Row]) -> Iterator[Finding]:
    """Currencies whose debits and credits differ over all rows of a balances table or projection."""
    totals: dict[str, Counter[str]] = {}
    for key, row in rows.items():
        total = totals.setdefault(key.rpartition("|")[2], Counter())
        for name in SUMS:
            total[name] += row.get(name, 0)
    for currency, total in sorted(totals.items()):
        for state in ("posted", "pending"):
            debited, credited = total[f"debits_{state}"], total[f"credits_{state}"]
            if debited != credited:
                where = f"{place}, {currency} {state}"
                yield Finding(Kind.UNBALANCED, where, f"credits of {debited}, as debits", str(credited))


# ---- projections


def projected_balances(books: Books, sides: Mapping[str, str]) -> Iterator[tuple[str, Row]]:
    """The balances that analysts should see, on the sides that the balances table gives the accounts."""
    for key, account in books.accounts.items():
        side = sides.get(key)
        grown = account.credits_posted - account.debits_posted
        posted = -grown if side == "debit" else grown
        locked = account.credits_pending if side == "debit" else account.debits_pending
        yield (
            key,
            {
                "book": account.book,
                "account": account.name,
                "currency": account.currency,
                "side": side,
                **_sums(account),
                "balance_minor": posted,
                "available_minor": posted - locked,
                "entries": account.entries,
                "lots": len(account.lots),
            },
        )


def projected_locks(books: Books) -> Iterator[tuple[str, Row]]:
    """The open locks that analysts should see."""
    for key, lock in books.locks.items():
        yield key, {"book": lock.book, "lock_id": lock.lock_id, **_lock(lock)}


def _sums(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in SUMS}


def _lock(lock: Lock) -> dict[str, Any]:
    return {
        "debit": lock.debit,
        "credit": lock.credit,
        "amount_minor": lock.amount_minor,
        "currency": lock.currency,
        "deadline": lock.deadline,
    }


def _lots(account: Account) -> list[dict[str, Any]]:
    return [
        {
            "lot_id": lot_id,
            "amount_minor": lot.amount_minor,
            "locked_minor": lot.locked_minor,
            "expires_at": lot.expires_at,
            "restriction": lot.restriction,
        }
        for lot_id, lot in in_order(account.lots)
    ]
