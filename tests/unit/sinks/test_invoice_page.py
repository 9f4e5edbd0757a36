"""What is printed: words, dates in the issuer's zone, figures with the currency's decimals."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from sinks.invoices.invoice import NotInvoiceable, Reason, number_of, series_of
from sinks.invoices.render import page
from tests.unit.sinks.rides import SWIFT, invoiced, ride

pytestmark = pytest.mark.requirement("MOB-25")


@pytest.mark.parametrize(
    ("currency", "gross", "unit"),
    [("DKK", "62.39", "2.25 / min"), ("JPY", "6,239", "225 / min"), ("KWD", "6.239", "0.225 / min")],
)
def test_figures_have_the_decimals_of_their_currency(currency: str, gross: str, unit: str) -> None:
    printed = page(invoiced(ride(currency=currency)))

    assert (printed["gross"], printed["lines"][1]["unit"]) == (gross, unit)


def test_a_unit_price_is_printed_with_all_its_decimals() -> None:
    printed = page(invoiced(ride(per_minute_minor=Decimal("225.125"))))

    assert printed["lines"][1]["unit"] == "2.25125 / min"


def test_riding_time_is_printed_to_the_second_as_it_was_charged() -> None:
    assert page(invoiced(ride(seconds=1_397)))["lines"][1]["quantity"] == "23 min 17 s"
    assert page(invoiced(ride(seconds=3_725)))["lines"][1]["quantity"] == "1 h 02 min 05 s"


def test_times_are_those_of_the_issuer() -> None:
    printed = page(invoiced())

    assert printed["issued"] == "3 July 2026"
    assert printed["supplied"] == ["3 July 2026", "17:42:10 – 18:05:27"]
    assert printed["zone"] == "Europe/Copenhagen, UTC+02:00"


def test_a_ride_over_midnight_shows_both_days() -> None:
    tokyo = replace(SWIFT, zone="Asia/Singapore")

    assert page(invoiced(ride(), tokyo))["supplied"] == ["3 July 2026, 23:42:10", "to 4 July 2026, 00:05:27"]


def test_only_what_paid_is_listed() -> None:
    assert [part["how"] for part in page(invoiced(ride(wallet_minor=99_999)))["paid"]] == [
        "Wallet of the sharing group"
    ]
    assert [part["amount"] for part in page(invoiced())["paid"]] == ["50.00", "12.39"]


def test_the_rider_appears_as_an_id_and_the_group_not_at_all() -> None:
    printed = str(page(invoiced()))

    assert "rider-4711" in printed
    assert "family-7" not in printed


def test_the_year_of_a_number_is_the_year_in_the_issuers_zone() -> None:
    at_new_year = replace(ride(), ended_at=1_798_757_999_000_000)  # 2026-12-31T22:59:59Z

    assert series_of(at_new_year, SWIFT, 3) == "SWIFT-26-03"
    assert series_of(at_new_year, replace(SWIFT, zone="Asia/Tokyo"), 3) == "SWIFT-27-03"
    assert number_of("SWIFT-26-03", 42) == "SWIFT-26-03-000042"


def test_an_unknown_zone_is_refused_by_name() -> None:
    with pytest.raises(NotInvoiceable, match="Mars/Olympus") as refused:
        series_of(ride(), replace(SWIFT, zone="Mars/Olympus"), 3)

    assert refused.value.reason is Reason.UNKNOWN_ZONE
