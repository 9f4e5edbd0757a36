"""What a ride costs: the pinned version, exact to the second, rounded half up, once (MOB-03)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.mobility import TripFundsLocked, TripSettled
from streams.mobility.price import fare_minor
from tests.unit.mobility.city import City, price

pytestmark = pytest.mark.requirement("MOB-03")


@pytest.mark.parametrize(
    ("per_minute", "seconds", "fare"),
    [
        ("20", 0, 100),
        ("20", 600, 300),
        ("20", 1, 100),  # 0.33
        ("20", 2, 101),  # 0.67
        ("30", 1, 101),  # 0.5 goes up
        ("30", 3, 102),  # 1.5 goes up: half to even would not differ
        ("30", 5, 103),  # 2.5 goes up: half to even would give 102
        ("29.999999999", 1, 100),  # 0.49999999998333
        ("0.000000001", 604_800, 100),
        ("0.1", 600, 101),
    ],
)
def test_the_fare_is_unlock_and_time_rounded_half_up(per_minute: str, seconds: int, fare: int) -> None:
    assert fare_minor(price(per_minute_minor=Decimal(per_minute)), seconds) == fare


@settings(deadline=None)
@given(
    unlock=st.integers(0, 10**6),
    billionths=st.integers(0, 10**18 - 1),
    seconds=st.integers(0, 604_800),
)
def test_the_fare_is_that_of_exact_fractions(unlock: int, billionths: int, seconds: int) -> None:
    exact = Fraction(billionths, 10**9) * seconds / 60
    rate = Decimal(billionths).scaleb(-9)
    assert fare_minor(price(unlock_minor=unlock, per_minute_minor=rate), seconds) == unlock + int(
        exact + Fraction(1, 2)
    )


def test_a_trip_is_settled_by_the_version_that_held_at_its_start() -> None:
    city = City()
    city.deposit("d1", 10_000)
    assert city.start(minutes=10).event(TripFundsLocked).price.version == 1
    city.reprice("scooter-1", version=2, per_minute_minor=99, msp_id="other")
    paid = city.end(minutes=10).event(TripSettled)
    assert (paid.price.version, paid.fare_minor, city.stands("trips/tier"), city.stands("trips/other")) == (
        1,
        300,
        300,
        0,
    )


def test_a_trip_whose_vehicle_has_lost_its_price_is_still_settled() -> None:
    city = City()
    city.start(minutes=10)
    del city.prices["scooter-1"]
    city.prices.take_changes()
    assert city.end(minutes=10).event(TripSettled).fare_minor == 300
