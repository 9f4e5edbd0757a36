"""The life of a trip's payment: every cell of the table in `streams.mobility.trip` (MOB-15 to MOB-17)."""

from collections.abc import Callable

import msgspec
import pytest

from schemas.mobility import (
    ChargeCard,
    Funding,
    GroupMember,
    ReleaseCause,
    TripEndWaits,
    TripFundsLocked,
    TripReleased,
    TripSettled,
)
from streams.mobility.trip import EARLY_END_US, REMEMBERED_US
from tests.rooms import DAY, HOUR, MINUTE, Told
from tests.unit.mobility.city import BOOK, City

Given = Callable[[City], Told | None]
When = Callable[[City], Told]


def nothing(city: City) -> None:
    return None


def end_waits(city: City) -> Told:
    return city.end(minutes=10)


def running(city: City) -> Told:
    return city.start(minutes=10)


def timed_out(city: City) -> Told:
    city.start(minutes=10)
    return city.wait(5 * HOUR)


def settled(city: City) -> Told:
    city.start()
    return city.end()


def released(city: City) -> Told:
    return city.cancel()


def start(city: City) -> Told:
    return city.start(minutes=10)


def end(city: City) -> Told:
    return city.end(minutes=15)


def cancel(city: City) -> Told:
    return city.cancel()


TABLE: list[tuple[Given, When, str, str, str]] = [
    # given      when     outcome      state after  wallet after, of 1,000 (300 are estimated, 400 cost 15 minutes)
    (nothing, start, "accepted", "running", "d1:1000/300"),
    (nothing, end, "accepted", "end_waits", "d1:1000"),
    (nothing, cancel, "accepted", "released", "d1:1000"),
    (end_waits, start, "accepted", "settled", "d1:700"),
    (end_waits, end, "wrong_state", "end_waits", "d1:1000"),
    (end_waits, cancel, "accepted", "released", "d1:1000"),
    (running, start, "already_exists", "running", "d1:1000/300"),
    (running, end, "accepted", "settled", "d1:600"),
    (running, cancel, "accepted", "released", "d1:1000"),
    (timed_out, start, "already_exists", "timed_out", "d1:1000"),
    (timed_out, end, "accepted", "settled", "d1:600"),
    (timed_out, cancel, "accepted", "released", "d1:1000"),
    (settled, start, "already_exists", "settled", "d1:700"),
    (settled, end, "wrong_state", "settled", "d1:700"),
    (settled, cancel, "wrong_state", "settled", "d1:700"),
    (released, start, "already_exists", "released", "d1:1000"),
    (released, end, "wrong_state", "released", "d1:1000"),
    (released, cancel, "wrong_state", "released", "d1:1000"),
]


@pytest.mark.requirement("MOB-15", "MOB-16", "MOB-17")
@pytest.mark.parametrize(
    ("given", "when", "outcome", "state", "wallet"),
    TABLE,
    ids=[f"{given.__name__}-{when.__name__}" for given, when, *_ in TABLE],
)
def test_every_message_in_every_state_does_what_the_table_says(
    given: Given, when: When, outcome: str, state: str, wallet: str
) -> None:
    city = City()
    city.deposit("d1", 1000)
    given(city)
    told = when(city)
    assert (told.reason or told.outcome, city.state(), city.wallet) == (outcome, state, wallet)


@pytest.mark.requirement("MOB-16", "PIPE-13")
@pytest.mark.parametrize(
    ("given", "after", "state"),
    [
        (end_waits, EARLY_END_US, "released"),
        (running, 10 * MINUTE + 4 * HOUR, "timed_out"),
        (timed_out, REMEMBERED_US, None),
        (settled, REMEMBERED_US, None),
        (released, REMEMBERED_US, None),
    ],
)
def test_every_state_ends_with_the_tick_at_its_deadline_and_not_before(
    given: Given, after: int, state: str | None
) -> None:
    city = City()
    city.deposit("d1", 1000)
    given(city)
    before = city.state()
    told = city.wait(after - 1)
    assert (told.entries, city.state()) == ([], before)
    city.wait(1)
    assert city.state() == state


@pytest.mark.requirement("MOB-16", "PIPE-05")
def test_a_time_out_has_an_id_of_its_own_even_where_a_trip_id_is_used_again_by_a_clock_that_stands() -> None:
    city = City()
    city.deposit("d1", 1000)
    for _ in range(2):
        city.start(at=0)
        assert city.wait(MINUTE).says == ["TripReleased"]  # the stage knows every event's id
        city.wait(REMEMBERED_US)
        assert city.state() is None


