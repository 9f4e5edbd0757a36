"""Tamperings with the journal, and with inputs and their outcomes."""

from streams.audit.evidence import Entry, Event, Partition, Place, Span
from streams.audit.findings import Finding, Kind
from streams.audit.letters import VALUE_BYTES
from tests.unit.audit.tampering import finds
from tests.unit.audit.world import (
    BOOK,
    DEADLINE,
    DEPOSIT,
    JOURNAL,
    LOCK,
    MINUTE_US,
    TICK,
    TOLD,
    TRIP,
    WALLET,
    World,
    decided,
    line,
    lot,
    trip,
)

# ---- the journal


@finds(Kind.TRUNCATED, "journal/3")
def the_journal_has_lost_its_beginning(world: World) -> None:
    world.held[JOURNAL] = Span(1, 7)


@finds(Kind.UNREADABLE, "journal/3@9")
def a_record_of_the_journal_cannot_be_read(world: World) -> None:
    world.entries.append(Finding(Kind.UNREADABLE, "journal/3@9", "a Decided", "not framed"))


@finds(Kind.UNREADABLE, "dead-letter/0@1")
def a_dead_letter_does_not_say_what_it_buries(world: World) -> None:
    world.letters.append(Finding(Kind.UNREADABLE, "dead-letter/0@1", "headers", "none"))


@finds(Kind.MISPLACED, "e-3")
def an_entry_has_another_key_than_its_book(world: World) -> None:
    entry = world.entries[3]
    assert isinstance(entry, Entry)
    world.entries[3] = entry._replace(key="group:lakeside")


@finds(Kind.MISPLACED, "e-3")
def a_book_is_on_two_partitions(world: World) -> None:
    entry = world.entries[3]
    assert isinstance(entry, Entry)
    world.entries[3] = entry._replace(place=Place(Partition("journal", 4), 0))


@finds(Kind.ILLEGAL_ENTRY, "e-5")
def a_refusal_moves_money(world: World) -> None:
    world.fields(5)["lines"] = [line("posted", 1, "funding", "trips/msp-7")]


@finds(Kind.ILLEGAL_ENTRY, "e-5")
def a_refusal_has_no_reason(world: World) -> None:
    world.fields(5)["reason"] = None


@finds(Kind.ILLEGAL_LINE, "e-9")
def a_line_moves_a_negative_amount(world: World) -> None:
    world.add(decided("e-9", TRIP, 4, line("posted", -1, "funding", "trips/msp-7")))


@finds(Kind.ILLEGAL_LINE, "e-9")
def a_line_has_one_account_on_both_sides(world: World) -> None:
    world.add(decided("e-9", TRIP, 4, line("posted", 1, "funding", "funding")))


@finds(Kind.ILLEGAL_LINE, "e-9")
def a_line_locks_money_without_a_lock(world: World) -> None:
    world.add(decided("e-9", TRIP, 4, line("locked", 1, "funding", "trips/msp-7")))


@finds(Kind.LOCK_MISUSED, "e-9")
def more_is_settled_than_is_locked(world: World) -> None:
    world.add(decided("e-9", TRIP, 4, trip("settled", 30_01, "t-2")))


@finds(Kind.LOCK_MISUSED, "e-9")
def an_ended_lock_is_settled_again(world: World) -> None:
    world.add(decided("e-9", TRIP, 4, trip("settled", 15_00, "t-1")))


@finds(Kind.LOCK_MISUSED, "e-9")
def an_open_lock_is_opened_again(world: World) -> None:
    world.add(decided("e-9", TRIP, 4, trip("locked", 1, "t-2")))


@finds(Kind.LOCK_MISUSED, "e-9")
def a_lock_is_settled_to_another_account(world: World) -> None:
    world.add(decided("e-9", TRIP, 4, {**trip("settled", 30_00, "t-2"), "credit": "trips/msp-8"}))


@finds(Kind.LOCK_MISUSED, "e-9")
def a_lock_is_settled_from_another_lot(world: World) -> None:
    world.add(
        decided("e-8", DEPOSIT, 3, line("posted", 30_00, "funding", "wallet", opened=lot(30_00, "d-2"))),
        decided("e-9", TRIP, 4, trip("settled", 30_00, "t-2", spent=[lot(30_00, "d-2")])),
    )


