"""The lines that the general ledger refused and nothing has corrected yet (PRI-11)."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from psycopg.rows import class_row
from rich import box
from rich.table import Column, Table
from rich.text import Text

from schemas.fields import format_minor
from sinks.adi.segments import CURRENCY
from sinks.database import Connection


class RefusedLine(NamedTuple):
    """One of them."""

    prison_id: str
    accounting_date: date
    file: str
    line_id: str
    transaction_id: str
    prisoner_id: str
    side: str
    amount_minor: int
    reason: str


def refused_lines(connection: Connection) -> list[RefusedLine]:
    """All, oldest day first within each prison; the file is the one that went up."""
    with connection.cursor(row_factory=class_row(RefusedLine)) as cursor:
        cursor.execute(
            "select line.prison_id, accounting_date, upload.name as file, line_id, transaction_id, prisoner_id, side,"
            " amount_minor, coalesce(reason, '') as reason"
            " from sink.adi_line as line join sink.upload on upload.lines_of = line.file"
            " where status = 'refused' order by line.prison_id, accounting_date, transaction_id, line_id"
        )
        return cursor.fetchall()


def what_to_do(line: RefusedLine) -> str:
    """In a sentence."""
    return (
        f"mend the reference data, then publish CorrectLines for {line.transaction_id} of prisoner {line.prisoner_id}:"
        " it writes the transaction's lines again on the open day"
    )


def render(lines: Sequence[RefusedLine]) -> Table:
    """For people. A reason is another system's words: its brackets are no markup of ours."""
    table = Table(
        "prison", "day", Column("file and line", overflow="fold"), Column("amount", justify="right", no_wrap=True),
        Column("reason", overflow="fold"), Column("what to do", overflow="fold"),
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim",
    )  # fmt: skip
    for line in lines:
        cells = (
            line.prison_id, f"{line.accounting_date}", f"{line.file}\n{line.line_id}",
            f"{line.side} {format_minor(line.amount_minor, CURRENCY)}", line.reason, what_to_do(line),
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    return table
