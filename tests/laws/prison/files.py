"""ADI files read back: a CSV by the csv module, a workbook by openpyxl, and nothing of what wrote them.

What must hold of each file alone is checked here; `check` says what must hold of all files together.
"""

import csv
import io
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from openpyxl import load_workbook

from .naive import Line

FIXED = ("0210", "0000000", "00000000", "0000", "0000000")
FIRST_ROW = 19
PATH = re.compile(r"adi/(\d{4}-\d\d-\d\d)/0210_SSCL_(\w+)_\d{8}_(\w+)_MTP01(?:-\d+)?\.csv")


class Row(NamedTuple):
    """One line as a file tells it, in pence; `line_id` and `transaction` are only in a CSV."""

    cost_centre: str
    code: str
    debit: int
    credit: int
    text: str
    transaction: str = ""
    line_id: str = ""


class File(NamedTuple):
    """One journal, as both of its files tell it."""

    day: date
    prison: str
    name: str
    rows: list[Row]


def read(files: Mapping[str, bytes]) -> list[File]:
    """All journals, by the paths of their twins."""
    assert len(files) == 2 * sum(path.endswith(".csv") for path in files), sorted(files)
    found = []
    for path in sorted(files):
        if match := PATH.fullmatch(path):
            name, rows = _csv(files[path])
            day = date.fromisoformat(match[1])
            assert name.startswith(f"578/MTP/{day:%d%m%y}/{match[2]}")
            _check_workbook(files[path.replace(".csv", ".xlsx")], day, name, rows)
            found.append(File(day, match[3], name, rows))
    assert len(found) == len(files) / 2, sorted(files)
    return found


def _csv(content: bytes) -> tuple[str, list[Row]]:
    titles, *rows, total = list(csv.reader(io.StringIO(content.decode(), newline="")))
    named = [dict(zip(titles, row, strict=True)) for row in rows]
    read_rows = []
    for row in named:
        names = ("Entity", "Objective", "Analysis", "Intercompany", "Spare")
        assert tuple(row[name] for name in names) == FIXED
        sides = [_pence(row[side]) for side in ("Debit", "Credit")]
        text = re.sub(r"^'(?=[=+\-@])", "", row["Line Description"])
        assert text[:1] not in "=+-@" or row["Line Description"][:1] == "'"
        read_rows.append(Row(row["Cost Centre"], row["Account"], *sides, text, row["Transaction"], row["Line"]))
    sums = _balanced(read_rows)
    assert [total[0], _pence(total[7]), _pence(total[8]), int(total[11])] == ["TOTAL", *sums, len(rows)]
    return total[9], read_rows


def _check_workbook(content: bytes, day: date, name: str, rows: Sequence[Row]) -> None:
    """It says the same as its CSV, and its control totals are the sums that they claim to be."""
    sheet: Any = load_workbook(io.BytesIO(content), data_only=True).worksheets[0]
    assert (sheet["E12"].value, sheet["E14"].value) == (f"{day:%d/%m/%y}", name)
    table = list(sheet.iter_rows(min_row=FIRST_ROW, min_col=2, max_col=12, values_only=True))
    last = next(number for number, row in enumerate(table) if row[0] == "Totals:")
    found = []
    for upload, entity, centre, code, *spare, debit, credit, text in table[:last]:
        assert (upload, entity, *spare) == ("O", *FIXED)
        found.append(Row(centre, code, _pence(debit), _pence(credit), text))
    assert found == [row._replace(transaction="", line_id="") for row in rows]
    assert [_pence(total) for total in table[last][8:10]] == _balanced(rows)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        formulas = re.findall("<f>(.*?)</f>", archive.read("xl/worksheets/sheet1.xml").decode())
    assert formulas == [f"SUM({column}{FIRST_ROW}:{column}{FIRST_ROW + last - 1})" for column in "JK"]


def _pence(pounds: Any) -> int:
    pence = Decimal(str(pounds or 0)) * 100
    assert pence == int(pence) >= 0, pounds
    return int(pence)


def _balanced(rows: Sequence[Row]) -> list[int]:
    """Both sums. Debits are credits, in the file and in each of its transactions; no line has two sides, or none."""
    assert rows
    assert all((row.debit == 0) != (row.credit == 0) for row in rows)
    difference: Counter[str] = Counter()
    for row in rows:
        difference[row.transaction] += row.debit - row.credit
    assert not any(difference.values()), difference
    return [sum(row.debit for row in rows), sum(row.credit for row in rows)]


def check(files: Iterable[File], lines: Sequence[Line]) -> None:
    """Every line that should be, and no other, is in exactly one file: that of its day and its prison, as it should
    be. Nobody's transaction of a day is divided."""
    files = list(files)
    assert len({(file.day, file.prison, file.name) for file in files}) == len(files)
    times = Counter(row.line_id for file in files for row in file.rows)
    assert times == Counter(line.id for line in lines)
    assert set(times.values()) <= {1}
    by_id = {line.id: line for line in lines}
    homes: defaultdict[tuple[str, str, date], set[tuple[str, str]]] = defaultdict(set)
    for file in files:
        for row in file.rows:
            line = by_id[row.line_id]
            sides = (line.amount, 0) if line.side == "debit" else (0, line.amount)
            assert row == Row(line.cost_centre, line.code, *sides, line.text, f"{line.who}/{line.transaction}", line.id)
            assert (file.day, file.prison) == (line.day, line.prison)
            homes[line.who, line.transaction, line.day].add((file.prison, file.name))
    assert all(len(home) == 1 for home in homes.values()), homes
