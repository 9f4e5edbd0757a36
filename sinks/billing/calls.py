"""Calls to Billing as `python -m sinks calls` lists them, for people and for programs (DLR-01, DLR-03, DLR-05).

What a call says is in no list: it holds a dealer's legal and bank details.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from psycopg.rows import class_row
from rich import box
from rich.table import Column, Table
from rich.text import Text

from schemas.fields import from_micros, iso
from sinks.billing.call import State
from sinks.database import Connection


class Which(StrEnum):
    """Of what state."""

    ALL = "all"
    OPEN = "open"
    PARKED = "parked"
    REFUSED = "refused"


class _Choice(NamedTuple):
    where: str
    order: str


_CHOICES: Final = {
    Which.ALL: _Choice("true", "position desc"),
    Which.OPEN: _Choice("answered_at is null", "position"),
    Which.PARKED: _Choice(f"state = '{State.PARKED}'", "position"),
    Which.REFUSED: _Choice(f"state = '{State.REFUSED}'", "answered_at desc, position desc"),
}
"""Of what waits the head of the line is shown, as it holds up the rest; of the others the latest."""
WAITS: Final = frozenset({Which.OPEN, Which.PARKED})

_STYLES: Final = {State.PARKED: "bold red", State.REFUSED: "bold red", State.IN_DOUBT: "yellow"}


class Listed(NamedTuple):
    """A call. Moments are UTC microseconds."""

    call_id: str
    dealer_id: str
    account: str
    kind: str
    state: str
    attempts: int
    asked_at: int
    answered_at: int | None
    problem: str | None
    code: str | None
    words: str | None


class Listing(NamedTuple):
    """Some calls, the newest last, and how many more there are."""

    calls: Sequence[Listed]
    more: int


def listing(connection: Connection, which: Which, dealer_id: str | None, limit: int) -> Listing:
    """At most `limit` calls, of one dealer or of all."""
    where, order = _CHOICES[which]
    chosen = f"from sink.billing_call where {where} and (%(dealer)s::text is null or dealer_id = %(dealer)s)"
    values = {"dealer": dealer_id, "limit": limit}
    with connection.cursor(row_factory=class_row(Listed)) as cursor:
        cursor.execute(
            "select call_id, dealer_id, account, kind, state, attempts,"
            " (extract(epoch from asked_at) * 1000000)::bigint as asked_at,"
            " (extract(epoch from answered_at) * 1000000)::bigint as answered_at, problem, code, words"
            f" {chosen} order by {order} limit %(limit)s",
            values,
        )
        calls = cursor.fetchall()
        count = connection.execute(f"select count(*) {chosen}", values).fetchone()
    assert count is not None
    return Listing(calls if which in WAITS else calls[::-1], max(0, count[0] - len(calls)))


def as_json(listed: Listing) -> dict[str, Any]:
    """Moments are ISO 8601; `more` is how many calls are left out."""
    return {
        "calls": [
            each._asdict()
            | {
                "asked_at": iso(each.asked_at),
                "answered_at": None if each.answered_at is None else iso(each.answered_at),
            }
            for each in listed.calls
        ],
        "more": listed.more,
    }


def render(calls: Sequence[Listed]) -> Table:
    """For people. A problem may be another system's words: its brackets are no markup of ours."""
    table = Table(
        Column("call", overflow="fold"), "kind", "state", Column("attempts", justify="right"), "asked at",
        "answered at", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim",
    )  # fmt: skip
    anything_said = any(map(_said, calls))
    if anything_said:
        table.add_column("problem, or what Billing says", overflow="fold")
    for call in calls:
        cells = (
            Text(call.call_id), Text(call.kind), Text(call.state, style=_STYLES.get(State(call.state), "")),
            Text(str(call.attempts)), Text(_moment(call.asked_at)), Text(_moment(call.answered_at)),
        )  # fmt: skip
        table.add_row(*cells, *([Text(_said(call))] if anything_said else []))
    return table


def summary(listed: Listing, which: Which) -> str:
    """How many there are, and of more than are shown which those are."""
    shown, total = len(listed.calls), len(listed.calls) + listed.more
    if not total:
        return "no call" if which is Which.ALL else f"no call is {which}"
    if listed.more:
        return f"{shown:,} of {total:,} calls, {'the first in line' if which in WAITS else 'the latest'}: see --limit"
    return f"{shown:,} call{'' if shown == 1 else 's'}"


def _moment(micros: int | None) -> str:
    return "" if micros is None else f"{from_micros(micros):%Y-%m-%d %H:%M:%S}"


def _said(call: Listed) -> str:
    return call.problem or (f"{call.code}: {call.words}" if call.code is not None else "")
