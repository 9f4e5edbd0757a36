"""Whose turn it is, and what time it is: machines, upstream, and what happens to them, in one thread."""

import random
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from connectors.tables import TABLES
from schemas.topics import PARTITIONS, TOPICS
from streams.app import APP_ID
from streams.runtime.settings import Settings
from streams.simulator.adversary import AdversarialHost, Markers, Survived, compact
from streams.simulator.billing import BAD, Billing, Manners
from streams.simulator.faults import MACHINES, Happening, Trap, Turn
from streams.simulator.kafka.broker import Broker, NewRecord
from streams.simulator.kafka.messages import Place
from streams.simulator.machine import Machine
from streams.simulator.script import BEGIN_S, Script, Send, send_of
from streams.simulator.worker import Contracts, Worker

QUIET_WITHIN_S = 900.0
LOOK_EVERY_S = 1.0
LISTEN_EVERY_S = 0.1
"""How often Billing hears what is asked of it while upstream sends."""
MOST_DEATHS = 40


class Stuck(Exception):
    """The pipeline has stopped to work, though nothing hinders it any more."""


class Berth(NamedTuple):
    """A place for a worker: its name, the most records it takes at once, whether one is there from the beginning."""

    name: str
    batch_records: int
    is_wanted: bool


def crew_of(seed: int) -> list[Berth]:
    """The workers of a seed: one at least from the beginning."""
    rnd = random.Random(f"crew {seed}")
    first = rnd.choice(MACHINES)
    return [Berth(name, rnd.choice((3, 10, 50)), name == first or rnd.random() < 0.6) for name in MACHINES]


