"""Statements: opening, running and closing balance, in the order of events, as known at a time (BEY-05, PIPE-10)."""

import io

import pytest
from rich.console import Console

from streams.views.projection import FOREVER, Line, Period, Total
from streams.views.statement import LATE, ON_TIME, Statement, as_json, render, state

pytestmark = pytest.mark.requirement("BEY-05", "PIPE-10")

WALLET = ("wallet", "EUR")
HOUR_US = 3_600_000_000
ALWAYS = Period()


def line(number: int, amount_minor: int, balance_minor: int, hour: int, **more: object) -> Line:
    """Line of the wallet: an event of this hour of 1970, recorded in the order of the numbers."""
    told = {"counter_account": "trips/msp-7", "text": f"Trip {number}", "decision_id": f"d-{number}"}
    who = {"correlation_id": "story", "actor": "ana", "effective_at": hour * HOUR_US, "recorded_at": number}
    fields = {"account": "wallet", "currency": "EUR", "number": number, "amount_minor": amount_minor}
    return Line(**{**fields, "balance_minor": balance_minor, **told, **who, **more})  # type: ignore[arg-type]


def wallet(*lines: Line, before: tuple[Total, ...] = (), since: tuple[Total, ...] = ()) -> Statement:
    return state("group:riverside", WALLET, ALWAYS, lines, before, since)


def running(statement: Statement) -> list[tuple[int, int, str]]:
    return [(shown.line.number, shown.balance_minor, shown.late) for shown in statement.lines]


def text_of(statement: Statement) -> str:
    out = io.StringIO()
    Console(file=out, width=100, highlight=False).print(render(statement))
    return out.getvalue()


def test_an_empty_period_opens_and_closes_with_the_same_balance() -> None:
    statement = wallet(before=(Total("wallet", "EUR", 42_00, 3), Total("rider/ana", "EUR", -1, 1)))
    assert (statement.opening_minor, statement.lines, statement.closing_minor) == (42_00, (), 42_00)


def test_balances_run_from_the_opening_to_the_closing() -> None:
    statement = wallet(line(4, 10_00, 52_00, 1), line(5, -2_50, 49_50, 2), before=(Total("wallet", "EUR", 42_00, 3),))
    assert running(statement) == [(4, 52_00, ON_TIME), (5, 49_50, ON_TIME)]
    assert statement.closing_minor == 49_50


def test_a_line_recorded_after_a_later_event_takes_its_place_in_time_and_is_marked() -> None:
    statement = wallet(line(1, 10_00, 10_00, 1), line(2, -3_00, 7_00, 5), line(3, -1_00, 6_00, 2))
    assert running(statement) == [(1, 10_00, ON_TIME), (3, 9_00, LATE), (2, 6_00, ON_TIME)]
    assert statement.closing_minor == 6_00
    assert "recorded after a later event" in text_of(statement)


def test_events_of_one_moment_keep_the_order_of_recording() -> None:
    statement = wallet(line(2, -3_00, 7_00, 1), line(1, 10_00, 10_00, 1))
    assert running(statement) == [(1, 10_00, ON_TIME), (2, 7_00, ON_TIME)]


def test_lines_of_other_accounts_and_currencies_stay_out() -> None:
    statement = wallet(
        line(1, 10_00, 10_00, 1), line(1, 9, 9, 1, account="rider/ana"), line(1, 8, 8, 1, currency="GBP")
    )
    assert running(statement) == [(1, 10_00, ON_TIME)]


def test_what_became_known_later_is_told() -> None:
    period = Period(0, 10 * HOUR_US, known_at=1)
    since = (Total("wallet", "EUR", -3_00, 1),)
    statement = state("group:riverside", WALLET, period, [line(1, 10_00, 10_00, 1)], (), since)
    assert statement.since == since[0]
    assert "1 line was recorded since, -3.00 in all, and not shown." in text_of(statement)
    assert as_json(statement)["recorded_since"] == 1


def test_a_statement_for_programs_has_both_balances_and_both_times() -> None:
    answer = as_json(wallet(line(1, 10_00, 10_00, 3), line(2, -3_00, 7_00, 1)))
    assert (answer["from"], answer["to"], answer["known_at"]) == (None, None, None)
    assert answer["lines"][0] == {
        "number": 2,
        "amount_minor": -3_00,
        "balance_minor": -3_00,
        "recorded_balance_minor": 7_00,
        "late": True,
        "counter_account": "trips/msp-7",
        "text": "Trip 2",
        "decision_id": "d-2",
        "correlation_id": "story",
        "actor": "ana",
        "effective_at": "1970-01-01T01:00:00Z",
        "recorded_at": "1970-01-01T00:00:00.000002Z",
    }


def test_the_heading_names_book_account_and_period() -> None:
    period = Period(HOUR_US, FOREVER, known_at=2 * HOUR_US)
    text = text_of(state("group:riverside", WALLET, period, [], [], []))
    heading = "group:riverside  wallet  EUR   from 1970-01-01 01:00:00 as known at 1970-01-01 02:00:00"
    assert text.splitlines()[0].rstrip() == heading


def test_text_from_upstream_is_never_taken_for_markup() -> None:
    assert "[red]Trip[/]" in text_of(wallet(line(1, 10_00, 10_00, 1, text="[red]Trip[/]")))
