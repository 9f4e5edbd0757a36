"""The life of a lot: deposited, spent by expiry, kept for a running trip, expired (MOB-09)."""

import pytest

from schemas.fields import MAX_MINOR, Money
from schemas.mobility import BudgetDeposited, BudgetExpired, DepositBudget, TripSettled
from streams.ledger.lots import MAX_LOTS
from streams.mobility.deposit import MAX_RESTRICTIONS
from streams.rooms import DUE_PER_TICK
from tests.rooms import DAY, HOUR, MINUTE
from tests.unit.mobility.city import City

pytestmark = pytest.mark.requirement("MOB-09")


def test_a_deposit_is_a_lot_of_its_own() -> None:
    city = City()
    told = city.deposit("d1", 500, until=DAY)
    assert told.event(BudgetDeposited).expires_at == city.stage.now + DAY
    city.deposit("d2", 250)
    assert city.wallet == "d1:500 d2:250"
    assert (city.stands("wallet"), city.stands("funding")) == (750, 750)


def test_lots_are_spent_by_expiry_whatever_the_order_of_their_deposits() -> None:
    city = City()
    city.deposit("never", 200)
    city.deposit("late", 200, until=9 * DAY)
    city.deposit("soon", 200, until=2 * DAY)
    assert city.wallet == "soon:200 late:200 never:200"
    told = city.start(minutes=10)
    assert [(part.lot_id, part.amount_minor) for part in told.entry.lines[0].spent] == [("soon", 200), ("late", 100)]
    city.end(minutes=16)
    assert city.wallet == "never:180"


def test_what_a_lock_frees_is_what_expires_last() -> None:
    city = City()
    city.deposit("soon", 200, until=2 * DAY)
    city.deposit("late", 200, until=9 * DAY)
    city.start(minutes=15)
    assert city.wallet == "soon:200/200 late:200/200"
    city.end(minutes=7)
    assert city.wallet == "late:160"


def test_the_rest_of_a_lot_is_posted_to_the_expiry_account_on_its_day() -> None:
    city = City()
    city.deposit("d1", 500, until=DAY)
    city.deposit("d2", 100, until=DAY)
    city.deposit("d3", 70)
    assert city.wait(DAY - 1).entries == []
    told = city.wait(1)
    assert [
        (event.deposit_id, event.amount.amount_minor) for event in told.events if isinstance(event, BudgetExpired)
    ] == [
        ("d1", 500),
        ("d2", 100),
    ]
    assert (city.wallet, city.stands("expired"), city.stands("wallet")) == ("d3:70", 600, 70)
    assert city.wait(DAY).entries == []


def test_an_expired_lot_is_not_usable_even_before_the_tick_that_posts_it() -> None:
    city = City()
    city.deposit("d1", 500, until=HOUR)
    city.stage.now += HOUR
    assert city.start(minutes=10).entry.lines == ()


def test_a_lot_is_usable_until_the_microsecond_of_its_expiry() -> None:
    city = City()
    city.deposit("d1", 500, until=HOUR)
    city.stage.now += HOUR - 1
    assert city.start(minutes=10).entry.lines[0].amount_minor == 300


def test_a_lot_locked_by_a_running_trip_stays_spendable_by_that_trip() -> None:
    city = City()
    city.deposit("d1", 300, until=30 * MINUTE)
    city.start(minutes=10)
    assert city.wait(HOUR).entries == []
    assert city.wallet == "d1:300/300"
    assert city.end(minutes=10).event(TripSettled).wallet_minor == 300
    assert city.wallet == ""


def test_of_an_expired_lot_only_what_is_not_locked_expires_and_the_rest_when_it_is_freed() -> None:
    city = City()
    city.deposit("d1", 1000, until=30 * MINUTE)
    city.start(minutes=10)
    city.wait(HOUR)
    assert (city.wallet, city.stands("expired")) == ("d1:300/300", 700)
    city.end(minutes=5)
    assert city.wallet == "d1:100"
    city.wait(1)
    assert (city.wallet, city.stands("expired")) == ("", 800)


@pytest.mark.requirement("MOB-16")
def test_an_expired_lot_that_a_cancelled_trip_frees_expires_with_the_next_tick() -> None:
    city = City()
    city.deposit("d1", 300, until=30 * MINUTE)
    city.start(minutes=10)
    city.wait(HOUR)
    city.cancel()
    assert city.wallet == "d1:300"
    assert city.wait(1).event(BudgetExpired).amount.amount_minor == 300


