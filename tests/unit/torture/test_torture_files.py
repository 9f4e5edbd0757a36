"""General-ledger lines and the journal files they are in, as the verifier wants them (PRI-10, PRI-11)."""

from pathlib import Path
from typing import Any, cast

import pytest

from tests.torture import kafka
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.files import _check_charges, _check_journals, _check_lines
from tests.torture.verifier.model import Model
from tests.torture.verifier.places import PARTITIONS
from tests.unit.torture.test_torture_model import FACTS
from tests.unit.torture.topics import CHARGES, Topics, Wire

DAY, TRANSACTION = "2026-11-14", "A1/P1/2026-11-14/1"
FILE = f"adi/{DAY}/0210_SSCL_MR_14112026_LEI_MTP01.csv"
HEAD = "Entity,Cost Centre,Account,Debit,Credit,Transaction,Line"
ROWS = (f"0210,318,2102,9.14,,A1/P1,{TRANSACTION}/debit", f"0210,318,2501,,9.14,A1/P1,{TRANSACTION}/credit")
TOTAL = "TOTAL,,,9.14,9.14,,2"
CSV = "\n".join((HEAD, *ROWS, TOTAL))


def pair(**tampered: str) -> list[dict[str, Any]]:
    """Two lines that balance, spends to a supplier; what is tampered with is so in the second."""
    shared = {"transaction_id": "P1", "prisoner_id": "A1", "prison_id": "LEI", "cost_centre": "318",
              "accounting_date": DAY, "amount": {"amount_minor": 914, "currency": "GBP"}}  # fmt: skip
    debit = {"line_id": f"{TRANSACTION}/debit", "side": "debit", "account": "spends", "gl_account": "2102"}
    credit = {"line_id": f"{TRANSACTION}/credit", "side": "credit", "account": "supplier/BT", "gl_account": "2501"}
    return [{**shared, **debit}, {**shared, **credit, **tampered}]


# ---- cards


@pytest.mark.requirement("MOB-18")
@pytest.mark.parametrize(
    ("charges", "differences"),
    [([("rid-1", 295)], 0), ([], 1), ([("rid-1", 295)] * 2, 1), ([("rid-1", 296)], 2), ([("rid-2", 295)], 2)],
    ids=["right", "none", "twice", "too much", "another rider"],
)
def test_a_card_that_is_not_charged_what_the_wallet_did_not_pay_is_a_difference(
    charges: list[tuple[str, int]], differences: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics, found, wire = Topics(), Differences(), cast(Any, Wire())
    topics.records[CHARGES] = []
    for rider, amount in charges:
        fields = {"trip_id": "t1", "rider_id": rider, "amount": {"amount_minor": amount, "currency": "EUR"}}
        topics.add(CHARGES, ("ChargeCard", fields))
    monkeypatch.setattr(kafka, "read", topics.read)
    _check_charges("", wire, topics.model, found)
    assert found.counts.total() == differences


# ---- lines


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


# ---- files


def closings(first: dict[int, str] | None = None) -> list[dict[str, Any]]:
    """Every partition closes one day: that of `first`, or else the 21st."""
    return [
        {"partition": number, "offset": number, "accounting_date": (first or {}).get(number, "2026-11-21")}
        for number in range(PARTITIONS)
    ]


def found_in(folder: Path, closed: list[dict[str, Any]], name: str, content: str) -> int:
    """How many differences there are between the pair and a file, which may be missing."""
    (folder / name).parent.mkdir(parents=True)
    register = []
    if content:
        (folder / name).write_text(content)
        register.append((name, "adi-csv"))
    found = Differences()
    _check_journals(register, folder, pair(), closed, found)
    return found.counts.total()


@pytest.mark.requirement("PRI-11")
@pytest.mark.parametrize(
    ("closed", "written", "differences"),
    [
        (closings(), CSV, 0),  # nobody closed the 14th itself: their first tick came later than it
        (closings(), "", 2),
        (closings({3: "2026-11-13"}), CSV, 3),  # partition 3 may still write lines of the 14th
        (closings()[1:], CSV, 3),
    ],
)
def test_a_line_is_in_a_file_when_every_partition_has_closed_its_day_or_a_later_one(
    tmp_path: Path, closed: list[dict[str, Any]], written: str, differences: int
) -> None:
    assert found_in(tmp_path, closed, FILE, written) == differences


@pytest.mark.requirement("PRI-11")
def test_a_further_file_of_a_day_is_as_good(tmp_path: Path) -> None:
    assert not found_in(tmp_path, closings(), FILE.replace("MTP01", "MTP01-2"), CSV)


@pytest.mark.requirement("PRI-11")
@pytest.mark.parametrize(
    "name",
    [FILE.replace("LEI", "MDI"), FILE.replace("2026-11-14", "2026-11-13").replace("14112026", "13112026"),
     FILE.replace("14112026", "13112026")],
    ids=["another prison", "another day", "two days"],
)  # fmt: skip
def test_a_line_in_the_file_of_another_prison_or_day_is_a_difference(name: str, tmp_path: Path) -> None:
    assert found_in(tmp_path, closings(), name, CSV)


@pytest.mark.requirement("PRI-11")
@pytest.mark.parametrize(
    ("right", "wrong"),
    [("0210,318,2501", "0210,334,2501"), ("0210,318,2501", "0210,318,2102"), (",A1/P1,", ",A1/P2,"),
     (",A1/P1,", ",P1,"), (TOTAL, ""), (TOTAL, TOTAL.replace("9.14,9.14", "9.14,9.15"))],
    ids=["cost centre", "code", "transaction", "anybody's transaction", "no total", "wrong total"],
)  # fmt: skip
def test_a_file_that_says_something_else_than_its_lines_is_a_difference(right: str, wrong: str, tmp_path: Path) -> None:
    assert found_in(tmp_path, closings(), FILE, CSV.replace(right, wrong))
