"""Mobility: budgets deposited to sharing groups, trips paid from them. The book is the sharing group."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field
from pydantic import Field

from schemas.fields import (
    CurrencyCode,
    Fact,
    Identifier,
    Message,
    MinorUnits,
    Money,
    PositiveMinor,
    Rate,
    Record,
    UtcMicros,
)

# ---- upstream: the budget service and the trip service


class VehicleScope(Record):
    """Vehicles that a lot may be spent on. What is null is not restricted (MOB-05)."""

    msp_id: Identifier | None = None
    model_id: Identifier | None = None
    vehicle_type: Identifier | None = None


class DepositBudget(Message):
    """Put one lot of money into a group's wallet (MOB-09)."""

    deposit_id: Identifier
    group_id: Identifier
    amount: Money
    expires_at: UtcMicros | None = None
    scopes: tuple[VehicleScope, ...] = Field((), max_length=16, description="empty: any vehicle")
    per_trip_minor: PositiveMinor | None = Field(None, description="most that one trip may take from this lot")


class Funding(StrEnum):
    """Who pays for a trip (MOB-15)."""

    WALLET_ONLY = "wallet_only"
    CARD_ONLY = "card_only"
    WALLET_THEN_CARD = "wallet_then_card"


class TripStarted(Message):
    """A rider unlocked a vehicle. The fare of the estimated time is locked, at the price that holds now."""

    trip_id: Identifier
    group_id: Identifier
    rider_id: Identifier
    vehicle_id: Identifier
    estimated_seconds: int = Field(gt=0, le=86_400)
    funding: Funding


class TripEnded(Message):
    """The rider gave the vehicle back. The fare of the real time is settled at the price pinned at the start."""

    trip_id: Identifier
    group_id: Identifier
    ridden_seconds: int = Field(ge=0, le=604_800)


class TripCancelled(Message):
    """The trip did not take place. What was locked is released."""

    trip_id: Identifier
    group_id: Identifier
    reason: Identifier


# ---- reference data, from Postgres by CDC


class VehiclePrice(Message):
    """What a ride on one vehicle costs from now on: its operator and model, and the fee schedule version (MOB-03)."""

    vehicle_id: Identifier
    msp_id: Identifier
    model_id: Identifier
    vehicle_type: Identifier
    schedule_id: Identifier
    version: int = Field(ge=1)
    currency: CurrencyCode
    unlock_minor: MinorUnits
    per_minute_minor: Rate = Field(description="minor units per minute, exact; the fare is rounded half up, once")
    vat_rate: Rate = Field(description="share of the net price, 0.25 for 25 %")


class GroupMember(Message):
    """A rider belongs to a group from now on."""

    group_id: Identifier
    rider_id: Identifier


class GroupMemberLeft(Message):
    """A rider belongs to the group no more."""

    group_id: Identifier
    rider_id: Identifier


# ---- what this room says


class TripFundsLocked(Fact, frozen=True, kw_only=True):
    """The trip's price is pinned and its wallet part is locked."""

    trip_id: Identifier
    group_id: Identifier
    rider_id: Identifier
    price: VehiclePrice
    funding: Funding
    started_at: UtcMicros
    deadline: UtcMicros
    locked_minor: MinorUnits
    card_estimate_minor: MinorUnits


class TripSettled(Fact, frozen=True, kw_only=True):
    """The trip is paid: wallet first, the rest charged to the rider's card. An invoice is made from this."""

    trip_id: Identifier
    group_id: Identifier
    rider_id: Identifier
    price: VehiclePrice
    started_at: UtcMicros
    ended_at: UtcMicros
    ridden_seconds: int
    fare_minor: MinorUnits
    wallet_minor: MinorUnits
    card_minor: MinorUnits


class TripEndWaits(Fact, frozen=True, kw_only=True):
    """The end of a trip came before its start. It waits for the start until the deadline; no money moves yet."""

    trip_id: Identifier
    group_id: Identifier
    ridden_seconds: int
    ended_at: UtcMicros
    deadline: UtcMicros


class ReleaseCause(StrEnum):
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


class TripReleased(Fact, frozen=True, kw_only=True):
    """The trip's lock is released; nothing is charged (MOB-16)."""

    trip_id: Identifier
    group_id: Identifier
    cause: ReleaseCause
    released_minor: MinorUnits
    at: UtcMicros


class BudgetDeposited(Fact, frozen=True, kw_only=True):
    """A lot stands in the group's wallet."""

    deposit_id: Identifier
    group_id: Identifier
    amount: Money
    expires_at: UtcMicros | None


class BudgetExpired(Fact, frozen=True, kw_only=True):
    """The rest of a lot left the wallet on its day (MOB-09)."""

    group_id: Identifier
    deposit_id: Identifier
    amount: Money


class Refused(Fact, frozen=True, kw_only=True):
    """A trip or deposit was refused; nothing moved."""

    group_id: Identifier
    refused_id: Annotated[Identifier, Meta(description="the trip's or the deposit's id")]
    reason: str
    figures: dict[str, str] = field(default_factory=dict)


class ChargeCard(Fact, frozen=True, kw_only=True):
    """Charge the rider's payment method off-session with what the wallet did not pay."""

    charge_id: Identifier
    trip_id: Identifier
    group_id: Identifier
    rider_id: Identifier
    amount: Money
