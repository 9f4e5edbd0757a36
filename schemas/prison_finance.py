"""Prison finance: a prisoner's sub-accounts, and purchases out of them. The book is the prisoner.

Advances are in `prison_advances`, reference data in `prison_reference`, general-ledger lines in `general_ledger`.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field
from pydantic import Field, ValidationInfo, field_validator

from schemas.fields import (
    EmailAddress,
    Fact,
    FactPart,
    Identifier,
    IsoDate,
    Message,
    Money,
    PositiveMinor,
    Record,
    Text,
    UtcMicros,
)
from schemas.prison_reference import Prisoner, Supplier

MOST_PAYMENTS = 20
"""Suppliers in one purchase."""


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


class FundingSource(StrEnum):
    """What a purchase is paid from, in the order in which it is used."""

    SPENDS = "spends"
    CASH = "cash"
    ADVANCE = "advance"


class SupplierPayment(Record):
    """What one supplier is to get, or to give back."""

    supplier_id: Identifier
    amount: Money


class AdvanceApproval(Record):
    """Who or what approves an advance: an officer, or a circumstance in which the prison's policy does (PRI-05)."""

    approved_by: Identifier | None = None
    circumstance: Identifier | None = Field(None, validate_default=True)

    @field_validator("circumstance")
    @classmethod
    def _is_one_of_both(cls, circumstance: str | None, others: ValidationInfo) -> str | None:
        if "approved_by" in others.data and (circumstance is None) == (others.data["approved_by"] is None):
            raise ValueError("either an officer approves an advance, or a circumstance does: give one of both")
        return circumstance


class SubmitPurchase(Message):
    """A PaymentIntent: what it costs is locked, source after source, until it is authorised (PRI-02 to PRI-07)."""

    purchase_id: Identifier
    prisoner_id: Identifier
    payments: tuple[SupplierPayment, ...] = Field(min_length=1, max_length=MOST_PAYMENTS)
    total: Money = Field(description="what the payments come to")
    funding: tuple[FundingSource, ...] = Field(
        min_length=1, description="spends, cash, advance, or some of them, in this order; the next pays what is left"
    )
    description: Text
    approval: AdvanceApproval | None = Field(
        None, validate_default=True, description="given exactly where an advance is a source"
    )
    receipt_to: EmailAddress | None = Field(None, description="who gets a receipt when it is authorised")

    @field_validator("payments")
    @classmethod
    def _are_to_different_suppliers(cls, payments: tuple[SupplierPayment, ...]) -> tuple[SupplierPayment, ...]:
        return _to_different_suppliers(payments)

    @field_validator("total")
    @classmethod
    def _is_the_sum(cls, total: Money, others: ValidationInfo) -> Money:
        payments: tuple[SupplierPayment, ...] | None = others.data.get("payments")
        if payments is None:
            return total
        if any(each.amount.currency != total.currency for each in payments):
            raise ValueError(f"is in {total.currency}, and some payment is not")
        if (come_to := sum(each.amount.amount_minor for each in payments)) != total.amount_minor:
            raise ValueError(f"is {total.amount_minor}, and the payments come to {come_to}")
        return total

    @field_validator("funding")
    @classmethod
    def _is_in_order(cls, funding: tuple[FundingSource, ...]) -> tuple[FundingSource, ...]:
        if funding != tuple(source for source in FundingSource if source in funding):
            raise ValueError(f"is {', '.join(funding)}: each source at most once, in the order spends, cash, advance")
        return funding

    @field_validator("approval")
    @classmethod
    def _is_given_for_an_advance(
        cls, approval: AdvanceApproval | None, others: ValidationInfo
    ) -> AdvanceApproval | None:
        funding = others.data.get("funding")
        if funding is not None and (FundingSource.ADVANCE in funding) != (approval is not None):
            raise ValueError("is given exactly where an advance is a source")
        return approval


class AuthorisePurchase(Message):
    """The order is confirmed: the locked money goes to the supplier, and the general ledger gets its lines."""

    purchase_id: Identifier
    prisoner_id: Identifier


