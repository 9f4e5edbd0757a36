"""Dealer billing on Kafka: which topic goes to which process."""

from typing import Any

from schemas.dealer_billing import Dealer
from schemas.topics import BILLING_PAYMENTS, BILLS, DEALERS
from streams.dealer_billing.bill import Bill, Payment, Waiting
from streams.dealer_billing.room import DealerBilling, Tables
from streams.pipeline import Pipeline


def wire(pipeline: Pipeline) -> None:
    """Declare the room's tables and agents."""
    app = pipeline.app
    bills = pipeline.table("bills", Bill)
    payments = pipeline.table("billing_payments", Payment)
    waiting = pipeline.table("waiting_payments", Waiting)
    dealers = pipeline.table("dealers", Dealer)

    def room(partition: int) -> DealerBilling:
        return DealerBilling(Tables(*(table.rows(partition) for table in (bills, payments, waiting, dealers))))

    pipeline.join(room)

    @app.agent(pipeline.topic(BILLS), name="dealer_billing.bills")
    async def raised(stream: Any) -> None:
        async for batch in stream:
            pipeline.process(room, BILLS, batch)

    @app.agent(pipeline.topic(BILLING_PAYMENTS), name="dealer_billing.payments")
    async def paid(stream: Any) -> None:
        async for batch in stream:
            pipeline.process(room, BILLING_PAYMENTS, batch)

    @app.agent(pipeline.topic(DEALERS), name="dealer_billing.dealers")
    async def known(stream: Any) -> None:
        async for batch in stream:
            pipeline.remember(DEALERS, batch, dealers)
