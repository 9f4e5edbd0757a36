"""A small ledger on the runtime, for the tests: accounts in books, locks with deadlines, outcomes, projections.

A command is JSON: {"id": n, "op": "pay"|"lock"|"settle"|"nap"|"boast", "account": a, "amount": n, "lock": name}. The
key is the book. Every command gives one outcome on `<run>-out`: {"id": n, "ok": bool, "balance": n}; after a nap of
`amount` ms, or, for a boast, `amount` random bytes.
"""

import asyncio
import os
from typing import Any

import faust
import msgspec
import orjson

from streams.runtime import SEAMS, DeadLetters, OutRecord

RUN = os.environ["RUN"]
PARTITIONS = int(os.environ.get("PARTITIONS", "4"))
CRASH_AT = os.environ.get("CRASH_AT", "")


class Account(msgspec.Struct, frozen=True):
    balance: int


class Lock(msgspec.Struct, frozen=True):
    account: str
    amount: int
    deadline_us: int


def projected(key: str, row: Account | None) -> OutRecord:
    return OutRecord(f"{RUN}-balances", key.encode(), None if row is None else str(row.balance).encode())


app = faust.App(RUN, broker=f"kafka+txn://{os.environ['KAFKA']}", **SEAMS)
accounts = app.Table("accounts", partitions=PARTITIONS, row=Account, projection=projected)
locks = app.Table("locks", partitions=PARTITIONS, row=Lock, due=lambda lock: lock.deadline_us)
letters = DeadLetters(app.outbox)


def decide(command: dict[str, Any], partition: int) -> tuple[bool, int]:
    account, amount = command["account"], command["amount"]
    books, holds = accounts.rows(partition), locks.rows(partition)
    row = books.get(account)
    balance = row.balance if row is not None else 0
    match command["op"]:
        case "pay":
            books[account] = Account(balance + amount)
            return True, balance + amount
        case "lock" if balance >= amount:
            books[account] = Account(balance - amount)
            holds[command["lock"]] = Lock(account, amount, command["id"])
            return True, balance - amount
        case "settle" if command["lock"] in holds:
            del holds[command["lock"]]
            return True, balance
    return False, balance


@app.agent(app.topic(f"{RUN}-in"))
async def ledger(stream: Any) -> None:
    async for batch in stream:
        for record in batch:
            try:
                command = orjson.loads(record.value())
            except orjson.JSONDecodeError as error:
                letters.bury(record, reason="undecodable", error=error)
                continue
            if command["op"] == "nap":
                await asyncio.sleep(command["amount"] / 1000)
            ok, balance = decide(command, record.partition())
            outcome = orjson.dumps({"id": command["id"], "ok": ok, "balance": balance})
            if command["op"] == "boast":
                outcome = os.urandom(command["amount"])  # no compression will save it
            app.outbox.put(f"{RUN}-out", record.key(), outcome)
            if str(command["id"]) == CRASH_AT:
                raise RuntimeError("a bug of the agent")


if __name__ == "__main__":
    app.main()
