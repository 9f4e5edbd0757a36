"""The auditor is worth what these tests prove: one thing in a clean world is tampered with, and it must be named."""

from collections.abc import Callable
from typing import Any

import pytest

from streams.audit.evidence import Entry, Partition, Place, Row, Span
from streams.audit.examine import examine
from streams.audit.findings import KEPT, Finding, Kind
from streams.audit.report import Report
from tests.unit.audit.world import (
    BOOK,
    DEADLINE,
    DEPOSIT,
    FUNDING,
    JOURNAL,
    LOCK,
    MINUTE_US,
    TICK,
    TRIP,
    TRIPS,
    UPSTREAM,
    WALLET,
    World,
    decided,
    line,
    lot,
    projection,
    trip,
)

pytestmark = pytest.mark.requirement("PIPE-09", "XFR-07")

Tampering = Callable[[World], None]
TAMPERINGS: dict[Tampering, tuple[Kind, str]] = {}


def look(world: World) -> Report:
    return examine(world, UPSTREAM, whole=("journal",))


def found(world: World) -> list[Finding]:
    return look(world).findings.kept


def finds(kind: Kind, where: str) -> Callable[[Tampering], Tampering]:
    """This tampering must lead to a finding of this kind in a place that contains `where`."""

    def noted(tampering: Tampering) -> Tampering:
        TAMPERINGS[tampering] = kind, where
        return tampering

    return noted


def altered(rows: Any, key: str, **fields: Any) -> None:
    rows[key] = {**rows[key], **fields}


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


# ---- tables


@finds(Kind.TABLE_DIFFERS, f"balances {WALLET}, credits_posted")
def a_penny_is_missing_in_a_table(world: World) -> None:
    world.tables["balances"][WALLET]["credits_posted"] -= 1


@finds(Kind.UNBALANCED, "table balances, EUR posted")
def a_penny_is_gone_from_the_sums_of_a_table(world: World) -> None:
    world.tables["balances"][WALLET]["credits_posted"] -= 1


@finds(Kind.UNBALANCED, "Postgres balances, EUR pending")
def a_penny_is_gone_from_the_sums_in_postgres(world: World) -> None:
    altered(world.postgres[0].balances, TRIPS, credits_pending=30_01)


@finds(Kind.TABLE_DIFFERS, f"balances {WALLET}, debits_posted")
def a_penny_is_missing_in_the_journal(world: World) -> None:
    world.fields(3)["lines"] = [trip("settled", 14_99, "t-1"), trip("voided", 5_01, "t-1")]


@finds(Kind.TABLE_DIFFERS, f"balances {WALLET}, lots")
def a_line_was_dropped_from_the_journal(world: World) -> None:
    del world.fields(4)["lines"][0]


@finds(Kind.TABLE_DIFFERS, f"balances {WALLET}, lots")
def a_lot_differs_in_a_table(world: World) -> None:
    world.tables["balances"][WALLET]["lots"][0]["expires_at"] = 1


@finds(Kind.TABLE_DIFFERS, f"balances {TRIPS}")
def a_row_is_missing_in_a_table(world: World) -> None:
    del world.tables["balances"][TRIPS]


@finds(Kind.TABLE_DIFFERS, f"balances {BOOK}|gifts|EUR")
def a_table_has_a_row_that_no_journal_line_made(world: World) -> None:
    world.tables["balances"][f"{BOOK}|gifts|EUR"] = {"side": "credit"}


@finds(Kind.TABLE_DIFFERS, f"balances {TRIPS}, side")
def a_row_has_no_side(world: World) -> None:
    del world.tables["balances"][TRIPS]["side"]


@finds(Kind.TABLE_DIFFERS, f"locks {LOCK}")
def a_lock_that_the_journal_leaves_open_is_gone_from_the_table(world: World) -> None:
    del world.tables["locks"][LOCK]


@finds(Kind.TABLE_DIFFERS, f"locks {BOOK}|trip:t-1")
def a_lock_that_the_journal_has_ended_is_open_in_the_table(world: World) -> None:
    world.tables["locks"][f"{BOOK}|trip:t-1"] = world.tables["locks"][LOCK]


