"""The one Faust app: its rooms, its clock, its tables' servers. `python -m streams worker` runs it."""

from typing import Any

import faust

from schemas.clock import Tick
from schemas.codec import Codec
from schemas.registry import ConfluentRegistry
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
    pipeline = Pipeline(app, codec)
    reference.wire(pipeline, registry)
    for room in ROOMS:
        room.wire(pipeline)
    Clock(app, topic=TICKS.name, encode=lambda now_us: codec.encode(Tick(now=now_us)))

    @app.agent(pipeline.topic(TICKS), name="clock.ticks")
    async def ticks(stream: Any) -> None:
        async for batch in stream:
            pipeline.pass_time(TICKS, batch)

    return app
