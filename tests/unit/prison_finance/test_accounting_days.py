"""Accounting days: dated in London, closed by ticks, in order, once, and never written to again (PRI-11, PIPE-13)."""

import pytest

from schemas.fields import MAX_MINOR, Message
from schemas.general_ledger import AccountingDayClosed, GeneralLedgerLine
from streams.ledger.draft import Refused

from .partition import PRISONER, Partition

pytestmark = pytest.mark.requirement("PRI-10", "PIPE-13")


def bought(prison: Partition, purchase_id: str, amount: int, at: str) -> str:
    """The accounting date of the lines of a purchase made at a moment."""
    prison.submit(purchase_id, amount, at)
    answer = prison.authorise(purchase_id, at)
    assert not isinstance(answer, Refused)
    (date,) = {event.accounting_date for event in answer if isinstance(event, GeneralLedgerLine)}
    return date


def closed(events: list[Message]) -> list[str]:
    """What closed, as `2024-01-09 lines 2 debit 30 credit 30`."""
    return [
        f"{event.accounting_date} lines {event.lines} debit {event.debit_minor} credit {event.credit_minor}"
        for event in events
        if isinstance(event, AccountingDayClosed)
    ]


def opened_on(tick: str) -> Partition:
    prison = Partition()
    prison.credit(10_000, at="01 00:00")
    prison.tick(tick)
    return prison


# ---- beginning


def test_the_first_tick_closes_the_day_before_and_opens_its_own() -> None:
    prison = Partition()
    assert closed(prison.tick("09 10:00")) == ["2024-01-08 lines 0 debit 0 credit 0"]
    assert prison.days() == "2024-01-09 lines 0 debit 0 credit 0"
    assert prison.tick("09 10:00:01") == []


def test_a_line_before_the_first_tick_opens_its_own_day() -> None:
    prison = Partition()
    prison.credit(100)
    assert bought(prison, "P1", 30, "08 12:00") == "2024-01-08"
    assert closed(prison.tick("09 10:00")) == ["2024-01-08 lines 2 debit 30 credit 30"]


# ---- the passing of days


def test_a_day_is_closed_once_by_the_first_tick_after_it() -> None:
    prison = opened_on("09 10:00")
    bought(prison, "P1", 30, "09 11:00")
    bought(prison, "P2", 12, "09 23:59:59")
    assert closed(prison.tick("09 23:59:59")) == []
    assert closed(prison.tick("10 00:00")) == ["2024-01-09 lines 4 debit 42 credit 42"]
    assert closed(prison.tick("10 00:00:01")) == []
    assert prison.days() == "2024-01-10 lines 0 debit 0 credit 0"


def test_a_day_without_lines_is_closed_too() -> None:
    prison = opened_on("09 10:00")
    assert closed(prison.tick("10 00:00")) == ["2024-01-09 lines 0 debit 0 credit 0"]


def test_a_late_line_counts_in_the_open_day() -> None:
    prison = opened_on("09 10:00")
    prison.tick("10 00:00")
    assert bought(prison, "late", 30, "09 23:59:59") == "2024-01-10"
    assert prison.days() == "2024-01-10 lines 2 debit 30 credit 30"


def test_lines_of_tomorrow_count_in_tomorrow_while_today_is_open() -> None:
    prison = opened_on("09 10:00")
    assert bought(prison, "P1", 5, "10 00:00") == "2024-01-10"
    assert bought(prison, "P2", 7, "09 23:59:59") == "2024-01-09"
    assert bought(prison, "P3", 1, "12 00:00") == "2024-01-12"
    assert prison.days() == (
        "2024-01-09 lines 2 debit 7 credit 7, 2024-01-10 lines 2 debit 5 credit 5, 2024-01-12 lines 2 debit 1 credit 1"
    )
    assert closed(prison.tick("13 00:00")) == [
        "2024-01-09 lines 2 debit 7 credit 7",
        "2024-01-10 lines 2 debit 5 credit 5",
        "2024-01-11 lines 0 debit 0 credit 0",
        "2024-01-12 lines 2 debit 1 credit 1",
    ]


def test_a_tick_that_is_behind_closes_nothing() -> None:
    prison = opened_on("09 10:00")
    assert closed(prison.tick("08 23:59:59")) == []


def test_a_line_is_dated_at_most_a_month_ahead_of_the_open_day() -> None:
    prison = opened_on("09 10:00")
    assert bought(prison, "P1", 5, "2099-01-01 00:00") == "2024-02-09"


@pytest.mark.parametrize(
    ("last_tick", "first_tick", "day"),
    [
        ("2024-06-30 22:59:59", "2024-06-30 23:00", "2024-06-30"),
        ("2024-03-31 22:59:59", "2024-03-31 23:00", "2024-03-31"),  # 23 hours long
        ("2024-10-27 23:59:59", "2024-10-28 00:00", "2024-10-27"),  # 25 hours long
        ("2024-12-31 23:59:59", "2025-01-01 00:00", "2024-12-31"),
        ("2024-02-29 23:59:59", "2024-03-01 00:00", "2024-02-29"),
    ],
)
def test_a_day_ends_at_midnight_in_london(last_tick: str, first_tick: str, day: str) -> None:
    prison = opened_on(f"{day} 12:00")
    assert closed(prison.tick(last_tick)) == []
    assert closed(prison.tick(first_tick)) == [f"{day} lines 0 debit 0 credit 0"]


def test_a_line_at_eleven_on_a_summer_evening_is_of_the_next_day() -> None:
    prison = opened_on("2024-07-01 12:00")
    assert bought(prison, "P1", 5, "2024-07-01 23:00") == "2024-07-02"


def test_after_a_long_standstill_each_tick_closes_at_most_a_month() -> None:
    prison = opened_on("01 10:00")
    bought(prison, "P1", 5, "01 11:00")
    first = closed(prison.tick("2024-02-15 10:00"))
    second = closed(prison.tick("2024-02-15 10:00:01"))
    assert (len(first), len(second)) == (31, 14)
    assert first[0] == "2024-01-01 lines 2 debit 5 credit 5"
    assert (first[-1][:10], second[0][:10], second[-1][:10]) == ("2024-01-31", "2024-02-01", "2024-02-14")
    assert closed(prison.tick("2024-02-15 10:00:02")) == []


def test_while_days_are_caught_up_lines_go_to_their_own_day() -> None:
    prison = opened_on("01 10:00")
    prison.tick("2024-02-15 10:00")  # closed up to the end of January
    assert bought(prison, "P1", 5, "2024-02-15 10:00") == "2024-02-15"
    assert bought(prison, "late", 7, "31 10:00") == "2024-02-01"


def test_a_days_total_may_be_more_than_any_book_holds() -> None:
    prison = opened_on("09 10:00")
    for who in ("A1", "A2"):
        prison.kept.prisoners[who] = PRISONER.model_copy(update={"prisoner_id": who})
        prison.credit(MAX_MINOR, who=who)
        prison.submit("P1", MAX_MINOR, "09 11:00", who=who)
        prison.authorise("P1", "09 11:00", who=who)
    total = 2 * MAX_MINOR
    assert closed(prison.tick("10 00:00")) == [f"2024-01-09 lines 4 debit {total} credit {total}"]
