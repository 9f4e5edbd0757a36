"""Prison finance: a prisoner's sub-accounts, and purchases out of them. The book is the prisoner."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field
from pydantic import Field, ValidationInfo, field_validator

from schemas.fields import EmailAddress, Fact, Identifier, IsoDate, Message, MinorUnits, Money, Text, UtcMicros


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
    receipt_to: Annotated[EmailAddress | None, Meta(description="who gets a receipt by e-mail; null: nobody")] = None


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
