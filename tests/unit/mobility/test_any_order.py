"""Whatever comes in whatever order: no penny is lost, doubled or stuck. The stage checks its laws after every step."""

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.mobility import BudgetDeposited, ChargeCard, Funding, TripSettled
from streams.mobility.trip import EARLY_END_US
from tests.rooms import DAY, HOUR
from tests.unit.mobility.city import City


class Step(NamedTuple):
    """A method of the city, and what it is called with."""

    does: str
    with_: dict[str, Any]


TRIP = st.sampled_from(["t1", "t2", "t3"])
LATE = st.sampled_from([0, 0, HOUR, 3 * DAY])
ID = st.one_of(st.none(), st.integers(0, 5).map(lambda n: f"e-{n}"))
DEPOSIT = st.fixed_dictionaries(
    {
        "deposit": st.sampled_from(["d1", "d2", "d3", "d4"]),
        "amount": st.integers(1, 800),
        "until": st.one_of(st.none(), st.integers(1, 8).map(lambda n: n * HOUR)),
        "scopes": st.sampled_from([(), ("tier - -",), ("- - bike",)]),
        "per_trip": st.one_of(st.none(), st.integers(1, 400)),
        "id": ID,
    }
)
START = st.fixed_dictionaries(
    {
        "trip": TRIP,
        "minutes": st.integers(1, 60),
        "rider": st.sampled_from(["ann", "bob", "eve"]),
        "vehicle": st.sampled_from(["scooter-1", "bike-1", "ghost"]),
        "funding": st.sampled_from(Funding),
        "id": ID,
        "late": LATE,
    }
)
END = st.fixed_dictionaries({"trip": TRIP, "minutes": st.integers(0, 120), "id": ID, "late": LATE})
CANCEL = st.fixed_dictionaries({"trip": TRIP, "id": ID, "late": LATE})
WAIT = st.fixed_dictionaries({"micros": st.sampled_from([1, HOUR, 5 * HOUR, DAY])})
STEPS = st.lists(
    st.one_of(
        DEPOSIT.map(lambda w: Step("deposit", w)),
        START.map(lambda w: Step("start", w)),
        END.map(lambda w: Step("end", w)),
        CANCEL.map(lambda w: Step("cancel", w)),
        WAIT.map(lambda w: Step("wait", w)),
    ),
    max_size=25,
)


def play(steps: list[Step]) -> City:
    city = City()
    for step in steps:
        arguments = dict(step.with_)
        late = arguments.pop("late", 0)
        if late:
            arguments["at"] = city.stage.now - late
        getattr(city, step.does)(**arguments)
    return city


@pytest.mark.requirement("MOB-09", "MOB-15", "MOB-16", "MOB-17", "PIPE-05")
@settings(max_examples=200, deadline=None)
@given(steps=STEPS)
def test_no_penny_is_lost_doubled_or_stuck_in_any_order(steps: list[Step]) -> None:
    city = play(steps)
    for _ in range(3):  # whatever waits or runs times out; what that frees expires
        city.wait(EARLY_END_US + DAY)
    events = [event for told in city.stage.history for event in told.events]
    deposited = [event.amount.amount_minor for event in events if isinstance(event, BudgetDeposited)]
    settled = [event for event in events if isinstance(event, TripSettled)]
    charged = [event.amount.amount_minor for event in events if isinstance(event, ChargeCard)]

    assert len(city.stage.ledger.locks) == 0, "a lock is stuck"  # type: ignore[arg-type]
    assert len({event.trip_id for event in settled}) == len(settled), "a trip was paid twice"
    assert sum(charged) == sum(event.card_minor for event in settled)
    assert all(event.wallet_minor + event.card_minor == event.fare_minor for event in settled)
    assert city.stands("funding") == sum(deposited)
    assert city.stands("wallet") == sum(deposited) - city.stands("expired") - sum(e.wallet_minor for e in settled)
    assert city.stands("rider/ann") + city.stands("rider/bob") == -sum(charged)
    assert city.stands("trips/tier") + city.stands("trips/donkey") == sum(event.fare_minor for event in settled)


@pytest.mark.requirement("PIPE-05")
@settings(max_examples=75, deadline=None)
@given(steps=STEPS)
def test_every_message_sent_twice_ends_as_if_it_was_sent_once(steps: list[Step]) -> None:
    numbered = [
        Step(step.does, step.with_ if step.does == "wait" else step.with_ | {"id": f"n-{number}"})
        for number, step in enumerate(steps)
    ]
    once = play(numbered)
    twice = play([step for each in numbered for step in ([each] if each.does == "wait" else [each, each])])
    for name in ("funding", "wallet", "expired", "trips/tier", "trips/donkey", "rider/ann", "rider/bob"):
        assert once.stands(name) == twice.stands(name), name
    assert once.wallet == twice.wallet
