"""The demo's day, small, on servers of its own: undisturbed, and with everything killed in the middle."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from stack import api
from stack.jars import JarSet, ensure
from tests.e2e.reconciliation import Reconciled, reconcile, story

REPOSITORY = Path(__file__).parents[2]
SCALE = "0.1"


def day(folder: Path, *options: str, then: Callable[[Path, dict[str, str]], None] = lambda *_: None) -> dict[str, Any]:
    """Run the day on fresh servers and give its report; `then` goes on while they still run."""
    name = folder.name
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "MILLRACE_ENV_FILE": str(REPOSITORY / ".stack" / name / "env"),
    }
    with api.while_up(name):
        done = subprocess.run(
            [sys.executable, "-m", "streams", "demo", "--scale", SCALE, *options],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
        verified = subprocess.run(
            [sys.executable, "-m", "sinks", "verify"],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert verified.returncode == 0, verified.stdout[-3_000:] + verified.stderr[-3_000:]
        then(folder, environment)
    report: dict[str, Any] = json.loads((folder / "build/demo/report.json").read_bytes())
    return report


class Quiet(NamedTuple):
    """An undisturbed day, and what the general ledger made of it."""

    folder: Path
    report: dict[str, Any]
    reconciled: Reconciled
    story: list[dict[str, Any]]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Quiet:
    found: list[tuple[Reconciled, list[dict[str, Any]]]] = []
    folder = tmp_path_factory.mktemp("quiet-day")
    report = day(folder, then=lambda *of_day: found.append((reconcile(*of_day), story(*of_day))))
    return Quiet(folder, report, *found[0])


@pytest.mark.requirement("PIPE-09")
def test_every_input_has_its_outcome_or_its_dead_letter_and_the_audit_is_clean(
    quiet: Quiet,
) -> None:
    report = quiet.report
    assert report["inputs"] == report["outcomes"] + report["dead_letters"]
    assert report["audit_differences"] == 0
    assert report["dead_letters"] > 0
    assert report["outcomes_by_kind"]["duplicate"] > 0


@pytest.mark.requirement("DLR-01", "DLR-02", "DLR-05", "DLR-06")
def test_dealers_bills_are_issued_by_billing_and_most_are_paid(quiet: Quiet) -> None:
    bills = {each["state"]: each for each in quiet.report["bills"]}
    assert {"sent", "paid"} <= bills.keys() <= {"sent", "part_paid", "paid", "overpaid", "voided", "corrected"}
    assert all(each["url"].startswith("https://billing.example/") for each in bills.values())
    assert quiet.report["billing_answers"] > sum(each["count"] for each in bills.values())


@pytest.mark.requirement("DLR-04", "DLR-08", "DLR-09")
def test_lots_are_commission_by_dealer_and_deposits_open_price_segments(quiet: Quiet) -> None:
    owed, bills = quiet.report["commission"], {each["state"]: each for each in quiet.report["bills"]}
    assert [each["lots"] for each in owed] == [2, 1]
    assert all(each["commission_minor"] > 0 and each["currency"] == "EUR" for each in owed)
    assert bills["corrected"]["count"] == 2
    assert bills["voided"]["one"] == "commission:2026-02:EUR:1:dlr-001"
    assert ("small", "EUR") in {(each["segment"], each["currency"]) for each in quiet.report["segments"]}


@pytest.mark.requirement("PIPE-08", "MOB-25", "PRI-11")
def test_every_file_of_the_report_opens_and_balances(quiet: Quiet) -> None:
    folder, report, *_ = quiet
    assert report["invoices"]
    assert report["adi_files"]
    for invoice in report["invoices"]:
        text = PdfReader(folder / invoice["path"]).pages[0].extract_text()
        assert invoice["number"] in text
    for workbook in (file for file in report["adi_files"] if file["path"].endswith(".xlsx")):
        sheet = load_workbook(folder / workbook["path"]).active
        rows = list(sheet.iter_rows(min_row=19, min_col=10, max_col=11, values_only=True))
        lines = [row for row in rows if not str(row[0]).startswith("=")]
        debit, credit = (round(sum(each or 0 for each in side) * 100) for side in zip(*lines, strict=True))
        assert debit == credit == workbook["total_minor"]


@pytest.mark.requirement("PRI-10", "PRI-11", "PRI-13")
def test_every_line_of_the_day_is_uploaded_once_and_processed_and_receipts_are_mailed(quiet: Quiet) -> None:
    _, report, reconciled, _ = quiet
    workbooks = [file for file in report["adi_files"] if file["path"].endswith(".xlsx")]
    assert reconciled.uploads == len(workbooks)
    assert reconciled.processed == reconciled.lines > 0
    assert reconciled.receipts > 0


@pytest.mark.requirement("PRI-10", "PRI-11", "PRI-13")
def test_the_story_of_a_purchase_goes_from_its_order_to_the_general_ledger_and_back(quiet: Quiet) -> None:
    kinds = [step["step"] for step in quiet.story]
    accepted = [step for step in quiet.story if step.get("outcome") == "accepted"]
    assert [step["title"].split()[0] for step in accepted[:2]] == ["Submit", "Confirm"]
    assert kinds.index("file") < kinds.index("upload") < kinds.index("answer")
    assert quiet.story[kinds.index("answer")]["state"] == "accepted"
    assert "receipt" in kinds
    assert any("processed: the general ledger has all lines" in note for step in quiet.story for note in step["notes"])
    of_refund = [step for step in accepted if step["title"].startswith("Refund ")]
    assert of_refund[0]["events"][0]["type"] == "PurchaseRefunded"
    assert all(step["at"] for step in quiet.story if step["step"] not in ("file", "undecided"))


@pytest.mark.requirement("PIPE-08")
def test_an_invoice_is_valid_pdf_a_3b(quiet: Quiet) -> None:
    folder, report, *_ = quiet
    program = ["java", "-cp", f"{ensure(JarSet.VERAPDF)}/*", "org.verapdf.apps.GreenfieldCliWrapper"]
    invoice = str(folder / report["invoices"][0]["path"])
    done = subprocess.run(
        [*program, "--flavour", "3b", "--format", "text", invoice],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("PASS"), done.stdout + done.stderr


@pytest.mark.requirement("PIPE-03", "PIPE-08", "DLR-01")
def test_with_worker_and_sinks_killed_in_the_middle_balances_and_files_are_the_same(
    quiet: Quiet, tmp_path_factory: pytest.TempPathFactory
) -> None:
    undisturbed = quiet.report
    killed = day(tmp_path_factory.mktemp("killed-day"), "--crash", "worker,invoices,adi,billing")
    for figure in (
        "outcomes_by_kind", "refusals", "postings", "balances_sha256", "invoices", "adi_files", "billing_answers",
        "commission", "segments",
    ):  # fmt: skip
        assert killed[figure] == undisturbed[figure], figure
    for each, before in zip(killed["bills"], undisturbed["bills"], strict=True):
        assert {**each, "url": ""} == {**before, "url": ""}
