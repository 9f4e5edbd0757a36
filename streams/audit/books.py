"""The auditor's own double entry: the journal folded into accounts and locks, each line checked on its own terms.

A line that breaks a rule is applied all the same: the books show what the journal says, the findings what is wrong
with it. Rows are mutable and plain, for speed.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.audit.chart import side_never_overdrawn
from streams.audit.evidence import Entry, Row
from streams.audit.findings import Finding, Kind
from streams.audit.homes import Homes
from streams.audit.lots import Breach, Lot, Take, check_expiry, check_sum, open_lot, take_parts


@dataclass(slots=True)
class Account:
    """What the journal puts on one account of one book in one currency, in minor units.

    `movements` has one number for each posted movement, made of all that a statement line must repeat of it.
    """

    book: str
    name: str
    currency: str
    debits_posted: int = 0
    credits_posted: int = 0
    debits_pending: int = 0
    credits_pending: int = 0
    entries: int = 0
    lots: dict[str, Lot] = field(default_factory=dict)
    lots_opened: int = 0
    movements: "array[int]" = field(default_factory=lambda: array("q"))

    @property
    def key(self) -> str:
        """The key of its row in tables and projections."""
        return f"{self.book}|{self.name}|{self.currency}"


@dataclass(slots=True)
class Lock:
    """What is still reserved between two accounts, with the parts of lots that it pins, in the order of spending."""

    book: str
    lock_id: str
    debit: str
    credit: str
    amount_minor: int
    currency: str
    deadline: int | None
    parts: list[dict[str, Any]]

    @property
    def key(self) -> str:
        """The key of its row in tables and projections."""
        return f"{self.book}|{self.lock_id}"


class Effect(NamedTuple):
    """What a step does, in multiples of the line's amount: to pending and posted sums, and to the lots it names."""

    pending: int
    posted: int
    lots: Take


EFFECTS = {
    "posted": Effect(pending=0, posted=1, lots=Take(amount=-1, locked=0)),
    "locked": Effect(pending=1, posted=0, lots=Take(amount=0, locked=1)),
    "settled": Effect(pending=-1, posted=1, lots=Take(amount=-1, locked=-1)),
    "voided": Effect(pending=-1, posted=0, lots=Take(amount=0, locked=-1)),
    "expired": Effect(pending=-1, posted=0, lots=Take(amount=0, locked=-1)),
}


