"""`python -m tests.torture.beside`: the benchmarks' ledger work on stock Faust and on Millrace, under the same kills.

Three workers each; one after the other is killed with -9 and started again while commands come in. At the end, what is
lost, doubled or wrong is counted against the model.
"""

import os
import random
import subprocess
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import click
import orjson
from confluent_kafka import Producer

from benchmarks import rule, work
from benchmarks.broker import Broker
from benchmarks.contestants import MILLRACE, STOCK_FAUST, Contestant
from benchmarks.task import Task
from benchmarks.work import Outcome
from stack import api
from stack.api import ServerName
from tests.torture import kafka
from tests.torture.crew import CHECKOUT
from tests.torture.run import folder_of
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.places import latest

INSTANCE = "torture-beside"
WORKERS = 3
PAUSE_S = (15.0, 25.0)
REST_S = 120.0
"""So long without a new outcome, and nothing more is waited for. Stock Faust's session alone lasts a minute."""


class Damage(NamedTuple):
    """What came of it. `lost`: read and without outcome; `unread`: still waiting when nothing moved any more."""

    commands: int
    kills: int
    crashes: int
    lost: int
    doubled: int
    wrong: int
    owners: int
    wrong_owners: int
    unread: int


def torment(each: Contestant, broker: Broker, folder: Path, commands: int, rate: float, seed: int) -> Damage:
    """Run the work under kills and count the damage."""
    dice, run = random.Random(seed), f"{each.name}-{uuid.uuid4().hex[:6]}"
    task = Task(broker.servers, run, f"{run}-commands", f"{run}-outcomes", str(folder))
    broker.create(task.commands)
    broker.create(task.outcomes)
    workers = [_start(each, task, number) for number in range(WORKERS)]
    time.sleep(15.0)  # until all have joined
    load = threading.Thread(target=_put, args=(task, commands, rate), daemon=True)
    load.start()
    kills = crashes = 0
    while load.is_alive():
        time.sleep(dice.uniform(*PAUSE_S))
        crashes += _revive(each, task, workers)
        number = dice.randrange(WORKERS)
        workers[number].kill()
        workers[number].wait()
        kills += 1
        time.sleep(1.0)
        workers[number] = _start(each, task, number)
    crashes += _await_rest(each, task, broker, workers)
    for worker in workers:
        worker.terminate()
    for worker in workers:
        try:
            worker.wait(20)
        except subprocess.TimeoutExpired:
            worker.kill()
    return _count(task, commands, kills, crashes)


def _start(each: Contestant, task: Task, number: int) -> "subprocess.Popen[bytes]":
    folder = Path(task.folder) / f"{each.name}-{number}"
    folder.mkdir(exist_ok=True)
    own = Task(task.kafka, task.run, task.commands, task.outcomes, str(folder))
    environment = {**os.environ, **own.environment(), "PYTHONPATH": str(CHECKOUT), "MILLRACE_WORKER": str(number)}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(each.command, env=environment, cwd=folder, stdout=log, stderr=log)


def _revive(each: Contestant, task: Task, workers: "list[subprocess.Popen[bytes]]") -> int:
    """Start again what has ended by itself, and say how many that were."""
    ended = [number for number, worker in enumerate(workers) if worker.poll() is not None]
    for number in ended:
        workers[number] = _start(each, task, number)
    return len(ended)


def _put(task: Task, commands: int, rate: float) -> None:
    producer = Producer({"bootstrap.servers": task.kafka, "enable.idempotence": True, "linger.ms": 5})
    begun = time.monotonic()
    for n, (partition, command) in enumerate(work.commands(commands)):
        producer.produce(task.commands, orjson.dumps(command), command["owner"].encode(), partition)
        if n % 50 == 0:
            producer.poll(0)
            time.sleep(max(0.0, begun + n / rate - time.monotonic()))
    assert not producer.flush(60)


def _await_rest(each: Contestant, task: Task, broker: Broker, workers: "list[subprocess.Popen[bytes]]") -> int:
    """Until no outcome has come for a while, as long as that takes; gives the crashes meanwhile."""
    last, since, crashes = broker.ends(task.outcomes), time.monotonic(), 0
    while time.monotonic() - since < REST_S:
        time.sleep(1.0)
        crashes += _revive(each, task, workers)
        now = broker.ends(task.outcomes)
        if now != last:
            last, since = now, time.monotonic()
    return crashes


def _count(task: Task, commands: int, kills: int, crashes: int) -> Damage:
    ends = kafka.ends(task.kafka, [task.commands])
    at = kafka.committed(task.kafka, task.run, ends)
    unread = sum(end - max(0, at[slot]) for slot, end in ends.items())
    taken = {orjson.loads(record.value())["id"] for record in kafka.read(task.kafka, task.commands)
             if record.offset() < at[record.topic(), record.partition()]}  # fmt: skip
    expected = work.model(work.commands(commands))
    seen = Counter(Outcome(**orjson.loads(record.value())) for record in kafka.read(task.kafka, task.outcomes))
    wanted, found = _by_id(expected), _by_id(seen)
    lost = sum(1 for number in taken if number not in found)
    doubled = sum(1 for number, count in found.items() if count > wanted[number])
    wrong = len({outcome.id for outcome in seen if outcome not in expected})
    owners = _owners(commands)
    rows = latest(task.kafka, f"{task.run}-owners-changelog", Differences(), orjson.loads)
    rows = {str(key).strip('"'): (row["balance"], row["held"]) for key, row in rows.items()}
    differing = sum(1 for owner, state in owners.items() if rows.get(owner) != state)
    return Damage(commands, kills, crashes, lost, doubled, wrong, len(owners), differing, unread)


def _by_id(outcomes: Counter[Outcome]) -> Counter[int]:
    counted: Counter[int] = Counter()
    for outcome, count in outcomes.items():
        counted[outcome.id] += count
    return counted


def _owners(commands: int) -> dict[str, tuple[int, int]]:
    """Balance and held of each owner, as the model leaves them."""
    state: dict[str, Any] = {}
    left: dict[str, tuple[int, int]] = {}
    for _, command in work.commands(commands):
        owner = state.setdefault(command["owner"], rule.new_owner())
        told = Outcome(**rule.outcome(command, rule.decide(owner, command), owner))
        left[command["owner"]] = told.balance, told.held
    return left


@click.command()
@click.option("--commands", default=40_000, show_default=True)
@click.option("--rate", default=500.0, show_default=True, help="commands a second")
@click.option("--seed", default=1, show_default=True)
def beside(commands: int, rate: float, seed: int) -> None:
    """What kills cost on stock Faust, and here."""
    folder = folder_of("beside")
    with api.while_up(INSTANCE, only=[ServerName.KAFKA]) as servers:
        running = api.server(INSTANCE, ServerName.KAFKA).instance.running(ServerName.KAFKA)
        assert running is not None
        for each in (STOCK_FAUST, MILLRACE):
            damage = torment(each, Broker(servers, running.pid), folder, commands, rate, seed)
            print(f"{each.name}: {damage}", flush=True)


if __name__ == "__main__":
    beside()
