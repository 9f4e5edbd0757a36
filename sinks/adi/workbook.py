"""A journal as a workbook for WebADI, and as its CSV twin: the same journal gives the same bytes (BEY-02).

Cells, names and order are those of the finance office's template (see `segments`); nothing of its macros is here.
Three things make the bytes repeatable: the moments in the properties are the accounting day's, every entry of the zip
archive has the same date, and entries are stored uncompressed, since zlib differs from machine to machine.

openpyxl writes formulas without values. The two totals get the sums they stand for, so that a reader that does not
calculate sees them too.
"""

import csv
import io
import re
import zipfile
from datetime import UTC
from typing import Any, Final

import openpyxl
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from sinks.adi import segments
from sinks.adi.journal import Journal, Line, pounds

EDITION: Final = f"adi-2/openpyxl-{openpyxl.__version__}{'-lxml' if openpyxl.LXML else ''}"
"""Raise it whenever the bytes change; the golden test says when."""

FIRST_LINE: Final = 19
MONEY: Final = "#,##0.00_-"

NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 may hold. openpyxl knows the control characters only, and writes a file that nothing opens."""

TITLES: Final = (
    ("B", "Upl", "", 6), ("C", "Entity", "* List - Text", 13), ("D", "Cost Centre", "* List - Text", 15),
    ("E", "Account", "* List - Text", 24), ("F", "Objective", "* List - Text", 13),
    ("G", "Analysis", "* List - Text", 14), ("H", "Intercompany", "* List - Text", 15),
    ("I", "Spare", "* List - Text", 13), ("J", "Debit", "* Number", 15), ("K", "Credit", "* Number", 15),
    ("L", "Line Description", "Text", 52), ("M", "", "", 2), ("N", "", "", 2), ("O", "Messages", "", 20),
)  # fmt: skip
"""Column, title, type hint, width."""

ONE_CELL_NAMES: Final = {
    "GL_INTERFACE_ACTUAL_FLAG": "G3", "GL_INTERFACE_ACCESS_SET_ID": "G5", "GL_INTERFACE_CHART_OF_ACCOUNTS_ID": "G6",
    "GL_INTERFACE_LEDGER_ID": "E8", "GL_INTERFACE_USER_JE_CATEGORY_NAME": "E9",
    "GL_INTERFACE_USER_JE_SOURCE_NAME": "E10", "GL_INTERFACE_CURRENCY_CODE": "E11",
    "GL_INTERFACE_ACCOUNTING_DATE": "E12", "GL_INTERFACE_PERIOD_NAME": "E13", "GL_INTERFACE_REFERENCE4": "E14",
    "GL_INTERFACE_REFERENCE5": "E15",
}  # fmt: skip
COLUMN_NAMES: Final = {
    "BNE_UPLOAD": "B", "GL_INTERFACE_SEGMENT1": "C", "GL_INTERFACE_SEGMENT2": "D", "GL_INTERFACE_SEGMENT3": "E",
    "GL_INTERFACE_SEGMENT4": "F", "GL_INTERFACE_SEGMENT5": "G", "GL_INTERFACE_SEGMENT6": "H",
    "GL_INTERFACE_SEGMENT7": "I", "GL_INTERFACE_ENTERED_DR": "J", "GL_INTERFACE_ENTERED_CR": "K",
    "GL_INTERFACE_REFERENCE10": "L", "BNE_MESSAGES": "O",
}  # fmt: skip
"""WebADI finds what it uploads by these names: single cells, and columns of the data rows."""

_BOLD, _HINT = Font(name="Calibri", size=11, bold=True), Font(name="Calibri", size=9, color="7A7A7A")
_HEAD, _SUM = PatternFill("solid", start_color="DCE6F1"), PatternFill("solid", start_color="F2F4F7")
_RULE = Border(top=Side(style="thin", color="C7C7C7"), bottom=Side(style="thin", color="C7C7C7"))


def workbook(journal: Journal) -> bytes:
    """The journal as xlsx."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = f"{journal.accounting_date:%d%m%y}"
    _context_and_header(sheet, journal)
    _titles(sheet)
    for row, line in enumerate(journal.lines, start=FIRST_LINE):
        _line(sheet, row, line)
    last = FIRST_LINE + len(journal.lines) - 1
    _control(sheet, last)
    _names(sheet, last)
    _paper(sheet)
    _properties(book, journal)
    return _repeatable(_saved(book), journal, last)