class World:
    """One run of a script."""

    def __init__(
        self, script: Script, contracts: Contracts, crew: Sequence[Berth] = (), billing: Manners = BAD
    ) -> None:
        rnd = self._rnd = random.Random(f"world {script.seed}")
        self.broker = Broker(BEGIN_S)
        self.survived = Survived()
        for topic in (*(topic.name for topic in TOPICS), *(table.cdc_topic for table in TABLES)):
            self.broker.create_topic(topic, PARTITIONS)
        self._markers = Markers(self.broker, rnd, self.survived)
        self.machines = [self._machine(berth, script, contracts) for berth in crew or crew_of(script.seed)]
        self._calendar: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._ends_at_s = BEGIN_S
        self._closing = script.closing
        self._billing = Billing(self.broker, contracts.codec, script.seed, billing)
        self._encode = contracts.codec.encode
        for send in script.sends:
            self._at(send.at_s, self._sending(send))
        for fault in script.faults:
            if isinstance(fault, Happening):
                self._at(fault.at_s, self._happening(fault))
        for number in range(int((self._ends_at_s - BEGIN_S) / LISTEN_EVERY_S)):
            self._at(number * LISTEN_EVERY_S, self._listen)
        self._create_changelogs(contracts)

    def _machine(self, berth: Berth, script: Script, contracts: Contracts) -> Machine:
        name = berth.name
        traps = [fault for fault in script.faults if isinstance(fault, Trap) and fault.machine == name]
        rnd = random.Random(f"machine {name} {script.seed}")
        host = AdversarialHost(self.broker, name, rnd, traps, self.survived)
        host.world = self
        settings = Settings.model_construct(
            worker=name, batch_records=berth.batch_records, session_timeout_s=2.0, transaction_timeout_s=3.0,
            commit_timeout_s=5.0, warm_s=3_600.0, restore_stall_timeout_s=60.0,
        )  # fmt: skip
        machine = Machine(host, settings, contracts)
        machine.is_wanted = berth.is_wanted
        return machine

    def _create_changelogs(self, contracts: Contracts) -> None:
        host = self.broker.host()
        outside = self.machines[0].host.outside
        app = Worker(host, outside, Settings.model_construct(worker="none"), contracts).app
        self.sources = app.topics
        self.changelogs = [table.changelog_topic_name for table in app.tables.values()]
        for name in self.changelogs:
            self.broker.create_topic(name, PARTITIONS)

    # ---- the run

    def run(self) -> None:
        """Everything in the script, and then until all is worked off. Raises `Stuck`, and what a bug raises."""
        while self._calendar:
            self._run_until(self._ends_at_s)
        for machine in self.machines:
            machine.host.disarm()
        if not any(machine.is_wanted for machine in self.machines):
            self.machines[0].is_wanted = True
        self.work_off()
        for sends in self._closing:
            self.send(sends)
            self.work_off()

    def send(self, sends: Iterable[Send]) -> None:
        """Let upstream send all of these now; the world sleeps before one whose time has not come."""
        for send in sends:
            if (too_early_s := BEGIN_S + send.at_s - self.broker.now_s) > 0:
                self._sleep(too_early_s)
            self._sending(send)()

    def work_off(self) -> None:
        """Go on until every record is worked off. Raises `Stuck`."""
        deadline = self.broker.now_s + QUIET_WITHIN_S
        while not self._is_quiet():
            if self.broker.now_s > deadline:
                raise Stuck(f"after {QUIET_WITHIN_S:.0f} s without faults there is still work in {self._left()}")
            self._run_until(self.broker.now_s + LOOK_EVERY_S)
            self._listen()

    def go_on_without(self, machine: AdversarialHost, seconds: float) -> None:
        """Let the others live on while one machine stands still."""
        machine.process.silent_since = self.broker.now_s
        self._run_until(self.broker.now_s + seconds)
        self.broker.expire()
        machine.process.silent_since = None

    def _run_until(self, end_s: float) -> None:
        broker = self.broker
        while True:
            ready = [machine for machine in self.machines if not machine.is_busy and self._has_turn(machine)]
            machine = min(ready, key=lambda each: each.wakes_at_s, default=None)
            at_s = machine.wakes_at_s if machine is not None else end_s
            if self._calendar and self._calendar[0][0] <= min(at_s, end_s):
                moment, _, happen = heappop(self._calendar)
                broker.now_s = max(broker.now_s, moment)
                happen()
                continue
            if machine is None or at_s >= end_s:
                broker.now_s = max(broker.now_s, end_s)
                self._markers.release()
                return
            broker.now_s = max(broker.now_s, at_s)
            self._markers.release()
            machine.turn()
            if machine.deaths > MOST_DEATHS:
                raise Stuck(f"machine {machine.host.name} died {machine.deaths} times")

    def _has_turn(self, machine: Machine) -> bool:
        return machine.is_wanted or machine.worker is not None

    # ---- the calendar

    def _at(self, at_s: float, happen: Callable[[], None]) -> None:
        moment = BEGIN_S + at_s
        heappush(self._calendar, (moment, next(self._numbers), happen))
        self._ends_at_s = max(self._ends_at_s, moment)

    def _sending(self, send: Send) -> Callable[[], None]:
        def happen() -> None:
            broker = self.broker
            partition = send.partition if send.partition >= 0 else broker.partition_of(send.topic, send.key)
            broker.produce([NewRecord(Place(send.topic, partition), send.key, send.value, send.headers, 0)])

        return happen

    def _listen(self) -> None:
        """Let Billing hear what rooms ask of it; its answers come when they come."""
        for in_s, event in self._billing.hear():
            self._at(self.broker.now_s - BEGIN_S + in_s, self._sending(send_of(0.0, event, self._encode)))

    def _happening(self, fault: Happening) -> Callable[[], None]:
        def happen() -> None:
            self.survived[fault.turn.value] += 1
            machine = next(each for each in self.machines if each.host.name == fault.machine)
            match fault.turn:
                case Turn.START:
                    machine.is_wanted = True
                case Turn.STOP:
                    machine.is_wanted = False
                case Turn.COMPACT:
                    compact(self.broker, self.changelogs, self._rnd, fault.amount)
                case Turn.HOLD_MARKERS:
                    self._markers.hold(fault.amount)
                case Turn.FREEZE:
                    machine.freeze(fault.amount)
                case Turn.SLEEP:
                    self._sleep(fault.amount)

        return happen

    def _sleep(self, seconds: float) -> None:
        """Nothing happens anywhere for long; then all goes on."""
        self.broker.now_s += seconds
        for machine in self.machines:
            machine.wakes_at_s += seconds
        self._calendar = [(moment + seconds, number, happen) for moment, number, happen in self._calendar]
        self._ends_at_s += seconds

    # ---- the end

    def _is_quiet(self) -> bool:
        is_settled = all(machine.is_settled for machine in self.machines)
        return is_settled and self._billing.is_idle and not self._calendar and not self._left()

    def _left(self) -> list[str]:
        """Source partitions with records that no worker has committed."""
        sources = [log for log in self.broker.logs.values() if log.place.topic in self.sources]
        offsets = self.broker.group(APP_ID).committed([log.place for log in sources], stable=False)
        places = zip(sources, offsets, strict=True)
        return [f"{log.place.topic}/{log.place.partition}" for log, offset in places if log.holds_more(max(offset, 0))]
