"""Mobility on Kafka: which topic goes to which process."""

from typing import Any

from schemas.mobility import GroupMember, VehiclePrice
from schemas.topics import DEPOSITS, GROUP_MEMBERS, TRIPS, VEHICLE_PRICES
from streams.mobility import membership
from streams.mobility.room import Mobility, Tables
from streams.mobility.trip import Trip
from streams.pipeline import Pipeline


def wire(pipeline: Pipeline) -> None:
    """Declare the room's tables and agents."""
    app = pipeline.app
    trips = pipeline.table("trips", Trip, due=lambda trip: trip.until)
    prices = pipeline.table("vehicle_prices", VehiclePrice)
    members = pipeline.table("group_members", GroupMember)

    def room(partition: int) -> Mobility:
        ledger = pipeline.ledger(partition)
        tables = Tables(trips.rows(partition), prices.rows(partition), members.rows(partition), ledger.balances)
        return Mobility(tables, ledger)

    pipeline.join(room)

    @app.agent(pipeline.topic(DEPOSITS), name="mobility.deposits")
    async def deposits(stream: Any) -> None:
        async for batch in stream:
            pipeline.process(room, DEPOSITS, batch)

    @app.agent(pipeline.topic(TRIPS), name="mobility.trips")
    async def trip_events(stream: Any) -> None:
        async for batch in stream:
            pipeline.process(room, TRIPS, batch)

    @app.agent(pipeline.topic(VEHICLE_PRICES), name="mobility.vehicle_prices")
    async def vehicle_prices(stream: Any) -> None:
        async for batch in stream:
            pipeline.remember(VEHICLE_PRICES, batch, prices)

    @app.agent(pipeline.topic(GROUP_MEMBERS), name="mobility.group_members")
    async def group_members(stream: Any) -> None:
        async for batch in stream:
            rows = members.rows(batch[0].partition())
            for message in pipeline.messages(GROUP_MEMBERS, batch):
                membership.evolve(rows, message)
