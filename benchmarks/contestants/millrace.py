"""The work on `streams.runtime`: one worker, one table, a frozen row per owner."""

# mypy: allow-untyped-decorators

from typing import Any, Literal, assert_never

import faust
import msgspec

from benchmarks.rule import REMEMBERED
from benchmarks.task import Start, Task
from benchmarks.work import PARTITIONS
from streams.runtime import SEAMS, Outbox, Rows

Result = Literal["ok", "rejected", "duplicate"]


class Command(msgspec.Struct, frozen=True, gc=False):
    """As it comes; fields that no decision needs are checked by nobody."""

    id: int
    type: Literal["deposit", "hold", "capture", "release"]
    owner: str
    amount: int
    hold_id: str


class Owner(msgspec.Struct, frozen=True, gc=False):
    """The row of an owner: few holds are open at a time, so they are pairs of id and amount."""

    balance: int = 0
    held: int = 0
    holds: tuple[tuple[str, int], ...] = ()
    recent: tuple[int, ...] = ()


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What is written of a decision."""

    id: int
    owner: str
    result: Result
    balance: int
    held: int


NOBODY = Owner()
decode = msgspec.json.Decoder(Command).decode
encode = msgspec.json.Encoder().encode


def decide(owner: Owner, command: Command) -> tuple[Owner, Result]:
    """The rule of `benchmarks.rule`, without changing anything in place."""
    if command.id in owner.recent:
        return owner, "duplicate"
    balance, held, holds = owner.balance, owner.held, owner.holds
    recent = (*owner.recent[1 - REMEMBERED :], command.id)
    match command.type:
        case "deposit":
            return Owner(balance + command.amount, held, holds, recent), "ok"
        case "hold":
            if balance - held < command.amount:
                return Owner(balance, held, holds, recent), "rejected"
            opened = (*holds, (command.hold_id, command.amount))
            return Owner(balance, held + command.amount, opened, recent), "ok"
        case "capture" | "release":
            for hold in holds:
                if hold[0] == command.hold_id:
                    taken = hold[1] if command.type == "capture" else 0
                    left = tuple([each for each in holds if each is not hold])
                    return Owner(balance - taken, held - hold[1], left, recent), "ok"
            return Owner(balance, held, holds, recent), "rejected"
        case _:
            assert_never(command.type)


def step(rows: Rows[Owner], command: Command) -> tuple[Owner, Result]:
    """Decide a command against its owner's row, and keep the row it leads to."""
    before = rows.get(command.owner) or NOBODY
    after, result = decide(before, command)
    if after is not before:
        rows[command.owner] = after
    return after, result


def answer(command: Command, owner: Owner, result: Result) -> bytes:
    """The outcome of a command."""
    return encode(Outcome(command.id, command.owner, result, owner.balance, owner.held))


def work(batch: list[Any], rows: Rows[Owner], outbox: Outbox, outcomes: str) -> None:
    """Decide every record of a batch, which is all of one partition."""
    partition = batch[0].partition()
    for record in batch:
        command = decode(record.value())
        owner, result = step(rows, command)
        outbox.put(outcomes, record.key(), answer(command, owner, result), None, partition)


def create_app(task: Task) -> faust.App:
    """The app of a task."""
    app = faust.App(
        task.run, broker=f"kafka+txn://{task.kafka}", **{**SEAMS, "datadir": task.folder}, web_enabled=False
    )
    owners = app.Table("owners", partitions=PARTITIONS, row=Owner)
    start = Start(task)

    @app.agent(app.topic(task.commands))
    async def ledger(stream: Any) -> None:
        async for batch in stream:
            start()
            work(batch, owners.rows(batch[0].partition()), app.outbox, task.outcomes)

    return app


def main() -> None:
    """Work until SIGTERM."""
    app = create_app(Task.from_environment())
    app.finalize()
    app.Worker(loglevel="warn").execute_from_commandline()


if __name__ == "__main__":
    main()
