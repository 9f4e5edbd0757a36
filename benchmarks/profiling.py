"""Where the time of one Millrace worker goes: phases by its own metrics, their parts, and the dearest functions."""

import gc
import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import orjson

from benchmarks import speed, work
from benchmarks.broker import Broker
from benchmarks.contestants import MILLRACE, Contestant, millrace
from benchmarks.profiled import FOUND
from benchmarks.work import Command, Outcome
from streams.runtime import Rows

BATCH_RECORDS = 2_000
PARTS_COMMANDS = 100_000


@dataclass(frozen=True)
class Profile:
    """Of a run each, in microseconds per command."""

    records_per_cycle: float
    phases_us: dict[str, float]
    """`poll` (with everything between the cycles), `process`, `commit`: together, the run. Wall time."""
    parts_us: dict[str, float]
    """What of `process` is the work itself, measured without Kafka or Faust; the rest is the framework's. CPU time."""
    calls: list[dict[str, Any]]
    """The functions with most time of their own, under cProfile."""


def run(broker: Broker, commands: str, wanted: Counter[Outcome]) -> Profile:
    """Two more runs of Millrace, for the phases and for the calls."""
    seen, phases = _profiled("phases", broker, commands, wanted)
    _, calls = _profiled("calls", broker, commands, wanted)
    return Profile(
        records_per_cycle=phases["records"] / phases["cycles"],
        phases_us=phases_of(phases, seen.events_per_s),
        parts_us=parts(work.commands(PARTS_COMMANDS)),
        calls=calls,
    )


def phases_of(counted: dict[str, float], events_per_s: float) -> dict[str, float]:
    """Microseconds per record of each phase, from what `profiled` counted in a run of this speed."""
    process_us, commit_us = (counted[name] / counted["records"] * 1e6 for name in ("process_s", "commit_s"))
    return {"poll": 1e6 / events_per_s - process_us - commit_us, "process": process_us, "commit": commit_us}


def _profiled(how: str, broker: Broker, commands: str, wanted: Counter[Outcome]) -> tuple[speed.Speed, Any]:
    command = (*MILLRACE.command[:-1], "benchmarks.profiled", "ledger", how)
    contestant: Contestant = replace(MILLRACE, name=f"millrace-{how}", command=command)
    seen, folder = speed.run(contestant, broker, commands, wanted)
    return seen, json.loads((folder / FOUND).read_text())


def parts(commands: Iterable[tuple[int, Command]]) -> dict[str, float]:
    """CPU microseconds per command of each part of the work, batch by batch as the worker does it, in this process."""
    rows: Rows[millrace.Owner] = Rows(millrace.Owner)
    spent: Counter[str] = Counter()
    values = (orjson.dumps(command) for _, command in commands)
    count = 0
    gc.disable()  # as good as in the worker, which looks for garbage seldom; here it would walk the model's outcomes
    while batch := list(islice(values, BATCH_RECORDS)):
        count += len(batch)
        _batch(batch, rows, spent)
    gc.enable()
    return {name: nanoseconds / count / 1000 for name, nanoseconds in spent.items()}


def _batch(batch: list[bytes], rows: Rows[millrace.Owner], spent: Counter[str]) -> None:
    moments = [time.thread_time_ns()]
    commands = [millrace.decode(value) for value in batch]
    moments.append(time.thread_time_ns())
    decided = [(command, *millrace.step(rows, command)) for command in commands]
    moments.append(time.thread_time_ns())
    for command, owner, result in decided:
        millrace.answer(command, owner, result)
    moments.append(time.thread_time_ns())
    for _, row in rows.take_changes():
        if row is not None:
            rows.encode(row)
    moments.append(time.thread_time_ns())
    names = ("decode", "decide", "encode outcome", "encode changed rows")
    spent.update({name: moments[n + 1] - moments[n] for n, name in enumerate(names)})
