"""Dealer billing: bills on a dealer's accounts, and the payments that Billing reports. The book is the dealer."""

from enum import StrEnum

from msgspec import field
from pydantic import Field

from schemas.fields import Fact, Identifier, Message, Money, Text


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


class Refused(Fact, frozen=True, kw_only=True):
    """A bill or payment was refused; nothing moved."""

    dealer_id: Identifier
    refused_id: Text
    reason: str
    figures: dict[str, str] = field(default_factory=dict)
