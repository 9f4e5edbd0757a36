"""The auditor is worth what these tests prove: one thing in a clean world is tampered with, and it must be named."""

import pytest

from streams.audit.evidence import Event, Partition, Place, Span
from streams.audit.examine import examine
from streams.audit.findings import KEPT, Finding, Kind
from streams.audit.report import Report
from tests.unit.audit import dealer_tamperings, journal_tamperings, projection_tamperings  # noqa: F401  they fill the table
from tests.unit.audit.tampering import TAMPERINGS, Tampering
from tests.unit.audit.world import (
    BOOK,
    DEPOSIT,
    LOCK,
    MINUTE_US,
    TICK,
    TOLD,
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


def look(world: World) -> Report:
    return examine(world, UPSTREAM, whole=("journal",))


def found(world: World) -> list[Finding]:
    return look(world).findings.kept


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
    del world.entries[5], world.told[5]
    assert found(world) == [(Kind.NO_OUTCOME, "trip/3@3", "a journal entry or a dead letter", "neither")]


def test_waiting_records_are_told_once_for_each_partition() -> None:
    world = World()
    world.records += [Place(TRIP, 4), Place(TRIP, 5)]
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


def test_two_upstream_systems_may_number_their_messages_alike() -> None:
    world = World()
    world.add(decided("e-1", TRIP, 4))
    assert look(world).clean


def test_a_wallet_that_grows_on_the_other_side_is_found_though_all_else_agrees() -> None:
    world = World()
    world.tables["balances"][WALLET]["side"] = "debit"
    for shown in (world.topics, *world.postgres):
        balances = shown.balances
        assert isinstance(balances, dict)
        balances[WALLET] |= {"side": "debit", "balance_minor": -85_00, "available_minor": -85_00}
        for line_ in shown.lines:
            assert isinstance(line_, dict)
            line_["amount_minor"], line_["balance_minor"] = -line_["amount_minor"], -line_["balance_minor"]
    assert found(world) == [Finding(Kind.TABLE_DIFFERS, f"table balances {WALLET}, side", "credit", "debit")]


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


def test_entries_of_before_the_count_tell_any_number_of_events() -> None:
    world = World()
    for number in (0, 1, 3, 5):
        world.fields(number)["events"] = None
    assert look(world).clean


def test_of_a_lost_event_the_number_is_named() -> None:
    world = World()
    del world.told[3]
    expected = "every event that it tells"
    missing = Finding(Kind.EVENT_MISSING, world.fields(3)["decision_id"], expected, "1 not there, the first number 1")
    assert found(world) == [missing]


def test_what_was_buried_may_be_told_again() -> None:
    world = World()
    replayed = Event(Place(TRIP, 9), BOOK.encode(), f"{BOOK}|e-4|trip|3|2/0")
    world.told[4] = replayed._replace(place=Place(TRIP, 4))
    world.told.append(replayed)
    world.records += [Place(TRIP, 4)]
    world.letters.append(Place(TRIP, 4))
    world.offsets[TRIP] = 5
    assert look(world).clean
    world.told[4], world.told[-1] = world.told[-1], world.told[4]
    assert look(world).clean
    world.told.append(replayed)
    assert [finding.kind for finding in found(world)] == [Kind.EVENT_UNCOUNTED]


def test_a_record_that_does_not_fit_a_letter_is_cut_in_it() -> None:
    world = World()
    world.sent = (b"k" * 40_000, b"v" * 1_000_000)
    world.kept, world.sizes = (b"k" * 32_000, b"v" * 900_000), (40_000, 1_000_000)
    assert look(world).clean


def test_a_record_of_nothing_has_a_letter_of_nothing() -> None:
    world = World()
    world.sent, world.kept, world.sizes = (None, None), (None, None), (0, 0)
    assert look(world).clean


def test_where_retention_has_deleted_events_none_is_missed() -> None:
    world = World()
    del world.told[:3]
    world.held[TOLD] = Span(3, 7)
    report = examine(world, UPSTREAM, whole=("journal", "told"))
    assert [finding.kind for finding in report.findings.kept] == [Kind.TRUNCATED]


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


def test_records_of_a_partition_that_nobody_has_worked_on_are_waiting() -> None:
    world = World()
    fresh = Partition("trip", 5)
    world.records.append(Place(fresh, 0))
    world.held[fresh] = Span(0, 1)
    assert found(world) == [Finding(Kind.UNPROCESSED, "trip/5", "every record consumed", "1 record from offset 0 on")]


def test_a_tick_may_be_the_first_of_its_partition() -> None:
    world = World()
    world.add(decided("tick", TICK, 0))
    assert look(world).clean


def test_an_outcome_at_the_beginning_of_what_is_kept_needs_its_cause() -> None:
    world = World()
    world.held[DEPOSIT] = Span(1, 3)
    del world.records[:2]
    assert [finding.where for finding in found(world)] == [f"{BOOK}|e-1|deposit|3|1"]


def test_a_missing_penny_unbalances_its_currency() -> None:
    world = World()
    del world.tables["balances"][TRIPS]["credits_posted"]
    unbalanced = [finding for finding in found(world) if finding.kind is Kind.UNBALANCED]
    where = "table balances, EUR posted"
    assert unbalanced == [Finding(Kind.UNBALANCED, where, "credits of 11500, as debits", "10000")]


def test_a_gap_names_the_number_that_should_be_there() -> None:
    world = World()
    world.topics = world.topics._replace(lines=list(world.topics.lines)[1:])
    gap = Finding(Kind.STATEMENT_GAP, f"topic statement {WALLET}|2", "number 1", "2")
    assert gap in found(world)


def test_a_row_leaves_out_what_has_its_default() -> None:
    world = World()
    world.add(decided("e-9", TRIP, 4, trip("voided", 30_00, "t-2")))
    wallet = world.tables["balances"][WALLET]
    wallet["lots"] = [{"lot_id": "d-1", "amount_minor": 85_00}]
    del wallet["debits_pending"], world.tables["balances"][TRIPS]["credits_pending"], world.tables["locks"][LOCK]
    assert [finding for finding in found(world) if finding.kind is Kind.TABLE_DIFFERS] == []