class Books:
    """All books, as the journal read so far leaves them."""

    def __init__(self, partitions: int) -> None:
        self.accounts: dict[str, Account] = {}
        self.locks: dict[str, Lock] = {}
        self.books: set[str] = set()
        self._homes = Homes(partitions)
        self.lines = 0

    def enter(self, entry: Entry) -> list[Finding]:
        """Apply one journal entry, and tell what is wrong with it."""
        fields = entry.fields
        breaches = [*_form(fields), *self._placed(entry)]
        findings = [Finding(kind, fields["decision_id"], expected, found) for kind, expected, found in breaches]
        for number, line in enumerate(fields["lines"], 1):
            for kind, expected, found in self._enter_line(fields, line):
                findings.append(Finding(kind, f"{fields['decision_id']}, line {number}", expected, found))
        self.lines += len(fields["lines"])
        return findings

    def _placed(self, entry: Entry) -> Iterator[Breach]:
        book, number = entry.fields["book"], entry.place.partition.number
        if entry.key != book:
            yield Breach(Kind.MISPLACED, f"the key {book}", entry.key)
        self.books.add(book)
        if not self._homes.admit(book, number):
            expected = f"entries of {book} on partition {self._homes.now(book)}"
            yield Breach(Kind.MISPLACED, expected, f"one on partition {number}")

    def _enter_line(self, entry: Row, line: Row) -> Iterator[Breach]:
        book, amount, currency = entry["book"], line["amount_minor"], line["currency"]
        effect = EFFECTS[line["step"]]
        debit, credit = self._account(book, line["debit"], currency), self._account(book, line["credit"], currency)
        if amount <= 0:
            yield Breach(Kind.ILLEGAL_LINE, "a positive amount", str(amount))
        if debit is credit:
            yield Breach(Kind.ILLEGAL_LINE, "two accounts", f"debit and credit on {debit.name}")
        yield from self._enter_lock(book, line, entry["effective_at"])
        yield from _enter_lots(debit, credit, line, effect, entry["effective_at"])
        debit.debits_pending += effect.pending * amount
        credit.credits_pending += effect.pending * amount
        debit.debits_posted += effect.posted * amount
        credit.credits_posted += effect.posted * amount
        if effect.posted:
            _note_movement(debit, entry, line, -amount, credit.name)
            _note_movement(credit, entry, line, amount, debit.name)
        if effect.pending >= 0:  # what ends a lock takes nothing that was available
            yield from _funded(debit)
            yield from _funded(credit)

    def _account(self, book: str, name: str, currency: str) -> Account:
        key = f"{book}|{name}|{currency}"
        account = self.accounts.get(key)
        if account is None:
            account = self.accounts[key] = Account(book, name, currency)
        return account

    def _enter_lock(self, book: str, line: Row, effective_at: int) -> Iterator[Breach]:
        lock_id, step = line["lock_id"], line["step"]
        if (lock_id is None) != (step == "posted"):
            yield Breach(Kind.ILLEGAL_LINE, "a lock is named by all steps but posted", f"{step} with lock {lock_id}")
        if lock_id is None or step == "posted":
            return
        key = f"{book}|{lock_id}"
        lock = self.locks.get(key)
        if step == "locked":
            if lock is not None:
                yield Breach(Kind.LOCK_MISUSED, "a new lock", f"lock {lock_id} is open already")
            self.locks[key] = _open_lock(book, line)
        elif lock is None:
            yield Breach(Kind.LOCK_MISUSED, "an open lock", f"{step} of lock {lock_id}, which is not open")
        else:
            if step == "expired" and (lock.deadline is None or effective_at < lock.deadline):
                yield Breach(Kind.LOCK_MISUSED, f"lock {lock_id} open until {lock.deadline}", f"expired {effective_at}")
            yield from _shrink(lock, line)
            if lock.amount_minor <= 0:
                del self.locks[key]

    def sums(self) -> dict[str, dict[str, int]]:
        """Posted and pending debits and credits of all accounts, by currency, in minor units."""
        totals: dict[str, Counter[str]] = {}
        for account in self.accounts.values():
            total = totals.setdefault(account.currency, Counter())
            total["debits_posted"] += account.debits_posted
            total["credits_posted"] += account.credits_posted
            total["debits_pending"] += account.debits_pending
            total["credits_pending"] += account.credits_pending
        return {currency: dict(total) for currency, total in sorted(totals.items())}

    def overdue(self, ticked: Mapping[int, int], grace_us: int) -> Iterator[Finding]:
        """Locks and free lots whose time was more than `grace_us` before the last tick of their partition."""
        for lock in self.locks.values():
            now = ticked.get(self._homes.now(lock.book))
            if now is not None and lock.deadline is not None and lock.deadline + grace_us < now:
                left = f"{lock.amount_minor} {lock.currency} locked {(now - lock.deadline) // 1_000_000} s after it"
                yield Finding(Kind.LOCK_OVERDUE, lock.key, "freed at its deadline", left)
        for account in self.accounts.values():
            now = ticked.get(self._homes.now(account.book))
            if now is not None and account.lots:
                yield from _lots_overdue(account, now, grace_us)


def _lots_overdue(account: Account, now: int, grace_us: int) -> Iterator[Finding]:
    for lot_id, lot in account.lots.items():
        free = lot.amount_minor - lot.locked_minor
        if free and lot.expires_at is not None and lot.expires_at + grace_us < now:
            left = f"{free} {account.currency} left {(now - lot.expires_at) // 1_000_000} s after its day"
            yield Finding(Kind.LOT_OVERDUE, f"{account.key}, lot {lot_id}", "on the expiry account", left)


