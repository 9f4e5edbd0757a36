"""The reference data that both sides of the torture go by: who and what exists, and what a ride costs."""

from decimal import Decimal
from typing import NamedTuple


class Vehicle(NamedTuple):
    """Who earns by a vehicle, and its price: minor units, and minor units a minute."""

    msp_id: str
    unlock_minor: int
    per_minute: Decimal


class Facts(NamedTuple):
    """All that the model may know beside the inputs. Members are riders by group."""

    vehicles: dict[str, Vehicle]
    members: dict[str, list[str]]
    dealers: list[str]
    prisoners: list[str]
    suppliers: list[str]
