"""General-ledger lines for the tests of ADI files, in few words."""

from collections.abc import Iterable
from datetime import date

from schemas.general_ledger import LedgerSide
from sinks.adi.journal import Journal, Line, journals

DAY = date(2026, 7, 3)


def purchase(number: int, amount_minor: int = 1_234, description: str | None = None) -> list[Line]:
    """Two lines that balance: the prisoner's spends are debited, the shop is credited."""
    text = description or f"Canteen Spends - 03.07.2026 - CANTEEN-{number:04d}"
    transaction = f"transaction-{number:05d}"

    def line(side: LedgerSide, account: str) -> Line:
        return Line(0, number, f"{transaction}-{side}", "A1", transaction, "318700", account, side, amount_minor, text)

    return [line(LedgerSide.DEBIT, "2617902085"), line(LedgerSide.CREDIT, "1816902028")]


def lines(numbers: Iterable[int]) -> list[Line]:
    return [line for number in numbers for line in purchase(number, 1_000 + number)]


def journal(how_many: int = 4) -> Journal:
    """One file of Leicester's day."""
    (only,) = journals(DAY, "LEI", "MR", lines(range(how_many)))
    return only