@finds(Kind.TABLE_DIFFERS, f"locks {LOCK}, parts")
def a_lock_pins_another_lot_in_the_table(world: World) -> None:
    world.tables["locks"][LOCK]["parts"] = [["d-7", 30_00, None, ""]]


# ---- projections


@finds(Kind.PROJECTION_DIFFERS, f"topic balances {WALLET}, available_minor")
def a_projected_balance_differs(world: World) -> None:
    altered(world.topics.balances, WALLET, available_minor=85_00)


@finds(Kind.PROJECTION_DIFFERS, f"Postgres balances {FUNDING}, side")
def a_side_differs_in_postgres(world: World) -> None:
    altered(world.postgres[0].balances, FUNDING, side="credit")


@finds(Kind.PROJECTION_DIFFERS, f"Postgres locks {LOCK}")
def a_lock_is_missing_in_postgres(world: World) -> None:
    world.postgres = [world.postgres[0]._replace(locks={})]


@finds(Kind.PROJECTION_DIFFERS, f"topic locks {BOOK}|trip:t-1")
def a_lock_that_has_ended_is_still_projected(world: World) -> None:
    locks = {**world.topics.locks, f"{BOOK}|trip:t-1": world.topics.locks[LOCK]}
    world.topics = world.topics._replace(locks=locks)


def restated(world: World, *lines: Row | Finding) -> None:
    world.topics = world.topics._replace(lines=lines)


@finds(Kind.STATEMENT_GAP, f"topic statement {WALLET}|2")
def the_first_line_of_a_statement_is_missing(world: World) -> None:
    _, second = world.topics.lines
    restated(world, second)


@finds(Kind.STATEMENT_GAP, f"topic statement {WALLET}")
def the_last_line_of_a_statement_is_missing(world: World) -> None:
    first, _ = world.topics.lines
    restated(world, first)


@finds(Kind.STATEMENT_GAP, f"topic statement {WALLET}")
def a_whole_statement_is_missing(world: World) -> None:
    restated(world)


@finds(Kind.STATEMENT_GAP, f"topic statement {WALLET}|2")
def a_statement_line_stands_twice(world: World) -> None:
    first, second = world.topics.lines
    restated(world, first, second, second)


@finds(Kind.STATEMENT_DIFFERS, f"topic statement {WALLET}|2")
def a_running_balance_is_wrong(world: World) -> None:
    first, second = world.topics.lines
    assert isinstance(second, dict)
    restated(world, first, {**second, "balance_minor": 85_01})


@finds(Kind.STATEMENT_DIFFERS, f"topic statement {WALLET}|2")
def a_statement_line_tells_of_another_decision(world: World) -> None:
    first, second = world.topics.lines
    assert isinstance(second, dict)
    restated(world, first, {**second, "decision_id": "another"})


@finds(Kind.STATEMENT_DIFFERS, f"topic statement {WALLET}|2")
def a_statement_line_has_an_id_of_its_own(world: World) -> None:
    first, second = world.topics.lines
    assert isinstance(second, dict)
    restated(world, first, {**second, "id": "another"})


@finds(Kind.STATEMENT_DIFFERS, f"topic statement {FUNDING}|2")
def a_statement_line_tells_of_what_was_not_posted(world: World) -> None:
    first, second = world.topics.lines
    assert isinstance(first, dict)
    stray = {**first, "id": f"{FUNDING}|2", "account": "funding", "number": 2}
    restated(world, first, second, stray)


@finds(Kind.UNREADABLE, "statement/3@1")
def a_statement_line_cannot_be_read(world: World) -> None:
    first, _ = world.topics.lines
    restated(world, first, Finding(Kind.UNREADABLE, "statement/3@1", "a StatementLine", "not framed"))


# ---- the audit itself


@finds(Kind.NOT_QUIET, "journal/3")
def the_journal_grew_meanwhile(world: World) -> None:
    world.newer = [JOURNAL]


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda tampering: tampering.__name__)
def test_tampering_is_found_and_named(tampering: Tampering) -> None:
    world = World()
    tampering(world)
    kind, where = TAMPERINGS[tampering]
    matching = [finding for finding in look(world).findings.kept if finding.kind is kind and where in finding.where]
    assert matching, f"not found; but: {look(world).findings.kept}"


