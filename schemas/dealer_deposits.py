"""Dealer billing: a dealer's deposit, and the price segments that it opens for buyout bidding."""

from typing import Annotated

from msgspec import Meta
from pydantic import Field

from schemas.fields import CurrencyCode, Fact, Identifier, Message, MinorUnits, Money, NonNegativeMinor, PositiveMinor

# ---- upstream: Billing


class DepositReceived(Message):
    """Money arrived at Billing on the dealer's DEPOSIT account (DLR-08)."""

    payment_id: Identifier = Field(description="of all that Billing reports of this dealer's money")
    dealer_id: Identifier
    amount: Money


class DepositReturned(Message):
    """Billing paid the deposit, or a part of it, back to the dealer (DLR-08)."""

    payment_id: Identifier = Field(description="of all that Billing reports of this dealer's money")
    dealer_id: Identifier
    amount: Money


# ---- reference data, from Postgres by CDC


class DepositTier(Message):
    """From this deposit on, a dealer may bid in this price segment (DLR-08); a tombstone ends it."""

    tier_id: Identifier
    segment: Identifier
    currency: CurrencyCode = Field(description="of the deposit: each currency has a deposit and segments of its own")
    from_minor: PositiveMinor


# ---- what this room says


class DepositChanged(Fact, frozen=True, kw_only=True):
    """The deposit has grown, or a part of it went back. It is the current balance of the DEPOSIT account."""

    dealer_id: Identifier
    payment_id: Identifier
    currency: CurrencyCode
    change_minor: Annotated[MinorUnits, Meta(description="negative where it went back")]
    deposit_minor: Annotated[NonNegativeMinor, Meta(description="what it comes to now")]


class PriceSegmentGranted(Fact, frozen=True, kw_only=True):
    """The deposit reaches a segment's tier: the dealer may bid there, in this currency, until it is revoked."""

    dealer_id: Identifier
    segment: Identifier
    currency: CurrencyCode
    tier_id: Identifier
    from_minor: PositiveMinor
    deposit_minor: NonNegativeMinor


class PriceSegmentRevoked(Fact, frozen=True, kw_only=True):
    """No more bids there: the deposit fell, the tier was raised or ended, or reference data ended the dealer."""

    dealer_id: Identifier
    segment: Identifier
    currency: CurrencyCode
    from_minor: Annotated[PositiveMinor | None, Meta(description="what it takes now; null where no deposit opens it")]
    deposit_minor: NonNegativeMinor


# ---- a projection, for people


class ProjectedDeposit(Fact, frozen=True, kw_only=True):
    """The price segments that a dealer's deposits open. Compacted. Their sums are in `ledger.balance.projection.v1`."""

    id: Annotated[str, Meta(description="the dealer's book, the record's key")]
    dealer_id: Identifier
    segments: Annotated[
        str, Meta(description="currency and segment, as `EUR large, EUR small`; empty where none is open")
    ]
