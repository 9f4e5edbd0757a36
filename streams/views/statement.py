"""`python -m streams statement ID`: an account's lines in a period, with opening, running and closing balance.

A statement is bitemporal (BEY-05). Its period and its order are those of the events (`effective_at`); `known_at` leaves
out what was recorded later. A line that was recorded after a later event has another balance here than the one it was
recorded with, so running balances are made anew, and such lines are marked.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from schemas.fields import iso
from streams.views.moments import show
from streams.views.money import amount_of, amounts, balance_of, quiet_table
from streams.views.projection import FOREVER, Line, NoSuchAccount, Period, Projection, Total


class Shown(NamedTuple):
    """A line in the order of events, with the balance after it in that order. `late`: recorded after a later event."""

    line: Line
    balance_minor: int
    late: str


class Statement(NamedTuple):
    """One account of a book in one period. `since` is what was recorded after `period.known_at`, if anything."""

    book: str
    account: str
    currency: str
    period: Period
    opening_minor: int
    lines: tuple[Shown, ...]
    closing_minor: int
    since: Total | None


LATE = "†"
ON_TIME = ""


def statements(book: str, account: str | None, period: Period, projection: Projection) -> list[Statement]:
    """The statements of a book, or that of one account in each of its currencies. Raises `NoSuchAccount`."""
    kept = projection.accounts_with_statements()
    if not kept:
        raise NoSuchAccount(f"{book} has no statement: nothing was posted yet on an account that its owner is shown")
    wanted = [key for key in kept if account in (None, key[0])]
    if not wanted:
        names = ", ".join(dict.fromkeys(name for name, _ in kept))
        raise NoSuchAccount(f"{book} has no statement of {account}; it has: {names}")
    lines, before, since = projection.lines(period), projection.before(period), projection.learned_since(period)
    return [state(book, key, period, lines, before, since) for key in wanted]


def state(
    book: str,
    key: tuple[str, str],
    period: Period,
    lines: Iterable[Line],
    before: Iterable[Total],
    since: Iterable[Total],
) -> Statement:
    """The statement of one account and currency, out of the lines and totals of all. Pure."""
    opening = sum(total.amount_minor for total in before if (total.account, total.currency) == key)
    mine = sorted((line for line in lines if (line.account, line.currency) == key), key=_in_time)
    first_after = _lowest_number_after(mine)
    balance, shown = opening, []
    for line, lowest in zip(mine, first_after, strict=True):
        balance += line.amount_minor
        shown.append(Shown(line, balance, LATE if lowest < line.number else ON_TIME))
    later = next((total for total in since if (total.account, total.currency) == key), None)
    return Statement(book, *key, period, opening, tuple(shown), balance, later)


def _in_time(line: Line) -> tuple[int, int]:
    return line.effective_at, line.number


def _lowest_number_after(lines: list[Line]) -> list[int]:
    """For each line, the lowest number of all that follow it in time."""
    lowest, found = FOREVER, []
    for line in reversed(lines):
        found.append(lowest)
        lowest = min(lowest, line.number)
    return found[::-1]


# ---- for programs


def as_json(statement: Statement) -> dict[str, Any]:
    """A statement for programs. Amounts are minor units."""
    period = statement.period
    return {
        "book": statement.book,
        "account": statement.account,
        "currency": statement.currency,
        "from": iso(period.begins) if period.begins else None,
        "to": iso(period.ends) if period.ends != FOREVER else None,
        "known_at": iso(period.known_at) if period.known_at != FOREVER else None,
        "opening_minor": statement.opening_minor,
        "lines": [_line_json(shown) for shown in statement.lines],
        "closing_minor": statement.closing_minor,
        "recorded_since": statement.since.lines if statement.since else 0,
        "recorded_since_minor": statement.since.amount_minor if statement.since else 0,
    }


def _line_json(shown: Shown) -> dict[str, Any]:
    line = shown.line._asdict()
    return {
        **{name: line[name] for name in ("number", "amount_minor")},
        "balance_minor": shown.balance_minor,
        "recorded_balance_minor": shown.line.balance_minor,
        "late": shown.late == LATE,
        **{name: line[name] for name in ("counter_account", "text", "decision_id", "correlation_id", "actor")},
        "effective_at": iso(shown.line.effective_at),
        "recorded_at": iso(shown.line.recorded_at),
    }


# ---- for people


def render(statement: Statement) -> RenderableType:
    """A statement for people."""
    table = quiet_table("when (UTC)", "", "what", "with", *amounts("amount", "balance"))
    opening = balance_of(statement.opening_minor, statement.currency)
    table.add_row("", "", Text("opening balance", style="dim"), "", "", opening)
    for line, balance_minor, late in statement.lines:
        moved = amount_of(line.amount_minor, statement.currency)
        what, other = Text(line.text, overflow="fold"), Text(line.counter_account, overflow="fold", style="dim")
        table.add_row(show(line.effective_at), late, what, other, moved, balance_of(balance_minor, statement.currency))
    closing = balance_of(statement.closing_minor, statement.currency)
    closing.stylize("bold")
    table.add_row("", "", Text("closing balance", style="dim"), "", "", closing)
    return Group(_heading(statement), "", table, *_notes(statement))


def _heading(statement: Statement) -> Text:
    begins, ends, known_at = statement.period
    bounds = (("from", begins, 0), ("to", ends, FOREVER), ("as known at", known_at, FOREVER))
    period = " ".join(f"{word} {show(moment)}" for word, moment, unbounded in bounds if moment != unbounded)
    name = f"{statement.book}  {statement.account}  {statement.currency}"
    return Text.assemble((name, "bold"), (f"   {period}" if period else "", "dim"))


def _notes(statement: Statement) -> list[Text]:
    notes = []
    if any(shown.late for shown in statement.lines):
        notes.append(
            f"{LATE} recorded after a later event. Balances follow the time of the events, "
            "so some are not those of the moment of recording."
        )
    if statement.since is not None:
        count, amount = statement.since.lines, amount_of(statement.since.amount_minor, statement.currency)
        lines = "1 line was" if count == 1 else f"{count:,} lines were"
        notes.append(f"{lines} recorded since, {amount} in all, and not shown.")
    return [Text(), *(Text(note, style="dim") for note in notes)] if notes else []
