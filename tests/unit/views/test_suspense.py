"""What waits in suspense, as people and programs are told it."""

import io

import pytest
from rich.console import Console

from streams.views.suspense import InSuspense, WaitingPayment, as_json, render

pytestmark = pytest.mark.requirement("DLR-06")

ANSWER = InSuspense(
    None,
    (
        WaitingPayment("P1", "D1", "cme-1", "B1", "B1", 400_00, "EUR", None, None),
        WaitingPayment("P2", "D1", "cme-1", "B3", "B2", 1_000_00, "EUR", "draft", "EUR"),
        WaitingPayment("P3", "D1", "cme-1", "B4", "B4", 900, "JPY", "part_paid", "EUR"),
        WaitingPayment("P4", "D2", None, "B5", "B5", 1, "EUR", None, None),
    ),
)


def lines_of(answer: InSuspense) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=80, highlight=False).print(render(answer))
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_each_payment_shows_the_bill_that_it_waits_for_and_why() -> None:
    shown = lines_of(ANSWER)
    assert shown[0] == "cme-1 D1"
    assert "P1 B1 unknown 400.00 EUR" in shown
    assert "P2 B3, paid as B2 draft 1,000.00 EUR" in shown
    assert "P3 B4 part paid, in EUR 900 JPY" in shown


def test_a_dealer_who_is_not_registered_is_told_as_such() -> None:
    shown = lines_of(ANSWER)
    assert shown.index("D2 not registered") < shown.index("P4 B5 unknown 0.01 EUR")


def test_what_waits_in_all_is_told_by_currency() -> None:
    assert ANSWER.waiting == {"EUR": 1_400_01, "JPY": 900}
    assert lines_of(ANSWER)[-1] == "in all 1,400.01 EUR, 900 JPY"


def test_a_long_payment_id_is_shown_whole_on_a_narrow_screen() -> None:
    long_id = "D1/D2/" + "0123456789" * 6
    answer = InSuspense(None, (WaitingPayment(long_id, "D3", "cme-3", "B1", "B1", 1, "EUR", None, None),))
    out = io.StringIO()
    Console(file=out, width=80, highlight=False).print(render(answer))
    shown = "".join(line.partition(" ")[0] for line in out.getvalue().splitlines())
    assert long_id in shown


def test_where_nothing_waits_one_sentence_says_so() -> None:
    assert lines_of(InSuspense(None, ())) == ["no payment waits in suspense"]
    assert lines_of(InSuspense("cme-2", ())) == ["no payment of cme-2 waits in suspense"]


def test_programs_are_told_minor_units_and_what_is_not_known_as_null() -> None:
    told = as_json(ANSWER)
    assert told["payments"][0] == {
        "payment_id": "P1", "dealer_id": "D1", "cme_dealer_id": "cme-1", "bill_id": "B1", "named": "B1",
        "amount_minor": 400_00, "currency": "EUR", "bill_state": None, "bill_currency": None,
    }  # fmt: skip
    assert told["payments"][3]["cme_dealer_id"] is None
    assert told["waiting"] == [
        {"waiting_minor": 1_400_01, "currency": "EUR"}, {"waiting_minor": 900, "currency": "JPY"}
    ]  # fmt: skip
