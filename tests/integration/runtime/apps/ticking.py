"""Reads the ticks that its own clock writes, and tells which it has seen."""

import os
from typing import Any

import faust

from streams.runtime import SEAMS, Clock

RUN = os.environ["RUN"]

app = faust.App(RUN, broker=f"kafka+txn://{os.environ['KAFKA']}", **SEAMS)
clock = Clock(app, topic=f"{RUN}-ticks", interval_s=0.2, encode=lambda now_us: b"%d" % now_us)


@app.agent(app.topic(f"{RUN}-ticks"))
async def listen(stream: Any) -> None:
    async for batch in stream:
        for tick in batch:
            app.outbox.put(f"{RUN}-seen", None, tick.value(), partition=tick.partition())


if __name__ == "__main__":
    app.main()
