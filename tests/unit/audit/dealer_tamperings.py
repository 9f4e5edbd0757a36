"""Tamperings with what dealers' books tell, and with the tables that should follow from it."""

from typing import Any

from streams.audit.evidence import Projection, Row
from streams.audit.findings import Kind
from tests.unit.audit.dealing import (
    ACCOUNT,
    BILL,
    DEALER,
    bill,
    bill_row,
    charged,
    deposited,
    eur,
    handed_over,
    paid,
    segment,
    sent,
    sold,
    voided,
    waiting_row,
    waits,
)
from tests.unit.audit.tampering import finds
from tests.unit.audit.world import DEPOSIT, World, decided, line


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


# ---- money that is told and does not stand in the journal, or does not add up


@finds(Kind.MONEY_DIFFERS, f"{DEALER}|bank|EUR")
def a_paid_bill_is_told_of_which_the_journal_knows_nothing(world: World) -> None:
    world.dealt += [sent(), paid(100_00)]


@finds(Kind.MONEY_DIFFERS, f"{DEALER}|current/COMMISSION|EUR")
def a_surplus_is_told_of_which_the_journal_knows_nothing(world: World) -> None:
    world.dealt += [sent(), paid(100_00, 5_00)]


@finds(Kind.MONEY_DIFFERS, f"{DEALER}|current/SETTLEMENT|EUR")
def a_balance_is_in_the_journal_of_which_no_event_tells(world: World) -> None:
    moved = line("posted", 5_00, "current/COMMISSION", "current/SETTLEMENT")
    world.add({**decided("e-9", DEPOSIT, 3, moved), "book": DEALER})


@finds(Kind.MONEY_DIFFERS, f"{DEALER}|suspense|EUR")
def money_waits_of_which_the_journal_knows_nothing(world: World) -> None:
    world.dealt.append(waits())


@finds(Kind.MONEY_DIFFERS, f"{DEALER}|revenue/COMMISSION|EUR")
def a_voided_bill_is_still_revenue_in_the_journal(world: World) -> None:
    world.dealt += [sent(), voided()]
    billed = line("posted", 100_00, "receivable/COMMISSION", "revenue/COMMISSION")
    world.add({**decided("e-9", DEPOSIT, 3, billed), "book": DEALER})


@finds(Kind.MONEY_DIFFERS, f"{DEALER}|P1")
def a_payment_is_taken_twice(world: World) -> None:
    world.dealt += [sent(), paid(40_00), paid(40_00)]


@finds(Kind.MONEY_DIFFERS, f"{DEALER}|P1")
def a_payment_leaves_suspense_twice(world: World) -> None:
    world.dealt += [waits(), sent(), paid(40_00, source="suspense"), paid(40_00, source="suspense")]


@finds(Kind.MONEY_DIFFERS, f"{DEALER}|P1")
def more_of_a_payment_leaves_suspense_than_came(world: World) -> None:
    world.dealt += [waits(39_99), sent(), paid(40_00, source="suspense")]


@finds(Kind.MONEY_DIFFERS, f"{DEALER}|P1")
def a_part_of_a_payment_is_nowhere(world: World) -> None:
    lost = {"received": eur(40_00), "applied_minor": 39_99, "surplus_minor": 0}
    world.dealt += [sent(), bill("BillPaid", payment_id="P1", source="bank", **lost)]


@finds(Kind.MONEY_DIFFERS, BILL)
def a_bill_is_paid_above_its_sum(world: World) -> None:
    world.dealt += [sent(), paid(60_00), paid(40_01, payment_id="P2")]


@finds(Kind.MONEY_DIFFERS, BILL)
def less_is_credited_of_a_voided_bill_than_was_paid(world: World) -> None:
    world.dealt += [sent(), paid(60_00), voided(59_99)]


@finds(Kind.MONEY_DIFFERS, "dealer:D2|D1/P1")
def a_payment_is_handed_over_to_nobody(world: World) -> None:
    world.dealt += [waits(), handed_over()]


