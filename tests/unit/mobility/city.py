"""One city on a stage: a sharing group of two riders, two vehicles, and what they do, in few words."""

from typing import Any

from schemas.fields import Message, Money
from schemas.mobility import (
    DepositBudget,
    Funding,
    GroupMember,
    TripCancelled,
    TripEnded,
    TripStarted,
    VehiclePrice,
    VehicleScope,
)
from streams.mobility.room import Mobility, Tables
from streams.mobility.trip import Trip
from streams.runtime.rows import Rows
from tests.rooms import Stage, Told

BOOK = "group:g1"


def price(vehicle: str = "scooter-1", **fields: Any) -> VehiclePrice:
    """1.00 EUR to unlock and 0.20 EUR a minute, unless said otherwise."""
    usual = {
        "vehicle_id": vehicle,
        "msp_id": "tier",
        "model_id": "s3",
        "vehicle_type": "scooter",
        "schedule_id": "tariff",
        "version": 1,
        "currency": "EUR",
        "unlock_minor": 100,
        "per_minute_minor": 20,
        "vat_rate": "0.25",
    }
    return VehiclePrice.model_validate(usual | fields)


def scope(text: str) -> VehicleScope:
    """`msp model type`, `-` where it does not matter."""
    msp, model, kind = (None if part == "-" else part for part in text.split())
    return VehicleScope(msp_id=msp, model_id=model, vehicle_type=kind)


class City:
    """The room of mobility with group `g1`; riders `ann` and `bob`; vehicles `scooter-1` and `bike-1`."""

    def __init__(self, **stage: Any) -> None:
        self.trips: Rows[Trip] = Rows(Trip, due=lambda trip: trip.until)
        self.prices: Rows[VehiclePrice] = Rows(VehiclePrice)
        self.members: Rows[GroupMember] = Rows(GroupMember)
        for rider in ("ann", "bob"):
            self.members[f"{BOOK}|{rider}"] = GroupMember(group_id="g1", rider_id=rider)
        self.prices["scooter-1"] = price()
        self.prices["bike-1"] = price("bike-1", msp_id="donkey", model_id="b1", vehicle_type="bike")
        for rows in (self.prices, self.members):
            rows.take_changes()
        tables = (self.trips, self.prices, self.members)
        self.stage = Stage(
            lambda ledger: Mobility(Tables(*tables, ledger.balances), ledger),
            *tables,
            **stage,
        )

    # ---- when

    def reprice(self, vehicle: str, **fields: Any) -> None:
        """Another price holds from now on."""
        self.prices[vehicle] = price(vehicle, **fields)
        self.prices.take_changes()

    def deposit(
        self,
        deposit: str,
        amount: int,
        *,
        until: int | None = None,
        scopes: tuple[str, ...] = (),
        per_trip: int | None = None,
        currency: str = "EUR",
        **sent: Any,
    ) -> Told:
        """The budget service deposits; `until` is the expiry in microseconds from now."""
        command = DepositBudget(
            deposit_id=deposit,
            group_id="g1",
            amount=Money(amount_minor=amount, currency=currency),
            expires_at=None if until is None else self.stage.now + until,
            scopes=tuple(scope(text) for text in scopes),
            per_trip_minor=per_trip,
        )
        return self.send(command, **sent)

    def start(
        self,
        trip: str = "t1",
        minutes: int = 10,
        *,
        rider: str = "ann",
        vehicle: str = "scooter-1",
        funding: Funding = Funding.WALLET_THEN_CARD,
        **sent: Any,
    ) -> Told:
        """A rider unlocks a vehicle, for so many estimated minutes."""
        event = TripStarted(
            trip_id=trip,
            group_id="g1",
            rider_id=rider,
            vehicle_id=vehicle,
            estimated_seconds=minutes * 60,
            funding=funding,
        )
        return self.send(event, **sent)

    def end(self, trip: str = "t1", minutes: int = 10, *, seconds: int = 0, **sent: Any) -> Told:
        """The rider gives the vehicle back, after so many ridden minutes and seconds."""
        return self.send(TripEnded(trip_id=trip, group_id="g1", ridden_seconds=minutes * 60 + seconds), **sent)

    def cancel(self, trip: str = "t1", **sent: Any) -> Told:
        """The trip did not take place."""
        return self.send(TripCancelled(trip_id=trip, group_id="g1", reason="rider"), **sent)

    def send(self, message: Message, **sent: Any) -> Told:
        """Any message."""
        return self.stage.send(message, **sent)

    def wait(self, micros: int) -> Told:
        """Time passes, then a tick."""
        return self.stage.wait(micros)

    # ---- then

    @property
    def wallet(self) -> str:
        """The wallet's lots in the order of spending: `d1:500 d2:300/200`, where 200 of d2's 300 are locked."""
        balance = self.stage.balance(BOOK, "wallet")
        return " ".join(
            f"{lot.lot_id}:{lot.amount_minor}" + (f"/{lot.locked_minor}" if lot.locked_minor else "")
            for lot in (balance.lots if balance else ())
        )

    def stands(self, account: str, currency: str = "EUR") -> int:
        """What stands on an account of the group's book."""
        balance = self.stage.balance(BOOK, account, currency)
        return balance.posted if balance else 0

    def state(self, trip: str = "t1") -> str | None:
        """A trip's state; None if it is not known."""
        row = self.trips.get(f"{BOOK}|{trip}")
        return row.state.value if row else None
