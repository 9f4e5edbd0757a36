"""A sink tells that it goes on: at each turn, and at each step of a turn that may be long (PIPE-11)."""

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from prometheus_client import REGISTRY

from sinks import metrics
from sinks.database import connect
from sinks.general_ledger.answer import Answer
from sinks.general_ledger.worker import NAME as GENERAL_LEDGER
from sinks.general_ledger.worker import Uploader
from sinks.loop import Loop
from sinks.receipts.outbox import Outbox
from sinks.receipts.smtp import MailServer
from sinks.remote import NoAnswer
from sinks.storage import Storage
from tests.integration.sinks import general_ledger, mail
from tests.integration.sinks.sop import Sop
from tests.integration.sinks.world import SENDER, World, purchase

pytestmark = pytest.mark.requirement("PIPE-11")

DAY = "2026-07-03"


def told_at(sink: str) -> float:
    return REGISTRY.get_sample_value("millrace_sink_turn_timestamp_seconds", {"sink": sink}) or 0.0


class Steps:
    """Asked at each step of some work: how many seconds ago the sink has told that it goes on."""

    def __init__(self, sink: str) -> None:
        self._sink = sink
        self.ages_s: list[float] = []

    def seen(self) -> None:
        """The next step has to tell it again."""
        self.ages_s.append(time.time() - told_at(self._sink))
        metrics.TURN_AT.labels(self._sink).set(0)


def test_each_turn_is_told_when_it_begins(world: World) -> None:
    loop, steps = Loop("invoices", world.postgres, None), Steps("invoices")

    def turn() -> bool:
        steps.seen()
        loop.stopping = len(steps.ages_s) == 3
        return True

    loop.run(turn)

    assert len(steps.ages_s) == 3
    assert max(steps.ages_s) < 10
    assert told_at("invoices") == 0, "nothing else tells it, while a turn hangs"


class SlowLedger:
    """It answers no question."""

    def __init__(self) -> None:
        self.steps = Steps(GENERAL_LEDGER)

    def find(self, name: str, until: float) -> Answer | None:
        self.steps.seen()
        raise NoAnswer("the general ledger does not answer in time")

    def upload(self, name: str, content: bytes, digest: str, until: float) -> Answer:
        raise AssertionError("it has not been asked for yet")


def test_a_turn_over_many_files_tells_of_each(world: World) -> None:
    with general_ledger.serving() as unused:
        Sop(world, unused).file(DAY, *(purchase(number, day=DAY, prison=f"P{number}") for number in range(3)))
    slow = SlowLedger()
    here = world.settings.model_copy(update={"postgres": world.postgres, "blob": f"file://{world.blob}"})

    Uploader(slow, world.codec, Storage(here.blob), here, until_idle_s=0.5, topic=world.acknowledgements).run()

    assert len(slow.steps.ages_s) >= 3
    assert max(slow.steps.ages_s) < 10


class SlowMail(MailServer):
    """It takes every message."""

    def __init__(self) -> None:
        self.steps = Steps("receipts")

    def session(self) -> AbstractContextManager[Any]:
        return nullcontext(self)

    def send(self, sender: str, recipient: str, content: bytes) -> None:
        self.steps.seen()


def test_a_turn_over_many_receipts_tells_of_each(world: World) -> None:
    for event in (mail.authorised(number, "family@home.example") for number in range(3)):
        world.purchase(event, headers=[mail.envelope(event).headers()])
    world.run("receipts")
    slow = SlowMail()

    with connect(world.postgres) as connection:
        assert Outbox(slow, SENDER).deliver(connection) == 3

    assert len(slow.steps.ages_s) == 3
    assert max(slow.steps.ages_s) < 10
