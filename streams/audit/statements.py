"""Statement lines against the fold: numbered without gaps, balances running, each line what the journal says."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from streams.audit.books import Account, Books, movement
from streams.audit.chart import has_statement, kind_of_account, kind_of_book
from streams.audit.evidence import Row
from streams.audit.findings import Finding, Kind


class _Last(NamedTuple):
    """Where an account's statement stands: its last number and the balance after it, on the account's own side."""

    number: int = 0
    balance_minor: int = 0


class Statements:
    """Takes statement lines, each account's in the order of their numbers, then tells what is missing.

    The journal does not say which accounts have statements. So: those that the auditor's chart names, and all accounts
    of a kind of which any has one.
    """

    def __init__(self, place: str, books: Books, sides: Mapping[str, str]) -> None:
        self._place = place
        self._books = books
        self._sides = sides
        self._last: dict[str, _Last] = {}
        self.lines = 0

    def enter(self, line: Row) -> Iterator[Finding]:
        """Take one line."""
        self.lines += 1
        key = f"{line['book']}|{line['account']}|{line['currency']}"
        where = f"{self._place} {key}|{line['number']}"
        last = self._last.get(key, _Last())
        self._last[key] = _Last(line["number"], line["balance_minor"])
        if line["id"] != f"{key}|{line['number']}":
            yield Finding(Kind.STATEMENT_DIFFERS, where, f"the id {key}|{line['number']}", line["id"])
        if line["number"] != last.number + 1:
            yield Finding(Kind.STATEMENT_GAP, where, f"number {last.number + 1}", str(line["number"]))
        elif line["balance_minor"] != last.balance_minor + line["amount_minor"]:
            running = f"a balance of {last.balance_minor + line['amount_minor']}"
            yield Finding(Kind.STATEMENT_DIFFERS, where, running, str(line["balance_minor"]))
        account = self._books.accounts.get(key)
        if account is None or not 1 <= line["number"] <= len(account.movements):
            yield Finding(Kind.STATEMENT_DIFFERS, where, "no line, as nothing was posted", f"{line['amount_minor']}")
        elif account.movements[line["number"] - 1] != self._told(key, line):
            expected = f"movement {line['number']} as the journal has it"
            yield Finding(Kind.STATEMENT_DIFFERS, where, expected, f"{line['amount_minor']} by {line['decision_id']}")

    def _told(self, key: str, line: Row) -> int:
        signed = -line["amount_minor"] if self._sides.get(key) == "debit" else line["amount_minor"]
        return movement(signed, line["counter_account"], line["text"], line)

    def missing(self) -> Iterator[Finding]:
        """What is not there at the end: last lines, and whole statements."""
        stated = {_kind(self._books.accounts[key]) for key in self._last if key in self._books.accounts}
        for key, account in self._books.accounts.items():
            if _kind(account) not in stated and not has_statement(account.book, account.name):
                continue
            last = self._last.get(key, _Last())
            grown = account.credits_posted - account.debits_posted
            balance = -grown if self._sides.get(key) == "debit" else grown
            if last.number < account.entries:
                expected = f"lines up to number {account.entries}"
                yield Finding(Kind.STATEMENT_GAP, f"{self._place} {key}", expected, f"up to {last.number}")
            elif last.balance_minor != balance:
                expected = f"a closing balance of {balance}"
                yield Finding(Kind.STATEMENT_DIFFERS, f"{self._place} {key}", expected, str(last.balance_minor))


def _kind(account: Account) -> tuple[str, str]:
    return kind_of_book(account.book), kind_of_account(account.name)
