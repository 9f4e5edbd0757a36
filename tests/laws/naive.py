"""What the ledger should do, written a second time in the plainest way: dicts, lists, and no line of the ledger's code.

`NaiveBook` carries out commands. `fold` does without commands: it adds up what the journal says, as an auditor would.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

MOST = 10**15
DEBIT_SIDE = {"bank", "till"}
LOTTED = {"wallet", "gifts"}
NEVER_NEGATIVE = {"till", "wallet", "gifts", "spends"}
OWNED = {"till", "wallet", "spends", "tab"}


@dataclass
class NaiveAccount:
    debits: int = 0
    credits: int = 0
    debits_pending: int = 0
    credits_pending: int = 0
    entries: int = 0
    lots: dict[str, dict[str, Any]] = field(default_factory=dict)


class NaiveBook:
    """One book: accounts by (name, currency), open locks by id, limits by name, statement lines in order."""

    def __init__(self) -> None:
        self.accounts: dict[tuple[str, str], NaiveAccount] = {}
        self.locks: dict[str, dict[str, Any]] = {}
        self.limits: dict[str, tuple[str, int]] = {}
        self.statement: list[tuple[str, str, int, int, str]] = []

    def copy(self) -> "NaiveBook":
        return deepcopy(self)

    def account(self, name: str, currency: str) -> NaiveAccount:
        return self.accounts.setdefault((name, currency), NaiveAccount())

    def posted(self, name: str, currency: str) -> int:
        account = self.account(name, currency)
        return account.debits - account.credits if name in DEBIT_SIDE else account.credits - account.debits

    def locked(self, name: str, currency: str) -> int:
        account = self.account(name, currency)
        return account.credits_pending if name in DEBIT_SIDE else account.debits_pending

    # -- what may be refused, and why

    def poor(self, debit: str, credit: str, amount: int, currency: str) -> bool:
        losers = {debit} - DEBIT_SIDE | {credit} & DEBIT_SIDE
        return any(
            self.posted(name, currency) - self.locked(name, currency) < amount for name in losers & NEVER_NEGATIVE
        )

    def full(self, debit: str, credit: str, amount: int, currency: str) -> bool:
        out, into = self.account(debit, currency), self.account(credit, currency)
        return out.debits + out.debits_pending + amount > MOST or into.credits + into.credits_pending + amount > MOST

    def why_not_post(self, debit: str, credit: str, amount: int, currency: str, lot: str | None) -> str | None:
        if lot is not None and lot in self.account(credit, currency).lots:
            return "already_exists"
        if self.poor(debit, credit, amount, currency):
            return "insufficient_funds"
        return "amount_too_large" if self.full(debit, credit, amount, currency) else None

    def why_not_lock(self, lock: str, debit: str, credit: str, amount: int, currency: str) -> str | None:
        if lock in self.locks:
            return "already_exists"
        return self.why_not_post(debit, credit, amount, currency, None)

    def why_not_settle(self, lock: str, amount: int) -> str | None:
        if lock not in self.locks:
            return "no_such_lock"
        return "exceeds_lock" if amount > self.locks[lock]["left"] else None

    def usable(self, name: str, currency: str, at: int, purpose: str) -> list[tuple[str, int]]:
        """Every usable lot and how much of it, what expires first in front."""
        found = []
        for lot_id, lot in self.account(name, currency).lots.items():
            alive = lot["expires_at"] is None or at < lot["expires_at"]
            most = lot["amount"] - sum(lock["lots"].get(lot_id, 0) for lock in self._locks_on(name, currency))
            if lot["restriction"] == "few":
                most = min(most, 3)
            if alive and most and lot["restriction"] in ("", "few", purpose):
                found.append((lot["expires_at"] is None, lot["expires_at"] or 0, lot_id, most))
        return [(lot_id, most) for _, _, lot_id, most in sorted(found)]

    def _locks_on(self, name: str, currency: str) -> list[dict[str, Any]]:
        return [lock for lock in self.locks.values() if (lock["debit"], lock["currency"]) == (name, currency)]

    # -- what is done

    def post(self, debit: str, credit: str, amount: int, currency: str, spent: dict[str, int], lot: Any) -> None:
        self._move(debit, credit, amount, currency)
        for lot_id, part in spent.items():
            self._take(debit, currency, lot_id, part)
        if lot is not None:
            self.account(credit, currency).lots[lot["id"]] = {**lot, "amount": amount}

    def lock(self, lock: str, debit: str, credit: str, amount: int, currency: str, spent: dict[str, int]) -> None:
        self.account(debit, currency).debits_pending += amount
        self.account(credit, currency).credits_pending += amount
        self.locks[lock] = {
            "debit": debit, "credit": credit, "currency": currency, "left": amount, "lots": dict(spent)
        }  # fmt: skip

    def settle(self, lock: str, amount: int) -> None:
        held = self.locks[lock]
        to_take = amount
        for lot_id in list(held["lots"]):
            part = min(to_take, held["lots"][lot_id])
            if not part:
                continue  # an earlier settlement has used it up, and the lot may be gone
            to_take -= part
            held["lots"][lot_id] -= part
            self._take(held["debit"], held["currency"], lot_id, part)
        self._unlock(lock, amount)
        self._move(held["debit"], held["credit"], amount, held["currency"])

    def void(self, lock: str) -> None:
        self._unlock(lock, self.locks[lock]["left"])

    def _unlock(self, lock: str, amount: int) -> None:
        held = self.locks[lock]
        held["left"] -= amount
        self.account(held["debit"], held["currency"]).debits_pending -= amount
        self.account(held["credit"], held["currency"]).credits_pending -= amount
        if held["left"] == 0:
            del self.locks[lock]

    def _move(self, debit: str, credit: str, amount: int, currency: str) -> None:
        self.account(debit, currency).debits += amount
        self.account(credit, currency).credits += amount
        for name, other, grows in ((debit, credit, debit in DEBIT_SIDE), (credit, debit, credit not in DEBIT_SIDE)):
            self.account(name, currency).entries += 1
            if name in OWNED:
                balance = self.posted(name, currency)
                self.statement.append((name, currency, amount if grows else -amount, balance, other))

    def _take(self, name: str, currency: str, lot_id: str, amount: int) -> None:
        lots = self.account(name, currency).lots
        lots[lot_id]["amount"] -= amount
        if lots[lot_id]["amount"] == 0:
            del lots[lot_id]

    def use(self, limit: str, window: str, allowed: int, amount: int) -> bool:
        newest, used = self.limits.get(limit, ("", 0))
        if window > newest:
            newest, used = window, 0
        if used + amount > allowed:
            return False
        self.limits[limit] = (newest, used + amount)
        return True

    def give_back(self, limit: str, window: str, amount: int) -> None:
        newest, used = self.limits.get(limit, ("", 0))
        if newest == window:
            self.limits[limit] = (newest, max(0, used - amount))


def fold(lines: list[dict[str, Any]]) -> tuple[dict[tuple[str, str], list[int]], dict[Any, list[int]], dict[str, int]]:
    """Journal lines as sums: debits, credits, both pending of accounts; amount and locked of lots; what locks hold."""
    accounts: dict[tuple[str, str], list[int]] = {}
    lots: dict[Any, list[int]] = {}
    locks: dict[str, int] = {}
    for line in lines:
        step, amount, currency = line["step"], line["amount_minor"], line["currency"]
        moved = amount if step in ("posted", "settled") else 0
        pending = {"posted": 0, "locked": amount}.get(step, -amount)
        for name, posted_at, pending_at in ((line["debit"], 0, 2), (line["credit"], 1, 3)):
            sums = accounts.setdefault((name, currency), [0, 0, 0, 0])
            sums[posted_at] += moved
            sums[pending_at] += pending
        for part in line["spent"]:
            sums = lots[line["debit"], currency, part["lot_id"]]
            sums[0] -= part["amount_minor"] if moved else 0
            sums[1] += {"posted": 0, "locked": 1}.get(step, -1) * part["amount_minor"]
        if line["opened"] is not None:
            sums = lots.setdefault((line["credit"], currency, line["opened"]["lot_id"]), [0, 0])
            sums[0] += line["opened"]["amount_minor"]
        if line["lock_id"] is not None:
            locks[line["lock_id"]] = locks.get(line["lock_id"], 0) + pending
    gone = [0, 0]
    return accounts, {lot: sums for lot, sums in lots.items() if sums != gone}, {k: v for k, v in locks.items() if v}
