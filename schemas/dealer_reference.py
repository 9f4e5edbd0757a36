"""What dealer billing goes by, from Postgres by CDC: commission rates and policy, deposit tiers."""

from pydantic import Field

from schemas.fields import Count, CurrencyCode, Identifier, Message, PositiveMinor, Rate, Text, UtcMicros


class CommissionRate(Message):
    """A version of our percentage, never changed. A deal has the latest that was valid when it was concluded."""

    rate_id: Identifier
    version: Count
    share: Rate = Field(description="of the price: 0.05 is five per cent; never 1 or more")
    valid_from: UtcMicros


class CommissionPolicy(Message):
    """In whose zone a month ends, and how long after it commission is billed. One row; a tombstone stops billing."""

    policy_id: Identifier
    zone: Text = Field(description="of the IANA database, as Europe/Moscow")
    bill_after_days: Count = Field(description="days from a month's end to its bill")


class DepositTier(Message):
    """From this deposit on, a dealer may bid in this price segment (DLR-08); a tombstone ends it."""

    tier_id: Identifier
    segment: Identifier
    currency: CurrencyCode
    from_minor: PositiveMinor