def movement(signed_minor: int, counter_account: str, text: str, entry: Row) -> int:
    """A number for one movement: equal for a journal line and the statement line made of it. Credits are positive."""
    told = (entry["decision_id"], entry["correlation_id"], entry["actor"], entry["effective_at"], entry["recorded_at"])
    return hash((2 * signed_minor, counter_account, text, told))  # doubled, as Python's -1 and -2 have one hash


def _note_movement(account: Account, entry: Row, line: Row, signed_minor: int, counter_account: str) -> None:
    account.entries += 1
    account.movements.append(movement(signed_minor, counter_account, line["text"], entry))


def _form(entry: Row) -> Iterator[Breach]:
    """What the outcome of an entry says about its other fields."""
    outcome = entry["outcome"]
    if outcome != "accepted" and entry["lines"]:
        yield Breach(Kind.ILLEGAL_ENTRY, f"no lines, as it is {outcome}", f"{len(entry['lines'])} lines")
    if (outcome == "refused") != (entry["reason"] is not None):
        yield Breach(Kind.ILLEGAL_ENTRY, "a reason where refused, and only there", f"{outcome}, {entry['reason']}")


def _enter_lots(debit: Account, credit: Account, line: Row, effect: Effect, effective_at: int) -> Iterator[Breach]:
    spent, opened, amount = line["spent"], line["opened"], line["amount_minor"]
    if spent or debit.lots_opened:
        yield from check_sum(spent, amount)
        yield from take_parts(debit.lots, spent, effect.lots)
        if effect.pending >= 0:  # what a lock has pinned stays spendable
            yield from check_expiry(spent, line["credit"], effective_at)
    if opened is not None:
        credit.lots_opened += 1
        yield from open_lot(credit.lots, opened, amount)
    elif effect.posted and credit.lots_opened:
        yield Breach(Kind.LOTS_MISUSED, f"{credit.name} holds its money in lots", "a credit that opens none")


def _open_lock(book: str, line: Row) -> Lock:
    parts = [dict(part) for part in line["spent"]]
    return Lock(
        book, line["lock_id"], line["debit"], line["credit"], line["amount_minor"], line["currency"], line["deadline"],
        parts,
    )  # fmt: skip


def _shrink(lock: Lock, line: Row) -> Iterator[Breach]:
    """Take from a lock what a line settles or frees."""
    theirs, its = (lock.debit, lock.credit, lock.currency), (line["debit"], line["credit"], line["currency"])
    if theirs != its:
        yield Breach(Kind.LOCK_MISUSED, f"lock {lock.lock_id} between {' and '.join(theirs)}", " and ".join(its))
    if line["amount_minor"] > lock.amount_minor:
        held = f"at most the {lock.amount_minor} that lock {lock.lock_id} holds"
        yield Breach(Kind.LOCK_MISUSED, held, str(line["amount_minor"]))
    lock.amount_minor -= line["amount_minor"]
    pinned = {part["lot_id"]: part for part in lock.parts}
    for part in line["spent"]:
        mine = pinned.get(part["lot_id"])
        if mine is None or mine["amount_minor"] < part["amount_minor"]:
            yield Breach(Kind.LOCK_MISUSED, f"lots that lock {lock.lock_id} pins", f"more of lot {part['lot_id']}")
        else:
            mine["amount_minor"] -= part["amount_minor"]
    lock.parts = [part for part in lock.parts if part["amount_minor"]]


def _funded(account: Account) -> Iterator[Breach]:
    match side_never_overdrawn(account.book, account.name):
        case "credit":
            available = account.credits_posted - account.debits_posted - account.debits_pending
        case "debit":
            available = account.debits_posted - account.credits_posted - account.credits_pending
        case _:
            return
    if available < 0:
        yield Breach(Kind.OVERDRAWN, "zero or more available", f"{account.key} has {available}")
