"""What can be done to a running system. A fault takes the system and the dice, breaks something, and mends it again."""

import random
import resource
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import psycopg
from confluent_kafka import Producer
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

from stack import api
from stack.api import Network, ServerName
from stack.instance import Instance
from tests.torture.crew import Member
from tests.torture.kafka import patient
from tests.torture.network import FAULTS
from tests.torture.system import WORKERS, System
from tests.torture.wire import Wire

TICKS = "clock.second.tick.v1"
PARTITIONS = 8
HOUR_US = 3_600_000_000
MOST_AHEAD_H = 72
"""How far ticks may run ahead in all: ids are forgotten after seven days, and then a repetition would be news."""
FULL_BYTES = 8_192

Dice = random.Random
Statement = tuple[str, tuple[Any, ...]]


class Fault(NamedTuple):
    """One kind: what it is about (faults of one target never meet), how often it is drawn, and what it does."""

    name: str
    target: str
    weight: int
    strike: Callable[[System, Dice], None]


# ---- reference data


def change_tier(system: System, dice: Dice) -> None:
    """A deposit tier is ended, or made anew at another sum: open price segments follow with the next ticks."""
    segment, currency = dice.choice(("small", "middle", "large")), dice.choice(("EUR", "EUR", "USD"))
    new = (f"{segment}-{currency}", segment, currency, dice.choice((5_000, 10_000, 20_000, 40_000)))
    statements: list[Statement] = [
        ("DELETE FROM reference.deposit_tiers WHERE segment = %s AND currency = %s", (segment, currency))
    ]
    if dice.random() < 0.7:
        statements.append(("INSERT INTO reference.deposit_tiers VALUES (%s, %s, %s, %s)", new))
    _execute(system, statements)


@retry(retry=retry_if_exception_type(psycopg.OperationalError), wait=wait_fixed(1.0), stop=stop_after_attempt(60))
def _execute(system: System, statements: Sequence[Statement]) -> None:
    """In one transaction, as often as it takes: Postgres may be away."""
    with psycopg.connect(system.settings.postgres) as connection:
        for statement, values in statements:
            connection.execute(statement, values)


# ---- workers and sinks


def _victim(system: System, dice: Dice, prefix: str) -> Member:
    return dice.choice(system.crew.like(prefix))


def kill(prefix: str) -> Callable[[System, Dice], None]:
    """kill -9; the watch starts it again."""
    return lambda system, dice: _victim(system, dice, prefix).send(signal.SIGKILL)


def kill_all_workers(system: System, dice: Dice) -> None:
    """kill -9 of every worker at once."""
    for member in system.crew.like("worker-"):
        member.send(signal.SIGKILL)


def terminate(prefix: str) -> Callable[[System, Dice], None]:
    """SIGTERM: it finishes, leaves, ends with 0, and is started again."""
    return lambda system, dice: _victim(system, dice, prefix).send(signal.SIGTERM)


def freeze(prefix: str) -> Callable[[System, Dice], None]:
    """SIGSTOP for longer than the session, then SIGCONT: a zombie comes back."""

    def strike(system: System, dice: Dice) -> None:
        member = _victim(system, dice, prefix)
        member.send(signal.SIGSTOP)
        time.sleep(system.session_s + dice.uniform(1.0, 4.0))
        member.send(signal.SIGCONT)

    return strike


def add_worker(system: System, dice: Dice) -> None:
    """One more, up to one above the usual number."""
    for number in range(WORKERS + 1):
        if not system.worker(number).wanted:
            system.worker(number).start()
            return


def remove_worker(system: System, dice: Dice) -> None:
    """One less, down to one below the usual number."""
    members = system.crew.like("worker-")
    if len(members) >= WORKERS:
        dice.choice(members).stop()


def wrong_clock(system: System, dice: Dice) -> None:
    """A worker's wall clock, and with it its ticks, jumps by hours and some seconds later back."""
    member = _victim(system, dice, "worker-")
    member.clock.write_text(str(dice.choice((-5, -2, 3, 6)) * 3_600))
    time.sleep(dice.uniform(3.0, 12.0))
    member.clock.unlink()


