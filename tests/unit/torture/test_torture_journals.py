"""Which journal files the verifier expects: those of days that are over in every partition (PRI-11)."""

from pathlib import Path
from typing import Any

import pytest

from tests.torture.verifier.differences import Differences
from tests.torture.verifier.files import _check_journals
from tests.torture.verifier.places import PARTITIONS

pytestmark = pytest.mark.requirement("PRI-11")

LINE = {
    "line_id": "A1/P1/2026-11-14/1/debit",
    "side": "debit",
    "amount": {"amount_minor": 914, "currency": "GBP"},
    "accounting_date": "2026-11-14",
}
CSV = "Entity,Line,Debit,Credit\n0210,A1/P1/2026-11-14/1/debit,9.14,\nTOTAL,,9.14,\n"


def closings(first: dict[int, str]) -> list[dict[str, Any]]:
    """Every partition closes one day: that of `first`, or else the 21st."""
    return [
        {"partition": number, "offset": number, "accounting_date": first.get(number, "2026-11-21")}
        for number in range(PARTITIONS)
    ]


@pytest.mark.parametrize(
    ("closed", "written", "differences"),
    [
        (closings({}), CSV, 0),  # nobody closed the 14th itself: their first tick came later than it
        (closings({}), "", 1),
        (closings({3: "2026-11-13"}), CSV, 2),  # partition 3 may still write lines of the 14th
        (closings({})[1:], CSV, 2),
    ],
)
def test_a_line_is_in_a_file_when_every_partition_has_closed_its_day_or_a_later_one(
    tmp_path: Path, closed: list[dict[str, Any]], written: str, differences: int
) -> None:
    register = []
    if written:
        (tmp_path / "a.csv").write_text(written)
        register.append(("a.csv", "adi-csv"))
    found = Differences()
    _check_journals(register, tmp_path, [LINE], closed, found)
    assert sum(found.counts.values()) == differences
