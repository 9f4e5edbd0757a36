"""What a dealer still has to pay, as people and programs are told it."""

import io

import pytest
from rich.console import Console

from streams.views.dealer import CurrentBalance, OpenBill, ToPay, as_json, render

pytestmark = pytest.mark.requirement("DLR-07")

URL = "https://billing.example/pdf/bill-7"
ANSWER = ToPay(
    "cme-1",
    ("D1",),
    (
        OpenBill("D1", "B7", "COMMISSION", 1_000_00, 400_00, 600_00, "EUR", "part_paid", URL),
        OpenBill("D1", "B8", "SETTLEMENT", 15_000_00, 0, 15_000_00, "EUR", "sent", None),
        OpenBill("D1", "B9", "SETTLEMENT", 900, 0, 900, "JPY", "sent", None),
    ),
    (
        CurrentBalance("D1", "COMMISSION", "open", 12_50, "EUR"),
        CurrentBalance("D1", "DEPOSIT", "contract", 0, None),
    ),
)
NOTHING = ToPay("cme-2", ("D2",), (), (CurrentBalance("D2", "COMMISSION", "open", 0, None),))


def lines_of(answer: ToPay) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=80, highlight=False).print(render(answer))
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_each_bill_shows_what_is_left_of_it_and_where_its_pdf_is() -> None:
    shown = lines_of(ANSWER)
    assert shown[0] == "cme-1 D1"
    assert "B7 COMMISSION part paid 1,000.00 400.00 600.00 EUR" in shown
    assert f"B7 {URL}" in shown
    assert "B8 SETTLEMENT sent 15,000.00 0.00 15,000.00 EUR" in shown


def test_what_is_owed_in_all_is_told_by_currency() -> None:
    assert ANSWER.owed == {"EUR": 15_600_00, "JPY": 900}
    assert [line for line in lines_of(ANSWER) if "in all" in line] == ["in all 15,600.00 EUR", "in all 900 JPY"]


def test_an_account_without_money_has_a_balance_of_nothing_in_no_currency() -> None:
    shown = lines_of(ANSWER)
    assert "COMMISSION open 12.50 EUR" in shown
    assert "DEPOSIT contract 0" in shown


def test_who_owes_nothing_is_told_so() -> None:
    shown = lines_of(NOTHING)
    assert "nothing to pay" in shown
    assert not any("in all" in line for line in shown)


def test_programs_are_told_minor_units() -> None:
    told = as_json(ANSWER)
    assert told["bills"][0] == {
        "dealer_id": "D1",
        "bill_id": "B7",
        "account": "COMMISSION",
        "common_minor": 1_000_00,
        "paid_minor": 400_00,
        "owed_minor": 600_00,
        "currency": "EUR",
        "state": "part_paid",
        "url": URL,
    }
    assert told["owed"] == [{"owed_minor": 15_600_00, "currency": "EUR"}, {"owed_minor": 900, "currency": "JPY"}]
    assert told["current_balances"][1]["currency"] is None
