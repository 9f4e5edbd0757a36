"""Tries to change a table and to send outside of an agent's event."""

import os
from typing import Any

import faust
import msgspec

from streams.runtime import SEAMS

RUN = os.environ["RUN"]


class Total(msgspec.Struct, frozen=True):
    total: int


app = faust.App(RUN, broker=f"kafka+txn://{os.environ['KAFKA']}", **SEAMS)
sums = app.Table("sums", partitions=int(os.environ["PARTITIONS"]), row=Total)


@app.agent(app.topic(f"{RUN}-in"))
async def idle(stream: Any) -> None:
    async for _ in stream:
        pass


@app.timer(0.1)
async def trespass() -> None:
    for attempt in (lambda: app.outbox.put("elsewhere", None, b"x"), lambda: sums.rows(0)):
        try:
            attempt()
        except RuntimeError as error:
            print("REFUSED", error)


if __name__ == "__main__":
    app.main()
