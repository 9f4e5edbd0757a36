"""A small notation for ledger tests: one movement a line, and after `|` what must then stand.

    bank > spends 100                          | spends 100         money moves at once; `spends` now holds 100
    bank > wallet 50 as A until 9 for bike     | wallet A:50        it opens lot A, usable before 9, for bikes only
    wallet > shop 20 buying bike               | wallet A:30        paid from the lots that a bike may be paid with
    lock L wallet > shop 10 by 99              | wallet A:30/10     reserved: 10 of A's 30 are locked
    settle L 4                                 | L 6, shop 24       part of the lock moves, 6 stay locked
    void L                                     | L gone             the rest is free again; `expire L` likewise
    spends > shop 999                          | insufficient_funds account=spends available=80 locked=0 ...
    at 9                                                            the clock moves on

Amounts are EUR unless a currency follows (`30 JPY`). A refusal lists all its figures, and must leave every table as it
was. Each movement is a draft of its own, committed where it was not refused. A lot whose restriction is `<n` gives at
most `n` to one purchase. Blank lines and what follows `#` do not count.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from schemas.ledger import LotPart, Side, Step
from streams.ledger.accounts import Account, Audience, Balance, Holding, Overdraft
from streams.ledger.draft import Draft, Ledger, Posted, Refused
from streams.ledger.limits import Usage
from streams.ledger.locks import Lock
from streams.ledger.lots import Lot

BOOK = "group:riverside"

CHART = {
    account.name: account
    for account in (
        Account("bank", Side.DEBIT),  # the world outside: may be overdrawn
        Account("till", Side.DEBIT, Overdraft.FORBIDDEN, audience=Audience.OWNER),
        Account("wallet", Side.CREDIT, Overdraft.FORBIDDEN, Holding.LOTS, Audience.OWNER),
        Account("gifts", Side.CREDIT, Overdraft.FORBIDDEN, Holding.LOTS),
        Account("spends", Side.CREDIT, Overdraft.FORBIDDEN, audience=Audience.OWNER),
        Account("tab", Side.CREDIT, audience=Audience.OWNER),  # a customer's account that may go below zero
        Account("shop", Side.CREDIT),
    )
}

MOVE = re.compile(
    r"(?:lock (?P<lock>\w+) )?(?P<debit>\w+) > (?P<credit>\w+) (?P<amount>\d+)(?: (?P<currency>[A-Z]{3}))?"
    r"(?: as (?P<lot>\w+))?(?: until (?P<until>\d+))?(?: for (?P<restriction>\S+))?"
    r"(?: buying (?P<purpose>\w+))?(?: by (?P<deadline>\d+))?"
)
ENDING = re.compile(r"(?P<verb>settle|void|expire) (?P<lock>\w+)(?: (?P<amount>\d+))?")


class Book(NamedTuple):
    """What a script leaves behind: the rows of the three tables, and the statement lines of all its movements."""

    balances: dict[str, Balance]
    locks: dict[str, Lock]
    limits: dict[str, Usage]
    posted: list[Posted]

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.balances, self.locks, self.limits)

    def rows(self) -> tuple[dict[str, Balance], dict[str, Lock], dict[str, Usage]]:
        """All rows as they stand; rows cannot change, so this is a snapshot."""
        return dict(self.balances), dict(self.locks), dict(self.limits)

    def draft(self, at: int = 0) -> Draft:
        return Draft(BOOK, at, self.ledger)

    def balance(self, account: str, currency: str = "EUR") -> Balance:
        return self.draft().balance(CHART[account], currency)


def play(script: str, at: int = 0) -> Book:
    """Play a script on an empty book, check what it says after each movement, and give the book."""
    book = Book({}, {}, {}, [])
    for number, line in enumerate(script.splitlines(), 1):
        movement, _, expected = (" ".join(part.split()) for part in line.split("#")[0].partition("|"))
        where = f"line {number}: {line.strip()}"
        if movement.startswith("at "):
            at = int(movement.removeprefix("at "))
        elif movement:
            before = book.rows()
            draft = book.draft(at)
            answer = _move(draft, movement)
            if answer is None:
                draft.commit()
                book.posted.extend(draft.posted)
                for fact in filter(None, expected.split(", ")):
                    assert _stands(book, fact) == fact, where
            else:
                assert _written(answer) == expected, where
                draft.commit()  # a refused movement leaves nothing behind, even if its draft goes on
                assert book.rows() == before, where
                assert (draft.lines, draft.posted) == ([], []), where
    return book


def _move(draft: Draft, movement: str) -> Refused | None:
    if ending := ENDING.fullmatch(movement):
        lock_id = ending["lock"]
        lock = draft.lock(lock_id)
        debit, credit = (CHART[lock.debit], CHART[lock.credit]) if lock else (CHART["wallet"], CHART["shop"])
        match ending["verb"]:
            case "settle":
                return draft.settle(lock_id, debit, credit, int(ending["amount"]), movement)
            case "void":
                return draft.void(lock_id, debit, credit)
            case _:
                return draft.void(lock_id, debit, credit, Step.EXPIRED)
    words = MOVE.fullmatch(movement)
    assert words, f"no movement: {movement}"
    debit, credit = CHART[words["debit"]], CHART[words["credit"]]
    amount, currency = int(words["amount"]), words["currency"] or "EUR"
    spent: tuple[LotPart, ...] = ()
    if debit.holding is Holding.LOTS:
        spent = draft.pick_lots(debit, currency, amount, buying(words["purpose"]))
    if words["lock"]:
        deadline = int(words["deadline"]) if words["deadline"] else None
        return draft.reserve(words["lock"], debit, credit, amount, currency, deadline, spent)
    opened = None
    if words["lot"]:
        until = int(words["until"]) if words["until"] else None
        opened = lot_part(words["lot"], amount, until, words["restriction"] or "")
    return draft.post(debit, credit, amount, currency, movement, spent, opened)


def buying(purpose: str | None) -> Callable[[Lot], int]:
    """How much of a lot a purchase may take: nothing of a lot for something else, `n` of a lot `<n`."""

    def most(lot: Lot) -> int:
        if lot.restriction.startswith("<"):
            return int(lot.restriction[1:])
        return lot.amount_minor if lot.restriction in ("", purpose) else 0

    return most


def lot_part(lot_id: str, amount_minor: int, expires_at: int | None = None, restriction: str = "") -> LotPart:
    return LotPart(lot_id=lot_id, amount_minor=amount_minor, expires_at=expires_at, restriction=restriction)


def _written(refusal: Refused) -> str:
    figures = (f"{name}={figure}" for name, figure in refusal.figures.items())
    return " ".join([refusal.reason, *(figure for figure in figures if figure != "currency=EUR")])


def _stands(book: Book, fact: str) -> str:
    """What stands on the account, or is left of the lock, that `fact` names, written as `fact` should be."""
    name, *rest = fact.split()
    if name not in CHART:
        lock = book.draft().lock(name)
        return f"{name} gone" if lock is None else f"{name} {lock.amount_minor}"
    currency = rest[-1] if re.fullmatch("[A-Z]{3}", rest[-1]) and len(rest) > 1 else ""
    balance = book.balance(name, currency or "EUR")
    figures = _figures(balance.posted, balance.locked)
    if CHART[name].holding is Holding.LOTS:
        assert sum(lot.amount_minor for lot in balance.lots) == balance.posted, f"lots of {name}"
        assert sum(lot.locked_minor for lot in balance.lots) == balance.locked, f"locked lots of {name}"
        lots = (f"{lot.lot_id}:{_figures(lot.amount_minor, lot.locked_minor)}" for lot in balance.lots)
        figures = " ".join(lots) or "empty"
    return " ".join(filter(None, (name, figures, currency)))


def _figures(amount_minor: int, locked_minor: int) -> str:
    return f"{amount_minor}/{locked_minor}" if locked_minor else str(amount_minor)
