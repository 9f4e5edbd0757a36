"""Faults planted in topics: the verifier must say something about each of them."""

from collections.abc import Callable

import pytest

from tests.torture.events import ANSWERS, BATCHED, BATCHES, TRIPS
from tests.torture.verifier.check import JOURNAL, LETTERS, TICKS
from tests.torture.verifier.places import PARTITIONS, partition_of
from tests.unit.torture.test_torture_model import NOW
from tests.unit.torture.topics import BATCH, CHARGES, EVENTS_OF_TRIPS, HOME, Topics

Tamper = Callable[[Topics], None]
TIMED_OUT = 5
"""The number of the entry that a tick caused."""
BATCH_OUTCOMES = ["accepted", "refused", "accepted"]


def test_what_is_right_is_found_right(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = Topics()
    outcomes = [topics.entry(number)["outcome"] for number in range(len(topics.records[JOURNAL]))]
    assert outcomes == ["accepted", "accepted", "duplicate", "refused", "accepted", "accepted", *BATCH_OUTCOMES]
    assert topics.verified(monkeypatch) == []


# ---- events


def lose_the_charge(topics: Topics) -> None:
    del topics.records[CHARGES]


def charge_twice(topics: Topics) -> None:
    topics.tell(f"{TRIPS}/{HOME}/1/2", "ChargeCard")


def lose_the_only_event(topics: Topics) -> None:
    del topics.records[EVENTS_OF_TRIPS][0]


def tell_of_a_repetition(topics: Topics) -> None:
    topics.tell(f"{TRIPS}/{HOME}/2/0", "TripSettled")


def refuse_silently(topics: Topics) -> None:
    events = topics.records[EVENTS_OF_TRIPS]
    del events[next(number for number, event in enumerate(events) if event.of[0] == "Refused")]


def refuse_twice(topics: Topics) -> None:
    topics.tell(f"{TRIPS}/{HOME}/3/refused/1", "Refused")


def time_out_silently(topics: Topics) -> None:
    events = topics.records[EVENTS_OF_TRIPS]
    del events[next(number for number, event in enumerate(events) if event.of[0] == "TripReleased")]


def time_out_twice(topics: Topics) -> None:
    topics.tell(f"{topics.entry(TIMED_OUT)['decision_id']}/1", "TripReleased")


def count_no_events(topics: Topics) -> None:
    topics.entry(0)["events"] = 0
    lose_the_only_event(topics)


@pytest.mark.requirement("PIPE-03", "MOB-18")
@pytest.mark.parametrize(
    "tamper",
    [lose_the_charge, charge_twice, lose_the_only_event, tell_of_a_repetition, refuse_silently, refuse_twice,
     time_out_silently, time_out_twice, count_no_events],
)  # fmt: skip
def test_a_decisions_last_event_that_is_lost_or_told_again_is_a_difference(
    tamper: Tamper, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = Topics()
    tamper(topics)
    assert topics.verified(monkeypatch)


# ---- the journal, beyond outcome and lines


@pytest.mark.requirement("PIPE-10")
@pytest.mark.parametrize("number", [1, 2, 3, TIMED_OUT], ids=["accepted", "repeated", "refused", "timed out"])
@pytest.mark.parametrize(
    ("field", "value"),
    [("effective_at", NOW - 86_400_000_000), ("recorded_at", NOW + 1), ("cause_id", "e0"), ("cause_type", "millrace.X"),
     ("correlation_id", "e0"), ("actor", "nobody"), ("book", "group:grp-2")],
)  # fmt: skip
def test_an_entry_that_tells_another_time_cause_or_actor_than_its_record_is_a_difference(
    field: str, value: str | int, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = Topics()
    topics.entry(number)[field] = value
    assert topics.verified(monkeypatch)


@pytest.mark.requirement("PIPE-10", "PIPE-13")
def test_of_ticks_that_are_taken_together_the_latest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = Topics()
    last = topics.add(TICKS, ("Tick", {"now": NOW}))
    topics.entry(TIMED_OUT).update(cause_offset=last.offset(), recorded_at=last.timestamp()[1] * 1_000)
    assert not topics.verified(monkeypatch)


@pytest.mark.requirement("PIPE-10", "PIPE-13")
def test_an_entry_of_a_tick_that_came_after_it_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = Topics()
    first, late = topics.records[TICKS][0], topics.add(TICKS, ("Tick", {"now": NOW}))
    topics.records[TICKS] = [first._replace(of=late.of), late._replace(of=first.of)]
    assert topics.verified(monkeypatch)


@pytest.mark.requirement("PIPE-10", "PIPE-13")
def test_an_entry_that_a_tick_caused_which_nobody_has_seen_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = Topics()
    topics.records[TICKS] = []
    assert topics.verified(monkeypatch)


# ---- dead letters


def empty(topics: Topics) -> None:
    topics.records[LETTERS][0] = topics.records[LETTERS][0]._replace(of=b"")


def another_key(topics: Topics) -> None:
    topics.records[LETTERS][0] = topics.records[LETTERS][0]._replace(named=b"group:grp-2")


def without_its_headers(topics: Topics) -> None:
    letter = topics.records[LETTERS][0]
    head = tuple(each for each in letter.head if each[0].startswith("dl-"))
    topics.records[LETTERS][0] = letter._replace(head=head)


@pytest.mark.requirement("PIPE-04")
@pytest.mark.parametrize("tamper", [empty, another_key, without_its_headers])
def test_a_letter_without_the_bytes_of_its_record_is_a_difference(
    tamper: Tamper, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = Topics()
    tamper(topics)
    assert topics.verified(monkeypatch)


# ---- partitions


@pytest.mark.requirement("PIPE-01")
@pytest.mark.parametrize("topic", [JOURNAL, CHARGES])
def test_a_record_beside_its_book_is_a_difference(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    topics = Topics()
    moved = topics.records[topic][-1]
    topics.records[topic][-1] = moved._replace(at=(topic, (moved.partition() + 1) % PARTITIONS, 0))
    assert any(each.startswith("partition") for each in topics.verified(monkeypatch))


# ---- between books


def lose_what_was_sent(topics: Topics) -> None:
    topics.records[BATCHED].pop()
    topics.records[JOURNAL] = [each for each in topics.records[JOURNAL] if each.of[1]["cause_topic"] != BATCHED]


def send_twice(topics: Topics) -> None:
    asked = topics.records[BATCHED][0]
    topics.say(f"{BATCHES}/{partition_of(BATCH)}/0/2", *asked.of, topic=BATCHED, book=asked.key().decode())


def send_something_else(topics: Topics) -> None:
    asked = topics.records[BATCHED][0]
    fields = {**asked.of[1], "purchase": {**asked.of[1]["purchase"], "total": 1}}
    topics.records[BATCHED][0] = asked._replace(of=(asked.of[0], fields))


def answer_wrongly(topics: Topics) -> None:
    answer = topics.records[ANSWERS][0]
    topics.records[ANSWERS][0] = answer._replace(of=(answer.of[0], {**answer.of[1], "reason": "unknown_supplier"}))


@pytest.mark.requirement("PRI-08", "PIPE-03")
@pytest.mark.parametrize("tamper", [lose_what_was_sent, send_twice, send_something_else, answer_wrongly])
def test_what_one_book_tells_another_must_be_what_it_decided(tamper: Tamper, monkeypatch: pytest.MonkeyPatch) -> None:
    topics = Topics()
    tamper(topics)
    assert any(each.startswith("sent") for each in topics.verified(monkeypatch))


@pytest.mark.requirement("PRI-08")
def test_a_message_between_books_that_nobody_answered_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = Topics()
    topics.records[JOURNAL].pop()
    assert any(each.startswith("no outcome") for each in topics.verified(monkeypatch))
