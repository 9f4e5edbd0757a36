"""Dealer billing: bills on a dealer's accounts, and the payments that Billing reports. The book is the dealer."""

from enum import StrEnum

from msgspec import field

from schemas.fields import Fact, Identifier, Message, Money, Text


class AccountType(StrEnum):
    """The accounts of a dealer in Billing."""

    COMMISSION = "COMMISSION"
    DEPOSIT = "DEPOSIT"
    SETTLEMENT = "SETTLEMENT"


class Operation(StrEnum):
    """What a bill is for."""

    GET_REWARD = "GET_REWARD"
    GET_SETTLEMENT = "GET_SETTLEMENT"


# ---- upstream: Billing


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
