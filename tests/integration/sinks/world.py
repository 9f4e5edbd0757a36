"""A world for one test of the sinks: topics, a database and a blob folder of its own, on real servers."""

import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.avro import schema_of
from schemas.codec import Codec
from schemas.fields import Contract, Message, Money
from schemas.general_ledger import AccountingDayClosed, GeneralLedgerLine, LedgerSide
from schemas.mobility import TripSettled, VehiclePrice
from schemas.publishing import introduce
from schemas.registry import ConfluentRegistry
from schemas.settings import Settings
from schemas.topics import (
    BILLING_ANSWERS,
    BILLING_CALLS,
    GL_ACKNOWLEDGEMENTS,
    GL_LINES,
    PURCHASE_EVENTS,
    TRIP_PAYMENTS,
    Topic,
)
from sinks import database, verify
from sinks.adi.sink import AdiSink
from sinks.billing.sink import BillingSink
from sinks.inlet import Raw
from sinks.invoices.sink import InvoiceSink
from sinks.log import Log
from sinks.receipts.sink import ReceiptSink
from sinks.sink import Sink
from sinks.storage import Storage
from sinks.worker import Worker

PARTITIONS = 3
WORKER = "tests.integration.sinks.mortal_worker"
CHECKOUT = Path(__file__).parents[3]
MIGRATIONS = [
    path
    for path in sorted((CHECKOUT / "connectors" / "migrations").glob("01*.sql"))
    if "rollback" not in path.name and path.name >= "0100"
]
"""All that the sinks need: they look at no table of others."""
SENDER = "receipts@prisons.example"


class World(NamedTuple):
    """Where everything of one test is."""

    settings: Settings
    postgres: str
    trips: Topic
    lines: Topic
    purchases: Topic
    acknowledgements: Topic
    calls: Topic
    answers: Topic
    codec: Codec
    blob: Path

    # ---- upstream

    def settle(self, *trips: Message, partition: int = 0) -> None:
        """Write records to the trip topic, in one Kafka transaction as upstream does."""
        self._write(self.trips, [(partition, self.codec.encode(trip)) for trip in trips])

    def post(self, *records: tuple[int, Message]) -> None:
        """Write records to the general-ledger topic, each in its partition."""
        self._write(self.lines, [(partition, self.codec.encode(message)) for partition, message in records])

    def purchase(self, *events: Message, headers: Sequence[Any] = (), partition: int = 0) -> None:
        """Write events of the room, each with its headers."""
        records = [(partition, self.codec.encode(event)) for event in events]
        self._write(self.purchases, records, list(headers) or [[]] * len(records))

    def ask(self, *calls: Contract, headers: Sequence[Any], partition: int = 0) -> None:
        """Write calls of dealers' books, each with its headers."""
        self._write(self.calls, [(partition, self.codec.encode(call)) for call in calls], headers)

    def write_raw(self, topic: Topic, value: bytes, partition: int = 0) -> None:
        self._write(topic, [(partition, value)])

    def _write(self, topic: Topic, records: Sequence[tuple[int, bytes]], headers: Sequence[Any] = ()) -> None:
        producer = Producer({"bootstrap.servers": self.settings.kafka, "transactional.id": uuid.uuid4().hex})
        producer.init_transactions(30)
        producer.begin_transaction()
        for number, (partition, value) in enumerate(records):
            producer.produce(topic.name, value, partition=partition, headers=list(headers[number]) if headers else None)
        introduce(producer, [topic.name], 30)
        producer.commit_transaction(30)

    # ---- the sinks

    def sink(self, name: str) -> Sink:
        match name:
            case "invoices":
                return InvoiceSink(self.trips)
            case "receipts":
                return ReceiptSink(SENDER, self.purchases)
            case "billing":
                return BillingSink(self.calls)
            case _:
                return AdiSink(PARTITIONS, self.lines)

    def worker(self, name: str, until_idle_s: float = 1.5) -> Worker:
        """A worker in this process."""
        return Worker(
            self.sink(name), self.codec, Storage(f"file://{self.blob}"),
            kafka=self.settings.kafka, postgres=self.postgres, until_idle_s=until_idle_s,
        )  # fmt: skip

    def run(self, name: str) -> None:
        """Work until nothing is left."""
        self.worker(name).run()

    def start(self, name: str, *, until_idle_s: float = 3.0, dies: str = "never") -> "subprocess.Popen[bytes]":
        """A worker in a process of its own, which kills itself at a step of its first transaction with files."""
        environment = os.environ | self.settings_environment() | {
            "SINK": name, "TRIPS": self.trips.name, "LINES": self.lines.name,
            "IDLE_S": str(until_idle_s), "DIES": dies,
        }  # fmt: skip
        return subprocess.Popen([sys.executable, "-m", WORKER], cwd=CHECKOUT, env=environment)

    def settings_environment(self) -> dict[str, str]:
        return {
            "MILLRACE_KAFKA": self.settings.kafka, "MILLRACE_REGISTRY": self.settings.registry,
            "MILLRACE_POSTGRES": self.postgres, "MILLRACE_BLOB": f"file://{self.blob}",
            "MILLRACE_SESSION_TIMEOUT_S": "3",
        }  # fmt: skip

    def differences(self, name: str) -> list[str]:
        with database.connect(self.postgres) as connection:
            storage = Storage(f"file://{self.blob}")
            return list(verify.differences(self.sink(name), self.codec, connection, self.settings.kafka, storage))

    # ---- what can be seen

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def files(self) -> dict[str, bytes]:
        """Every file of the blob folder."""
        return {
            str(path.relative_to(self.blob)): path.read_bytes()
            for path in sorted(self.blob.rglob("*"))
            if path.is_file()
        }

    def records(self, topic: Topic) -> list[Raw]:
        """Every committed record of a topic."""
        log = Log(self.settings.kafka, topic.name)
        try:
            return [raw for partition in range(log.partitions) for raw in log.read(partition, 2**62)]
        finally:
            log.close()

    def numbers(self) -> list[tuple[str, int]]:
        """Series and number of every file, in order."""
        return [(row[0], row[1]) for row in self.query("select series, number from sink.manifest order by 1, 2")]

    def onboard(self, issuer_id: str, code: str, zone: str = "Europe/Copenhagen") -> None:
        self.query(
            "insert into sink.issuer values (%s, %s, %s, %s, 'DK', 'DK12345678', %s, '')",
            issuer_id, code, f"{code.title()} Mobility ApS", ["Vesterbrogade 12", "1620 København V"], zone,
        )  # fmt: skip


