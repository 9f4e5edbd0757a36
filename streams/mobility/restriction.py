"""What a lot may be spent on: vehicles by operator, model and type, and a most per trip (MOB-05).

A restriction travels with its lot through journal, table and changelog as one short text; empty allows anything.
"""

from functools import lru_cache

import msgspec

from schemas.fields import MAX_MINOR
from schemas.mobility import DepositBudget, VehiclePrice


class Restriction(msgspec.Struct, frozen=True, omit_defaults=True):
    """Scopes are (operator, model, type), each None where it does not matter; no scope at all allows any vehicle."""

    scopes: tuple[tuple[str | None, str | None, str | None], ...] = ()
    per_trip_minor: int | None = None

    def spendable_on(self, price: VehiclePrice) -> int:
        """The most, in minor units, that one trip on this vehicle may take; zero where it may not."""
        vehicle = (price.msp_id, price.model_id, price.vehicle_type)
        if self.scopes and not any(_covers(scope, vehicle) for scope in self.scopes):
            return 0
        return MAX_MINOR if self.per_trip_minor is None else self.per_trip_minor


def restriction_of(deposit: DepositBudget) -> str:
    """The text of a deposit's restriction."""
    scopes = tuple((scope.msp_id, scope.model_id, scope.vehicle_type) for scope in deposit.scopes)
    if not scopes and deposit.per_trip_minor is None:
        return ""
    return msgspec.json.encode(Restriction(scopes, deposit.per_trip_minor)).decode()


@lru_cache(maxsize=10_000)
def read_restriction(text: str) -> Restriction:
    """The restriction of a text."""
    return msgspec.json.decode(text, type=Restriction) if text else Restriction()


def _covers(scope: tuple[str | None, str | None, str | None], vehicle: tuple[str, str, str]) -> bool:
    return all(wanted is None or wanted == found for wanted, found in zip(scope, vehicle, strict=True))
