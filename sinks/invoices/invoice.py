"""What an invoice says, from a settled trip and the operator that issues it (MOB-25). Pure.

Fares are prices with VAT included. Each line is rounded by itself and then summed (BR-CO-10):

    net of a line = its gross / (1 + VAT rate), rounded half up to the minor unit
    VAT of a line = its gross - its net, so that line by line nothing is lost
    totals        = sums of the lines

So the total VAT may differ from rate x total net by less than one minor unit a line; the gross never differs from what
was paid. The unlock fee comes first; the riding time is the rest of the fare, which was rounded once, upstream.

No invoice is made, and no number given, for a trip that cost nothing: there is no supply for a consideration.
"""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from schemas.fields import from_micros
from schemas.mobility import TripSettled


class Reason(StrEnum):
    """Why a settled trip has no invoice yet, in order of precedence. It is parked under this word."""

    NEGATIVE_FARE = "negative_fare"
    PAYMENT_DIFFERS = "payment_differs"
    ALREADY_INVOICED = "already_invoiced"
    UNKNOWN_ISSUER = "unknown_issuer"
    UNKNOWN_ZONE = "unknown_zone"
    UNPRINTABLE = "unprintable"


class NotInvoiceable(ValueError):
    """This trip cannot be invoiced as things are; `reason` is for machines, the message for people."""

    def __init__(self, reason: Reason, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason


class Issuer(msgspec.Struct, frozen=True):
    """Who sells the ride. `code` begins the invoice numbers, `zone` is that of the invoice's dates."""

    issuer_id: str
    code: str
    legal_name: str
    address: tuple[str, ...]
    country: str
    vat_number: str
    zone: str
    contact: str = ""


class Item(StrEnum):
    """What is sold."""

    UNLOCK = "unlock"
    RIDE = "ride"


class Line(msgspec.Struct, frozen=True):
    """One line: seconds for a ride, pieces for an unlock; the unit price is in minor units, VAT included."""

    item: Item
    quantity: int
    unit_minor: Decimal
    gross_minor: int
    net_minor: int

    @property
    def vat_minor(self) -> int:
        return self.gross_minor - self.net_minor


class Invoice(msgspec.Struct, frozen=True):
    """All that is printed. The customer is the rider's id; nothing else about the person is known here."""

    number: str
    issuer: Issuer
    rider_id: str
    trip_id: str
    vehicle_id: str
    model_id: str
    vehicle_type: str
    schedule: str
    currency: str
    vat_rate: Decimal
    started_at: int
    ended_at: int
    lines: tuple[Line, ...]
    wallet_minor: int
    card_minor: int

    @property
    def gross_minor(self) -> int:
        return sum(line.gross_minor for line in self.lines)

    @property
    def net_minor(self) -> int:
        return sum(line.net_minor for line in self.lines)

    @property
    def vat_minor(self) -> int:
        return sum(line.vat_minor for line in self.lines)

    @property
    def issued_at(self) -> datetime:
        """The moment of issue, in the issuer's zone: the end of the ride, which is also the time of supply.

        It comes from the message, so that the same record gives the same invoice whenever it is made.
        """
        return local(self.issuer, self.ended_at)

    @property
    def path(self) -> str:
        """Its name under the blob address."""
        return f"invoices/{self.issuer.code}/{self.issued_at:%Y}/{self.number}.pdf"


def is_charged(trip: TripSettled) -> bool:
    """Whether there is anything to invoice."""
    return trip.fare_minor != 0


def check(trip: TripSettled) -> None:
    """Raises `NotInvoiceable` if the event contradicts itself."""
    if trip.fare_minor < 0:
        raise NotInvoiceable(Reason.NEGATIVE_FARE, f"trip {trip.trip_id} has a fare of {trip.fare_minor}")
    if trip.wallet_minor + trip.card_minor != trip.fare_minor:
        problem = f"trip {trip.trip_id}: {trip.wallet_minor} + {trip.card_minor} is not the fare {trip.fare_minor}"
        raise NotInvoiceable(Reason.PAYMENT_DIFFERS, problem)


def local(issuer: Issuer, micros: int) -> datetime:
    """A moment in the issuer's zone. Raises `NotInvoiceable` if there is no such zone."""
    try:
        return from_micros(micros).astimezone(ZoneInfo(issuer.zone))
    except (ZoneInfoNotFoundError, ValueError) as error:
        problem = f"issuer {issuer.issuer_id}: no such zone: {issuer.zone!r}"
        raise NotInvoiceable(Reason.UNKNOWN_ZONE, problem) from error


def series_of(trip: TripSettled, issuer: Issuer, partition: int) -> str:
    """The series that numbers this invoice: one for each issuer, year of issue and partition.

    Each is free of gaps (Art. 226 of 2006/112/EC: "one or more series"). With a series of its own for each partition
    the numbers follow from the order of the log alone: no two workers share one, and a second run gives them again.
    """
    return f"{issuer.code}-{local(issuer, trip.ended_at):%y}-{partition:02d}"


def number_of(series: str, number: int) -> str:
    return f"{series}-{number:06d}"


def invoice(trip: TripSettled, issuer: Issuer, number: str) -> Invoice:
    """The invoice of a trip that `check` accepts."""
    price = trip.price
    return Invoice(
        number=number,
        issuer=issuer,
        rider_id=trip.rider_id,
        trip_id=trip.trip_id,
        vehicle_id=price.vehicle_id,
        model_id=price.model_id,
        vehicle_type=price.vehicle_type,
        schedule=f"{price.schedule_id} v{price.version}",
        currency=price.currency,
        vat_rate=price.vat_rate,
        started_at=trip.started_at,
        ended_at=trip.ended_at,
        lines=_lines(trip),
        wallet_minor=trip.wallet_minor,
        card_minor=trip.card_minor,
    )


def net(gross_minor: int, vat_rate: Decimal) -> int:
    """What remains of a gross amount without its VAT, rounded half up."""
    return int((gross_minor / (1 + vat_rate)).to_integral_value(ROUND_HALF_UP))


def _lines(trip: TripSettled) -> tuple[Line, ...]:
    price = trip.price
    unlock = min(price.unlock_minor, trip.fare_minor)
    ride = trip.fare_minor - unlock
    lines = (
        Line(Item.UNLOCK, 1, Decimal(unlock), unlock, net(unlock, price.vat_rate)),
        Line(Item.RIDE, trip.ridden_seconds, price.per_minute_minor, ride, net(ride, price.vat_rate)),
    )
    return tuple(line for line in lines if line.gross_minor)
