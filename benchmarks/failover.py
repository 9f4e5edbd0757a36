"""How long partitions are without answers when their worker is killed: kill -9 of one of three under load (PIPE-03).

The time runs from the kill until each of its partitions has answered a command that was sent after it. The dead worker
stays away until then, as if its machine were lost. What is set by MILLRACE_… holds for the workers. Afterwards every
command must have been answered once.
"""

import os
import random
import statistics
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.attempt import BUILD, AttemptError
from benchmarks.broker import Broker, broker
from benchmarks.task import Task
from benchmarks.teller import key_of
from benchmarks.tellers import Teller
from benchmarks.work import PARTITIONS
from streams.runtime import Settings

WORKERS = 3
RATE_PER_S = 400
ACCOUNTS = 20_000
SETTLE_S = (2.0, 4.0)
"""Between all being ready and the next kill; random, so as not to keep step with heartbeats."""
LIMIT_S = 90.0
POLL_S = 0.02
SEED = 1
PARTS = ("unnoticed_s", "joining_s", "restoring_s", "answering_s")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Failover:
    """One kill. The parts add up to `total_s`."""

    unnoticed_s: float
    """Until a survivor hears of it: the dead one's session."""
    joining_s: float
    """Until the survivors have been assigned its partitions."""
    restoring_s: float
    """Until their tables are restored, after a transaction that it may have left open."""
    answering_s: float
    total_s: float
    load_1min: float


class Traffic:
    """A steady stream of commands, each a number, and when each partition answered which."""

    def __init__(self, shared: Broker, task: Task) -> None:
        self._shared, self._task = shared, task
        self._sent_at: list[float] = []
        self._answers: Counter[int] = Counter()
        self._answered: list[tuple[float, float]] = [(0.0, 0.0)] * PARTITIONS
        """Of the last answer in each partition: when its command was sent, when it was seen."""
        self._sending, self._reading = threading.Event(), threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._send, self._read)]
        for thread in self._threads:
            thread.start()

    def answered_since(self, moment: float, partitions: Sequence[int]) -> bool:
        """Each of these partitions has answered a command that was sent after `moment`."""
        return all(self._answered[partition][0] > moment for partition in partitions)

    def finish(self) -> None:
        """Send no more, and wait for the rest. Raises AttemptError unless everything was answered once."""
        self._sending.set()
        self._threads[0].join()
        deadline = time.monotonic() + LIMIT_S
        while len(self._answers) < len(self._sent_at) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.0)
        self._reading.set()
        self._threads[1].join()
        missing = len(self._sent_at) - len(self._answers)
        doubled = self._answers.total() - len(self._answers)
        if missing or doubled:
            raise AttemptError(f"{missing} commands without answer, {doubled} answers too many")

    def _send(self) -> None:
        sender, begun, number = self._shared.sender(), time.monotonic(), 0
        while not self._sending.is_set():
            partition = number % PARTITIONS
            self._sent_at.append(time.monotonic())
            sender.produce(self._task.commands, b"%d" % number, key_of(number % ACCOUNTS), partition)
            sender.poll(0)
            number += 1
            time.sleep(max(0.0, begun + number / RATE_PER_S - time.monotonic()))
        sender.flush(LIMIT_S)

    def _read(self) -> None:
        reader = self._shared.reader(self._task.outcomes)
        while not self._reading.is_set():
            message: Any = reader.poll(0.1)
            if message is not None and message.error() is None:
                number = int(message.value())
                self._answers[number] += 1
                self._answered[message.partition()] = (self._sent_at[number], time.monotonic())
        reader.close()


