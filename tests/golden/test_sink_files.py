"""Files whose bytes are kept beside this test: `verify` proves old files only as long as these do not change (BEY-02).

Where a change is meant, raise the `EDITION` of the renderer, look at the new files, and write them:
`python -m tests.golden.test_sink_files`.
"""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from pypdf import PdfReader

from sinks.adi.workbook import table, workbook
from sinks.invoices import render
from tests.unit.sinks.canteen import journal
from tests.unit.sinks.rides import invoiced

HERE = Path(__file__).parent
FILES: dict[str, Callable[[], bytes]] = {
    "invoice.pdf": lambda: render.render(invoiced()),
    "journal.xlsx": lambda: workbook(journal(12)),
    "journal.csv": lambda: table(journal(12)),
}


@pytest.mark.requirement("BEY-02", "MOB-25", "PRI-11")
@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_bytes_that_it_always_had(name: str) -> None:
    assert FILES[name]() == (HERE / name).read_bytes()


@pytest.mark.requirement("BEY-02")
def test_the_edition_names_the_typst_that_is_installed() -> None:
    assert render.EDITION.endswith(f"/typst-{version('typst')}")


@pytest.mark.requirement("MOB-25")
def test_the_invoice_says_what_it_must() -> None:
    reader = PdfReader(io.BytesIO((HERE / "invoice.pdf").read_bytes()))
    words = " ".join(reader.pages[0].extract_text().split())

    for said in (
        "Swift Mobility ApS", "Vesterbrogade 12", "1620 København V", "DK12345678", "SWIFT-26-03-000042", "rider-4711",
        "3 July 2026", "17:42:10 – 18:05:27", "Europe/Copenhagen", "Max-G3", "trip-8f21c",
        "Unlock fee 1 10.00 8.00 25 % 2.00 10.00",
        "Riding time 23 min 17 s 2.25 / min 41.91 25 % 10.48 52.39", "Net total 49.91", "VAT 25 % 12.48",
        "Total 62.39 DKK", "Wallet of the sharing group 50.00 DKK", "payment card 12.39 DKK",
    ):  # fmt: skip
        assert said in words
    assert len(reader.pages) == 1


@pytest.mark.requirement("MOB-25")
def test_the_invoice_names_itself_its_author_and_its_moment() -> None:
    about = PdfReader(io.BytesIO((HERE / "invoice.pdf").read_bytes())).metadata

    assert about is not None
    assert (about.title, about.author) == ("Invoice SWIFT-26-03-000042", "Swift Mobility ApS")
    assert about.creation_date is not None
    assert about.creation_date.replace(tzinfo=UTC) == datetime(2026, 7, 3, 18, 5, 27, tzinfo=UTC)


if __name__ == "__main__":
    for golden, make in FILES.items():
        (HERE / golden).write_bytes(make())