@pytest.mark.requirement("MOB-16", "PIPE-05")
@pytest.mark.parametrize("ends", [City.end, City.cancel], ids=["end", "cancel"])
def test_a_trip_that_ends_by_a_clock_of_1970_is_remembered_from_its_start(ends: Callable[..., Told]) -> None:
    city = City()
    city.deposit("d1", 1000)
    city.start()
    assert ends(city, at=0).outcome == "accepted"
    city.wait(REMEMBERED_US - 1)
    assert city.start().reason == "already_exists"
    city.wait(1)
    assert city.state() is None


# ---- who pays


@pytest.mark.requirement("MOB-15")
@pytest.mark.parametrize(
    ("funding", "budget", "locked", "by_card"),
    [
        (Funding.WALLET_ONLY, 300, 300, 0),
        (Funding.CARD_ONLY, 300, 0, 300),
        (Funding.WALLET_THEN_CARD, 300, 300, 0),
        (Funding.WALLET_THEN_CARD, 120, 120, 180),
        (Funding.WALLET_THEN_CARD, 1, 1, 299),
    ],
)
def test_a_start_locks_the_wallets_part_and_leaves_the_rest_to_the_card(
    funding: Funding, budget: int, locked: int, by_card: int
) -> None:
    city = City()
    city.deposit("d1", budget)
    told = city.start(minutes=10, funding=funding)
    event = told.event(TripFundsLocked)
    assert (event.locked_minor, event.card_estimate_minor) == (locked, by_card)
    ended = city.end(minutes=10)
    paid = ended.event(TripSettled)
    assert (paid.fare_minor, paid.wallet_minor, paid.card_minor) == (300, locked, by_card)
    assert city.stands("trips/tier") == 300
    assert city.stands("rider/ann") == -by_card
    assert [charge.amount.amount_minor for charge in ended.events if isinstance(charge, ChargeCard)] == (
        [by_card] if by_card else []
    )


@pytest.mark.requirement("MOB-15")
def test_an_empty_wallet_locks_nothing_and_the_card_pays_all() -> None:
    city = City()
    assert city.start(minutes=10).event(TripFundsLocked).locked_minor == 0
    assert city.end(minutes=10).event(ChargeCard).amount.amount_minor == 300


@pytest.mark.requirement("MOB-15", "BEY-03")
def test_a_wallet_only_trip_that_the_wallet_cannot_pay_is_refused_with_what_is_missing() -> None:
    city = City()
    city.deposit("d1", 299)
    told = city.start(minutes=10, funding=Funding.WALLET_ONLY)
    assert told.reason == "insufficient_funds"
    assert {name: told.figures[name] for name in ("account", "currency", "usable", "wanted", "missing")} == {
        "account": "wallet", "currency": "EUR", "usable": "299", "wanted": "300", "missing": "1",
    }  # fmt: skip
    assert city.state() is None


@pytest.mark.requirement("MOB-17")
def test_a_wallet_only_trip_that_took_longer_than_the_wallet_reaches_is_a_debt_of_the_rider() -> None:
    city = City()
    city.deposit("d1", 300)
    city.start(minutes=10, funding=Funding.WALLET_ONLY)
    told = city.end(minutes=20).event(TripSettled)
    assert (told.wallet_minor, told.card_minor) == (300, 200)
    assert city.stands("rider/ann") == -200


@pytest.mark.requirement("MOB-17")
def test_a_fare_above_the_lock_takes_more_of_the_wallet_and_then_the_card() -> None:
    city = City()
    city.deposit("d1", 350)
    city.start(minutes=10)
    told = city.end(minutes=20)
    assert (told.event(TripSettled).wallet_minor, told.event(TripSettled).card_minor) == (350, 150)
    assert [(line.step.value, line.amount_minor) for line in told.entry.lines] == [
        ("settled", 300),
        ("posted", 50),
        ("posted", 150),
    ]
    assert city.wallet == ""


@pytest.mark.requirement("MOB-17")
def test_a_fare_above_the_lock_leaves_alone_what_other_trips_have_locked() -> None:
    city = City()
    city.deposit("d1", 650)
    city.start("t1", minutes=10, rider="ann")
    city.start("t2", minutes=10, rider="bob")
    assert city.end("t1", minutes=60).event(TripSettled).wallet_minor == 350
    assert city.wallet == "d1:300/300"
    assert city.end("t2", minutes=10).event(TripSettled).wallet_minor == 300


@pytest.mark.requirement("MOB-17")
def test_a_fare_below_the_lock_frees_the_rest_at_once() -> None:
    city = City()
    city.deposit("d1", 1000)
    city.start(minutes=30)
    assert city.wallet == "d1:1000/700"
    city.end(minutes=5)
    assert city.wallet == "d1:800"


@pytest.mark.requirement("MOB-15")
def test_a_card_only_trip_never_touches_the_wallet_even_above_its_estimate() -> None:
    city = City()
    city.deposit("d1", 10_000)
    city.start(minutes=10, funding=Funding.CARD_ONLY)
    assert city.end(minutes=60).event(TripSettled).card_minor == 1300
    assert city.wallet == "d1:10000"


