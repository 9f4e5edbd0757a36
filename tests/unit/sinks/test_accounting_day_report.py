"""When ledger, files and general ledger say the same of a day, and what is said when they do not (PRI-11, BEY-04)."""

import io
from datetime import date

import pytest
from rich.console import Console

from sinks.general_ledger.day import DayReport, PrisonDay, Sum, differences
from sinks.general_ledger.refused import RefusedLine
from sinks.general_ledger.refused import render as render_refused
from sinks.general_ledger.show import render
from sinks.general_ledger.upload import LineStatus

pytestmark = pytest.mark.requirement("PRI-11", "BEY-04")

DAY = date(2026, 7, 3)
TEN = Sum(2, 1_000, 1_000)
LEI = PrisonDay("LEI", TEN, TEN, TEN, {LineStatus.PROCESSED: TEN})


def day(*prisons: PrisonDay) -> DayReport:
    return DayReport(DAY, is_closed=True, announced=(), prisons=prisons)


def shown(report: DayReport) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(render(report, differences(report)))
    return out.getvalue()


def test_a_processed_day_agrees_and_so_does_one_without_lines() -> None:
    assert differences(day(LEI)) == differences(day()) == []
    assert "agreed: ledger, files and general ledger say the same of 2026-07-03" in shown(day(LEI))


def test_lines_that_were_corrected_are_done_on_their_day() -> None:
    assert differences(day(LEI._replace(answered={LineStatus.REVERSED: TEN}))) == []


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (day(LEI)._replace(is_closed=False), "2026-07-03 is not closed in every partition yet: it has no files"),
        (day(LEI)._replace(announced=["partition 3: …"]), "announced and come differ: partition 3: …"),
        (
            day(LEI._replace(ledger=Sum(3, 1_000, 900), files=Sum(3, 1_000, 900), workbooks=Sum(3, 1_000, 900))),
            "LEI: the ledger's lines do not balance: 3 lines, 10.00 GBP against 9.00 GBP",
        ),
        (
            day(LEI._replace(files=Sum(), workbooks=Sum())),
            "LEI: the files hold 0 lines, 0.00 GBP, the ledger 2 lines, 10.00 GBP",
        ),
        (
            day(LEI._replace(workbooks=Sum(1, 1, 1))),
            "LEI: the workbooks hold 1 line, 0.01 GBP, their CSV twins 2 lines, 10.00 GBP",
        ),
        (
            day(LEI._replace(answered={LineStatus.REFUSED: TEN})),
            "LEI: the general ledger refused 2 lines that nothing has corrected: see `python -m sinks refused`",
        ),
        (
            day(LEI._replace(answered={LineStatus.UPLOADED: TEN})),
            "LEI: the general ledger has not answered 2 lines, 10.00 GBP",
        ),
        (
            day(LEI._replace(answered={LineStatus.FILED: TEN})),
            "LEI: the general ledger has not answered 2 lines, 10.00 GBP",
        ),
    ],
)  # fmt: skip
def test_each_difference_is_said_in_a_sentence_and_shown(report: DayReport, said: str) -> None:
    assert differences(report) == [said]
    assert "1 difference on 2026-07-03" in shown(report)
    assert said in shown(report)


def test_a_refused_line_says_what_to_do() -> None:
    line_id = "A1/p-1/2026-07-03/debit"
    line = RefusedLine("LEI", DAY, "adi/x.csv", line_id, "p-1", "A1", "debit", 1_234, "account unknown")
    out = io.StringIO()
    Console(file=out, width=220).print(render_refused([line]))

    said = out.getvalue()
    for part in ("LEI", "2026-07-03", "adi/x.csv", line.line_id, "debit 12.34 GBP", "account unknown"):
        assert part in said
    assert "publish CorrectLines for p-1 of prisoner A1" in " ".join(said.split())
