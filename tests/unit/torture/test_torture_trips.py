"""The verifier's model and the room agree about trips and deposits, decision by decision and row by row."""

import random
from collections import Counter
from itertools import islice
from typing import Any

import pytest

from schemas.mobility import GroupMember, VehiclePrice
from streams.mobility.room import Mobility
from streams.mobility.room import Tables as RoomTables
from streams.mobility.trip import Trip
from streams.runtime.rows import Rows
from tests.rooms import HOUR, Stage
from tests.torture.events import DEPOSITS, TRIPS, Event
from tests.torture.load import Stories
from tests.torture.verifier import mobility
from tests.torture.verifier.check import RULES
from tests.torture.verifier.model import Input, Model
from tests.unit.torture.comparing import MESSAGES, Tables, differing, plain, verdict
from tests.unit.torture.test_torture_model import FACTS


class Both:
    """The room and the model, told the same."""

    def __init__(self) -> None:
        self.model, self.outcomes = Model(FACTS), Counter[tuple[str, str, str | None]]()
        self.trips: Rows[Trip] = Rows(Trip, due=lambda trip: trip.until)
        prices, members = Rows[VehiclePrice](VehiclePrice), Rows[GroupMember](GroupMember)
        for vehicle_id, vehicle in FACTS.vehicles.items():
            prices[vehicle_id] = VehiclePrice(
                vehicle_id=vehicle_id, msp_id=vehicle.msp_id, model_id="m", vehicle_type="bike", schedule_id="s",
                version=1, currency="EUR", unlock_minor=vehicle.unlock_minor, per_minute_minor=vehicle.per_minute,
                vat_rate="0.25",
            )  # fmt: skip
        for group, riders in FACTS.members.items():
            for rider in riders:
                members[f"group:{group}|{rider}"] = GroupMember(group_id=group, rider_id=rider)
        tables = (self.trips, prices, members)
        for rows in tables:
            rows.take_changes()
        self.stage = Stage(lambda ledger: Mobility(RoomTables(*tables, ledger.balances), ledger), *tables)

    def tell(self, event: Event) -> None:
        told = self.stage.send(MESSAGES[event.name].model_validate(event.fields), id=event.event_id)
        given = Input(told.entry.decision_id, event.event_id, "/upstream", self.stage.now, event.key, event.name,
                      event.fields)  # fmt: skip
        found = verdict(told.entry)
        assert found == self.model.answer(given, RULES), (event, told.figures)
        self.outcomes[event.name, found.outcome, found.reason] += 1

    def wait(self, micros: int) -> None:
        for entry in self.stage.wait(micros).entries:
            book, *parts = entry.decision_id.split("/")
            if parts[-1] == "expired":
                expected = mobility.expire(self.model, book, self.stage.now)
            else:
                expected = mobility.time_out(self.model, book, parts[0], self.stage.now)
            assert verdict(entry) == expected
            self.outcomes["tick", parts[-1], None] += 1

    def tables(self) -> Tables:
        """The room's tables as their changelogs have them."""
        return {"trips": plain(self.trips), "seen": plain(self.stage.seen)}


def told(seed: int) -> Both:
    both, dice = Both(), random.Random(seed)
    stories = (event for event in Stories(seed, FACTS, "unit") if event.topic in {DEPOSITS, TRIPS})
    for number, event in enumerate(islice(stories, 900)):
        fields = event.fields
        if fields.get("expires_at"):
            fields = {**fields, "expires_at": both.stage.now + dice.choice((-1, 1, 5, 30)) * HOUR}
        both.tell(event._replace(fields=fields))
        if number % 20 == 19:
            both.wait(HOUR // 2)
    return both


@pytest.mark.requirement("MOB-09", "MOB-15", "MOB-16", "MOB-17")
@pytest.mark.parametrize("seed", [1, 2])
def test_every_decision_and_row_of_the_room_is_the_models(seed: int) -> None:
    both = told(seed)
    assert not differing(both.model, both.tables())
    assert both.outcomes["tick", "timed_out", None]
    assert both.outcomes["tick", "expired", None]
    assert {trip["state"] for trip in both.model.trips.values()} >= {"running", "settled", "released", "timed_out"}


@pytest.fixture(scope="module")
def at_rest() -> Both:
    return told(1)


@pytest.mark.requirement("PIPE-02")
@pytest.mark.parametrize(
    ("field", "wrong"),
    [("state", "settled"), ("until", 1), ("rider_id", "rid-2x"), ("funding", "none"), ("started_at", 1),
     ("price", None)],
)  # fmt: skip
def test_a_running_trips_row_that_tells_something_else_is_a_difference(field: str, wrong: Any, at_rest: Both) -> None:
    tables = at_rest.tables()
    key = next(key for key, trip in at_rest.model.trips.items() if trip["state"] == "running")
    tables["trips"][key][field] = wrong
    (difference,) = differing(at_rest.model, tables)
    assert key in difference
