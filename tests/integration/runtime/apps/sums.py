"""The smallest app with a table: one row written and one record put per event."""

import os
from typing import Any

import faust
import msgspec
import orjson

from streams.runtime import SEAMS

RUN = os.environ["RUN"]


class Sum(msgspec.Struct, frozen=True):
    total: int


app = faust.App(RUN, broker=f"kafka+txn://{os.environ['KAFKA']}", **SEAMS)
sums = app.Table("sums", partitions=int(os.environ.get("PARTITIONS", "4")), row=Sum)


@app.agent(app.topic(f"{RUN}-in"))
async def add(stream: Any) -> None:
    async for batch in stream:
        rows = sums.rows(batch[0].partition())
        for record in batch:
            event = orjson.loads(record.value())
            before = rows.get(event["account"])
            total = event["amount"] + (before.total if before is not None else 0)
            rows[event["account"]] = Sum(total)
            app.outbox.put(f"{RUN}-out", record.key(), orjson.dumps({"id": event["id"], "total": total}))


if __name__ == "__main__":
    app.main()
