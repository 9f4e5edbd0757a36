"""The page of `python -m sinks refused` (PRI-11)."""

from datetime import date
from io import StringIO

import pytest
from rich.console import Console

from sinks.general_ledger.refused import RefusedLine, render

pytestmark = pytest.mark.requirement("PRI-11")


@pytest.mark.parametrize("reason", ["account [1816] is closed", "[gl-204] account is closed", "closed [/2026-03]"])
def test_what_the_general_ledger_says_is_shown_as_it_said_it(reason: str) -> None:
    line = RefusedLine(
        "LEI", date(2026, 3, 2), "adi/a.csv", "A1/P1/2026-03-02/1/debit", "P1", "A1", "debit", 1_234, reason
    )
    out = StringIO()
    Console(file=out, width=500).print(render([line]))
    assert reason in out.getvalue()
    assert "debit 12.34 GBP" in out.getvalue()