@pytest.mark.requirement("MOB-16")
def test_a_lock_and_its_lot_that_end_with_the_same_tick_leave_nothing_behind() -> None:
    city = City()
    city.deposit("d1", 300, until=30 * MINUTE)
    city.start(minutes=10)
    told = city.wait(DAY)
    assert told.says == ["TripReleased", "BudgetExpired"]
    assert (city.wallet, city.stands("expired")) == ("", 300)


def test_a_fare_above_the_lock_does_not_take_more_of_an_expired_lot() -> None:
    city = City()
    city.deposit("d1", 1000, until=30 * MINUTE)
    city.start(minutes=10)
    city.stage.now += HOUR
    told = city.end(minutes=20).event(TripSettled)
    assert (told.wallet_minor, told.card_minor) == (300, 200)


def test_lots_of_each_currency_expire_by_themselves() -> None:
    city = City()
    city.deposit("d1", 500, until=DAY)
    city.deposit("d2", 900, until=DAY, currency="SEK")
    assert len(city.wait(DAY).entries) == 2
    assert (city.stands("expired"), city.stands("expired", "SEK")) == (500, 900)


@pytest.mark.requirement("PIPE-13")
def test_one_tick_expires_a_bounded_number_of_lots_and_the_next_goes_on() -> None:
    city = City()
    groups, each = 4, 400
    for group in range(groups):
        for number in range(each):
            amount = Money(amount_minor=1, currency="EUR")
            city.send(
                DepositBudget(
                    deposit_id=f"d{number}", group_id=f"g{group}", amount=amount, expires_at=city.stage.now + DAY
                )
            )
    expired = [len(told.events) for told in (city.wait(DAY), city.wait(1), city.wait(1))]
    assert expired == [3 * each, each, 0]
    assert DUE_PER_TICK <= expired[0] < DUE_PER_TICK + MAX_LOTS


def test_the_largest_deposit_can_be_spent_and_can_expire() -> None:
    city = City()
    city.deposit("d1", MAX_MINOR, until=DAY)
    city.start(minutes=10)
    city.end(minutes=10)
    city.wait(DAY)
    assert city.stands("expired") == MAX_MINOR - 300


# ---- refusals


@pytest.mark.requirement("BEY-03")
@pytest.mark.parametrize("until", [0, -DAY])
def test_a_deposit_that_expires_when_it_is_made_or_before_is_refused(until: int) -> None:
    city = City()
    told = city.deposit("d1", 500, until=until)
    assert told.reason == "expires_in_the_past"
    now = city.stage.now
    assert told.figures == {"expires_at": str(now + until), "deposited_at": str(now)}


@pytest.mark.requirement("BEY-03")
def test_a_wallet_holds_a_bounded_number_of_lots() -> None:
    city = City()
    for number in range(MAX_LOTS):
        city.deposit(f"d{number}", 1)
    told = city.deposit("one-more", 1)
    assert (told.reason, told.figures["bound"]) == ("too_many_lots", str(MAX_LOTS))


@pytest.mark.requirement("BEY-03")
def test_a_wallet_holds_a_bounded_length_of_restrictions_so_that_its_row_fits_kafka() -> None:
    city = City()
    long = " ".join("x" * 96 for _ in range(3))
    reasons = [city.deposit(f"d{n}", 1, scopes=(long,) * 16).reason for n in range(MAX_RESTRICTIONS // 4_000)]
    assert reasons[0] is None
    assert reasons[-1] == "too_many_lots"
    assert city.deposit("unrestricted", 1).outcome == "accepted"


@pytest.mark.requirement("BEY-03")
def test_a_wallet_holds_a_bounded_amount() -> None:
    city = City()
    city.deposit("d1", MAX_MINOR)
    told = city.deposit("d2", 1)
    assert (told.reason, told.figures["wanted"]) == ("amount_too_large", "1")


def test_a_deposit_under_a_name_that_is_still_open_is_refused() -> None:
    city = City()
    city.deposit("d1", 500)
    city.wait(30 * DAY)  # its ids are forgotten, its lot is not
    assert city.deposit("d1", 500).reason == "already_exists"
    assert city.deposit("d1", 700).reason == "already_exists"
    assert city.wallet == "d1:500"
