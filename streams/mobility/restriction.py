"""What a lot may be spent on: vehicles by operator, model and type, and a most per trip (MOB-05).

A restriction travels with its lot through journal, table and changelog as one short text; empty allows anything.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from schemas.fields import MAX_MINOR
from schemas.mobility import DepositBudget, VehiclePrice
from streams.ledger.lots import Lot

TOLD_LOTS = 10
"""Lots that an explanation names at most."""


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


def why_not(lots: Iterable[Lot], price: VehiclePrice, at: int) -> str:
    """What keeps a wallet's money from one trip, lot by lot: `500 of d1 expired, 200 of d2 locked` (BEY-03)."""
    told = [part for lot in lots for part in _kept_back(lot, price, at)]
    rest = len(told) - TOLD_LOTS
    return ", ".join(told[:TOLD_LOTS]) + (f", and {rest} more" if rest > 0 else "")


def _kept_back(lot: Lot, price: VehiclePrice, at: int) -> Iterator[str]:
    if lot.locked_minor:
        yield f"{lot.locked_minor} of {lot.lot_id} locked"
    most = read_restriction(lot.restriction).spendable_on(price)
    if not lot.free:
        return
    if lot.expires_at is not None and lot.expires_at <= at:
        yield f"{lot.free} of {lot.lot_id} expired"
    elif not most:
        yield f"{lot.free} of {lot.lot_id} for other vehicles"
    elif most < lot.free:
        yield f"{lot.free - most} of {lot.lot_id} above {most} a trip"


def _covers(scope: tuple[str | None, str | None, str | None], vehicle: tuple[str, str, str]) -> bool:
    return all(wanted is None or wanted == found for wanted, found in zip(scope, vehicle, strict=True))