@pytest.mark.requirement("MOB-15")
def test_money_of_another_currency_is_not_the_trips() -> None:
    city = City()
    city.deposit("d1", 1000, currency="SEK")
    assert city.start(minutes=10).event(TripFundsLocked).locked_minor == 0


@pytest.mark.requirement("MOB-15")
def test_a_free_ride_moves_nothing() -> None:
    city = City()
    city.reprice("scooter-1", unlock_minor=0, per_minute_minor=0)
    city.deposit("d1", 1000)
    city.start()
    told = city.end()
    assert (told.says, told.entry.lines) == (["TripSettled"], ())
    assert city.wallet == "d1:1000"


# ---- out of order


@pytest.mark.requirement("MOB-16")
def test_an_end_before_its_start_waits_and_is_settled_with_it() -> None:
    city = City()
    city.deposit("d1", 1000)
    ended_at = city.stage.now
    assert city.end(minutes=15).event(TripEndWaits).ended_at == ended_at
    told = city.start(minutes=10, at=ended_at - 15 * MINUTE)
    assert told.says == ["TripFundsLocked", "TripSettled"]
    paid = told.event(TripSettled)
    assert (paid.fare_minor, paid.ended_at, paid.started_at) == (400, ended_at, ended_at - 15 * MINUTE)
    assert city.wallet == "d1:600"


@pytest.mark.requirement("MOB-16")
def test_an_end_that_reaches_us_late_still_waits_for_its_start() -> None:
    city = City()
    city.deposit("d1", 1000)
    hours_ago = city.stage.now - 6 * HOUR  # the vehicle was out of reach, and both messages come now
    city.end(minutes=10, at=hours_ago)
    city.wait(1_000_000)
    assert city.start(minutes=10, at=hours_ago - 10 * MINUTE).says == ["TripFundsLocked", "TripSettled"]
    assert city.wallet == "d1:700"


@pytest.mark.requirement("MOB-16")
def test_a_start_that_is_refused_leaves_the_waiting_end_as_it_was() -> None:
    city = City()
    city.end()
    assert city.start(vehicle="unheard-of").reason == "unknown_vehicle"
    assert city.state() == "end_waits"
    assert city.start().says == ["TripFundsLocked", "TripSettled", "ChargeCard"]


@pytest.mark.requirement("MOB-16")
def test_a_cancellation_before_its_start_keeps_the_start_from_locking() -> None:
    city = City()
    city.deposit("d1", 1000)
    assert city.cancel().event(TripReleased).released_minor == 0
    assert city.start().reason == "already_exists"
    assert city.wallet == "d1:1000"


# ---- deadlines


@pytest.mark.requirement("MOB-16")
def test_a_lock_that_times_out_is_freed_and_a_later_end_pays_from_what_is_usable_then() -> None:
    city = City()
    city.deposit("d1", 300)
    city.start(minutes=10)
    released = city.wait(5 * HOUR)
    assert released.event(TripReleased).cause is ReleaseCause.TIMED_OUT
    assert released.event(TripReleased).released_minor == 300
    assert [line.step.value for line in released.entry.lines] == ["expired"]
    city.start("t2", minutes=5, rider="bob")  # locks 200 of the 300
    told = city.end("t1", minutes=10)
    assert (told.event(TripSettled).wallet_minor, told.event(ChargeCard).amount.amount_minor) == (100, 200)


@pytest.mark.requirement("MOB-16")
def test_an_end_after_the_deadline_but_before_its_tick_is_paid_by_the_lock() -> None:
    city = City()
    city.deposit("d1", 300)
    city.start(minutes=10)
    city.stage.now += 6 * HOUR
    assert city.end(minutes=10).event(TripSettled).wallet_minor == 300
    assert city.wait(1).entries == []


@pytest.mark.requirement("MOB-16", "PIPE-13")
def test_a_tick_that_comes_twice_or_too_late_releases_once() -> None:
    city = City()
    city.deposit("d1", 1000)
    city.start(minutes=10)
    assert len(city.wait(5 * HOUR).entries) == 1
    assert city.stage.tick().entries == []
    assert city.stage.tick(city.stage.now - HOUR).entries == []


@pytest.mark.requirement("MOB-16")
def test_a_decision_of_time_names_the_tick_as_its_cause() -> None:
    city = City()
    city.start(minutes=10)
    entry = city.wait(5 * HOUR).entry
    assert (entry.cause_type, entry.cause_topic) == ("millrace.clock.Tick", "clock.second.tick.v1")
    assert (entry.book, entry.effective_at) == (BOOK, city.stage.now)


