"""A receipts worker that kills itself (SIGKILL) at a named step of its first message."""

import logging
import os
import signal
from typing import Any

from schemas.codec import Codec
from schemas.registry import ConfluentRegistry
from schemas.settings import settings
from schemas.topics import PURCHASE_EVENTS
from sinks import worker
from sinks.receipts import outbox
from sinks.receipts.outbox import Outbox
from sinks.receipts.sink import ReceiptSink
from sinks.receipts.smtp import MailServer, Session
from sinks.storage import Storage
from sinks.worker import Worker

STEPS = ("before the row is kept", "before it is sent", "after it is sent", "never")


def _die(*_: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def prepare(dies: str) -> None:
    """Arrange the death."""
    send = Session.send

    def send_and_die(self: Session, *message: Any) -> None:
        send(self, *message)
        _die()

    match dies:
        case "before the row is kept":
            worker.carry_out = _die
        case "before it is sent":
            Session.send = _die  # type: ignore[method-assign]
        case "after it is sent":
            Session.send = send_and_die  # type: ignore[method-assign]
        case "never":
            pass
        case _:
            raise ValueError(dies)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {os.getpid()} %(message)s")
    here = settings()
    outbox.FIRST_PAUSE_S = 0.5  # type: ignore[misc]
    sink = ReceiptSink(here.mail_from, PURCHASE_EVENTS._replace(name=os.environ["PURCHASES"]))
    prepare(os.environ["DIES"])
    Worker(
        sink, Codec(ConfluentRegistry(here.registry), [sink.topic]), Storage(here.blob),
        kafka=here.kafka, postgres=here.postgres, until_idle_s=float(os.environ["IDLE_S"]),
        deliver=Outbox(MailServer(here.smtp), here.mail_from).deliver,
    ).run()  # fmt: skip


if __name__ == "__main__":
    main()