def run(kills: int, seed: int, say: Say) -> list[Failover]:
    """Kill `kills` times. Raises AttemptError if a worker ends by itself, stays away, or an answer is not exact."""
    dice = random.Random(seed)
    with broker() as shared:
        name = f"failover-{uuid.uuid4().hex[:6]}"
        task = Task(shared.servers, name, f"{name}-in", f"{name}-out", str(BUILD / name))
        Path(task.folder).mkdir(parents=True)
        shared.create(task.commands)
        shared.create(task.outcomes)
        tellers = [Teller(task, str(number)) for number in range(WORKERS)]
        try:
            _wait(lambda: _all_flow(tellers), "three workers at work")
            traffic = Traffic(shared, task)
            found = [_kill_one(task, tellers, traffic, dice, say) for _ in range(kills)]
            traffic.finish()
        finally:
            for teller in tellers:
                teller.end()
    return found


def _kill_one(task: Task, tellers: list[Teller], traffic: Traffic, dice: random.Random, say: Say) -> Failover:
    _wait(lambda: _all_flow(tellers), "all workers at work")
    time.sleep(dice.uniform(*SETTLE_S))
    slot = dice.randrange(WORKERS)
    victim, survivors = tellers[slot], [each for each in tellers if each is not tellers[slot]]
    lost = sorted(victim.phase()[1])
    before = [each.phase() for each in survivors]
    load = os.getloadavg()[0]
    killed_at = victim.kill()
    noticed_at = _wait(lambda: [each.phase() for each in survivors] != before, "survivors that notice")
    assigned_at = _wait(lambda: _owned(survivors) >= set(lost), "a new assignment")
    flowing_at = _wait(lambda: _all_flow(survivors), "restored tables")
    answered_at = _wait(lambda: traffic.answered_since(killed_at, lost), "answers")
    moments = [killed_at, noticed_at, assigned_at, flowing_at, max(answered_at, flowing_at)]
    parts = [after - before for before, after in pairwise(moments)]
    found = Failover(**dict(zip(PARTS, parts, strict=True)), total_s=moments[-1] - killed_at, load_1min=load)
    say(f"{found.total_s:.1f} s for partitions {lost}: " + ", ".join(f"{part:.1f}" for part in parts))
    tellers[slot] = Teller(task, victim.name)
    return found


def _owned(tellers: Sequence[Teller]) -> set[int]:
    return set().union(*(each.phase()[1] for each in tellers))


def _all_flow(tellers: Sequence[Teller]) -> bool:
    return all(each.ready() for each in tellers) and len(_owned(tellers)) == PARTITIONS


def _wait(condition: Callable[[], bool], what: str) -> float:
    """The moment at which it was first seen to be true."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise AttemptError(f"waited {LIMIT_S:.0f} s in vain for {what}")
        time.sleep(POLL_S)
    return time.monotonic()


def show(console: Console, found: list[Failover], path: Path) -> None:
    """Median and worst of each part, and of the whole; everything as JSON."""
    settings = Settings()
    chosen = {name: getattr(settings, name) for name in ("session_timeout_s", "transaction_timeout_s")}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode({**chosen, "kills": [asdict(each) for each in found]})))
    table = Table("part", "p50 s", "p99 s", "max s", title=f"{len(found)} kills; {chosen}")
    for name in (*PARTS, "total_s"):
        column = [getattr(each, name) for each in found]
        p99 = statistics.quantiles(column, n=100, method="inclusive")[98]
        table.add_row(name, f"{statistics.median(column):.1f}", f"{p99:.1f}", f"{max(column):.1f}")
    console.print(table)
    console.print(f"load {min(each.load_1min for each in found):.1f} to {max(each.load_1min for each in found):.1f}; "
                  f"written to {path}", highlight=False)  # fmt: skip


def _only(context: click.Context, _: click.Parameter, kills: int | None) -> None:
    if kills is not None:
        console = Console(width=max(120, Console().width))
        try:
            show(console, run(kills, SEED, console.print), BUILD / "failover.json")
        except AttemptError as error:
            raise click.ClickException(str(error)) from error
        context.exit()


option = click.option("--failover", is_flag=False, flag_value=20, type=int, expose_value=False, callback=_only,
                      help="Only: so many kills of one of three workers.")  # fmt: skip
"""`--failover` of `python -m benchmarks`, which then does nothing else."""