def test_every_kind_of_finding_is_proved() -> None:
    assert {kind for kind, _ in TAMPERINGS.values()} == set(Kind)


# ---- what must not be found


def test_a_clean_world_has_no_findings() -> None:
    report = look(World())
    assert report.findings.kept == []
    assert report.clean
    assert report.inputs == {"deposit": 3, "trip": 4}
    assert report.outcomes == {"accepted": 4, "duplicate": 1, "refused": 1}
    assert report.dead_letters == {"deposit": 1}
    assert (report.lines, report.books, report.accounts, report.open_locks, report.statement_lines) == (5, 1, 3, 1, 2)
    assert report.projections == ("topic", "Postgres")
    assert report.sums == {
        "EUR": {"debits_posted": 115_00, "credits_posted": 115_00, "debits_pending": 30_00, "credits_pending": 30_00}
    }


def test_one_tampering_of_a_table_is_one_difference() -> None:
    world = World()
    world.tables["locks"][LOCK]["amount_minor"] = 29_99
    assert found(world) == [(Kind.TABLE_DIFFERS, f"table locks {LOCK}, amount_minor", "3000", "2999")]


def test_one_missing_outcome_is_one_difference() -> None:
    world = World()
    del world.entries[5]
    assert found(world) == [(Kind.NO_OUTCOME, "trip/3@3", "a journal entry or a dead letter", "neither")]


def test_waiting_records_are_told_once_for_each_partition() -> None:
    world = World()
    records_wait_to_be_consumed(world)
    assert found(world) == [(Kind.UNPROCESSED, "trip/3", "every record consumed", "2 records from offset 4 on")]


def test_causes_that_retention_has_deleted_are_nobodys_fault() -> None:
    world = World()
    world.held[DEPOSIT] = Span(2, 3)
    del world.records[:2]
    assert look(world).clean


def test_a_tick_may_cause_many_decisions_and_outlive_none() -> None:
    world = World()
    world.add(decided("tick", TICK, 7), {**decided("tick", TICK, 7), "decision_id": "the second"})
    assert look(world).clean


def test_dead_letters_of_other_topics_are_counted_only() -> None:
    world = World()
    world.letters.append(Place(Partition("cdc.prices", 1), 5))
    report = look(world)
    assert report.clean
    assert report.dead_letters == {"cdc.prices": 1, "deposit": 1}


def test_a_locked_lot_may_be_settled_after_its_expiry_and_the_rest_may_expire() -> None:
    world = World()
    part = lot(1_00, "d-2", expires_at=4 * MINUTE_US)
    world.add(
        decided("e-6", DEPOSIT, 3, line("posted", 3_00, "funding", "wallet", opened={**part, "amount_minor": 3_00})),
        decided("e-7", TRIP, 3, trip("locked", 1_00, "t-4", spent=[part])) | {"cause_offset": 4},
        decided("e-8", TRIP, 5, trip("settled", 1_00, "t-4", spent=[part])),
        decided("tick", TICK, 600, line("posted", 2_00, "wallet", "expired", spent=[{**part, "amount_minor": 2_00}])),
    )
    assert not [kind for kind, *_ in found(world) if kind in (Kind.LOTS_MISUSED, Kind.LOCK_MISUSED, Kind.OVERDRAWN)]


def test_postgres_may_catch_up_while_the_audit_waits() -> None:
    world = World()
    behind = projection("Postgres")._replace(lines=[], locks={})
    world.postgres = [behind, behind, projection("Postgres")]
    assert look(world).clean


def test_postgres_may_be_left_out() -> None:
    world = World()
    world.postgres = []
    report = look(world)
    assert report.clean
    assert report.projections == ("topic",)


def test_many_findings_are_all_counted_and_the_first_kept() -> None:
    world = World()
    world.letters += [Place(DEPOSIT, 2)] * (KEPT + 5)
    findings = look(world).findings
    assert findings.counts == {Kind.TWO_OUTCOMES: KEPT + 5}
    assert len(findings.kept) == KEPT
