"""Dealer billing: bills on a dealer's accounts, and the payments that Billing reports. The book is the dealer."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field
from pydantic import Field

from schemas.fields import Fact, Identifier, Message, MinorUnits, Money, Text


class AccountType(StrEnum):
    """The accounts of a dealer in Billing."""

    COMMISSION = "COMMISSION"
    DEPOSIT = "DEPOSIT"
    SETTLEMENT = "SETTLEMENT"


class Operation(StrEnum):
    """What a bill is raised for."""

    GET_REWARD = "GET_REWARD"
    GET_SETTLEMENT = "GET_SETTLEMENT"


# ---- upstream: our own API, and Billing


class RaiseBill(Message):
    """Raise a bill: a reward on the COMMISSION account, a settlement on the SETTLEMENT account (DLR-05)."""

    bill_id: Identifier
    dealer_id: Identifier
    operation: Operation
    amount: Money
    url: Text = Field(description="where Billing keeps the bill's PDF")


class BillingPayment(Message):
    """Money arrived at Billing for a bill: a part of it, all of it, or more (DLR-06)."""

    payment_id: Identifier
    dealer_id: Identifier
    bill_id: Identifier
    amount: Money


# ---- reference data, from Postgres by CDC


class Dealer(Message):
    """A dealer who accepted the offer; a tombstone ends it."""

    dealer_id: Identifier
    cme_dealer_id: Identifier
    name: Text


# ---- what this room says


class BillStatus(StrEnum):
    OPEN = "open"
    PART_PAID = "part_paid"
    PAID = "paid"


class BillRaised(Fact, frozen=True, kw_only=True):
    """A bill stands. `paid_minor` is what the account's current balance paid of it at once."""

    bill_id: Identifier
    dealer_id: Identifier
    account: AccountType
    operation: Operation
    common: Money
    paid_minor: MinorUnits
    status: BillStatus
    url: Text


class PaidFrom(StrEnum):
    """Where a payment's money was: it has just arrived at the bank, or it was waiting for its bill in suspense."""

    BANK = "bank"
    SUSPENSE = "suspense"


class BillPaid(Fact, frozen=True, kw_only=True):
    """A payment reached its bill. What was more than owed is now the account's current balance."""

    bill_id: Identifier
    dealer_id: Identifier
    payment_id: Identifier
    account: AccountType
    paid_from: PaidFrom
    received: Money
    applied_minor: MinorUnits
    surplus_minor: MinorUnits
    paid_minor: Annotated[MinorUnits, Meta(description="paid of the bill up to now, with this payment")]
    status: BillStatus


class PaymentSuspended(Fact, frozen=True, kw_only=True):
    """A payment names a bill that does not stand (yet). It waits in suspense and is matched when the bill is raised."""

    payment_id: Identifier
    dealer_id: Identifier
    bill_id: Identifier
    amount: Money


class Refused(Fact, frozen=True, kw_only=True):
    """A bill or payment was refused; nothing moved."""

    dealer_id: Identifier
    refused_id: Text
    reason: str
    figures: dict[str, str] = field(default_factory=dict)
