"""Double entry once more: accounts with lots, locks, and what a line does to them. Plain and mutable."""

from dataclasses import dataclass, field
from typing import NamedTuple

NEVER = 1 << 62
GROWS_BY_DEBIT = {"funding", "receivable", "bank", "prison", "owed", "written_off"}
HAS_STATEMENT = {"wallet", "rider", "expired", "current", "cash", "spends", "savings"}

Part = tuple[str, int]
"""Of a lot: its id, and how much of it."""


class Line(NamedTuple):
    """One movement, as the model predicts it and the journal should have it. Amounts in minor units."""

    step: str
    debit: str
    credit: str
    amount: int
    currency: str
    lock: str | None = None
    deadline: int | None = None
    spent: tuple[Part, ...] = ()
    opened: tuple[str, int, int | None] | None = None  # lot, amount, expiry


@dataclass
class Lot:
    amount: int
    locked: int
    expires: int | None


@dataclass
class Account:
    debits_posted: int = 0
    credits_posted: int = 0
    debits_pending: int = 0
    credits_pending: int = 0
    entries: int = 0
    lots: dict[str, Lot] = field(default_factory=dict)


@dataclass
class Lock:
    debit: str
    credit: str
    amount: int
    currency: str
    deadline: int | None
    parts: list[Part]


class Stated(NamedTuple):
    """What a statement line must say of one posted movement."""

    key: str
    number: int
    amount: int
    balance: int
    counter: str


def kind(account: str) -> str:
    """`trips` of `trips/ryde`."""
    return account.partition("/")[0]


def side(account: str) -> str:
    """On which side an account's balance grows."""
    return "debit" if kind(account) in GROWS_BY_DEBIT else "credit"


class Books:
    """All books: accounts by `book|account|currency`, locks by `book|lock`, and the statement lines that follow."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.locks: dict[str, Lock] = {}
        self.stated: list[Stated] = []

    def account(self, book: str, name: str, currency: str) -> Account:
        return self.accounts.get(f"{book}|{name}|{currency}", Account())

    def balance(self, book: str, name: str, currency: str) -> int:
        """Posted, on the account's own side."""
        found = self.account(book, name, currency)
        grown = found.credits_posted - found.debits_posted
        return -grown if side(name) == "debit" else grown

    def available(self, book: str, name: str, currency: str) -> int:
        """Posted less what locks will take away."""
        found = self.account(book, name, currency)
        locked = found.credits_pending if side(name) == "debit" else found.debits_pending
        return self.balance(book, name, currency) - locked

    def usable(self, book: str, currency: str, wanted: int, at: int) -> tuple[Part, ...]:
        """Parts of the wallet's unexpired free lots, earliest expiry first, for at most `wanted`."""
        parts = []
        for lot_id, lot in in_order(self.account(book, "wallet", currency).lots):
            free = lot.amount - lot.locked
            if wanted > 0 and free > 0 and (lot.expires is None or lot.expires > at):
                parts.append((lot_id, min(free, wanted)))
                wanted -= parts[-1][1]
        return tuple(parts)

    def enter(self, book: str, line: Line) -> Line:
        """Carry a line out."""
        debit = self.accounts.setdefault(f"{book}|{line.debit}|{line.currency}", Account())
        credit = self.accounts.setdefault(f"{book}|{line.credit}|{line.currency}", Account())
        pending = {"locked": 1, "posted": 0}.get(line.step, -1) * line.amount
        posted = line.amount if line.step in {"posted", "settled"} else 0
        debit.debits_pending += pending
        credit.credits_pending += pending
        debit.debits_posted += posted
        credit.credits_posted += posted
        _enter_lots(debit, credit, line)
        if line.lock is not None:
            self._enter_lock(book, line)
        if posted:
            for name, other in ((line.debit, line.credit), (line.credit, line.debit)):
                self._state(book, name, other, line)
        return line

    def _state(self, book: str, name: str, counter: str, line: Line) -> None:
        key = f"{book}|{name}|{line.currency}"
        self.accounts[key].entries += 1
        if kind(name) in HAS_STATEMENT:
            grows = (name == line.debit) == (side(name) == "debit")
            balance, number = self.balance(book, name, line.currency), self.accounts[key].entries
            self.stated.append(Stated(key, number, line.amount if grows else -line.amount, balance, counter))

    def _enter_lock(self, book: str, line: Line) -> None:
        key = f"{book}|{line.lock}"
        if line.step == "locked":
            assert key not in self.locks, key
            parts = list(line.spent)
            self.locks[key] = Lock(line.debit, line.credit, line.amount, line.currency, line.deadline, parts)
            return
        lock = self.locks[key]
        lock.amount -= line.amount
        lock.parts = first_parts(lock.parts, line.amount)[1]
        if not lock.amount:
            del self.locks[key]


def first_parts(parts: list[Part], amount: int) -> tuple[tuple[Part, ...], list[Part]]:
    """The first parts that make up an amount, and the rest."""
    first, rest = list[Part](), list[Part]()
    for lot_id, size in parts:
        take = min(size, amount)
        amount -= take
        if take:
            first.append((lot_id, take))
        if take < size:
            rest.append((lot_id, size - take))
    return tuple(first), rest


def in_order(lots: dict[str, Lot]) -> list[tuple[str, Lot]]:
    """In the order of spending."""
    return sorted(lots.items(), key=lambda each: (NEVER if each[1].expires is None else each[1].expires, each[0]))


def _enter_lots(debit: Account, credit: Account, line: Line) -> None:
    for lot_id, size in line.spent:
        lot = debit.lots[lot_id]
        lot.amount -= size if line.step in {"posted", "settled"} else 0
        lot.locked += size if line.step == "locked" else 0 if line.step == "posted" else -size
        assert 0 <= lot.locked <= lot.amount, (lot_id, lot)
        if not lot.amount:
            del debit.lots[lot_id]
    if line.opened is not None:
        lot_id, size, expires = line.opened
        credit.lots[lot_id] = Lot(size, 0, expires)
