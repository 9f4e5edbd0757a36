"""`python -m streams book ID`: what stands on the accounts of a book, what is locked, or what stood there once.

Of a dealer's book it also shows the price segments that his deposits open."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.fields import iso
from streams.views.moments import show
from streams.views.money import amount_of, amounts, balance_of, quiet_table
from streams.views.projection import Balance, OpenLock, PastBalance, PriceSegment, Projection


def now_json(book: str, projection: Projection) -> dict[str, Any]:
    """A book now, for programs. Amounts are minor units."""
    return {
        "book": book,
        "accounts": [
            {
                "account": row.account,
                "currency": row.currency,
                "side": row.side,
                "posted_minor": row.balance_minor,
                "locked_minor": row.balance_minor - row.available_minor,
                "available_minor": row.available_minor,
                "entries": row.entries,
                "lots": row.lots,
            }
            for row in projection.balances()
        ],
        "locks": [
            {**lock._asdict(), "deadline": None if lock.deadline is None else iso(lock.deadline)}
            for lock in projection.locks()
        ],
        "price_segments": [each._asdict() for each in projection.price_segments()],
    }


def past_json(book: str, at: int, projection: Projection) -> dict[str, Any]:
    """A book as of a moment, for programs. Amounts are minor units."""
    accounts = [
        {"account": row.account, "currency": row.currency, "posted_minor": row.balance_minor, "entries": row.entries}
        for row in projection.balances_at(at)
    ]
    return {"book": book, "as_of": iso(at), "accounts": accounts}


def now(book: str, projection: Projection) -> RenderableType:
    """A book now, for people."""
    locks, segments = projection.locks(), projection.price_segments()
    parts: list[RenderableType] = [Text(book, style="bold"), "", _balances(projection.balances())]
    parts += ["", _locks(locks)] if locks else ["", Text("no open locks", style="dim")]
    parts += ["", _segments(segments)] if segments else []
    return Group(*parts)


def past(book: str, at: int, projection: Projection) -> RenderableType:
    """A book as of a moment, for people."""
    heading = Text.assemble((book, "bold"), (f"   as of {show(at)} UTC", "dim"))
    note = "by the time of the events; locks, and accounts without a statement, are not kept for the past"
    return Group(heading, "", _past_balances(projection.balances_at(at)), "", Text(note, style="dim"))


def _balances(rows: list[Balance]) -> Table:
    table = quiet_table("account", *amounts("posted", "locked", "available"), "", *amounts("entries", "lots"))
    for row in rows:
        posted, locked, available = (
            balance_of(minor, row.currency)
            for minor in (row.balance_minor, row.balance_minor - row.available_minor, row.available_minor)
        )
        lots = f"{row.lots:,}" if row.lots else ""
        table.add_row(Text(row.account), posted, locked, available, row.currency, f"{row.entries:,}", lots)
    return table


def _locks(locks: list[OpenLock]) -> Table:
    table = quiet_table("open lock", "from", "to", *amounts("amount"), "", "until (UTC)")
    for lock in locks:
        until = "no deadline" if lock.deadline is None else show(lock.deadline)
        names = (Text(name, overflow="fold") for name in (lock.lock_id, lock.debit, lock.credit))
        table.add_row(*names, amount_of(lock.amount_minor, lock.currency), lock.currency, until)
    return table


def _segments(segments: list[PriceSegment]) -> Table:
    table = quiet_table("open price segment", "by a deposit in")
    for each in segments:
        table.add_row(Text(each.segment, overflow="fold"), each.currency)
    return table


def _past_balances(rows: list[PastBalance]) -> Table:
    table = quiet_table("account", *amounts("posted"), "", *amounts("entries"))
    for row in rows:
        table.add_row(Text(row.account), balance_of(row.balance_minor, row.currency), row.currency, f"{row.entries:,}")
    return table
