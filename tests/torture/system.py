"""The whole system under torture: servers of the stack, topics, reference data, connectors, workers and sinks."""

import os
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from connectors import connect
from connectors.database import migrate
from schemas.settings import Settings
from stack import api, instance
from stack.api import Data, Network, PortPlan, ServerName
from streams import topics
from streams.demo.world import (
    ADVANCE_ALLOWED,
    CIRCUMSTANCES,
    COMMISSION_POLICIES,
    COMMISSION_RATES,
    EVERY_DAYS,
    GL_ACCOUNTS,
    INSTALMENT,
    OFFICERS,
    PRISONS,
    RATES,
    SUPPLIERS,
    Scale,
    cash_permission,
    make_world,
    prison_of,
    rows,
)
from tests.torture import kafka
from tests.torture.crew import CHECKOUT, Crew, Member
from tests.torture.facts import Dealing, Facts, Policy, Vehicle
from tests.torture.wire import Wire

SERVERS = (ServerName.KAFKA, ServerName.POSTGRES, ServerName.REGISTRY, ServerName.CONNECT)
"""Without Prometheus, which takes no part; a proxied system has Toxiproxy too."""
NEXT_RATE, NEXT_RATE_S = "0.0333", 3_900
"""The commission rate that follows, and how soon: a rate begins an hour after it is typed in at the earliest."""
SCALE = Scale(groups=60, riders=400, vehicles=60, dealers=60, prisoners=300)
WORKERS = 3
GROUP = "millrace"
CDC_WAIT_S, TIERS_WAIT_S = 60.0, 300.0
DEPOSIT_TIERS, PARTITIONS = "dealer_billing.deposit-tier.reference.v1", 8

Say = Callable[[str], None]


