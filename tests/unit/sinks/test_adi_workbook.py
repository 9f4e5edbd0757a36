"""The cells of a journal file, as the finance office's add-in reads them (facts.md, "ADI journal file")."""

import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from sinks.adi.journal import Journal, journals
from sinks.adi.workbook import table, workbook
from tests.unit.sinks.canteen import DAY, journal, lines, purchase

pytestmark = pytest.mark.requirement("PRI-11")


def sheet_of(made: Journal, *, formulas: str = "kept") -> Any:
    return openpyxl.load_workbook(io.BytesIO(workbook(made)), data_only=formulas == "evaluated").active


@pytest.fixture
def sheet() -> Any:
    return sheet_of(journal(4))


def test_there_is_one_sheet_named_after_the_day() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(journal())))

    assert book.sheetnames == ["030726"]
    assert book["030726"].sheet_state == "visible"


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("G3", "A"), ("G5", "MOJ_SOP_SOB"), ("G6", "SOP COA Accounting Flexfield"),
        ("E8", "MOJ_SOP_SOB"), ("E9", "Adjustment"), ("E10", "Spreadsheet"), ("E11", "GBP"), ("E12", "03/07/26"),
        ("E13", None), ("E14", "578/MTP/030726/MR"), ("E15", None),
        ("B17", "Upl"), ("D17", "Cost Centre"), ("L17", "Line Description"), ("O17", "Messages"), ("J18", "* Number"),
    ],
)  # fmt: skip
def test_context_header_and_titles_stand_in_their_cells(sheet: Any, cell: str, value: str | None) -> None:
    assert sheet[cell].value == value


def test_a_line_fills_its_row(sheet: Any) -> None:
    assert [cell.value for cell in sheet[19][1:12]] == [
        "O", "0210", "318700", "1816902028", "0000000", "00000000", "0000", "0000000", None, 10,
        "Canteen Spends - 03.07.2026 - CANTEEN-0000",
    ]  # fmt: skip
    assert sheet["J23"].value == 10
    assert sheet["K23"].value is None


def test_amounts_are_exact_to_the_penny() -> None:
    made = journals(DAY, "LEI", "MR", purchase(1, 999_999_999_999_99) + purchase(2, 1) + purchase(3, 7_010))[0]

    amounts = [sheet_of(made)[f"K{row}"].value for row in (19, 20, 21)]

    assert [Decimal(str(amount)) for amount in amounts] == [
        Decimal("999999999999.99"),
        Decimal("0.01"),
        Decimal("70.1"),
    ]


def test_totals_are_sums_and_carry_their_values(sheet: Any) -> None:
    assert (sheet["B27"].value, sheet["J27"].value, sheet["K27"].value) == ("Totals:", "=SUM(J19:J26)", "=SUM(K19:K26)")
    evaluated = sheet_of(journal(4), formulas="evaluated")
    assert evaluated["J27"].value == evaluated["K27"].value == 40.06


def test_people_sign_below_the_totals(sheet: Any) -> None:
    assert [sheet[cell].value for cell in ("L29", "L31", "L33")] == ["Uploaded by:", "Checked by:", "Posted by:"]


def test_the_add_in_finds_its_ranges_by_name(sheet: Any) -> None:
    named = {name: defined.attr_text for name, defined in sheet.defined_names.items()}

    assert named["BNE_UPLOAD"] == "'030726'!$B$19:$B$26"
    assert named["GL_INTERFACE_ENTERED_DR"] == "'030726'!$J$19:$J$26"
    assert named["GL_INTERFACE_ACCOUNTING_DATE"] == "'030726'!$E$12:$E$12"


def test_a_description_is_never_a_formula_and_never_breaks_the_file() -> None:
    made = journals(DAY, "LEI", "MR", purchase(1, description="=HYPERLINK(1)") + purchase(2, description="bell \x07"))[
        0
    ]

    sheet = sheet_of(made)

    assert (sheet["L19"].value, sheet["L19"].data_type) == ("=HYPERLINK(1)", "s")
    assert sheet["L20"].value == "bell \N{REPLACEMENT CHARACTER}"
    assert b"'=HYPERLINK(1)" in table(made)


@pytest.mark.parametrize("strange", ["\x07", "\ufffe", "\uffff"])
def test_a_character_that_xml_does_not_have_never_breaks_the_file(strange: str) -> None:
    made = journals(DAY, "LEI", "MR", purchase(1, description=f"Can{strange}teen"))[0]

    assert sheet_of(made)["L19"].value == "Can\N{REPLACEMENT CHARACTER}teen"


def test_the_table_says_the_same_with_its_control_totals() -> None:
    rows = table(journal(2)).decode().split("\r\n")

    assert rows[1] == (
        "0210,318700,1816902028,0000000,00000000,0000,0000000,,10.00,"
        "Canteen Spends - 03.07.2026 - CANTEEN-0000,A1/transaction-00000,transaction-00000-credit"
    )
    assert rows[5] == "TOTAL,,,,,,,20.01,20.01,578/MTP/030726/MR,,4"


@pytest.mark.requirement("BEY-02")
def test_the_same_lines_give_the_same_bytes_in_any_order() -> None:
    forwards = journals(DAY, "LEI", "MR", lines(range(9)))[0]
    backwards = journals(DAY, "LEI", "MR", lines(reversed(range(9))))[0]

    assert workbook(forwards) == workbook(backwards)
    assert table(forwards) == table(backwards)
