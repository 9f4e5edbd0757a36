"""A worker that `restoring` and `failover` start, stop and kill; its rows are the ledger's own."""

# mypy: allow-untyped-decorators

import os
from typing import Any

import faust
import msgspec

from benchmarks.task import Task
from benchmarks.work import PARTITIONS
from schemas.ledger import Side
from streams.ledger.accounts import Balance
from streams.runtime import SEAMS

TABLE = "balances"


def key_of(number: int) -> str:
    """The row's key of one account."""
    return f"group:{number:08d}|wallet|EUR"


def row_of(number: int) -> Balance:
    """The row that one account begins with."""
    return Balance(Side.CREDIT, debits_posted=number * 7, credits_posted=number * 11, entries=number % 100)


def create_app(task: Task) -> faust.App:
    """Each record's key is a row's key; the record is answered as it came once a unit has been credited."""
    app = faust.App(
        task.run, broker=f"kafka+txn://{task.kafka}", **{**SEAMS, "datadir": task.folder},
        web_port=int(os.environ["WEB_PORT"]),
    )  # fmt: skip
    balances = app.Table(TABLE, partitions=PARTITIONS, row=Balance, due=lambda row: row.next_expiry)

    @app.agent(app.topic(task.commands))
    async def teller(stream: Any) -> None:
        async for batch in stream:
            partition = batch[0].partition()
            rows = balances.rows(partition)
            for record in batch:
                key = record.key().decode()
                before = rows.get(key) or Balance(Side.CREDIT)
                rows[key] = msgspec.structs.replace(before, credits_posted=before.credits_posted + 1)
                app.outbox.put(task.outcomes, record.key(), record.value(), None, partition)

    return app


def main() -> None:
    """Work until SIGTERM."""
    app = create_app(Task.from_environment())
    app.finalize()
    app.Worker(loglevel="info").execute_from_commandline()


if __name__ == "__main__":
    main()