def table(journal: Journal) -> bytes:
    """The journal as CSV: a row for each line, and one with the control totals: count, debit, credit.

    Lines with the same `Transaction` are taken together or not at all; it is one person's (`Line.transaction`).
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow([title for column, title, _, _ in TITLES if column not in "BMNO"] + ["Transaction", "Line"])
    for line in journal.lines:
        rows.writerow([*_segments(line), *_amounts(line), _harmless(line.description), line.transaction, line.line_id])
    debit, credit = pounds(journal.debit_minor), pounds(journal.credit_minor)
    rows.writerow(["TOTAL", *[""] * 6, debit, credit, journal.name, "", len(journal.lines)])
    return text.getvalue().encode()


def _context_and_header(sheet: Worksheet, journal: Journal) -> None:
    context = (
        (3, "Balance Type", segments.BALANCE_TYPE),
        (5, "Data Access Set", segments.DATA_ACCESS_SET),
        (6, "Chart Of Accounts", segments.CHART_OF_ACCOUNTS),
    )
    header = (
        (8, "Ledger", "* List - Text", segments.LEDGER),
        (9, "Category", "* List - Text", segments.CATEGORY),
        (10, "Source", "* List - Text", segments.SOURCE),
        (11, "Currency", "* List - Text", segments.CURRENCY),
        (12, "Accounting Date", "* List - Date", f"{journal.accounting_date:%d/%m/%y}"),
        (13, "Period", "List - Text", ""),
        (14, "Journal Name", "Text", journal.name),
        (15, "Journal Description", "Text", ""),
    )
    for row, label, value in context:
        _put(sheet, f"B{row}", label, _BOLD)
        _put(sheet, f"G{row}", value)
    for row, label, hint, value in header:
        _put(sheet, f"B{row}", label, _BOLD)
        _put(sheet, f"D{row}", hint, _HINT)
        _put(sheet, f"E{row}", value)


def _titles(sheet: Worksheet) -> None:
    for column, title, hint, width in TITLES:
        sheet.column_dimensions[column].width = width
        head = _put(sheet, f"{column}17", title, _BOLD)
        head.fill = _HEAD
        head.border = _RULE
        if column in "JK":
            head.alignment = Alignment(horizontal="right")
        _put(sheet, f"{column}18", hint, _HINT)


def _line(sheet: Worksheet, row: int, line: Line) -> None:
    values = (segments.UPLOAD, *_segments(line), *_amounts(line), line.description)
    for column, value in zip("BCDEFGHIJKL", values, strict=True):
        cell = _put(sheet, f"{column}{row}", value)
        if column in "JK":
            cell.number_format = MONEY


def _control(sheet: Worksheet, last: int) -> None:
    total = last + 1
    for column in "BCDEFGHIJKLMNO":
        cell = sheet[f"{column}{total}"]
        cell.fill, cell.border = _SUM, _RULE
    _put(sheet, f"B{total}", "Totals:", _BOLD)
    for column in "JK":
        cell = sheet[f"{column}{total}"]
        cell.font, cell.value, cell.number_format = _BOLD, _sum(column, last), MONEY
    for below, label in ((2, "Uploaded by:"), (4, "Checked by:"), (6, "Posted by:")):
        _put(sheet, f"L{total + below}", label, _BOLD)


def _paper(sheet: Worksheet) -> None:
    """Titles stay in sight on the screen and on every printed page, which is as wide as the journal."""
    sheet.freeze_panes = f"A{FIRST_LINE}"
    sheet.print_title_rows = f"17:{FIRST_LINE - 1}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.page_margins = PageMargins(left=0.4, right=0.4, top=0.5, bottom=0.5)
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _names(sheet: Worksheet, last: int) -> None:
    def name(what: str, first_cell: str, last_cell: str) -> None:
        where = f"'{sheet.title}'!${first_cell[0]}${first_cell[1:]}:${last_cell[0]}${last_cell[1:]}"
        sheet.defined_names[what] = DefinedName(what, attr_text=where)

    for what, cell in ONE_CELL_NAMES.items():
        name(what, cell, cell)
    for what, column in COLUMN_NAMES.items():
        name(what, f"{column}{FIRST_LINE}", f"{column}{last}")
    for what, first_cell, last_cell in (("CONTEXT", "B3", "H6"), ("HEADER", "B8", "F15"), ("LINE", "B17", f"O{last}")):
        name(what, first_cell, last_cell)


def _segments(line: Line) -> tuple[str, ...]:
    return (
        segments.ENTITY,
        line.cost_centre,
        line.gl_account,
        segments.OBJECTIVE,
        segments.ANALYSIS,
        segments.INTERCOMPANY,
        segments.SPARE,
    )


def _amounts(line: Line) -> tuple[Any, Any]:
    """Debit and credit in pounds; the other side stays empty."""
    return (pounds(line.debit_minor), "") if line.debit_minor else ("", pounds(line.credit_minor))


def _harmless(text: str) -> str:
    """A text that a spreadsheet would take for a formula gets the apostrophe that spreadsheets themselves use."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _put(sheet: Worksheet, where: str, value: Any, font: Font | None = None) -> Any:
    """A text stays a text, even one that begins with `=`: descriptions come from outside."""
    cell = sheet[where]
    if font is not None:
        cell.font = font
    if value != "":
        cell.value = NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else value
    if isinstance(value, str):
        cell.data_type = "s"
    return cell


def _sum(column: str, last: int) -> str:
    return f"=SUM({column}{FIRST_LINE}:{column}{last})"


# ---- the same bytes every time


def _properties(book: Workbook, journal: Journal) -> None:
    book.properties.title = journal.name
    book.properties.creator = "Millrace"
    book.properties.created = book.properties.modified = journal.made_at.astimezone(UTC).replace(tzinfo=None)
    book.calculation.fullCalcOnLoad = True


def _saved(book: Workbook) -> bytes:
    """As openpyxl writes it; its own `save` would set the time of modification."""
    buffer = io.BytesIO()
    ExcelWriter(book, zipfile.ZipFile(buffer, "w")).save()
    return buffer.getvalue()


def _repeatable(saved: bytes, journal: Journal, last: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = _with_sums(content, journal, last)
            target.writestr(zipfile.ZipInfo(name), content)  # its date is 1980-01-01
    return buffer.getvalue()


def _with_sums(sheet: bytes, journal: Journal, last: int) -> bytes:
    for column, amount_minor in (("J", journal.debit_minor), ("K", journal.credit_minor)):
        formula = f"<f>{_sum(column, last)[1:]}</f>"
        for empty in ("<v />", "<v></v>", "<v/>"):
            sheet = sheet.replace(f"{formula}{empty}".encode(), f"{formula}<v>{pounds(amount_minor)}</v>".encode())
    return sheet