@finds(Kind.LOTS_MISUSED, "e-9")
def a_line_names_lots_for_less_than_its_amount(world: World) -> None:
    world.add(decided("e-9", TRIP, 4, line("posted", 2_00, "wallet", "trips/msp-7", spent=[lot(1_00)])))


@finds(Kind.LOTS_MISUSED, "e-9")
def a_line_spends_locked_money_of_a_lot(world: World) -> None:
    world.add(decided("e-9", TRIP, 4, line("posted", 55_01, "wallet", "trips/msp-7", spent=[lot(55_01)])))


@finds(Kind.LOTS_MISUSED, "e-9")
def a_line_spends_a_lot_that_is_not_there(world: World) -> None:
    world.add(decided("e-9", TRIP, 4, line("posted", 1, "wallet", "trips/msp-7", spent=[lot(1, "d-7")])))


@finds(Kind.LOTS_MISUSED, "e-9")
def an_open_lot_is_opened_again(world: World) -> None:
    world.add(decided("e-9", DEPOSIT, 3, line("posted", 1, "funding", "wallet", opened=lot(1))))


@finds(Kind.LOTS_MISUSED, "e-9")
def a_lot_is_opened_with_more_than_was_paid_in(world: World) -> None:
    world.add(decided("e-9", DEPOSIT, 3, line("posted", 1, "funding", "wallet", opened=lot(2, "d-2"))))


@finds(Kind.LOTS_MISUSED, "e-9")
def money_enters_a_wallet_outside_of_lots(world: World) -> None:
    world.add(decided("e-9", DEPOSIT, 3, line("posted", 1, "funding", "wallet")))


@finds(Kind.LOTS_MISUSED, "e-9")
def a_lot_is_given_a_later_expiry_when_it_is_spent(world: World) -> None:
    world.add(decided("e-9", TRIP, 4, trip("settled", 1, "t-2", spent=[lot(1, expires_at=DEADLINE)])))


@finds(Kind.LOTS_MISUSED, "e-9")
def an_expired_lot_pays_for_a_trip(world: World) -> None:
    old = lot(1_00, "d-2", expires_at=2 * MINUTE_US)
    world.add(
        decided("e-8", DEPOSIT, 3, line("posted", 1_00, "funding", "wallet", opened=old)),
        decided("e-9", TRIP, 4, line("posted", 1_00, "wallet", "trips/msp-7", spent=[old])),
    )


@finds(Kind.LOTS_MISUSED, "tick")
def a_lot_that_never_expires_is_posted_to_the_expiry_account(world: World) -> None:
    world.add(decided("tick", TICK, 600, line("posted", 1_00, "wallet", "expired", spent=[lot(1_00)])))


@finds(Kind.LOTS_MISUSED, "tick")
def a_lot_expires_before_its_day(world: World) -> None:
    young = lot(1_00, "d-2", expires_at=600 * MINUTE_US + 1)
    world.add(
        decided("e-8", DEPOSIT, 3, line("posted", 1_00, "funding", "wallet", opened=young)),
        decided("tick", TICK, 600, line("posted", 1_00, "wallet", "expired", spent=[young])),
    )


@finds(Kind.LOT_OVERDUE, f"{WALLET}, lot d-2")
def an_expired_lot_is_left_in_the_wallet(world: World) -> None:
    old = lot(1_00, "d-2", expires_at=4 * MINUTE_US)
    world.add(decided("e-8", DEPOSIT, 3, line("posted", 1_00, "funding", "wallet", opened=old)))


@finds(Kind.LOCK_MISUSED, "tick")
def a_lock_expires_before_its_deadline(world: World) -> None:
    world.add(decided("tick", TICK, 600, trip("expired", 30_00, "t-2")) | {"effective_at": DEADLINE - 1})


@finds(Kind.OVERDRAWN, "e-9")
def a_wallet_is_overdrawn(world: World) -> None:
    world.add(decided("e-9", TRIP, 4, line("posted", 55_01, "wallet", "trips/msp-7", spent=[lot(55_01)])))