def storage_full(system: System, dice: Dice) -> None:
    """No file of a sink may grow beyond 8 KiB for some seconds: a put breaks off in the middle of a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    pids = [pid for prefix in ("invoices-", "adi-") for each in system.crew.like(prefix) if (pid := each.pid)]
    _limit_files(pids, (FULL_BYTES, hard))
    time.sleep(dice.uniform(2.0, 5.0))
    _limit_files(pids, (hard, hard))


def _limit_files(pids: list[int], limits: tuple[int, int]) -> None:
    for pid in pids:
        try:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
        except ProcessLookupError:  # it has ended of it, as it should; its successor has no such limit
            continue


# ---- servers


def kill_server(*names: ServerName) -> Callable[[System, Dice], None]:
    """kill -9 of one of the servers, and a start some seconds later."""

    def strike(system: System, dice: Dice) -> None:
        server = system.server(dice.choice(names))
        server.kill()
        time.sleep(dice.uniform(0.0, 5.0))
        server.start()

    return strike


def restart_server(*names: ServerName) -> Callable[[System, Dice], None]:
    """A restart in good order."""
    return lambda system, dice: api.restart(system.instance, dice.choice(names))


def pause_server(*names: ServerName) -> Callable[[System, Dice], None]:
    """SIGSTOP for some seconds: it keeps its connections, and answers nobody."""

    def strike(system: System, dice: Dice) -> None:
        server = system.server(dice.choice(names))
        server.pause()
        time.sleep(dice.uniform(2.0, 9.0))
        server.resume()

    return strike


# ---- time


class Clock:
    """Ticks that are wrong: hours ahead, or back. They stand beside those of the workers' own clocks."""

    def __init__(self, kafka: str, wire: Wire) -> None:
        self._wire = wire
        self._kafka = Producer({**patient(kafka), "enable.idempotence": True})
        self.ahead_h = 0

    def jump(self, system: System, dice: Dice) -> None:
        """Some hours or a day ahead of anything before, or two hours back."""
        step = dice.choice((-2, 1, 5, 26))
        if step > 0 and self.ahead_h + step <= MOST_AHEAD_H:
            self.ahead_h += step
            self.tick(self.ahead_h)
        else:
            self.tick(-2)

    def tick(self, ahead_h: int) -> int:
        """One tick on every partition; its moment, in UTC micros."""
        now = time.time_ns() // 1_000 + ahead_h * HOUR_US
        value = self._wire.encode(TICKS, "Tick", {"now": now})
        for partition in range(PARTITIONS):
            self._kafka.produce(TICKS, value, partition=partition)
        assert not self._kafka.flush(120.0), "the ticks did not reach Kafka"
        return now


def faults(clock: Clock, stack: Instance) -> list[Fault]:
    """Everything that the adversary may draw."""
    brokers = stack.broker_names
    network = FAULTS if stack.network is Network.PROXIED else ()
    return [
        Fault("deposit tier changed", "tiers", 5, change_tier),
        Fault("worker kill -9", "worker", 8, kill("worker-")),
        Fault("all workers kill -9", "worker", 2, kill_all_workers),
        Fault("worker SIGTERM", "worker", 3, terminate("worker-")),
        Fault("worker frozen beyond its session", "worker", 4, freeze("worker-")),
        Fault("worker added", "worker", 3, add_worker),
        Fault("worker removed", "worker", 3, remove_worker),
        Fault("invoice sink kill -9", "invoices", 3, kill("invoices-")),
        Fault("ADI sink kill -9", "adi", 2, kill("adi-")),
        Fault("invoice sink SIGTERM", "invoices", 1, terminate("invoices-")),
        Fault("invoice sink frozen beyond its session", "invoices", 2, freeze("invoices-")),
        Fault("ADI sink frozen beyond its session", "adi", 1, freeze("adi-")),
        Fault("storage full", "storage", 2, storage_full),
        Fault("broker kill -9", "broker", 4, kill_server(*brokers)),
        Fault("broker restart", "broker", 2, restart_server(*brokers)),
        Fault("broker frozen", "broker", 2, pause_server(*brokers)),
        Fault("Postgres kill -9", "postgres", 2, kill_server(ServerName.POSTGRES)),
        Fault("Postgres restart", "postgres", 2, restart_server(ServerName.POSTGRES)),
        Fault("Connect kill -9", "connect", 2, kill_server(ServerName.CONNECT)),
        Fault("registry kill -9", "registry", 2, kill_server(ServerName.REGISTRY)),
        Fault("ticks jump", "clock", 3, clock.jump),
        Fault("worker's clock jumps", "worker", 2, wrong_clock),
        *(Fault(name, "network", 2, strike) for name, strike in network),
    ]
