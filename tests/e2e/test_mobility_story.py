"""A group's budget pays for rides, on real Kafka, Postgres, Debezium and registry."""

from decimal import Decimal

import pytest

from schemas.fields import Money
from schemas.ledger import Outcome, Step
from schemas.mobility import (
    BudgetDeposited,
    ChargeCard,
    DepositBudget,
    Funding,
    GroupMember,
    Refused,
    TripCancelled,
    TripEnded,
    TripFundsLocked,
    TripReleased,
    TripSettled,
    TripStarted,
    VehiclePrice,
)
from tests.e2e.world import World, fresh


class City:
    """An operator with one model and one vehicle, and a group with one rider, typed into Postgres."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.msp, self.model, self.vehicle = fresh("msp"), fresh("model"), fresh("veh")
        self.group, self.rider = fresh("grp"), fresh("rid")
        world.sql("INSERT INTO reference.msps VALUES (%s, 'Operator')", self.msp)
        world.sql("INSERT INTO reference.vehicle_models VALUES (%s, %s, 'ebike', 'Bike')", self.msp, self.model)
        world.sql("INSERT INTO reference.vehicles VALUES (%s, %s, %s)", self.vehicle, self.msp, self.model)
        world.sql("INSERT INTO reference.fee_schedules VALUES (%s, %s, 'Fees')", self.model, self.msp)
        world.sql("INSERT INTO reference.fee_schedule_models VALUES (%s, %s, %s)", self.msp, self.model, self.model)
        self.price(version=1, unlock=100, per_minute="10")
        world.sql("INSERT INTO reference.sharing_groups VALUES (%s, 'Group')", self.group)
        world.sql("INSERT INTO reference.group_members VALUES (%s, %s)", self.rider, self.group)
        world.told(GroupMember, rider_id=self.rider)

    def price(self, *, version: int, unlock: int, per_minute: str) -> None:
        """Publish a version of the fees by SQL, and wait until agents can know it."""
        self.world.sql(
            "INSERT INTO reference.fee_schedule_versions VALUES (%s, %s, 'EUR', %s, %s, 0.25)",
            self.model, version, unlock, Decimal(per_minute),
        )  # fmt: skip
        self.world.told(VehiclePrice, vehicle_id=self.vehicle, version=version)

    def deposit(self, amount_minor: int) -> None:
        deposit_id = fresh("dep")
        amount = Money(amount_minor=amount_minor, currency="EUR")
        self.world.send(DepositBudget(deposit_id=deposit_id, group_id=self.group, amount=amount))
        self.world.told(BudgetDeposited, deposit_id=deposit_id)

    def start(self, trip: str, *, minutes: int = 10, funding: Funding = Funding.WALLET_THEN_CARD) -> str:
        return self.world.send(
            TripStarted(
                trip_id=trip,
                group_id=self.group,
                rider_id=self.rider,
                vehicle_id=self.vehicle,
                estimated_seconds=minutes * 60,
                funding=funding,
            )
        )

    def end(self, trip: str, *, minutes: int) -> str:
        return self.world.send(TripEnded(trip_id=trip, group_id=self.group, ridden_seconds=minutes * 60))


@pytest.fixture(scope="module")
def city(world: World) -> City:
    return City(world)


@pytest.mark.requirement("MOB-15", "MOB-17", "PIPE-09")
def test_a_ride_is_paid_by_the_wallet_first_and_the_rest_by_card(world: World, city: City) -> None:
    city.deposit(150)
    trip = fresh("trp")
    city.start(trip)
    locked = world.told(TripFundsLocked, trip_id=trip)
    assert (locked.locked_minor, locked.card_estimate_minor) == (150, 50)
    ended = city.end(trip, minutes=12)
    settled = world.told(TripSettled, trip_id=trip)
    assert (settled.fare_minor, settled.wallet_minor, settled.card_minor) == (220, 150, 70)
    assert world.told(ChargeCard, trip_id=trip).amount == Money(amount_minor=70, currency="EUR")
    entry = world.decided(ended)
    assert entry.outcome is Outcome.ACCEPTED
    assert [(line.step, line.amount_minor) for line in entry.lines] == [(Step.SETTLED, 150), (Step.POSTED, 70)]


@pytest.mark.requirement("MOB-03", "PIPE-06")
def test_a_price_changed_by_sql_is_the_price_of_the_next_trip_and_not_of_the_running_one(
    world: World, city: City
) -> None:
    running, following = fresh("trp"), fresh("trp")
    city.start(running, funding=Funding.CARD_ONLY)
    assert world.told(TripFundsLocked, trip_id=running).price.version == 1
    city.price(version=2, unlock=500, per_minute="20.5")
    city.start(following, funding=Funding.CARD_ONLY)
    world.told(TripFundsLocked, trip_id=following)
    city.end(running, minutes=10)
    city.end(following, minutes=10)
    assert world.told(TripSettled, trip_id=running).fare_minor == 100 + 100
    assert world.told(TripSettled, trip_id=following).fare_minor == 500 + 205


@pytest.mark.requirement("MOB-16")
def test_a_cancelled_trip_frees_what_it_had_locked(world: World, city: City) -> None:
    city.deposit(10_000)
    trip = fresh("trp")
    city.start(trip)
    locked = world.told(TripFundsLocked, trip_id=trip).locked_minor
    assert locked > 0
    world.send(TripCancelled(trip_id=trip, group_id=city.group, reason="changed-mind"))
    assert world.told(TripReleased, trip_id=trip).released_minor == locked


@pytest.mark.requirement("PIPE-05")
def test_a_repeated_event_has_its_effect_once_and_other_content_under_its_id_is_refused(
    world: World, city: City
) -> None:
    deposit = DepositBudget(deposit_id=fresh("dep"), group_id=city.group, amount=Money(amount_minor=5, currency="EUR"))
    event_id = world.send(deposit)
    world.send(deposit, event_id=event_id)
    other = deposit.model_copy(update={"amount": Money(amount_minor=6, currency="EUR")})
    world.send(other, event_id=event_id)
    refusal = world.told(Refused, refused_id=deposit.deposit_id)
    assert refusal.reason == "other_content_under_this_id"
    told = [each for each in world.read(BudgetDeposited) if each.deposit_id == deposit.deposit_id]
    assert len(told) == 1


@pytest.mark.requirement("PIPE-07", "PIPE-10")
def test_the_book_and_its_statement_can_be_read_by_a_person_and_by_a_program(world: World, city: City) -> None:
    shown = world.wait(lambda: _ok(world.command("streams", "book", f"group:{city.group}")))
    assert "wallet" in shown
    statement = world.wait(lambda: _ok(world.command("streams", "statement", f"group:{city.group}", "--json")))
    assert city.group in statement
    unknown = world.command("streams", "book", "group:nobody")
    assert unknown.returncode == 2
    assert "group:nobody" in unknown.stderr


def _ok(done: object) -> str | None:
    return done.stdout if done.returncode == 0 else None  # type: ignore[attr-defined]
