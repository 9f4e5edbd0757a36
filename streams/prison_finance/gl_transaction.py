"""A transaction's way through the general ledger: its lines are written, then processed, or refused and corrected
(PRI-11). What decides is in `acknowledgement`.

    state       lines of it   LinesProcessed   LinesRefused   CorrectLines
    (none)      -> WRITTEN    refused          refused        refused
    WRITTEN     -> WRITTEN    -> PROCESSED     -> REFUSED     refused
    REFUSED     -> WRITTEN    refused          refused        new lines -> WRITTEN
    PROCESSED   -> WRITTEN    refused          refused        refused

While a line is open the row stays, however long; it is forgotten three months after it was processed.
"""

from enum import StrEnum
from typing import assert_never

import msgspec
from msgspec.structs import replace

from schemas.general_ledger import (
    GeneralLedgerLine,
    LedgerSide,
    LinesAreCorrected,
    LinesAreRefused,
    TransactionProcessed,
)

REMEMBERED_US = 90 * 24 * 3600 * 1_000_000
"""How long what has ended is remembered, so that its id is not used again."""


class State(StrEnum):
    WRITTEN = "written"
    REFUSED = "refused"
    PROCESSED = "processed"


class GlTransaction(msgspec.Struct, frozen=True, omit_defaults=True):
    """A transaction as the general ledger has it so far.

    `open` are the lines that it has not processed; `entries` counts all pairs of lines that ever were of it; `until` is
    when the row is forgotten, in UTC micros; None while lines are open.
    """

    state: State
    entries: int
    open: tuple[GeneralLedgerLine, ...] = ()
    until: int | None = None


Event = GeneralLedgerLine | TransactionProcessed | LinesAreRefused | LinesAreCorrected


def evolve(row: GlTransaction | None, event: Event) -> GlTransaction:
    """The transaction after an event."""
    if isinstance(event, GeneralLedgerLine):
        return _with_line(row, event)
    assert row is not None
    match event:
        case TransactionProcessed():
            return replace(row, state=State.PROCESSED, until=event.at + REMEMBERED_US, open=())
        case LinesAreRefused():
            return replace(row, state=State.REFUSED)
        case LinesAreCorrected():  # its new lines follow
            return replace(row, state=State.WRITTEN, open=())
        case _:
            assert_never(event)


def _with_line(row: GlTransaction | None, line: GeneralLedgerLine) -> GlTransaction:
    if row is None:
        return GlTransaction(State.WRITTEN, 1, (line,))
    entries = row.entries + (line.side is LedgerSide.DEBIT)
    return GlTransaction(State.WRITTEN, entries, (*row.open, line))
