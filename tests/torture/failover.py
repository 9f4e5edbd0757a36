"""`python -m tests.torture.failover`: how long a dead worker's partitions do not answer.

One of three workers is killed with -9 under load, again and again. The time runs from the kill to the first outcome of
an input that came after it, for the last of the dead worker's partitions. Survivors' logs say where it went.
"""

import random
import re
import signal
import statistics
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import click
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from stack.api import Network
from tests.torture.crew import Member
from tests.torture.load import Load
from tests.torture.run import folder_of
from tests.torture.system import GROUP, WORKERS, System
from tests.torture.verifier.check import JOURNAL
from tests.torture.wire import Wire

PARTITIONS = 8
WAIT_S = 90.0
CALM_S = 6.0
RESTORED = re.compile(r"^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3})\].* restored \d+ partitions, .* in ([\d.]+) s")


class Failover(NamedTuple):
    """Seconds from the kill until all answered; of these, until the assignment, of the restore, and the rest."""

    total: float
    assigned: float
    restored: float
    answered: float


class Answers(threading.Thread):
    """Notes, for each partition, when the newest input that has an outcome was recorded, and when that was seen."""

    def __init__(self, kafka: str, wire: Wire) -> None:
        super().__init__(daemon=True)
        self._wire, self._over = wire, threading.Event()
        self.seen: dict[int, list[tuple[float, float]]] = {number: [] for number in range(PARTITIONS)}
        self._kafka = Consumer({"bootstrap.servers": kafka, "group.id": "failover", "enable.auto.commit": False,
                                "isolation.level": "read_committed", "fetch.wait.max.ms": 10})  # fmt: skip

    def run(self) -> None:
        """Until `stop`."""
        self._kafka.assign([TopicPartition(JOURNAL, number) for number in range(PARTITIONS)])
        while not self._over.is_set():
            first = self._kafka.poll(0.1)
            for record in (first, *self._kafka.consume(1_000, 0)) if first is not None else ():
                if record.error() is None:
                    _, entry = self._wire.decode(record.value())
                    if not entry["cause_topic"].startswith("clock"):
                        self.seen[record.partition()].append((entry["recorded_at"] / 1e6, time.time()))
        self._kafka.close()

    def stop(self) -> None:
        """Read no more."""
        self._over.set()
        self.join()

    def first_after(self, partition: int, moment: float) -> float | None:
        """When the first outcome of an input recorded after the moment was seen."""
        return next((seen for recorded, seen in self.seen[partition] if recorded > moment), None)


def measure(system: System, answers: Answers, dice: random.Random, *, lost: bool) -> Failover:
    """Kill one worker, and wait for its partitions. A lost one is started again only when they have answered."""
    victim = dice.choice(system.crew.like("worker-"))
    owned = partitions_of(system.settings.kafka, f"millrace-w{victim.name[-1]}")
    victim.wanted = not lost
    killed = time.time()
    victim.send(signal.SIGKILL)
    while not all(answers.first_after(number, killed) for number in owned):
        assert time.time() - killed < WAIT_S, f"{owned} do not answer"
        time.sleep(0.05)
    answered = max(answers.first_after(number, killed) or 0.0 for number in owned)
    at, took_s = max(each for each in _restores(system.crew.like("worker-")) if killed < each[0] < answered)
    if lost:
        victim.start()
    return Failover(answered - killed, at - took_s - killed, took_s, answered - at)


def partitions_of(kafka: str, client: str) -> list[int]:
    """The partitions whose upstream topics a member of the group owns, once the group is stable."""
    admin = AdminClient({"bootstrap.servers": kafka})
    deadline = time.monotonic() + WAIT_S
    while True:
        group = admin.describe_consumer_groups([GROUP])[GROUP].result(10)
        for member in group.members:
            if member.client_id == client and len(group.members) == WORKERS and member.assignment.topic_partitions:
                return sorted({each.partition for each in member.assignment.topic_partitions})
        assert time.monotonic() < deadline, f"{client} got nothing of the group"
        time.sleep(0.5)


def _restores(members: list[Member]) -> list[tuple[float, float]]:
    """When each restore was done, and the seconds that it took, as the workers' logs tell."""
    found = []
    for member in members:
        text = Path(member.log.with_suffix(f".{member.starts}.log")).read_text(errors="replace")
        for day, milliseconds, took_s in (
            said.groups() for line in text.splitlines() if (said := RESTORED.match(line))
        ):
            found.append((datetime.fromisoformat(f"{day}.{milliseconds}").timestamp(), float(took_s)))
    return found


def tell(name: str, taken: list[float]) -> str:
    """p50, p99 (the greatest, of less than a hundred) and the greatest."""
    ordered = sorted(taken)
    p99 = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
    return f"  {name:10} p50 {statistics.median(ordered):6.2f} s   p99 {p99:6.2f} s   max {ordered[-1]:6.2f} s"


@click.command()
@click.option("--kills", default=20, show_default=True)
@click.option("--brokers", type=click.Choice(["1", "3"]), default="1", show_default=True)
@click.option("--lost", is_flag=True, help="a machine is lost: the dead worker comes back only after the measurement")
@click.option("--rate", default=100.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--session", default=6.0, show_default=True, help="MILLRACE_SESSION_TIMEOUT_S")
@click.option("--transaction", default=6.0, show_default=True, help="MILLRACE_TRANSACTION_TIMEOUT_S")
def failover(  # a command line
    *, kills: int, brokers: str, lost: bool, rate: float, seed: int, session: float, transaction: float
) -> None:
    """Measure the time until a dead worker's partitions answer again."""
    timing = {"MILLRACE_SESSION_TIMEOUT_S": str(session), "MILLRACE_TRANSACTION_TIMEOUT_S": str(transaction)}
    system = System("torture-failover", folder_of("failover"), seed, print, int(brokers), Network.DIRECT, timing)
    try:
        system.start()
        wire = Wire(system.settings.registry)
        load = Load(system.settings.kafka, wire, system.facts, seed, rate)
        answers, dice = Answers(system.settings.kafka, wire), random.Random(seed)
        load.start()
        answers.start()
        taken = list[Failover]()
        for number in range(kills):
            time.sleep(CALM_S)
            taken.append(measure(system, answers, dice, lost=lost))
            print(number, *(f"{each:.2f}" for each in taken[-1]), flush=True)
        load.stop()
        answers.stop()
    finally:
        system.close()
    print(f"{kills} kills, {brokers} broker(s), session {session} s, transaction {transaction} s, lost {lost}")
    for name in Failover._fields:
        print(tell(name, [getattr(each, name) for each in taken]))


if __name__ == "__main__":
    failover()