def build(settings: Settings, blob: Path) -> World:
    """Topics, registered schemas, a database with the tables of the sinks."""
    suffix = uuid.uuid4().hex[:8]
    trips = TRIP_PAYMENTS._replace(name=f"sinks-{suffix}.{TRIP_PAYMENTS.name}")
    lines = GL_LINES._replace(name=f"sinks-{suffix}.{GL_LINES.name}")
    purchases = PURCHASE_EVENTS._replace(name=f"sinks-{suffix}.{PURCHASE_EVENTS.name}")
    acknowledgements = GL_ACKNOWLEDGEMENTS._replace(name=f"sinks-{suffix}.{GL_ACKNOWLEDGEMENTS.name}")
    calls = BILLING_CALLS._replace(name=f"sinks-{suffix}.{BILLING_CALLS.name}")
    answers = BILLING_ANSWERS._replace(name=f"sinks-{suffix}.{BILLING_ANSWERS.name}")
    topics = (trips, lines, purchases, acknowledgements, calls, answers)
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    for made in admin.create_topics([NewTopic(topic.name, PARTITIONS, 1) for topic in topics]).values():
        made.result(30)
    registry = ConfluentRegistry(settings.registry)
    for topic in topics:
        for message in topic.messages:
            registry.register(topic.subject(message), schema_of(message), topic.compatibility)
    return World(settings, _database(settings, f"sinks_{suffix}"), *topics, Codec(registry, topics), blob)


def _database(settings: Settings, name: str) -> str:
    with psycopg.connect(settings.postgres, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    postgres = f"{settings.postgres.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        for migration in MIGRATIONS:
            connection.execute(migration.read_text())
    return postgres


# ---- what happened


def price(msp_id: str = "swift", currency: str = "DKK") -> VehiclePrice:
    return VehiclePrice(
        vehicle_id="SW-E-20931", msp_id=msp_id, model_id="Max-G3", vehicle_type="e-scooter", schedule_id="standard",
        version=1, currency=currency, unlock_minor=1_000, per_minute_minor=Decimal(225), vat_rate=Decimal("0.25"),
    )  # fmt: skip


def trip(number: int, msp_id: str = "swift", fare_minor: int = 3_250) -> TripSettled:
    """Ten minutes, each second of number later; 1 July 2026, 10:00 UTC at first."""
    begin = 1_782_900_000_000_000 + number * 1_000_000
    return TripSettled(
        trip_id=f"trip-{number}", group_id="family", rider_id="rider-4711", price=price(msp_id), started_at=begin,
        ended_at=begin + 600_000_000, ridden_seconds=600, fare_minor=fare_minor, wallet_minor=min(fare_minor, 2_000),
        card_minor=fare_minor - min(fare_minor, 2_000),
    )  # fmt: skip


def line(number: int, side: LedgerSide, amount_minor: int, *, day: str, prison: str = "LEI") -> GeneralLedgerLine:
    """One side of transaction `number`."""
    return GeneralLedgerLine(
        line_id=f"line-{number}-{side}", transaction_id=f"transaction-{number:04d}", prisoner_id=f"A{number}",
        prison_id=prison, accounting_date=day, cost_centre="318700",
        gl_account="2617902085" if side is LedgerSide.DEBIT else "1816902028", side=side,
        amount=Money(amount_minor=amount_minor, currency="GBP"), description=f"Canteen Spends - CANTEEN-{number:04d}",
    )  # fmt: skip


def purchase(number: int, amount_minor: int = 1_234, *, day: str, prison: str = "LEI") -> list[GeneralLedgerLine]:
    """Two lines that balance."""
    return [line(number, side, amount_minor, day=day, prison=prison) for side in LedgerSide]


def closed(day: str, lines: Sequence[GeneralLedgerLine]) -> AccountingDayClosed:
    """What a partition says at the end of a day with these lines."""

    def total(side: LedgerSide) -> int:
        return sum(each.amount.amount_minor for each in lines if each.side is side)

    return AccountingDayClosed(
        accounting_date=day,
        lines=len(lines),
        debit_minor=total(LedgerSide.DEBIT),
        credit_minor=total(LedgerSide.CREDIT),
    )
