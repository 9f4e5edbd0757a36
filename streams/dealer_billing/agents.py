"""Dealer billing on Kafka: which topic goes to which process."""

from collections.abc import Callable
from typing import Any

from schemas.dealer_billing import Dealer
from schemas.dealer_reference import CommissionPolicy, CommissionRate
from schemas.topics import (
    BILL_CORRECTIONS,
    BILLING_ANSWERS,
    BILLING_PAYMENTS,
    BILLS,
    COMMISSION_POLICIES,
    COMMISSION_RATES,
    DEALER_COMMANDS,
    DEALERS,
    DEPOSIT_TIERS,
    HANDED_PAYMENTS,
    LOT_ANSWERS,
    LOT_CHARGES,
    LOT_DEALS,
    PROJECTED_ACCOUNTS,
    PROJECTED_BILLS,
    PROJECTED_DEALERS,
    PROJECTED_DEPOSITS,
    PROJECTED_SUSPENSE,
    Topic,
)
from streams.dealer_billing import deposit
from streams.dealer_billing.bill_row import Bill
from streams.dealer_billing.commission import Month
from streams.dealer_billing.conditions import hear_policy, hear_rate
from streams.dealer_billing.deal_row import Deal
from streams.dealer_billing.deals_room import DealerDeals, DealTables
from streams.dealer_billing.deposit import Deposit, Moved, Tiers
from streams.dealer_billing.deposit_rows import TIERS, know
from streams.dealer_billing.lot import Lot
from streams.dealer_billing.lots_room import DealerLots
from streams.dealer_billing.payment_row import Payment, Waiting
from streams.dealer_billing.projection import project_account, project_bill, project_dealer, project_suspense
from streams.dealer_billing.registration import Account, Registered
from streams.dealer_billing.room import Tables
from streams.pipeline import Pipeline, RoomOf

DECIDED = (DEALER_COMMANDS, BILLS, BILL_CORRECTIONS, BILLING_PAYMENTS, BILLING_ANSWERS, HANDED_PAYMENTS, LOT_CHARGES)
OF_LOTS = (LOT_DEALS, LOT_ANSWERS)


def wire(pipeline: Pipeline) -> None:
    """Declare the room's tables and agents."""
    bills = pipeline.table("bills", Bill, projection=pipeline.projected(PROJECTED_BILLS, project_bill))
    payments = pipeline.table(
        "billing_payments", Payment, projection=pipeline.projected(PROJECTED_SUSPENSE, project_suspense)
    )
    waiting = pipeline.table("waiting_payments", Waiting)
    dealers = pipeline.table("dealers", Dealer)
    registered = pipeline.table(
        "registered_dealers", Registered, projection=pipeline.projected(PROJECTED_DEALERS, project_dealer)
    )
    accounts = pipeline.table(
        "dealer_accounts", Account, projection=pipeline.projected(PROJECTED_ACCOUNTS, project_account)
    )
    deposits = pipeline.table(
        "deposits",
        Deposit,
        due=lambda each: each.judged_by,
        projection=pipeline.projected(PROJECTED_DEPOSITS, deposit.project),
    )
    moved = pipeline.table("deposit_payments", Moved)
    tiers = pipeline.table("deposit_tiers", Tiers)
    tables = (bills, payments, waiting, dealers, registered, accounts, deposits, moved, tiers)
    deals = pipeline.table("deals", Deal, due=lambda deal: deal.again_at)
    months = pipeline.table("commission_months", Month, due=lambda month: month.due)
    rates = pipeline.table("commission_rates", CommissionRate)
    policies = pipeline.table("commission_policies", CommissionPolicy)
    lots = pipeline.table("dealer_lots", Lot)

    def room(partition: int) -> DealerDeals:
        bought = DealTables(*(table.rows(partition) for table in (deals, months, rates, policies)))
        return DealerDeals(Tables(*(table.rows(partition) for table in tables)), bought, pipeline.ledger(partition))

    def lots_room(partition: int) -> DealerLots:
        return DealerLots(lots.rows(partition))

    for each, topics in ((room, DECIDED), (lots_room, OF_LOTS)):
        pipeline.join(each)
        for topic in topics:
            _answer(pipeline, topic, each)
    _hear(pipeline, COMMISSION_RATES, rates, deals, hear_rate)
    _hear(pipeline, COMMISSION_POLICIES, policies, months, hear_policy)

    @pipeline.app.agent(pipeline.topic(DEALERS), name="dealer_billing.known_dealers")
    async def known(stream: Any) -> None:
        async for batch in stream:
            partition = batch[0].partition()
            know(dealers.rows(partition), deposits.rows(partition), pipeline.references(DEALERS, batch))

    @pipeline.app.agent(pipeline.topic(DEPOSIT_TIERS), name="dealer_billing.deposit_tiers")
    async def tiers_known(stream: Any) -> None:
        async for batch in stream:
            rows = tiers.rows(batch[0].partition())
            for tier_id, tier in pipeline.references(DEPOSIT_TIERS, batch):
                rows[TIERS] = deposit.evolve_tiers(rows.get(TIERS), tier_id, tier)


def _answer(pipeline: Pipeline, topic: Topic, room: RoomOf) -> None:
    @pipeline.app.agent(pipeline.topic(topic), name=_agent_name(topic))
    async def answered(stream: Any) -> None:
        async for batch in stream:
            pipeline.process(room, topic, batch)


def _hear(pipeline: Pipeline, topic: Topic, kept: Any, concerned: Any, hear: Callable[..., None]) -> None:
    @pipeline.app.agent(pipeline.topic(topic), name=_agent_name(topic))
    async def heard(stream: Any) -> None:
        async for batch in stream:
            partition = batch[0].partition()
            for row_id, message in pipeline.references(topic, batch):
                hear(kept.rows(partition), concerned.rows(partition), row_id, message)


def _agent_name(topic: Topic) -> str:
    return f"dealer_billing.{topic.name.split('.')[1]}s"