@pytest.mark.requirement("PIPE-05")
def test_a_trip_id_may_be_used_again_when_it_is_forgotten_and_every_decision_has_its_own_id() -> None:
    city = City()
    for _ in range(2):
        city.deposit(f"d-{city.stage.now}", 1000)
        assert city.start().outcome == "accepted"
        city.wait(5 * HOUR)
        city.wait(90 * DAY)
        assert city.state() is None
    ids = [entry.decision_id for entry in city.stage.journal]
    assert len(set(ids)) == len(ids)


# ---- refusals of a start


@pytest.mark.requirement("BEY-03")
def test_a_start_on_a_vehicle_without_a_price_names_the_vehicle() -> None:
    told = City().start(vehicle="ghost")
    assert (told.reason, told.figures) == ("unknown_vehicle", {"vehicle": "ghost"})


@pytest.mark.requirement("BEY-03")
def test_a_start_by_a_rider_outside_the_group_names_both() -> None:
    told = City().start(rider="eve")
    assert (told.reason, told.figures) == ("not_a_member", {"rider": "eve", "group": "g1"})


@pytest.mark.requirement("BEY-03")
def test_a_second_start_names_the_trip_and_its_state() -> None:
    city = City()
    city.start()
    told = city.start(minutes=20)
    assert (told.reason, told.figures) == ("already_exists", {"trip": "t1", "state": "running"})


@pytest.mark.requirement("BEY-03")
def test_an_end_in_the_wrong_state_names_the_trip_and_its_state() -> None:
    city = City()
    city.cancel()
    told = city.end()
    assert (told.reason, told.figures) == ("wrong_state", {"trip": "t1", "state": "released"})


@pytest.mark.requirement("BEY-03")
def test_a_refusal_is_told_to_upstream_with_the_same_reason_and_figures() -> None:
    told = City().start(vehicle="ghost")
    (event,) = told.events
    assert msgspec.to_builtins(event) == {
        "group_id": "g1",
        "refused_id": "t1",
        "reason": "unknown_vehicle",
        "figures": {"vehicle": "ghost"},
    }


# ---- bounds


@pytest.mark.requirement("BEY-03")
@pytest.mark.parametrize(
    ("absurd", "reason"),
    [
        ({"unlock_minor": 10**15}, "amount_too_large"),
        ({"per_minute_minor": 999_999_999, "unlock_minor": 10**15 - 1}, "amount_too_large"),
        ({"unlock_minor": -100}, "no_price"),
        ({"unlock_minor": -500}, "no_price"),
    ],
)
def test_a_price_whose_fare_could_not_be_booked_starts_no_trip(absurd: dict[str, int], reason: str) -> None:
    city = City()
    city.reprice("scooter-1", **absurd)
    assert city.start().reason == reason


@pytest.mark.requirement("BEY-03")
def test_an_estimate_that_can_be_booked_may_still_end_in_a_fare_that_cannot() -> None:
    city = City()
    city.reprice("scooter-1", unlock_minor=10**15 - 200)
    assert city.start(minutes=10).outcome == "accepted"
    told = city.end(minutes=11)
    assert (told.reason, told.figures) == ("amount_too_large", {"fare": str(10**15 + 20), "most": str(10**15)})
    assert city.end(minutes=10).outcome == "accepted"


@pytest.mark.requirement("BEY-03")
def test_an_end_that_no_account_can_hold_any_more_is_refused_and_keeps_the_lock() -> None:
    city = City()
    city.deposit("d1", 300)
    city.reprice("scooter-1", unlock_minor=6 * 10**14)
    for trip in ("t1", "t2"):
        city.start(trip, funding=Funding.CARD_ONLY)
    city.end("t1")
    told = city.end("t2")
    assert (told.reason, city.state("t2"), city.wallet) == ("amount_too_large", "running", "d1:300")


@pytest.mark.requirement("BEY-03")
def test_ids_of_the_greatest_length_go_all_the_way() -> None:
    city = City()
    rider, trip, deposit, msp = (letter * 96 for letter in "rtdm")
    city.members[f"{BOOK}|{rider}"] = GroupMember(group_id="g1", rider_id=rider)
    city.members.take_changes()
    city.reprice("scooter-1", msp_id=msp, schedule_id="s" * 96)
    city.deposit(deposit, 350, until=DAY, id="e" * 256, source="/" + "s" * 255)
    city.start(trip, minutes=10, rider=rider)
    assert city.end(trip, minutes=20).says == ["TripSettled", "ChargeCard"]
    city.start("x" * 96, minutes=10, rider=rider)
    assert city.wait(2 * DAY).says == ["TripReleased"]
    assert city.deposit("y" * 96, 50, until=DAY).outcome == "accepted"
    assert city.wait(2 * DAY).says == ["BudgetExpired"]
