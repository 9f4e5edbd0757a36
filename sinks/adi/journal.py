"""From the lines of an accounting day to balanced journals, one file each (PRI-11). Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.general_ledger import LedgerSide
from sinks.adi.segments import FILE_OWNER, JOURNAL_OWNER

FILE_LINES = 5_000
"""Most lines of one file. A transaction is never divided, so one that is longer has a file of its own."""

ACCOUNTING_ZONE = ZoneInfo("Europe/London")


class Line(NamedTuple):
    """One line, as it came from Kafka."""

    partition: int
    record_offset: int
    line_id: str
    prisoner_id: str
    transaction_id: str
    cost_centre: str
    gl_account: str
    side: LedgerSide
    amount_minor: int
    description: str

    @property
    def transaction(self) -> str:
        """As the file names it: `A1234BC/CANTEEN-0001`. Ids are unique in a prisoner's book only, and hold no `/`."""
        return f"{self.prisoner_id}/{self.transaction_id}"

    @property
    def debit_minor(self) -> int:
        return self.amount_minor if self.side is LedgerSide.DEBIT else 0

    @property
    def credit_minor(self) -> int:
        return self.amount_minor if self.side is LedgerSide.CREDIT else 0


class Unbalanced(ValueError):
    """A transaction whose debits are not its credits: no file is cut with it."""


class Journal(NamedTuple):
    """What one file says. `part` counts from 1 where a day of a prison needs several."""

    accounting_date: date
    prison_id: str
    part: int
    initials: str
    lines: tuple[Line, ...]

    @property
    def name(self) -> str:
        """The journal's name in the general ledger: `578/MTP/ddmmyy/<initials>`, `-2` and on for further parts."""
        return f"{JOURNAL_OWNER}/{self.accounting_date:%d%m%y}/{self.initials}{self._further}"

    @property
    def path(self) -> str:
        """The file's name under the blob address, without its ending."""
        file = f"{FILE_OWNER}_{self.initials}_{self.accounting_date:%d%m%Y}_{self.prison_id}_MTP01{self._further}"
        return f"adi/{self.accounting_date:%Y-%m-%d}/{file}"

    @property
    def made_at(self) -> datetime:
        """The end of the accounting day in London: nothing is in the file that a clock said."""
        return datetime.combine(self.accounting_date + timedelta(days=1), time(), ACCOUNTING_ZONE)

    @property
    def debit_minor(self) -> int:
        return sum(line.debit_minor for line in self.lines)

    @property
    def credit_minor(self) -> int:
        return sum(line.credit_minor for line in self.lines)

    @property
    def _further(self) -> str:
        return "" if self.part == 1 else f"-{self.part}"


def journals(accounting_date: date, prison_id: str, initials: str, lines: Iterable[Line]) -> list[Journal]:
    """The files of one prison's day. Raises `Unbalanced`, naming the transactions."""
    transactions = _balanced(lines)
    return [
        Journal(accounting_date, prison_id, part, initials, in_order(chunk))
        for part, chunk in enumerate(_chunks(transactions), start=1)
    ]


def in_order(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The order in a file: cost centre, account, transaction, line. It does not depend on arrival."""
    return tuple(sorted(lines, key=attrgetter("cost_centre", "gl_account", "transaction_id", "line_id")))


def pounds(amount_minor: int) -> Decimal:
    """Whole pence as exact pounds with two decimals."""
    return Decimal(amount_minor).scaleb(-2)


def _balanced(lines: Iterable[Line]) -> list[list[Line]]:
    by_id = sorted(lines, key=attrgetter("transaction_id", "prisoner_id", "line_id"))
    transactions = [list(group) for _, group in groupby(by_id, attrgetter("transaction"))]
    wrong = [each[0].transaction for each in transactions if _difference(each)]
    if wrong:
        named = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        raise Unbalanced(f"{pounds(_difference(by_id))} GBP more debit than credit; not balanced: {named}")
    return transactions


def _difference(lines: Sequence[Line]) -> int:
    return sum(line.debit_minor - line.credit_minor for line in lines)


def _chunks(transactions: Sequence[Sequence[Line]]) -> Iterator[list[Line]]:
    """Whole transactions, in the order of their ids, as many as fit in a file."""
    chunk: list[Line] = []
    for transaction in transactions:
        if chunk and len(chunk) + len(transaction) > FILE_LINES:
            yield chunk
            chunk = []
        chunk.extend(transaction)
    if chunk:
        yield chunk


def ranges(lines: Iterable[Line]) -> list[tuple[int, int, int]]:
    """For each partition its first and last offset among the lines."""
    offsets: dict[int, list[int]] = defaultdict(list)
    for line in lines:
        offsets[line.partition].append(line.record_offset)
    return [(partition, min(found), max(found)) for partition, found in sorted(offsets.items())]
