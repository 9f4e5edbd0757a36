"""A world with a general ledger beside it: files to upload, uploaders that may die, and what came back into Kafka."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple

from schemas.envelope import Envelope, read_envelope
from schemas.general_ledger import GeneralLedgerLine, LinesProcessed, LinesRefused
from sinks import database
from sinks.general_ledger import proof
from sinks.general_ledger.http import HttpGeneralLedger
from sinks.general_ledger.worker import Uploader
from sinks.storage import Storage
from tests.integration.sinks.general_ledger import GeneralLedger
from tests.integration.sinks.world import CHECKOUT, PARTITIONS, World, closed

UPLOADER = "tests.integration.sinks.mortal_uploader"
PATIENCE_S = 1.0
"""How long the uploaders of the tests wait for an answer."""


class Told(NamedTuple):
    """An acknowledgement as it lies in Kafka."""

    envelope: Envelope
    message: LinesProcessed | LinesRefused


class Sop(NamedTuple):
    """A world and its general ledger."""

    world: World
    ledger: GeneralLedger

    def file(self, day: str, *transactions: Sequence[GeneralLedgerLine]) -> None:
        """Post these transactions, close their day in every partition, and cut its files."""
        posted: dict[int, list[GeneralLedgerLine]] = {partition: [] for partition in range(PARTITIONS)}
        for number, transaction in enumerate(transactions):
            posted[number % PARTITIONS] += transaction
        for partition, lines in posted.items():
            self.world.post(*((partition, line) for line in lines), (partition, closed(day, lines)))
        self.world.run("adi")

    def upload(self, until_idle_s: float = 2.5) -> None:
        """Work in this process until nothing comes further."""
        world = self.world
        here = world.settings.model_copy(
            update={
                "postgres": world.postgres, "blob": f"file://{world.blob}", "general_ledger": self.ledger.address,
                "general_ledger_timeout_s": PATIENCE_S,
            }
        )  # fmt: skip
        Uploader(
            HttpGeneralLedger(here.general_ledger, PATIENCE_S), world.codec, Storage(here.blob), here,
            until_idle_s=until_idle_s, topic=world.acknowledgements,
        ).run()  # fmt: skip

    def start(self, dies: str = "never", until_idle_s: float = 4.0) -> "subprocess.Popen[bytes]":
        """An uploader in a process of its own."""
        environment = os.environ | self.world.settings_environment() | {
            "MILLRACE_GENERAL_LEDGER": self.ledger.address, "MILLRACE_GENERAL_LEDGER_TIMEOUT_S": str(PATIENCE_S),
            "ACKNOWLEDGEMENTS": self.world.acknowledgements.name, "DIES": dies, "IDLE_S": str(until_idle_s),
        }  # fmt: skip
        return subprocess.Popen([sys.executable, "-m", UPLOADER], cwd=CHECKOUT, env=environment)

    # ---- what can be seen

    def states(self) -> list[str]:
        """Of the uploads, by prison and number."""
        return [row[0] for row in self.world.query("select state from sink.upload order by prison_id, number")]

    def statuses(self) -> dict[str, str]:
        """Of the lines."""
        return dict(self.world.query("select line_id, status from sink.adi_line"))  # type: ignore[arg-type]

    def differences(self) -> list[str]:
        """What `verify` says of lines and answers."""
        with database.connect(self.world.postgres) as connection:
            untold = proof.untold(connection, self.world.codec, self.world.settings.kafka, self.world.acknowledgements)
            return [*proof.differences(connection), *untold]

    def told(self) -> list[Told]:
        """Every acknowledgement in Kafka, repetitions too."""
        topic = self.world.acknowledgements
        return [
            Told(read_envelope(raw.headers), self.world.codec.decode(topic, raw.value))
            for raw in self.world.records(topic)
        ]
