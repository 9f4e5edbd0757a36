"""Tamperings with what dealers' books tell, and with the tables that should follow from it."""

from typing import Any

from streams.audit.evidence import Projection, Row
from streams.audit.findings import Kind
from tests.unit.audit.dealing import ACCOUNT, BILL, DEALER, bill_row, deposited, segment, sent
from tests.unit.audit.tampering import finds
from tests.unit.audit.world import World


def with_rows(projection: Projection, table: str, **rows: Row) -> Projection:
    return projection._replace(dealers={**projection.dealers, table: rows})


def altered(projection: Projection, table: str, key: str, **fields: Any) -> Projection:
    row = {**projection.dealers[table][key], **fields}
    return with_rows(projection, table, **{**projection.dealers[table], key: row})


@finds(Kind.PROJECTION_DIFFERS, f"topic bill {BILL}, paid_sum_minor")
def a_bill_is_paid_in_the_topic_alone(world: World) -> None:
    world.topics = altered(world.topics, "bill", BILL, paid_sum_minor=1)


@finds(Kind.PROJECTION_DIFFERS, f"Postgres bill {BILL}, url")
def a_bill_has_a_url_in_postgres_alone(world: World) -> None:
    world.postgres = [altered(world.postgres[0], "bill", BILL, url="https://elsewhere.example")]


@finds(Kind.PROJECTION_DIFFERS, f"Postgres bill {BILL}")
def a_bill_is_missing_in_postgres(world: World) -> None:
    world.postgres = [with_rows(world.postgres[0], "bill")]


@finds(Kind.PROJECTION_DIFFERS, f"Postgres bill {DEALER}|B2")
def a_bill_that_no_book_has_drafted_is_in_postgres(world: World) -> None:
    rows = {BILL: bill_row(), f"{DEALER}|B2": bill_row(bill_id="B2")}
    world.postgres = [with_rows(world.postgres[0], "bill", **rows)]


@finds(Kind.PROJECTION_DIFFERS, f"topic accounts {ACCOUNT}, state")
def an_account_is_stopped_in_the_topic_alone(world: World) -> None:
    world.topics = altered(world.topics, "accounts", ACCOUNT, state="stopped")


@finds(Kind.PROJECTION_DIFFERS, f"topic accounts {DEALER}|DEPOSIT")
def an_account_that_nobody_opened_is_in_the_topic(world: World) -> None:
    rows = {**world.topics.dealers["accounts"], f"{DEALER}|DEPOSIT": world.topics.dealers["accounts"][ACCOUNT]}
    world.topics = with_rows(world.topics, "accounts", **rows)


@finds(Kind.PROJECTION_DIFFERS, f"Postgres dealers {DEALER}, cme_client_id")
def a_dealer_is_another_one_of_cme_in_postgres(world: World) -> None:
    world.postgres = [altered(world.postgres[0], "dealers", DEALER, cme_client_id="cme-2")]


@finds(Kind.PROJECTION_DIFFERS, f"Postgres dealers {DEALER}, requisite")
def a_dealers_bank_account_is_another_one_in_postgres(world: World) -> None:
    world.postgres = [altered(world.postgres[0], "dealers", DEALER, requisite=b'{"legal_name": "Anvil Motors"}')]


@finds(Kind.PROJECTION_DIFFERS, f"Postgres dealers {DEALER}")
def the_tables_of_dealers_are_empty(world: World) -> None:
    world.postgres = [world.postgres[0]._replace(dealers={})]


@finds(Kind.EVENT_MISSING, BILL)
def the_draft_of_a_bill_is_lost(world: World) -> None:
    world.dealt[-1] = sent()


@finds(Kind.BILLS_DIFFER, f"{DEALER}|receivable/COMMISSION|EUR")
def a_bill_is_owed_of_which_the_journal_knows_nothing(world: World) -> None:
    world.dealt.append(sent())


@finds(Kind.ACCOUNTS_DIFFER, ACCOUNT)
def an_account_is_opened_twice(world: World) -> None:
    world.dealt.append(next(told for told in world.dealt if told.name == "AccountOpened"))


@finds(Kind.DEPOSITS_DIFFER, f"{DEALER}|current/DEPOSIT|EUR")
def a_deposit_is_told_of_which_the_journal_knows_nothing(world: World) -> None:
    world.dealt.append(deposited(50_00, 50_00))


@finds(Kind.DEPOSITS_DIFFER, f"{DEALER}|current/DEPOSIT|EUR")
def a_deposit_comes_to_more_than_was_received(world: World) -> None:
    world.dealt += [deposited(50_00, 50_00), deposited(-50_00, 1)]


@finds(Kind.DEPOSITS_DIFFER, f"{DEALER}|current/DEPOSIT|EUR, segment small")
def a_segment_opens_twice(world: World) -> None:
    world.dealt += [deposited(50_00, 50_00), segment("PriceSegmentGranted"), segment("PriceSegmentGranted")]


@finds(Kind.DEPOSITS_DIFFER, f"{DEALER}|current/DEPOSIT|EUR, segment small")
def a_segment_closes_that_never_opened(world: World) -> None:
    world.dealt += [deposited(50_00, 50_00), segment("PriceSegmentRevoked")]


@finds(Kind.PROJECTION_DIFFERS, f"Postgres deposits {DEALER}")
def a_segment_is_open_in_postgres_alone(world: World) -> None:
    row = {"id": DEALER, "dealer_id": "D1", "segments": "EUR small"}
    world.postgres = [with_rows(world.postgres[0], "deposits", **{DEALER: row})]