class System:
    """Everything that runs. Build with `start`; `close` removes servers, data and processes.

    With `Network.PROXIED`, workers and sinks reach the brokers through Toxiproxy; load and verifier do not. `timing`
    is more environment for workers and sinks, MILLRACE_… as it is named there.
    """

    def __init__(
        self, instance: str, folder: Path, seed: int, say: Say, brokers: int = 1, network: Network = Network.DIRECT,
        timing: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.instance, self.folder, self.say = instance, folder, say
        self.brokers, self.network = brokers, network
        self.crew = Crew(say)
        self._timing = dict(timing or {})
        self.session_s = float(self._timing.get("MILLRACE_SESSION_TIMEOUT_S", "6"))
        self._world = make_world(seed, SCALE)
        self._next_rate_at = (int(time.time()) + NEXT_RATE_S) * 1_000_000
        self.facts = _facts(self._world, self._next_rate_at)

    def start(self) -> None:
        """Servers, topics, reference data, connectors, then workers and sinks; returns when CDC has arrived."""
        self.say("starting servers")
        servers = (*SERVERS, *([ServerName.TOXIPROXY] if self.network is Network.PROXIED else []))
        api.up(self.instance, data=Data.FRESH, ports=PortPlan.FREE, only=servers, brokers=self.brokers,
               network=self.network)  # fmt: skip
        self.stack = instance.load(self.instance)
        self.settings = Settings(_env_file=self.env_file)
        self.say("topics, tables, reference data, connectors")
        topics.apply(self.settings, self.brokers)
        migrate(self.settings.postgres)
        with psycopg.connect(self.settings.postgres) as connection, connection.cursor() as cursor:
            for statement, values in rows(self._world):
                cursor.executemany(statement, values)
            next_rate = ("r2", 2, NEXT_RATE, self._next_rate_at)
            cursor.execute("INSERT INTO reference.commission_rates VALUES (%s, %s, %s, %s)", next_rate)
        connect.apply(self.settings)
        for number in range(WORKERS):
            self.worker(number).start()
        for name in ("invoices", "adi"):
            for number in (1, 2):
                self.crew.add(self._member(f"{name}-{number}", ["sinks", name])).start()
        self.crew.add(self._member("connectors", ["streams", "connectors", "watch"])).start()
        self._await_reference()
        self.crew.watch()

    def worker(self, number: int) -> Member:
        """The worker of a number, not started yet; the same one when asked again."""
        name = f"worker-{number}"
        if name not in self.crew.members:
            command = ["streams", "worker", "--name", f"w{number}", "--port", "0", "--loglevel", "INFO"]
            self.crew.add(self._member(name, command))
        return self.crew.members[name]

    def server(self, name: ServerName) -> api.Server:
        """One of the servers, to be broken."""
        return api.server(self.instance, name)

    def close(self) -> None:
        """End all processes, and remove the servers with their data."""
        self.crew.close()
        api.remove(self.instance)

    def await_tiers(self, wire: Wire) -> None:
        """Until the rooms have read the deposit tiers that stand in Postgres. Raises AssertionError if they do not."""
        deadline = time.monotonic() + TIERS_WAIT_S
        while self._tiers_told(wire) != [sorted(self.tiers())] * PARTITIONS:
            assert time.monotonic() < deadline, f"tiers did not arrive: {self._tiers_told(wire)} of {self.tiers()}"
            time.sleep(1.0)
        kafka.await_decided(self.settings.kafka, GROUP, (DEPOSIT_TIERS,), TIERS_WAIT_S)

    def _tiers_told(self, wire: Wire) -> list[list[tuple[str, str, int]]]:
        last: list[dict[bytes, tuple[str, str, int]]] = [{} for _ in range(PARTITIONS)]
        for record in kafka.read(self.settings.kafka, DEPOSIT_TIERS):
            last[record.partition()].pop(record.key(), None)
            if record.value() is not None:
                tier = wire.decode(record.value())[1]
                last[record.partition()][record.key()] = tier["segment"], tier["currency"], tier["from_minor"]
        return [sorted(each.values()) for each in last]

    def tiers(self) -> list[tuple[str, str, int]]:
        """The deposit tiers as they stand in Postgres: segment, currency, from how much."""
        with psycopg.connect(self.settings.postgres) as connection:
            return connection.execute("SELECT segment, currency, from_minor FROM reference.deposit_tiers").fetchall()

    @property
    def env_file(self) -> Path:
        """Where the stack has written its addresses."""
        return CHECKOUT / ".stack" / self.instance / "env"

    @property
    def blob(self) -> Path:
        """Where the sinks put their files."""
        return self.folder / "blob"

    def _member(self, name: str, command: list[str]) -> Member:
        settings = {f"MILLRACE_{key.upper()}": str(value) for key, value in self.settings.model_dump().items()
                    if value is not None and key != "scrape_targets"}  # fmt: skip
        environment = {**settings, "MILLRACE_BLOB": f"file://{self.blob}", "MILLRACE_ENV_FILE": os.devnull,
                       "MILLRACE_REPLICATION_FACTOR": str(self.brokers)}  # fmt: skip
        if self.network is Network.PROXIED:
            environment["MILLRACE_KAFKA"] = self.stack.bootstrap("proxy")
        return Member(name, command, self.folder / f"{name}.log", environment | self._timing)

    def _await_reference(self) -> None:
        """Until every row of Postgres has reached the topic that the rooms read, and they have read it."""
        vehicles, members, dealers, prisoners, suppliers, prisons, officers, codes, tiers, rates, policies = (
            self._world.counts
        )
        expected = {"mobility.vehicle-price.reference.v1": vehicles * 8, "mobility.group-member.reference.v1": members,
                    "dealer_billing.dealer.reference.v1": dealers, "prison_finance.prisoner.reference.v1": prisoners,
                    "prison_finance.supplier.reference.v1": suppliers * 8,
                    "prison_finance.prison.reference.v1": prisons * 8,
                    "prison_finance.officer.reference.v1": officers * 8,
                    "prison_finance.gl-account.reference.v1": codes * 8,
                    DEPOSIT_TIERS: tiers * 8,
                    "dealer_billing.commission-rate.reference.v1": (rates + 1) * 8,
                    "dealer_billing.commission-policy.reference.v1": policies * 8}  # fmt: skip
        deadline = time.monotonic() + CDC_WAIT_S
        while True:
            last, count = dict[kafka.Slot, int](), dict[str, int]()
            for record in kafka.read(self.settings.kafka, *expected):
                count[record.topic()] = count.get(record.topic(), 0) + 1
                last[record.topic(), record.partition()] = record.offset() + 1
            at: dict[kafka.Slot, int] = kafka.committed(self.settings.kafka, GROUP, last) if last else {}
            arrived = all(count.get(topic, 0) >= number for topic, number in expected.items())
            if arrived and all(at[slot] >= end for slot, end in last.items()):
                return
            assert time.monotonic() < deadline, f"reference data did not arrive: {count} of {expected}"
            time.sleep(0.5)


def _facts(world: Any, next_rate_at: int) -> Facts:
    vehicles = {}
    for vehicle in world.vehicles:
        unlock, per_minute = RATES[vehicle.model_id.partition("-")[2]]
        vehicles[vehicle.vehicle_id] = Vehicle(vehicle.msp_id, unlock, Decimal(per_minute))
    codes = {purpose: sop for purpose, (_, sop) in GL_ACCOUNTS.items()}
    codes |= {f"supplier/{supplier}": account for supplier, (_, account) in SUPPLIERS.items()}
    rates = [(Decimal(share), valid_from) for _, _, share, valid_from in COMMISSION_RATES]
    ((_, zone, bill_after_days),) = COMMISSION_POLICIES
    return Facts(
        vehicles, world.members, world.dealers, world.prisoners, world.suppliers,
        {prisoner: prison_of(number) for number, prisoner in enumerate(world.prisoners)},
        {prisoner: cash_permission(number) for number, prisoner in enumerate(world.prisoners)},
        OFFICERS, Policy(ADVANCE_ALLOWED, INSTALMENT, EVERY_DAYS, tuple(CIRCUMSTANCES)),
        {prison: cost_centre for prison, (_, cost_centre) in PRISONS.items()}, codes,
        Dealing((*rates, (Decimal(NEXT_RATE), next_rate_at)), zone, bill_after_days),
    )  # fmt: skip