@finds(Kind.MONEY_DIFFERS, "dealer:D2|D1/P1")
def less_is_taken_than_was_handed_over(world: World) -> None:
    world.dealt += [waits(), handed_over(), waits(39_99, "D1/P1", "D2")]


@finds(Kind.MONEY_DIFFERS, "dealer:D2|D1/P1")
def a_payment_is_taken_that_nobody_has_handed_over(world: World) -> None:
    world.dealt.append(waits(40_00, "D1/P1", "D2"))


@finds(Kind.PROJECTION_DIFFERS, f"topic suspense {DEALER}|P1")
def a_payment_waits_that_the_topic_does_not_show(world: World) -> None:
    world.dealt.append(waits())


@finds(Kind.PROJECTION_DIFFERS, f"Postgres suspense {DEALER}|P1")
def a_payment_waits_in_postgres_alone(world: World) -> None:
    world.postgres = [with_rows(world.postgres[0], "suspense", **{f"{DEALER}|P1": waiting_row()})]


@finds(Kind.PROJECTION_DIFFERS, f"topic suspense {DEALER}|P1")
def a_payment_that_has_paid_still_waits_in_the_topic(world: World) -> None:
    world.dealt += [waits(), sent(), paid(40_00, source="suspense")]
    world.topics = with_rows(world.topics, "suspense", **{f"{DEALER}|P1": waiting_row()})


@finds(Kind.PROJECTION_DIFFERS, f"Postgres suspense {DEALER}|P1, amount_minor")
def a_payment_waits_with_a_penny_less_in_postgres(world: World) -> None:
    world.dealt.append(waits())
    row = waiting_row(amount_minor=39_99)
    world.postgres = [with_rows(world.postgres[0], "suspense", **{f"{DEALER}|P1": row})]


# ---- deposits


@finds(Kind.DEPOSITS_DIFFER, f"{DEALER}|current/DEPOSIT|EUR, segment small")
def a_segment_opens_out_of_reach_of_the_deposit(world: World) -> None:
    world.dealt += [deposited(49_99, 49_99), segment("PriceSegmentGranted", deposit_minor=49_99)]


@finds(Kind.DEPOSITS_DIFFER, f"{DEALER}|current/DEPOSIT|EUR, segment small")
def a_segment_closes_that_the_deposit_reaches(world: World) -> None:
    opened = segment("PriceSegmentGranted")
    world.dealt += [deposited(50_00, 50_00), opened, segment("PriceSegmentRevoked")]


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
    world.dealt += [deposited(50_00, 50_00), segment("PriceSegmentRevoked", from_minor=None)]


@finds(Kind.PROJECTION_DIFFERS, f"Postgres deposits {DEALER}")
def a_segment_is_open_in_postgres_alone(world: World) -> None:
    row = {"id": DEALER, "dealer_id": "D1", "segments": "EUR small"}
    world.postgres = [with_rows(world.postgres[0], "deposits", **{DEALER: row})]


@finds(Kind.DEALS_DIFFER, f"{DEALER}|L1")
def a_lot_is_sold_and_its_buyer_is_not_charged(world: World) -> None:
    world.dealt.append(sold())


@finds(Kind.DEALS_DIFFER, f"{DEALER}|L1")
def a_dealer_is_charged_for_a_lot_of_which_nobody_knows(world: World) -> None:
    world.dealt.append(charged(5_00))


@finds(Kind.DEALS_DIFFER, f"{DEALER}|L1")
def a_commission_is_a_penny_too_high(world: World) -> None:
    world.dealt += [sold(), charged(5_01)]


@finds(Kind.DEALS_DIFFER, f"{DEALER}|L1")
def a_commission_is_of_no_rate(world: World) -> None:
    world.tables["commission_rates"] = {}
    world.dealt += [sold(), charged(5_00)]
