"""General-ledger lines and the files they are in, as the verifier wants them (PRI-10, PRI-11)."""

from pathlib import Path
from typing import Any

import pytest

from tests.torture.verifier.differences import Differences
from tests.torture.verifier.files import _check_journals, _check_lines
from tests.torture.verifier.model import Model
from tests.torture.verifier.places import PARTITIONS
from tests.unit.torture.test_torture_model import FACTS

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


# ---- lines


def pair(**tampered: str) -> list[dict[str, Any]]:
    """Two lines that balance, spends to a supplier; what is tampered with is so in the second."""
    lines = []
    for side, account, code in (("debit", "spends", "2102"), ("credit", "supplier/BT", "2501")):
        lines.append({**LINE, "line_id": f"A1/P1/2026-11-14/1/{side}", "transaction_id": "P1", "prisoner_id": "A1",
                      "prison_id": "LEI", "cost_centre": "318", "gl_account": code, "side": side,
                      "account": account})  # fmt: skip
    lines[-1] |= tampered
    return lines


def differing(lines: list[dict[str, Any]]) -> list[str]:
    model, found = Model(FACTS), Differences()
    for side, account in (("debit", "spends"), ("credit", "supplier/BT")):
        model.ledger_lines["prisoner:A1", "P1", 1, side, account, 914] += 1
    _check_lines(model, lines, found)
    return found.kept


@pytest.mark.requirement("PRI-10")
def test_lines_that_are_right_are_found_right() -> None:
    assert not differing(pair())


@pytest.mark.requirement("PRI-10")
@pytest.mark.parametrize(
    "tampered",
    [{"gl_account": "2102"}, {"cost_centre": "334"}, {"prison_id": "MDI"}, {"accounting_date": "2026-11-13"}],
    ids=" ".join,
)
def test_a_line_on_another_code_cost_centre_prison_or_day_is_a_difference(tampered: dict[str, str]) -> None:
    """Both lines of the pair on the debit's code: nothing reaches the supplier's account in the general ledger."""
    assert differing(pair(**tampered))
