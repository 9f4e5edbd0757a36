"""Prison finance: a prisoner's sub-accounts, purchases out of them, general-ledger lines. The book is the prisoner."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field
from pydantic import Field, ValidationInfo, field_validator

from schemas.fields import Count, Fact, Identifier, IsoDate, Message, MinorUnits, Money, Text, UtcMicros

DayTotal = Annotated[int, Field(ge=0, lt=2**63), Meta(ge=0, le=2**63 - 1)]
"""A sum over the books of a partition, in minor units: each book is bounded by `MAX_MINOR`, their sum is not."""


class SubAccount(StrEnum):
    """A prisoner's sub-accounts (PRI-01)."""

    CASH = "cash"
    SPENDS = "spends"
    SAVINGS = "savings"


# ---- upstream: the prison and its shop


class CreditPrisoner(Message):
    """Money came in for a prisoner."""

    credit_id: Identifier
    prisoner_id: Identifier
    sub_account: SubAccount
    amount: Money
    description: Text


class MoveBetweenSubAccounts(Message):
    """Move money between two different sub-accounts of one prisoner."""

    transfer_id: Identifier
    prisoner_id: Identifier
    source: SubAccount
    target: SubAccount
    amount: Money
    description: Text

    @field_validator("target")
    @classmethod
    def _is_another(cls, target: SubAccount, others: ValidationInfo) -> SubAccount:
        if target is others.data.get("source"):
            raise ValueError(f"is the source, {target}, too: money moves between two different sub-accounts")
        return target


class SubmitPurchase(Message):
    """A PaymentIntent within available spends: what it costs is locked until it is authorised (PRI-02)."""

    purchase_id: Identifier
    prisoner_id: Identifier
    supplier_id: Identifier
    amount: Money
    description: Text


class AuthorisePurchase(Message):
    """The order is confirmed: the locked money goes to the supplier, and the general ledger gets its lines."""

    purchase_id: Identifier
    prisoner_id: Identifier


class CancelPurchase(Message):
    """The order is off: the locked money is free again."""

    purchase_id: Identifier
    prisoner_id: Identifier
    reason: Identifier


# ---- reference data, from Postgres by CDC


class Prisoner(Message):
    """Where a prisoner is, and so which cost centre bears his lines; a tombstone ends it."""

    prisoner_id: Identifier
    prison_id: Identifier
    cost_centre: Identifier
    daily_limit_minor: MinorUnits | None = Field(
        None, ge=0, description="most that may be spent on purchases in one Europe/London day, in pence; null: no limit"
    )


class Supplier(Message):
    """A supplier and the general-ledger account that its purchases are credited to; a tombstone ends it."""

    supplier_id: Identifier
    name: Text
    gl_account: Identifier


# ---- what this room says


class PrisonerCredited(Fact, frozen=True, kw_only=True):
    """The money stands on the sub-account."""

    credit_id: Identifier
    prisoner_id: Identifier
    sub_account: SubAccount
    amount: Money


class MovedBetweenSubAccounts(Fact, frozen=True, kw_only=True):
    """The money stands on the other sub-account."""

    transfer_id: Identifier
    prisoner_id: Identifier
    source: SubAccount
    target: SubAccount
    amount: Money


class PurchasePending(Fact, frozen=True, kw_only=True):
    """The purchase's money is locked on the spends sub-account until the deadline.

    The prisoner's prison and the supplier's account are pinned as they are now, for the general-ledger lines to come.
    """

    purchase_id: Identifier
    prisoner_id: Identifier
    prisoner: Prisoner
    supplier: Supplier
    amount: Money
    description: Text
    submitted_at: UtcMicros
    deadline: UtcMicros
    limit_day: Annotated[
        IsoDate | None, Meta(description="day of the daily limit that it uses; null: there was no limit")
    ]


class PurchaseAuthorised(Fact, frozen=True, kw_only=True):
    """The purchase is paid."""

    purchase_id: Identifier
    prisoner_id: Identifier
    supplier_id: Identifier
    amount: Money
    at: UtcMicros


class VoidCause(StrEnum):
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


class PurchaseVoided(Fact, frozen=True, kw_only=True):
    """The purchase will not take place; its money is free again."""

    purchase_id: Identifier
    prisoner_id: Identifier
    cause: VoidCause
    amount: Money
    at: UtcMicros


class Refused(Fact, frozen=True, kw_only=True):
    """A command was refused; nothing moved."""

    prisoner_id: Identifier
    refused_id: Identifier
    reason: str
    figures: dict[str, str] = field(default_factory=dict)


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
