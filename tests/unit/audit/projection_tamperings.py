"""Tamperings with what should follow from the journal: tables, projections, statements."""

from typing import Any

from streams.audit.evidence import Row
from streams.audit.findings import Finding, Kind
from tests.unit.audit.tampering import finds
from tests.unit.audit.world import BOOK, FUNDING, JOURNAL, LOCK, TRIPS, WALLET, World, trip


def altered(rows: Any, key: str, **fields: Any) -> None:
    rows[key] = {**rows[key], **fields}


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
    world.tables["locks"][LOCK]["parts"] = [{"lot_id": "d-7", "amount_minor": 30_00}]


@finds(Kind.MISPLACED, f"balances {WALLET}")
def a_copy_of_a_row_lies_in_another_partition(world: World) -> None:
    world.strays["balances", 4] = {WALLET: world.tables["balances"][WALLET]}


@finds(Kind.TABLE_DIFFERS, f"locks {LOCK}")
def a_row_lies_in_another_partition_than_its_book(world: World) -> None:
    world.strays["locks", 0] = {LOCK: world.tables["locks"].pop(LOCK)}


@finds(Kind.MISPLACED, f"locks {LOCK}")
def whoever_works_on_another_partition_has_a_lock_of_the_book(world: World) -> None:
    world.strays["locks", 7] = {LOCK: world.tables["locks"].pop(LOCK)}


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
