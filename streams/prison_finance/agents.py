"""Prison finance on Kafka: which topic goes to which process."""

from typing import Any

from schemas.prison_reference import GlAccount, Officer, Prison, Prisoner, Supplier
from schemas.topics import (
    ADVANCES,
    BATCH_ANSWERS,
    BATCHED_PURCHASES,
    BATCHES,
    CREDITS,
    GL_ACCOUNTS,
    GL_ACKNOWLEDGEMENTS,
    GL_CORRECTIONS,
    OFFICERS,
    PRISONERS,
    PRISONS,
    PURCHASES,
    SUPPLIERS,
    Topic,
)
from streams.pipeline import Pipeline, RoomOf
from streams.prison_finance.accounting_day import OpenDays
from streams.prison_finance.advance import Advances
from streams.prison_finance.batch import Batch
from streams.prison_finance.batch_room import PrisonBatches
from streams.prison_finance.gl_transaction import GlTransaction
from streams.prison_finance.purchase import Purchase
from streams.prison_finance.reference import Reference
from streams.prison_finance.room import PrisonFinance, Tables

COMMANDS = (CREDITS, PURCHASES, ADVANCES, GL_ACKNOWLEDGEMENTS, GL_CORRECTIONS, BATCHED_PURCHASES)
GATHERED = (BATCHES, BATCH_ANSWERS)
REFERENCE = {
    "prisoners": (PRISONERS, Prisoner),
    "suppliers": (SUPPLIERS, Supplier),
    "prisons": (PRISONS, Prison),
    "officers": (OFFICERS, Officer),
    "gl_accounts": (GL_ACCOUNTS, GlAccount),
}


def wire(pipeline: Pipeline) -> None:
    """Declare the room's tables and agents."""
    purchases = pipeline.table("purchases", Purchase, due=lambda purchase: purchase.until)
    batches = pipeline.table("batches", Batch, due=lambda batch: batch.due)
    advances = pipeline.table("advances", Advances)
    transactions = pipeline.table("gl_transactions", GlTransaction, due=lambda transaction: transaction.until)
    open_days = pipeline.table("accounting_days", OpenDays)
    reference = {name: pipeline.table(name, row) for name, (_, row) in REFERENCE.items()}

    def room(partition: int) -> PrisonFinance:
        known = Reference(**{name: table.rows(partition) for name, table in reference.items()})
        purchased, lent, written = (table.rows(partition) for table in (purchases, advances, transactions))
        tables = Tables(purchased, lent, written, open_days.rows(partition), known)
        return PrisonFinance(tables, pipeline.ledger(partition))

    def batch_room(partition: int) -> PrisonBatches:
        return PrisonBatches(batches.rows(partition), pipeline.ledger(partition))

    for each, topics in ((room, COMMANDS), (batch_room, GATHERED)):
        pipeline.join(each)
        for topic in topics:
            _answer(pipeline, topic, each)
    for name, (topic, _) in REFERENCE.items():
        _remember(pipeline, topic, reference[name])


def _answer(pipeline: Pipeline, topic: Topic, room: RoomOf) -> None:
    @pipeline.app.agent(pipeline.topic(topic), name=f"prison_finance.{_entities(topic)}")
    async def answered(stream: Any) -> None:
        async for batch in stream:
            pipeline.process(room, topic, batch)


def _remember(pipeline: Pipeline, topic: Topic, table: Any) -> None:
    @pipeline.app.agent(pipeline.topic(topic), name=f"prison_finance.{_entities(topic)}")
    async def remembered(stream: Any) -> None:
        async for batch in stream:
            pipeline.remember(topic, batch, table)


def _entities(topic: Topic) -> str:
    return topic.name.split(".")[1] + "s"
