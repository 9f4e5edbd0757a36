"""Rides and issuers for the tests of invoices, in few words."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from schemas.fields import to_micros
from schemas.mobility import TripSettled, VehiclePrice
from sinks.invoices.invoice import Invoice, Issuer, invoice, number_of, series_of

BEGIN = datetime(2026, 7, 3, 15, 42, 10, tzinfo=UTC)

SWIFT = Issuer(
    issuer_id="swift",
    code="SWIFT",
    legal_name="Swift Mobility ApS",
    address=("Vesterbrogade 12", "1620 København V"),
    country="DK",
    vat_number="DK12345678",
    zone="Europe/Copenhagen",
    contact="support@swift.example",
)


def price(**fields: Any) -> VehiclePrice:
    """10.00 DKK to unlock and 2.25 DKK a minute with 25 % VAT, unless said otherwise."""
    usual = {
        "vehicle_id": "SW-E-20931",
        "msp_id": "swift",
        "model_id": "Max-G3",
        "vehicle_type": "e-scooter",
        "schedule_id": "cph-standard",
        "version": 4,
        "currency": "DKK",
        "unlock_minor": 1_000,
        "per_minute_minor": Decimal(225),
        "vat_rate": Decimal("0.25"),
    }
    return VehiclePrice(**(usual | fields))


def ride(seconds: int = 1_397, fare_minor: int = 6_239, wallet_minor: int = 5_000, **of_price: Any) -> TripSettled:
    """A ride of 23 min 17 s on 3 July 2026, its first 50.00 paid by the wallet."""
    begin = to_micros(BEGIN)
    wallet = min(wallet_minor, fare_minor)
    return TripSettled(
        trip_id="trip-8f21c",
        group_id="family-7",
        rider_id="rider-4711",
        price=price(**of_price),
        started_at=begin,
        ended_at=begin + seconds * 1_000_000,
        ridden_seconds=seconds,
        fare_minor=fare_minor,
        wallet_minor=wallet,
        card_minor=fare_minor - wallet,
    )


def invoiced(trip: TripSettled | None = None, issuer: Issuer = SWIFT) -> Invoice:
    """The 42nd invoice of partition 3."""
    trip = trip or ride()
    return invoice(trip, issuer, number_of(series_of(trip, issuer, 3), 42))