@finds(Kind.LOCK_OVERDUE, LOCK)
def a_lock_is_left_open_after_its_deadline(world: World) -> None:
    world.now = {3: DEADLINE + MINUTE_US + 1}


# ---- inputs and outcomes


@finds(Kind.DECISION_TWICE, "journal/3@6")
def a_decision_stands_twice(world: World) -> None:
    world.add(world.fields(4))


@finds(Kind.EFFECT_TWICE, "e-1")
def a_repeated_deposit_is_accepted_twice(world: World) -> None:
    world.fields(1)["outcome"] = "accepted"
    world.fields(1)["figures"] = {}


@finds(Kind.NO_ORIGINAL, "e-1")
def a_repetition_has_no_original(world: World) -> None:
    world.fields(1)["figures"] = {"of": f"{BOOK}|e-0|deposit|3|0"}


@finds(Kind.NO_ORIGINAL, "e-1")
def a_repetition_comes_before_its_original(world: World) -> None:
    world.entries[0], world.entries[1] = world.entries[1], world.entries[0]


@finds(Kind.NO_ORIGINAL, "e-1")
def a_repetition_is_of_a_repetition(world: World) -> None:
    first = world.fields(1)["decision_id"]
    world.add(decided("e-1", DEPOSIT, 3, outcome="duplicate", figures={"of": first}))


@finds(Kind.NO_OUTCOME, "trip/3@3")
def a_consumed_record_has_no_outcome(world: World) -> None:
    del world.entries[5]


@finds(Kind.NO_OUTCOME, "deposit/3@2")
def a_record_that_is_no_message_was_not_buried(world: World) -> None:
    world.letters.clear()


@finds(Kind.TWO_OUTCOMES, "trip/3@2")
def a_record_has_two_decisions(world: World) -> None:
    world.add({**decided("e-9", TRIP, 2), "decision_id": "another"})


@finds(Kind.TWO_OUTCOMES, "trip/3@3")
def a_decided_record_is_buried_too(world: World) -> None:
    world.letters.append(Place(TRIP, 3))


@finds(Kind.TWO_OUTCOMES, "deposit/3@2")
def a_record_is_buried_twice(world: World) -> None:
    world.letters.append(Place(DEPOSIT, 2))


@finds(Kind.NO_CAUSE, "e-5")
def an_entry_names_a_record_that_does_not_exist(world: World) -> None:
    world.fields(5)["cause_offset"] = 17


@finds(Kind.NO_CAUSE, "dead letter")
def a_dead_letter_names_a_record_that_does_not_exist(world: World) -> None:
    world.letters.append(Place(DEPOSIT, 4))


@finds(Kind.NO_CAUSE, "tick")
def a_decision_names_a_tick_that_has_not_come(world: World) -> None:
    world.add(decided("tick", TICK, 900))


@finds(Kind.NO_CAUSE, "e-9")
def a_decision_names_a_topic_that_nobody_knows(world: World) -> None:
    world.add(decided("e-9", Partition("elsewhere", 0), 0))


@finds(Kind.OUTCOME_UNCOMMITTED, "trip/3@3")
def a_record_has_an_outcome_but_will_be_consumed_again(world: World) -> None:
    world.offsets[TRIP] = 3


@finds(Kind.UNPROCESSED, "trip/3")
def records_wait_to_be_consumed(world: World) -> None:
    world.records += [Place(TRIP, 4), Place(TRIP, 5)]


@finds(Kind.LETTER_DIFFERS, "deposit/3@2")
def a_dead_letter_has_lost_the_end_of_its_record(world: World) -> None:
    world.kept, world.sizes = (b"key", b"no m"), (3, 4)


@finds(Kind.LETTER_DIFFERS, "deposit/3@2")
def a_dead_letter_says_that_it_is_cut_but_need_not_be(world: World) -> None:
    world.kept = (b"key", b"no m")


@finds(Kind.LETTER_DIFFERS, "deposit/3@2")
def a_dead_letter_has_no_value(world: World) -> None:
    world.kept, world.sizes = (b"key", None), (3, 0)