class CancelPurchase(Message):
    """The order is off: the locked money is free again."""

    purchase_id: Identifier
    prisoner_id: Identifier
    reason: Identifier


class RefundPurchase(Message):
    """An authorised purchase is taken back, in whole or in part (PRI-13)."""

    refund_id: Identifier
    purchase_id: Identifier
    prisoner_id: Identifier
    payments: tuple[SupplierPayment, ...] = Field(
        max_length=MOST_PAYMENTS, description="what each supplier gives back; empty: all that is left"
    )
    reason: Text

    @field_validator("payments")
    @classmethod
    def _are_of_different_suppliers(cls, payments: tuple[SupplierPayment, ...]) -> tuple[SupplierPayment, ...]:
        return _to_different_suppliers(payments)


def _to_different_suppliers(payments: tuple[SupplierPayment, ...]) -> tuple[SupplierPayment, ...]:
    if len({each.supplier_id for each in payments}) != len(payments):
        raise ValueError("name a supplier twice")
    return payments


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


class PurchasePart(FactPart, frozen=True, kw_only=True):
    """What one source pays one supplier: a transaction of its own; all of a purchase share id and description."""

    source: FundingSource
    supplier_id: Identifier
    amount_minor: PositiveMinor


class PinnedCode(FactPart, frozen=True, kw_only=True):
    """The general ledger's code for an account of the prisoner's book, as it is at submission."""

    account: str
    gl_account: Identifier


class PurchasePending(Fact, frozen=True, kw_only=True):
    """The purchase's money is locked until the deadline; `parts` say what pays what.

    The prisoner's prison, the suppliers and the ledger's codes are pinned as they are now, for the lines to come.
    """

    purchase_id: Identifier
    prisoner_id: Identifier
    prisoner: Prisoner
    suppliers: tuple[Supplier, ...]
    parts: tuple[PurchasePart, ...]
    total: Money
    gl_accounts: tuple[PinnedCode, ...]
    description: Text
    receipt_to: EmailAddress | None
    batch_id: Annotated[Identifier | None, Meta(description="null: submitted by itself")]
    submitted_at: UtcMicros
    deadline: UtcMicros
    limit_day: Annotated[
        IsoDate | None, Meta(description="day of the daily limit that it uses; null: there was no limit")
    ]


class PurchaseAuthorised(Fact, frozen=True, kw_only=True):
    """The purchase is paid: all that a receipt says."""

    purchase_id: Identifier
    prisoner_id: Identifier
    suppliers: tuple[Supplier, ...]
    parts: tuple[PurchasePart, ...]
    total: Money
    description: Text
    receipt_to: EmailAddress | None
    batch_id: Identifier | None
    at: UtcMicros


class PurchaseProcessed(Fact, frozen=True, kw_only=True):
    """The general ledger has all lines of the purchase."""

    purchase_id: Identifier
    prisoner_id: Identifier
    at: UtcMicros


class VoidCause(StrEnum):
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


class PurchaseVoided(Fact, frozen=True, kw_only=True):
    """The purchase will not take place; its money is free again."""

    purchase_id: Identifier
    prisoner_id: Identifier
    cause: VoidCause
    total: Money
    batch_id: Identifier | None
    at: UtcMicros


class RefundPart(FactPart, frozen=True, kw_only=True):
    """What goes back to one account out of what a source had paid a supplier."""

    source: FundingSource
    supplier_id: Identifier
    account: Annotated[str, Meta(description="of the prisoner's book: spends, cash, owed, written_off")]
    amount_minor: PositiveMinor


class PurchaseRefunded(Fact, frozen=True, kw_only=True):
    """Suppliers have given money back; `parts` say where it went."""

    refund_id: Identifier
    purchase_id: Identifier
    prisoner_id: Identifier
    parts: tuple[RefundPart, ...]
    total: Money
    reason: Text
    at: UtcMicros


class Refused(Fact, frozen=True, kw_only=True):
    """A command was refused; nothing moved."""

    prisoner_id: Identifier
    refused_id: Annotated[Text, Meta(description="of the credit, purchase, refund, advance or transaction")]
    reason: str
    figures: dict[str, str] = field(default_factory=dict)
