"""Trip lives: what upstream tells, and what must come of it when the real room decides it without Kafka."""

from collections import Counter
from typing import Any

import pytest

from benchmarks.flatness import of_books, of_entries
from benchmarks.trips.lives import (
    WALLET_ENTRIES_OF_A_LIFE,
    Settled,
    even_life,
    lives,
    model,
    opening,
    price,
    reference,
)
from benchmarks.trips.partition import Numbers, Outbox, Partition
from schemas.codec import Codec
from schemas.ledger import Decided, Outcome
from schemas.mobility import GroupMember, TripSettled, VehiclePrice
from schemas.topics import JOURNAL, TRIP_PAYMENTS

NOW_US = 1_772_352_000_000_000


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(Numbers())


class Kept(Outbox):
    """Keeps what is put, by topic."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, list[bytes]] = {}

    def put(self, topic: Any, key: Any, value: Any, *_: Any) -> None:
        self.values.setdefault(topic, []).append(value)


def city(codec: Codec) -> Partition:
    partition = Partition(codec)
    for message in reference():
        if isinstance(message, VehiclePrice):
            partition.prices[message.vehicle_id] = message
        elif isinstance(message, GroupMember):
            partition.members[f"group:{message.group_id}|{message.rider_id}"] = message
    return partition


def test_equal_seeds_tell_equal_lives_and_every_event_has_one_expected_outcome() -> None:
    told, wanted = model(lives(500, NOW_US, seed=1, run="a"))
    assert told == model(lives(500, NOW_US, seed=1, run="a"))[0]
    assert len(told) == wanted.total
    assert wanted.settled.total() == 500
    assert wanted.duplicates > 0


def test_the_real_room_gives_what_the_model_wants(codec: Codec) -> None:
    partition = city(codec)
    told, wanted = model(lives(500, NOW_US, seed=2, run="b", running=50))
    books = {each.envelope.subject for each in told}
    partition.take([partition.record(each, 0) for each in opening(NOW_US) if each.envelope.subject in books])
    kept = partition.outbox = Kept()
    partition.take([partition.record(each, number) for number, each in enumerate(told)])
    entries = [codec.decode(JOURNAL, value) for value in kept.values[JOURNAL.name]]
    outcomes = Counter(entry.outcome for entry in entries if isinstance(entry, Decided))
    assert outcomes == {Outcome.ACCEPTED: wanted.accepted, Outcome.DUPLICATE: wanted.duplicates}
    events = [codec.decode(TRIP_PAYMENTS, value) for value in kept.values[TRIP_PAYMENTS.name]]
    settled = [Settled(e.trip_id, e.wallet_minor, e.card_minor) for e in events if isinstance(e, TripSettled)]
    assert Counter(settled) == wanted.settled


def test_an_even_life_leaves_the_wallet_as_it_was_with_two_more_entries(codec: Codec) -> None:
    partition = Partition(codec)
    partition.prices["v0"] = price(0)
    partition.members["group:g1|rg1"] = GroupMember(group_id="g1", rider_id="rg1")
    for number in range(3):
        partition.take([partition.record(each, 0) for each in even_life("g1", f"{number}", NOW_US)])
        wallet = partition.balances["group:g1|wallet|EUR"]
        assert (wallet.posted, wallet.lots) == (0, ())
        assert wallet.entries == (number + 1) * WALLET_ENTRIES_OF_A_LIFE


def test_the_series_of_flatness_measure_every_pass(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.flatness.MEASURED_LIVES", 20)
    assert len(of_books(50, codec)) == 3
    assert all(microseconds > 0 for microseconds in of_entries(10, codec))
