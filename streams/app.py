"""The one Faust app: its rooms, its clock, its tables' servers. `python -m streams worker` runs it."""

from typing import Any

import faust

from schemas.clock import Tick
from schemas.codec import Codec
from schemas.registry import ConfluentRegistry, Registry
from schemas.settings import Settings
from schemas.topics import TICKS
from streams import reference
from streams.dealer_billing import agents as dealer_billing
from streams.mobility import agents as mobility
from streams.pipeline import Pipeline
from streams.prison_finance import agents as prison_finance
from streams.runtime import SEAMS, Clock

APP_ID = "millrace"
ROOMS = (mobility, dealer_billing, prison_finance)


def create_app(settings: Settings, **options: Any) -> faust.App:
    """The app with all rooms. Raises `RegistryUnavailable`, `UnknownSchema` where topics are not set up yet."""
    app = faust.App(APP_ID, broker=f"kafka+txn://{settings.kafka}", **(SEAMS | options))
    registry = ConfluentRegistry(settings.registry)
    codec = Codec(registry)
    wire(app, codec, registry)
    Clock(app, topic=TICKS.name, encode=lambda now_us: codec.encode(Tick(now=now_us)))
    return app


def wire(app: Any, codec: Codec, registry: Registry) -> None:
    """Declare every room's tables and agents on an app, be it Faust's or the simulator's."""
    pipeline = Pipeline(app, codec)
    reference.wire(pipeline, registry)
    for room in ROOMS:
        room.wire(pipeline)

    @app.agent(pipeline.topic(TICKS), name="clock.ticks")
    async def ticks(stream: Any) -> None:
        async for batch in stream:
            pipeline.pass_time(TICKS, batch)
