"""Two agents write one table and feed a third one."""

import os
from typing import Any

import faust
import msgspec
import orjson

from streams.runtime import SEAMS

RUN = os.environ["RUN"]
PARTITIONS = int(os.environ["PARTITIONS"])


class Total(msgspec.Struct, frozen=True):
    total: int


app = faust.App(RUN, broker=f"kafka+txn://{os.environ['KAFKA']}", **SEAMS)
sums = app.Table("sums", partitions=PARTITIONS, row=Total)
counts = app.Table("counts", partitions=PARTITIONS, row=Total)


def add(table: Any, partition: int, key: str, amount: int) -> None:
    rows = table.rows(partition)
    before = rows.get(key)
    rows[key] = Total(amount + (before.total if before is not None else 0))


def sum_up(batch: list[Any]) -> None:
    for record in batch:
        event = orjson.loads(record.value())
        add(sums, record.partition(), event["account"], event["amount"])
        app.outbox.put(f"{RUN}-middle", record.key(), record.value())


@app.agent(app.topic(f"{RUN}-first"))
async def first(stream: Any) -> None:
    async for batch in stream:
        sum_up(batch)


@app.agent(app.topic(f"{RUN}-second"))
async def second(stream: Any) -> None:
    async for batch in stream:
        sum_up(batch)


@app.agent(app.topic(f"{RUN}-middle"))
async def third(stream: Any) -> None:
    async for batch in stream:
        for record in batch:
            add(counts, record.partition(), orjson.loads(record.value())["account"], 1)
            app.outbox.put(f"{RUN}-last", record.key(), record.value())


if __name__ == "__main__":
    app.main()
