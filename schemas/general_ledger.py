"""What goes to the prison service's general ledger, and what comes back: lines, closed days, acknowledgements.

A transaction is a purchase, a repayment, a refund or a write-off: its lines balance and go up in one file (PRI-10,
PRI-11). Its id is a purchase's id, or `repayment/…`, `refund/…`, `write-off/…`, which no purchase's id can be.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta
from pydantic import Field

from schemas.fields import Count, Fact, Identifier, IsoDate, Message, Money, Record, Text, UtcMicros

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


# ---- what comes back: the general ledger's answer, and an operator's


class LinesProcessed(Message):
    """The general ledger took a file, and with it all lines of this transaction that were open."""

    prisoner_id: Identifier
    transaction_id: Text
    file: Text
    line_ids: tuple[Text, ...] = Field(min_length=1, max_length=MOST_LINES)


class LineRefusal(Record):
    """Why the general ledger did not take one line."""

    line_id: Text
    reason: Text


class LinesRefused(Message):
    """The general ledger has written no line of this transaction, as it refused at least one; each has its reason."""

    prisoner_id: Identifier
    transaction_id: Text
    file: Text
    reasons: tuple[LineRefusal, ...] = Field(min_length=1, max_length=MOST_LINES)


class CorrectLines(Message):
    """The reference data was mended: write a refused transaction's lines again, with today's codes."""

    correction_id: Identifier
    prisoner_id: Identifier
    transaction_id: Text


class TransactionProcessed(Fact, frozen=True, kw_only=True):
    """The general ledger has the transaction."""

    prisoner_id: Identifier
    transaction_id: Text
    file: Text
    line_ids: tuple[Text, ...]
    at: UtcMicros


class LinesAreRefused(Fact, frozen=True, kw_only=True):
    """The general ledger has nothing of the transaction: it waits for a correction."""

    prisoner_id: Identifier
    transaction_id: Text
    file: Text
    reasons: tuple[LineRefusal, ...]
    at: UtcMicros


class LinesAreCorrected(Fact, frozen=True, kw_only=True):
    """The transaction's lines are written again, under ids of their own; the old ones never go up."""

    correction_id: Identifier
    prisoner_id: Identifier
    transaction_id: Text
    line_ids: Annotated[tuple[Text, ...], Meta(description="the old lines")]
    at: UtcMicros
