"""Prison finance on Kafka: which topic goes to which process."""

from typing import Any

from schemas.prison_finance import Prisoner, Supplier
from schemas.topics import CREDITS, PRISONERS, PURCHASES, SUPPLIERS
from streams.pipeline import Pipeline
from streams.prison_finance.accounting_day import OpenDays
from streams.prison_finance.purchase import Purchase
from streams.prison_finance.room import PrisonFinance, Tables


def wire(pipeline: Pipeline) -> None:
    """Declare the room's tables and agents."""
    app = pipeline.app
    purchases = pipeline.table("purchases", Purchase, due=lambda purchase: purchase.until)
    open_days = pipeline.table("accounting_days", OpenDays)
    prisoners = pipeline.table("prisoners", Prisoner)
    suppliers = pipeline.table("suppliers", Supplier)

    def room(partition: int) -> PrisonFinance:
        tables = Tables(*(table.rows(partition) for table in (purchases, open_days, prisoners, suppliers)))
        return PrisonFinance(tables, pipeline.ledger(partition))

    pipeline.join(room)

    @app.agent(pipeline.topic(CREDITS), name="prison_finance.credits")
    async def credited(stream: Any) -> None:
        async for batch in stream:
            pipeline.process(room, CREDITS, batch)

    @app.agent(pipeline.topic(PURCHASES), name="prison_finance.purchases")
    async def purchased(stream: Any) -> None:
        async for batch in stream:
            pipeline.process(room, PURCHASES, batch)

    @app.agent(pipeline.topic(PRISONERS), name="prison_finance.prisoners")
    async def moved(stream: Any) -> None:
        async for batch in stream:
            pipeline.remember(PRISONERS, batch, prisoners)

    @app.agent(pipeline.topic(SUPPLIERS), name="prison_finance.suppliers")
    async def supplied(stream: Any) -> None:
        async for batch in stream:
            pipeline.remember(SUPPLIERS, batch, suppliers)