@finds(Kind.LETTER_DIFFERS, "deposit/3@2")
def a_dead_letter_has_another_key(world: World) -> None:
    world.kept = (b"kez", b"no message")


@finds(Kind.LETTER_DIFFERS, "deposit/3@2")
def a_dead_letter_makes_a_value_of_none(world: World) -> None:
    world.sent = (b"key", None)
    world.kept, world.sizes = (b"key", b""), (3, 0)


@finds(Kind.LETTER_DIFFERS, "deposit/3@2")
def a_dead_letter_is_cut_and_does_not_say_so(world: World) -> None:
    world.sent = (b"key", b"v" * (VALUE_BYTES + 1))
    world.kept, world.sizes = (b"key", b"v" * VALUE_BYTES), (3, VALUE_BYTES)


# ---- events


def told_more(world: World, event_id: str, key: bytes | None = BOOK.encode()) -> None:
    world.told.append(Event(Place(TOLD, 7), key, event_id))


@finds(Kind.EVENT_MISSING, "e-3")
def the_last_event_of_a_decision_is_lost(world: World) -> None:
    del world.told[3]


@finds(Kind.EVENT_MISSING, "e-3")
def the_first_event_of_a_decision_is_lost(world: World) -> None:
    del world.told[2]


@finds(Kind.EVENT_MISSING, "e-5")
def nobody_hears_of_a_refusal(world: World) -> None:
    del world.told[5]


@finds(Kind.EVENT_MISSING, "e-3")
def a_decision_of_before_the_count_has_a_gap(world: World) -> None:
    world.fields(3)["events"] = None
    del world.told[2]


@finds(Kind.EVENT_UNCOUNTED, "told/3@7")
def the_last_event_of_a_decision_is_told_again_under_the_next_number(world: World) -> None:
    told_more(world, f"{BOOK}|e-3|trip|3|1/2")


@finds(Kind.EVENT_UNCOUNTED, "told/3@7")
def an_event_is_told_again_under_its_own_number(world: World) -> None:
    told_more(world, f"{BOOK}|e-3|trip|3|1/1")


@finds(Kind.EVENT_UNCOUNTED, "told/3@7")
def a_decision_of_before_the_count_tells_an_event_again(world: World) -> None:
    world.fields(3)["events"] = None
    told_more(world, f"{BOOK}|e-3|trip|3|1/1")


@finds(Kind.EVENT_UNCOUNTED, "told/3@7")
def a_repetition_tells_what_its_original_has_told(world: World) -> None:
    told_more(world, f"{BOOK}|e-1|deposit|3|1/0")


@finds(Kind.EVENT_UNCOUNTED, "told/3@7")
def a_refusal_is_told_as_if_it_were_none(world: World) -> None:
    told_more(world, f"{BOOK}|e-5|trip|3|3/0")


@finds(Kind.EVENT_UNCOUNTED, "told/3@7")
def an_event_is_of_no_decision(world: World) -> None:
    told_more(world, "e-17")


@finds(Kind.EVENT_UNCOUNTED, "told/3@7")
def a_notice_is_told_again(world: World) -> None:
    told_more(world, "mobility:3/day/2026-03-02/0", key=None)


@finds(Kind.EVENT_UNCOUNTED, "told/3@7")
def a_notice_is_of_another_partition(world: World) -> None:
    told_more(world, "mobility:4/day/2026-03-02/0", key=None)


@finds(Kind.EVENT_UNCOUNTED, "told/3@7")
def an_event_of_a_book_looks_like_a_notice(world: World) -> None:
    told_more(world, "mobility:3/day/2026-03-03/0")


@finds(Kind.UNREADABLE, "told/3@7")
def an_event_has_no_id(world: World) -> None:
    world.told.append(Finding(Kind.UNREADABLE, "told/3@7", "a header ce_id", "none"))


@finds(Kind.ILLEGAL_ENTRY, "e-3")
def an_entry_counts_more_events_than_any_decision_tells(world: World) -> None:
    world.fields(3)["events"] = 1 << 40
