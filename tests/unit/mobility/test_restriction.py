"""What a lot may be spent on: operator, model, type, and a most per trip (MOB-05, MOB-15)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.mobility import Funding, TripFundsLocked, TripSettled
from tests.rooms import HOUR, MINUTE
from tests.unit.mobility.city import City

pytestmark = pytest.mark.requirement("MOB-15")


@pytest.mark.parametrize(
    ("scopes", "scooter", "bike"),
    [
        ((), 300, 300),
        (("- - -",), 300, 300),
        (("tier - -",), 300, 0),
        (("- b1 -",), 0, 300),
        (("- - bike",), 0, 300),
        (("tier s3 scooter",), 300, 0),
        (("tier b1 -",), 0, 0),
        (("donkey - scooter",), 0, 0),
        (("tier - -", "- b1 -"), 300, 300),
        (("Tier - -",), 0, 0),
    ],
)
def test_a_lot_pays_for_the_vehicles_of_its_scopes_only(scopes: tuple[str, ...], scooter: int, bike: int) -> None:
    for vehicle, locked in (("scooter-1", scooter), ("bike-1", bike)):
        city = City()
        city.deposit("d1", 1000, scopes=scopes)
        assert city.start(minutes=10, vehicle=vehicle).event(TripFundsLocked).locked_minor == locked


def test_a_restricted_lot_that_expires_first_is_passed_over_for_one_that_may_pay() -> None:
    city = City()
    city.deposit("bikes", 1000, until=HOUR, scopes=("- - bike",))
    city.deposit("any", 1000)
    city.start(minutes=10)
    assert city.wallet == "bikes:1000 any:1000/300"


def test_a_lot_gives_one_trip_no_more_than_its_most_per_trip() -> None:
    city = City()
    city.deposit("d1", 1000, per_trip=120)
    event = city.start(minutes=10).event(TripFundsLocked)
    assert (event.locked_minor, event.card_estimate_minor) == (120, 180)


def test_the_most_per_trip_counts_what_the_lock_took_when_the_fare_exceeds_it() -> None:
    city = City()
    city.deposit("d1", 1000, per_trip=350)
    city.start(minutes=10)  # locks 300
    told = city.end(minutes=60).event(TripSettled)
    assert (told.fare_minor, told.wallet_minor, told.card_minor) == (1300, 350, 950)


def test_the_most_per_trip_holds_for_each_lot_and_for_each_trip() -> None:
    city = City()
    city.deposit("d1", 1000, until=HOUR, per_trip=100)
    city.deposit("d2", 1000, until=2 * HOUR, per_trip=150)
    for trip in ("t1", "t2"):
        city.start(trip, minutes=10)
        assert city.end(trip, minutes=10).event(TripSettled).wallet_minor == 250
    assert city.wallet == "d1:800 d2:700"


@pytest.mark.requirement("MOB-16")
def test_the_most_per_trip_holds_for_a_trip_that_ends_after_its_timeout() -> None:
    city = City()
    city.deposit("d1", 1000, per_trip=120)
    city.start(minutes=10)
    city.wait(5 * HOUR)
    assert city.end(minutes=10).event(TripSettled).wallet_minor == 120


def test_the_most_per_trip_holds_when_the_end_came_first() -> None:
    city = City()
    city.deposit("d1", 1000, per_trip=120)
    city.end(minutes=30)
    assert city.start(minutes=1).event(TripSettled).wallet_minor == 120


def test_a_trip_stays_within_the_restrictions_above_its_lock() -> None:
    city = City()
    city.deposit("any", 300, until=HOUR)
    city.deposit("bikes", 1000, scopes=("- - bike",))
    city.start(minutes=10)
    told = city.end(minutes=20).event(TripSettled)
    assert (told.wallet_minor, told.card_minor) == (300, 200)


@pytest.mark.requirement("BEY-03")
def test_a_refusal_tells_of_every_lot_why_and_how_much_of_it_was_not_usable() -> None:
    city = City()
    city.deposit("gone", 40, until=MINUTE)
    city.deposit("held", 250)
    city.start("t0", minutes=7, rider="bob")  # locks 240: gone's 40, and 200 of held
    city.deposit("late", 60, until=2 * MINUTE)
    city.deposit("bikes", 500, scopes=("- - bike",))
    city.deposit("capped", 90, per_trip=20)
    city.stage.now += 3 * MINUTE
    told = city.start("t1", minutes=10, funding=Funding.WALLET_ONLY)
    assert told.figures == {
        "account": "wallet",
        "currency": "EUR",
        "usable": "70",
        "wanted": "300",
        "missing": "230",
        "available": "700",
        "locked": "240",
        "not_usable": "40 of gone locked, 60 of late expired, 500 of bikes for other vehicles, "
        "70 of capped above 20 a trip, 200 of held locked",
    }


@pytest.mark.requirement("BEY-03")
def test_a_refusal_over_hundreds_of_lots_names_the_first_and_counts_the_rest() -> None:
    city = City()
    for number in range(200):
        city.deposit(f"d{number:03}", 1, scopes=("- - bike",))
    told = city.start(funding=Funding.WALLET_ONLY)
    assert told.figures["not_usable"].startswith("1 of d000 for other vehicles, 1 of d001")
    assert told.figures["not_usable"].endswith(", and 190 more")


@settings(deadline=None)
@given(
    caps=st.lists(st.one_of(st.none(), st.integers(1, 400)), min_size=1, max_size=4),
    estimated=st.integers(1, 60),
    ridden=st.integers(0, 120),
)
def test_no_trip_ever_takes_more_of_a_lot_than_its_most_per_trip(
    caps: list[int | None], estimated: int, ridden: int
) -> None:
    city = City()
    for number, cap in enumerate(caps):
        city.deposit(f"d{number}", 500, per_trip=cap)
    city.start(minutes=estimated)
    paid = city.end(minutes=ridden).event(TripSettled)
    assert paid.wallet_minor == min(paid.fare_minor, sum(min(500, cap or 500) for cap in caps))
