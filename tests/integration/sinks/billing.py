"""A world with a Billing beside it: what dealers' books ask, workers that may die, and what came back into Kafka."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from schemas.avro import full_name
from schemas.billing import (
    BillingDone,
    BillingRefused,
    ChangePayer,
    CreateClient,
    CreateContract,
    CreatePayer,
    IssueBill,
    ReportCommission,
    WithdrawBill,
)
from schemas.dealer_accounts import Requisites
from schemas.dealer_billing import AccountType
from schemas.envelope import Envelope, read_envelope
from schemas.fields import Money
from schemas.settings import Settings
from sinks import database, retry
from sinks.billing import proof
from sinks.billing.carrier import Carrier
from sinks.billing.content import Wanted
from sinks.billing.http import HttpBilling
from sinks.storage import Storage
from sinks.worker import Worker
from stack.billing import Billing
from tests.integration.sinks.world import CHECKOUT, World
from tests.rooms import moment

CARRIER = "tests.integration.sinks.mortal_carrier"
PATIENCE_S = 1.0
"""How long the workers of the tests wait for an answer."""
AT = moment("2026-07-03T10:00:00Z")
REQUISITES = Requisites(
    legal_name="Avtodom Sever OOO", tax_number="7707083893", legal_address="Moscow, Tverskaya 1",
    bank_code="SABRRUMM", bank_account="40702810900000012345", email="office@avtodom.example",
)  # fmt: skip
SECRETS = [str(value) for value in REQUISITES.model_dump().values() if value is not None]


class Told(NamedTuple):
    """An answer as it lies in Kafka."""

    envelope: Envelope
    message: BillingDone | BillingRefused


class Desk(NamedTuple):
    """A world and its Billing."""

    world: World
    billing: Billing

    def ask(self, *calls: Wanted, partition: int = 0) -> None:
        """Dealers' books write calls."""
        self.world.ask(*calls, headers=[envelope(call).headers() for call in calls], partition=partition)

    def settings(self, **other: Any) -> Settings:
        world = self.world
        return world.settings.model_copy(
            update={
                "postgres": world.postgres, "billing": self.billing.address, "billing_timeout_s": PATIENCE_S,
                "billing_failures": 50, "billing_rest_s": 1.0, **other,
            }
        )  # fmt: skip

    def carry(self, until_idle_s: float = 2.5, **other: Any) -> None:
        """Work in this process until nothing comes further."""
        world, here = self.world, self.settings(**other)
        billing = HttpBilling(here.billing, here.billing_timeout_s)
        with Carrier(billing, world.codec, here, world.answers) as carrier:
            Worker(
                world.sink("billing"), world.codec, Storage(f"file://{world.blob}"),
                kafka=here.kafka, postgres=here.postgres, until_idle_s=until_idle_s, deliver=carrier.deliver,
            ).run()  # fmt: skip

    def start(self, dies: str = "never", until_idle_s: float = 4.0) -> "subprocess.Popen[bytes]":
        """A worker in a process of its own."""
        environment = os.environ | self.world.settings_environment() | {
            "MILLRACE_BILLING": self.billing.address, "MILLRACE_BILLING_TIMEOUT_S": str(PATIENCE_S),
            "CALLS": self.world.calls.name, "ANSWERS": self.world.answers.name,
            "DIES": dies, "IDLE_S": str(until_idle_s),
        }  # fmt: skip
        return subprocess.Popen([sys.executable, "-m", CARRIER], cwd=CHECKOUT, env=environment)

    def retried(self, subject: str | None = None) -> list[str]:
        """What `retry` leaves, as it says it."""
        with database.connect(self.world.postgres) as connection:
            storage = Storage(f"file://{self.world.blob}")
            sink = self.world.sink("billing")
            done = retry.retry(sink, self.world.codec, connection, self.world.settings.kafka, storage, subject)
        return [str(item) for item in done.left]

    def hurry(self) -> None:
        """Every pause is over."""
        self.world.query("update sink.billing_call set due_at = now()")

    # ---- what can be seen

    def states(self) -> dict[str, str]:
        """Of the calls."""
        return dict(self.world.query("select call_id, state from sink.billing_call"))  # type: ignore[arg-type]

    def problem(self, call_id: str) -> str:
        return str(self.world.query("select problem from sink.billing_call where call_id = %s", call_id)[0][0])

    def differences(self) -> list[str]:
        """What `verify` says of calls and answers."""
        with database.connect(self.world.postgres) as connection:
            untold = proof.untold(connection, self.world.codec, self.world.settings.kafka, self.world.answers)
            return [*self.world.differences("billing"), *untold]

    def told(self) -> list[Told]:
        """Every answer in Kafka, repetitions too."""
        topic = self.world.answers
        return [
            Told(read_envelope(raw.headers), self.world.codec.decode(topic, raw.value))
            for raw in self.world.records(topic)
        ]

    def answers(self) -> Sequence[BillingDone | BillingRefused]:
        """Of the answers the messages."""
        return [each.message for each in self.told()]


