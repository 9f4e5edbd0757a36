"""The accounting day of a partition: general-ledger lines are dated, days are closed, no closed day changes (PRI-11).

    open day     a line                            a tick
    (none)       opens its own day                 closes the day before the tick's, without lines: opens the tick's
    D            counts in its own day, or in D    of D or earlier: nothing
                 where its own is closed           later: closes D with its totals, opens the next; and so on until
                                                   the tick's day is open, at most 31 days in one tick

Days are calendar days in Europe/London. A day is closed by time alone, since a line tells nothing of others on their
way; so lines of tomorrow may come while today is open, and count in tomorrow. Every partition closes each day after
its first close, in order, once, with lines or without: a day's files can be cut when every partition has closed that
day or a later one. A partition that is added later begins with the others' open day (`begun_beside`). The day itself
is not a book and moves no money, so that the journal does not speak of it.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from schemas.fields import from_micros
from schemas.general_ledger import AccountingDayClosed, GeneralLedgerLine, LedgerSide

LONDON = ZoneInfo("Europe/London")
CLOSED_PER_TICK = 31
"""Days that one tick closes at most, after a long standstill; the next tick goes on."""
DAYS_AHEAD = 31
"""How far ahead of the open day a line may be dated: bounds the row, whatever upstream's clock says."""


class Day(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the lines of one day come to in this partition, in pence."""

    date: str
    lines: int = 0
    debit_minor: int = 0
    credit_minor: int = 0


class OpenDays(msgspec.Struct, frozen=True):
    """The open day, and later ones that have lines already; oldest first. There is one such row in a partition."""

    days: tuple[Day, ...]

    @property
    def open_date(self) -> str:
        """The earliest date that a line may still have."""
        return self.days[0].date


def london_date(at: int) -> str:
    """The calendar day in Europe/London of a moment in UTC micros, in ISO form: dates sort as they follow."""
    return from_micros(at).astimezone(LONDON).date().isoformat()


def days_after(day: str, days: int) -> str:
    """The ISO date so many days later."""
    return (date.fromisoformat(day) + timedelta(days)).isoformat()


# ---- decide


def begun_beside(others: Sequence[OpenDays]) -> OpenDays:
    """What a partition begins with that is added to others, of which there is at least one: their latest open day.

    No file can have been cut of it, while a late line that came first would open a day that is long in the files.
    """
    return OpenDays((Day(max(each.open_date for each in others)),))


def accounting_date(open_days: OpenDays | None, at: int) -> str:
    """The date of a line that is written for something that happened at `at`: its own day, or the open one if later."""
    own = london_date(at)
    if open_days is None:
        return own
    return min(max(own, open_days.open_date), days_after(open_days.open_date, DAYS_AHEAD))


def close(open_days: OpenDays | None, now: int) -> AccountingDayClosed | None:
    """The day that is over at `now` and not closed yet: the earliest of them."""
    today = london_date(now)
    day = Day(days_after(today, -1)) if open_days is None else open_days.days[0]
    if day.date >= today:
        return None
    return AccountingDayClosed(
        accounting_date=day.date, lines=day.lines, debit_minor=day.debit_minor, credit_minor=day.credit_minor
    )


# ---- evolve


def evolve(open_days: OpenDays | None, event: GeneralLedgerLine | AccountingDayClosed) -> OpenDays:
    """The open days after an event."""
    match event:
        case GeneralLedgerLine():
            return _count(open_days, event)
        case AccountingDayClosed():
            following = Day(days_after(event.accounting_date, 1))
            if open_days is None:
                return OpenDays((following,))
            closed, *later = open_days.days
            assert closed.date == event.accounting_date, f"{event.accounting_date} closes, {closed.date} is open"
            if later and later[0].date == following.date:
                return OpenDays(tuple(later))
            return OpenDays((following, *later))
        case _:
            assert_never(event)


def _count(open_days: OpenDays | None, line: GeneralLedgerLine) -> OpenDays:
    days = {} if open_days is None else {day.date: day for day in open_days.days}
    assert open_days is None or line.accounting_date >= open_days.open_date, f"{line.accounting_date} is closed"
    day = days.get(line.accounting_date, Day(line.accounting_date))
    day = replace(day, lines=day.lines + 1)
    match line.side:
        case LedgerSide.DEBIT:
            day = replace(day, debit_minor=day.debit_minor + line.amount.amount_minor)
        case LedgerSide.CREDIT:
            day = replace(day, credit_minor=day.credit_minor + line.amount.amount_minor)
        case _:
            assert_never(line.side)
    days[day.date] = day
    return OpenDays(tuple(days[date] for date in sorted(days)))
