"""What comes of a story: what the journal says was authorised, and the ADI files that are cut of its lines."""

from collections import Counter
from datetime import date

from schemas.general_ledger import AccountingDayClosed, GeneralLedgerLine
from schemas.ledger import Decided, JournalLine, Step
from sinks.adi.journal import Line, journals
from sinks.adi.workbook import table, workbook

from . import files
from .naive import Line as NaiveLine

OWN = {"prison", "cash", "spends", "savings"}
"""What moves between these is no matter of the general ledger."""


class Authorised:
    """The journal's postings that the general ledger must hear of, added up; and purchases by how they ended."""

    def __init__(self) -> None:
        self.sums: Counter[tuple[str, str]] = Counter()
        """By prisoner and account: credits less debits."""
        self.debits = 0
        self.paid: set[tuple[str, str]] = set()
        self.voided: set[tuple[str, str]] = set()
        """Prisoner and purchase."""

    def hear(self, entry: Decided) -> None:
        who = entry.book.partition(":")[2]
        for line in entry.lines:
            ends = {line.debit, line.credit}
            assert line.currency == "GBP"
            assert "savings" not in ends or (line.step is Step.POSTED and ends <= OWN), f"{line} touches savings"
            if line.step in (Step.VOIDED, Step.EXPIRED):
                self.voided.add((who, _purchase(line)))
            elif line.step is not Step.LOCKED and not ends <= OWN:
                self._post(who, line)

    def _post(self, who: str, line: JournalLine) -> None:
        self.debits += line.amount_minor
        self.sums[who, line.debit] -= line.amount_minor
        self.sums[who, line.credit] += line.amount_minor
        if line.step is Step.SETTLED:
            self.paid.add((who, _purchase(line)))


class Cabinet:
    """Cuts a day's lines into files when the day is closed, as the sink does of one partition; reads and keeps them."""

    def __init__(self) -> None:
        self.files: list[files.File] = []
        self.waiting: list[GeneralLedgerLine] = []

    def hear(self, event: GeneralLedgerLine | AccountingDayClosed) -> None:
        if isinstance(event, GeneralLedgerLine):
            self.waiting.append(event)
            return
        mine = [line for line in self.waiting if line.accounting_date <= event.accounting_date]
        self.waiting = [line for line in self.waiting if line.accounting_date > event.accounting_date]
        assert {line.accounting_date for line in mine} <= {event.accounting_date}
        cut = files.read(_cut(date.fromisoformat(event.accounting_date), mine))
        rows = [row for file in cut for row in file.rows]
        sums = sum(row.debit for row in rows), sum(row.credit for row in rows)
        assert (len(rows), *sums) == (event.lines, event.debit_minor, event.credit_minor)
        self.files += cut


def _cut(day: date, lines: list[GeneralLedgerLine]) -> dict[str, bytes]:
    """By the product's own code: prison by prison, and each journal as CSV and as workbook."""
    found: dict[str, bytes] = {}
    for prison in sorted({line.prison_id for line in lines}):
        mine = [_line(offset, line) for offset, line in enumerate(lines) if line.prison_id == prison]
        for journal in journals(day, prison, "MR", mine):
            assert journal.path not in {path.rpartition(".")[0] for path in found}
            found |= {f"{journal.path}.csv": table(journal), f"{journal.path}.xlsx": workbook(journal)}
    return found


def _line(offset: int, line: GeneralLedgerLine) -> Line:
    return Line(
        0, offset, line.line_id, line.prisoner_id, line.transaction_id, line.cost_centre, line.gl_account, line.side,
        line.amount.amount_minor, line.description,
    )  # fmt: skip


def _purchase(line: JournalLine) -> str:
    """Of a lock: `purchase:P1/spends/BT`, `advance:P1/account`."""
    assert line.lock_id is not None
    return line.lock_id.partition(":")[2].partition("/")[0]


def check(found: list[files.File], lines: list[NaiveLine], authorised: Authorised, account_of: dict[str, str]) -> None:
    """The files hold every line once, nothing of what was voided, and what the journal has authorised, by account.

    Corrections say again what others have said: what they correct is not counted.
    """
    files.check(found, lines)
    first = {line.id: line.who for line in lines if line.corrects is None}
    sums: Counter[tuple[str, str]] = Counter()
    debits = 0
    for row in (row for file in found for row in file.rows):
        assert not (authorised.voided - authorised.paid) & {tuple(row.transaction.split("/", 1))}, row
        if row.line_id in first:
            sums[first[row.line_id], account_of[row.code]] += row.credit - row.debit
            debits += row.debit
    assert sums == authorised.sums
    assert debits == authorised.debits
