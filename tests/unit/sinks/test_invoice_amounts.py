"""What an invoice says about money: rounding, sums, currencies."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sinks.invoices.invoice import Item, NotInvoiceable, Reason, check, invoice, is_charged, net
from tests.unit.sinks.rides import SWIFT, invoiced, ride

pytestmark = pytest.mark.requirement("MOB-25")


def test_the_unlock_fee_and_the_riding_time_are_lines_of_their_own() -> None:
    unlock, riding = invoiced(ride(fare_minor=6_239)).lines

    assert (unlock.item, unlock.quantity, unlock.gross_minor) == (Item.UNLOCK, 1, 1_000)
    assert (riding.item, riding.quantity, riding.gross_minor) == (Item.RIDE, 1_397, 5_239)


@pytest.mark.parametrize(
    ("gross_minor", "vat_rate", "expected"),
    [
        (1_000, "0.25", 800),
        (5_239, "0.25", 4_191),  # 4191.2
        (100, "0.20", 83),  # 83.33
        (103, "0.20", 86),  # 85.83
        (3, "0.20", 3),  # 2.5 exactly: half goes up
        (1, "0.25", 1),  # 0.8
        (0, "0.25", 0),
        (1_234, "0", 1_234),
    ],
)
def test_net_is_gross_without_its_vat_rounded_half_up(gross_minor: int, vat_rate: str, expected: int) -> None:
    assert net(gross_minor, Decimal(vat_rate)) == expected


@given(
    fare=st.integers(1, 10**12),
    unlock=st.integers(0, 10**6),
    rate=st.decimals(0, 1, places=4),
)
def test_every_line_and_every_total_adds_up_to_what_was_paid(fare: int, unlock: int, rate: Decimal) -> None:
    trip = ride(fare_minor=fare, unlock_minor=unlock, vat_rate=rate)

    made = invoice(trip, SWIFT, "SWIFT-26-03-000001")

    assert made.gross_minor == made.net_minor + made.vat_minor == fare == made.wallet_minor + made.card_minor
    assert all(line.gross_minor == line.net_minor + line.vat_minor for line in made.lines)
    assert all(line.vat_minor >= 0 for line in made.lines)
    # Each of two lines is off by half a unit of net at most, which moves as much into or out of the VAT, and its share.
    assert abs(made.vat_minor - made.net_minor * rate) <= 1 + rate


def test_a_trip_that_cost_nothing_has_no_invoice() -> None:
    assert not is_charged(ride(fare_minor=0))


def test_a_line_of_nothing_is_not_printed() -> None:
    assert [line.item for line in invoiced(ride(unlock_minor=0)).lines] == [Item.RIDE]


def test_a_fare_below_the_unlock_fee_is_all_unlock_fee() -> None:
    made = invoiced(ride(fare_minor=600))

    assert [(line.item, line.gross_minor) for line in made.lines] == [(Item.UNLOCK, 600)]


@pytest.mark.parametrize(
    ("trip", "reason"),
    [
        (ride(fare_minor=-1), Reason.NEGATIVE_FARE),
        (replace(ride(), card_minor=1), Reason.PAYMENT_DIFFERS),
    ],
)
def test_an_event_that_contradicts_itself_is_refused(trip: object, reason: Reason) -> None:
    with pytest.raises(NotInvoiceable) as refused:
        check(trip)  # type: ignore[arg-type]

    assert refused.value.reason is reason