# ---- what dealers' books ask


def envelope(call: Wanted) -> Envelope:
    """As the room writes it: of one story with what somebody asked upstream."""
    return Envelope(
        id=f"decision-{call.call_id}", source="millrace", type=full_name(type(call)), time_us=AT,
        subject=f"dealer:{call.dealer_id}", correlation_id=f"story-{call.dealer_id}", causation_id="upstream-1",
        actor="dealer service",
    )  # fmt: skip


def client(dealer: str = "d-1", account: AccountType = AccountType.COMMISSION, version: int = 1) -> CreateClient:
    return CreateClient(
        call_id=f"{dealer}/{account}/client/{version}", dealer_id=dealer, account=account, requisites=REQUISITES
    )


def payer(client_id: str, dealer: str = "d-1", account: AccountType = AccountType.COMMISSION) -> CreatePayer:
    return CreatePayer(
        call_id=f"{dealer}/{account}/payer/1", dealer_id=dealer, account=account, client_id=client_id,
        requisites=REQUISITES,
    )  # fmt: skip


def contract(
    client_id: str, payer_id: str, dealer: str = "d-1", account: AccountType = AccountType.COMMISSION
) -> CreateContract:
    return CreateContract(
        call_id=f"{dealer}/{account}/contract/1", dealer_id=dealer, account=account, client_id=client_id,
        payer_id=payer_id,
    )  # fmt: skip


def change(client_id: str, payer_id: str, version: int, dealer: str = "d-1") -> ChangePayer:
    return ChangePayer(
        call_id=f"{dealer}/COMMISSION/requisites/{version}", dealer_id=dealer, account=AccountType.COMMISSION,
        client_id=client_id, payer_id=payer_id, version=version,
        requisites=REQUISITES.model_copy(update={"legal_name": f"Avtodom, version {version}"}),
    )  # fmt: skip


def bill(contract_id: str, bill_id: str = "bill-1", amount_minor: int = 125_000, dealer: str = "d-1") -> IssueBill:
    return IssueBill(
        call_id=f"{dealer}/COMMISSION/bill/{bill_id}", dealer_id=dealer, account=AccountType.COMMISSION,
        contract_id=contract_id, bill_id=bill_id, amount=Money(amount_minor=amount_minor, currency="RUB"),
        text="Commission of June",
    )  # fmt: skip


def withdrawal(billing_id: str, bill_id: str = "bill-1", dealer: str = "d-1") -> WithdrawBill:
    return WithdrawBill(
        call_id=f"{dealer}/COMMISSION/withdrawal/{bill_id}", dealer_id=dealer, account=AccountType.COMMISSION,
        bill_id=bill_id, billing_id=billing_id, reason="the winner has changed",
    )  # fmt: skip


def commission(contract_id: str, version: int, minor: int, dealer: str = "d-1") -> ReportCommission:
    return ReportCommission(
        call_id=f"{dealer}/COMMISSION/commission/lot-1/{version}", dealer_id=dealer, account=AccountType.COMMISSION,
        contract_id=contract_id, lot_id="lot-1", version=version, commission_minor=minor, currency="RUB",
    )  # fmt: skip
