"""What goes to the prison service's general ledger: lines, and the closing of accounting days (PRI-10, PRI-11)."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta
from pydantic import Field

from schemas.fields import Count, Fact, Identifier, IsoDate, Money, Text

DayTotal = Annotated[int, Field(ge=0, lt=2**63), Meta(ge=0, le=2**63 - 1)]
"""A sum over the books of a partition, in minor units: each book is bounded by `MAX_MINOR`, their sum is not."""


class LedgerSide(StrEnum):
    DEBIT = "debit"
    CREDIT = "credit"


class GeneralLedgerLine(Fact, frozen=True, kw_only=True):
    """One line for the SOP general ledger; the lines of one transaction balance (PRI-10)."""

    line_id: Annotated[Text, Meta(description="prisoner/purchase/date/side: never given to another line")]
    transaction_id: Identifier
    prisoner_id: Identifier
    prison_id: Identifier
    accounting_date: Annotated[IsoDate, Meta(description="in Europe/London")]
    cost_centre: Identifier
    gl_account: Identifier
    side: LedgerSide
    amount: Money
    description: Text


class AccountingDayClosed(Fact, frozen=True, kw_only=True):
    """No line of this day, nor of an earlier one, follows in this partition; these are the day's totals in it.

    A partition closes every day after its first close, in order, each once. A day's files can be cut when every
    partition has closed that day or a later one.
    """

    accounting_date: Annotated[IsoDate, Meta(description="in Europe/London")]
    lines: Count
    debit_minor: DayTotal
    credit_minor: DayTotal
