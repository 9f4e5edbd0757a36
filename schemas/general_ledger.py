"""What goes to the prison service's general ledger, and what it answers (PRI-10, PRI-11).

Lines and the closings of accounting days go there, in files; acknowledgements come back.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta
from pydantic import Field

from schemas.fields import Count, Fact, Identifier, IsoDate, Message, Money, Record, Text

DayTotal = Annotated[int, Field(ge=0, lt=2**63), Meta(ge=0, le=2**63 - 1)]
"""A sum over the books of a partition, in minor units: each book is bounded by `MAX_MINOR`, their sum is not."""

MOST_LINES = 100
"""Of one transaction: two for each part of the largest purchase, and four for an advance, are fewer."""


class LedgerSide(StrEnum):
    DEBIT = "debit"
    CREDIT = "credit"


class GeneralLedgerLine(Fact, frozen=True, kw_only=True):
    """One line for the SOP general ledger; the lines of one transaction balance (PRI-10)."""

    line_id: Annotated[Text, Meta(description="prisoner/transaction/date/entry/side: never given to another line")]
    transaction_id: Text
    prisoner_id: Identifier
    prison_id: Identifier
    accounting_date: Annotated[IsoDate, Meta(description="in Europe/London")]
    cost_centre: Identifier
    gl_account: Identifier
    side: LedgerSide
    amount: Money
    description: Text
    account: Annotated[Text | None, Meta(description="of the prisoner's book that the line speaks of")] = None
    reverses: Annotated[Text | None, Meta(description="the purchase that it takes back, in whole or in part")] = None
    corrects: Annotated[Text | None, Meta(description="the refused line that it stands for")] = None


class AccountingDayClosed(Fact, frozen=True, kw_only=True):
    """No line of this day, nor of an earlier one, follows in this partition; these are the day's totals in it.

    A partition closes every day after its first close, in order, each once. A day's files can be cut when every
    partition has closed that day or a later one.
    """

    accounting_date: Annotated[IsoDate, Meta(description="in Europe/London")]
    lines: Count
    debit_minor: DayTotal
    credit_minor: DayTotal


# ---- upstream: what the general ledger answered, told by the sink that asked it


class LinesProcessed(Message):
    """The general ledger has written these lines of a transaction."""

    prisoner_id: Identifier
    transaction_id: Text
    file: Text
    line_ids: tuple[Text, ...] = Field(min_length=1, max_length=MOST_LINES)


class LineRefusal(Record):
    """Why the general ledger has not written a line."""

    line_id: Text
    reason: Text


class LinesRefused(Message):
    """The general ledger has written no line of this transaction, as it refused at least one; each has its reason."""

    prisoner_id: Identifier
    transaction_id: Text
    file: Text
    reasons: tuple[LineRefusal, ...] = Field(min_length=1, max_length=MOST_LINES)
