"""The reference data that both sides of the torture go by: who and what exists, and what a ride costs."""

from decimal import Decimal
from typing import NamedTuple


class Vehicle(NamedTuple):
    """Who earns by a vehicle, and its price: minor units, and minor units a minute."""

    msp_id: str
    unlock_minor: int
    per_minute: Decimal


class Policy(NamedTuple):
    """Every prison's policy on advances, in pence and London days."""

    allowed: int
    instalment: int
    every_days: int
    circumstances: tuple[str, ...]


class Dealing(NamedTuple):
    """What commission goes by: shares with when they begin, UTC micros, the first one first; in whose zone a month
    ends, and how many days later it is billed."""

    rates: tuple[tuple[Decimal, int], ...]
    zone: str
    bill_after_days: int


class Facts(NamedTuple):
    """All that the model may know beside the inputs. Members are riders by group.

    Permissions to add cash to spends are (until, UTC micros; most, pence) by prisoner; officers are (prison, may
    approve, may write off); cost centres are by prison, and codes of the general ledger by account.
    """

    vehicles: dict[str, Vehicle]
    members: dict[str, list[str]]
    dealers: list[str]
    prisoners: list[str]
    suppliers: list[str]
    prison_of: dict[str, str]
    permissions: dict[str, tuple[int | None, int | None]]
    officers: dict[str, tuple[str, bool, bool]]
    policy: Policy
    cost_centres: dict[str, str]
    codes: dict[str, str]
    dealing: Dealing
