"""Dealer billing: a bill's life from its draft to its payment, and what is in suspense. The book is the dealer."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta
from pydantic import Field

from schemas.dealer_billing import AccountType, Operation
from schemas.fields import Fact, Identifier, Message, Money, NonNegativeMinor, Text

# ---- upstream: our own API, Billing, the finance office


class CreateBill(Message):
    """Bill a reward on the COMMISSION account, or a settlement on the SETTLEMENT account (DLR-05)."""

    bill_id: Identifier
    dealer_id: Identifier
    operation: Operation
    amount: Money
    text: Text = Field(description="what the bill is for, for the dealer to read")


class VoidBill(Message):
    """The bill is not owed: take it back. What was paid of it becomes its account's current balance."""

    bill_id: Identifier
    dealer_id: Identifier
    reason: Text


class CorrectBill(Message):
    """The bill was wrong: take it back, and bill this sum in its place. What was paid pays the next bill sent."""

    bill_id: Identifier
    dealer_id: Identifier
    successor_id: Identifier = Field(description="the new bill's id")
    amount: Money
    reason: Text


class MatchPayment(Message):
    """A payment in suspense is for this bill (DLR-06)."""

    match_id: Identifier
    dealer_id: Identifier
    payment_id: Text
    bill_id: Identifier
    bill_dealer_id: Identifier | None = Field(None, description="whose bill it is, where it is another dealer's")


# ---- from one dealer's book to another one's


class HandOverPayment(Fact, frozen=True, kw_only=True):
    """A payment that lay in another dealer's suspense is for a bill of this dealer. It is never refused."""

    dealer_id: Identifier
    from_dealer_id: Identifier
    payment_id: Annotated[Text, Meta(description="from_dealer_id/payment_id: no payment of this dealer has it")]
    bill_id: Identifier
    amount: Money


# ---- what this room says


class BillState(StrEnum):
    """Where a bill stands."""

    DRAFT = "draft"
    SENT = "sent"
    PART_PAID = "part_paid"
    PAID = "paid"
    OVERPAID = "overpaid"
    VOIDED = "voided"
    CORRECTED = "corrected"


class BillDrafted(Fact, frozen=True, kw_only=True):
    """A bill is on its way to Billing. Nothing is owed yet."""

    bill_id: Identifier
    dealer_id: Identifier
    account: AccountType
    operation: Operation
    common: Money
    text: Text
    corrects: Annotated[Identifier | None, Meta(description="the bill in whose place it stands")] = None
    lot_id: Annotated[Identifier | None, Meta(description="the lot whose price it bills")] = None
    month: Annotated[Text | None, Meta(description="YYYY-MM: the month whose commission it bills")] = None


class BillSent(Fact, frozen=True, kw_only=True):
    """Billing has the bill, and the dealer owes it."""

    bill_id: Identifier
    dealer_id: Identifier
    account: AccountType
    common: Money
    billing_id: Text
    url: Annotated[Text | None, Meta(description="where Billing keeps the bill's PDF")]


class Source(StrEnum):
    """Where a payment's money was before: it has just arrived at the bank, or it was waiting in suspense."""

    BANK = "bank"
    SUSPENSE = "suspense"


class BillPaid(Fact, frozen=True, kw_only=True):
    """A payment reached a bill. What was more than owed is now the account's current balance."""

    bill_id: Identifier
    dealer_id: Identifier
    payment_id: Text
    named: Annotated[Identifier, Meta(description="the bill that the payment named: another one after a correction")]
    account: AccountType
    source: Source
    received: Money
    applied_minor: NonNegativeMinor
    surplus_minor: NonNegativeMinor
    paid_minor: Annotated[NonNegativeMinor, Meta(description="paid of the bill up to now, with this payment")]
    state: BillState


class BillPaidFromBalance(Fact, frozen=True, kw_only=True):
    """The account's current balance paid a bill, or a part of it."""

    bill_id: Identifier
    dealer_id: Identifier
    account: AccountType
    applied: Money
    paid_minor: Annotated[NonNegativeMinor, Meta(description="paid of the bill up to now")]
    state: BillState


class PaymentCredited(Fact, frozen=True, kw_only=True):
    """A payment was for a bill that is voided: all of it is now the account's current balance."""

    bill_id: Identifier
    dealer_id: Identifier
    payment_id: Text
    named: Identifier
    account: AccountType
    source: Source
    received: Money


class PaymentWaits(Fact, frozen=True, kw_only=True):
    """A payment's bill is not sent (yet), or is in another currency. It waits in suspense."""

    payment_id: Text
    dealer_id: Identifier
    named: Identifier
    bill_id: Annotated[Identifier, Meta(description="what it waits for: the named bill, or its successor")]
    amount: Money


class PaymentHandedOver(Fact, frozen=True, kw_only=True):
    """A payment has left suspense: it is for another dealer's bill."""

    payment_id: Text
    dealer_id: Identifier
    named: Identifier
    bill_id: Identifier
    bill_dealer_id: Identifier
    amount: Money


class BillVoided(Fact, frozen=True, kw_only=True):
    """A bill was taken back. What was paid of it is now the account's current balance."""

    bill_id: Identifier
    dealer_id: Identifier
    account: AccountType
    reason: Text
    common: Money
    credited_minor: Annotated[NonNegativeMinor, Meta(description="what was paid, and is now the current balance")]


class BillCorrected(Fact, frozen=True, kw_only=True):
    """A bill was taken back, and another one stands in its place."""

    bill_id: Identifier
    dealer_id: Identifier
    account: AccountType
    reason: Text
    common: Money
    credited_minor: Annotated[NonNegativeMinor, Meta(description="what was paid, and is now the current balance")]
    successor_id: Identifier
