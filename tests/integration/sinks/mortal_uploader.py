"""An uploader that kills itself (SIGKILL) at a named step of its first file. The real worker knows nothing of this."""

import logging
import os
import signal
from collections.abc import Callable
from typing import Any

from schemas.codec import Codec
from schemas.registry import ConfluentRegistry
from schemas.settings import settings
from schemas.topics import GL_ACKNOWLEDGEMENTS
from sinks.general_ledger import outbox, tables
from sinks.general_ledger.http import HttpGeneralLedger
from sinks.general_ledger.worker import Uploader
from sinks.storage import Storage

STEPS = (
    "after enlisting",
    "before sending",
    "while it is sent",
    "before the answer is kept",
    "after the answer is kept",
    "before it is published",
    "after it is published",
    "never",
)


def _die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def _then_die(step: Callable[..., Any]) -> Callable[..., Any]:
    def last(*values: Any) -> Any:
        done = step(*values)
        if done is None or done:
            _die()
        return done

    return last


def prepare(dies: str) -> None:
    """Arrange the death."""
    match dies:
        case "after enlisting":
            tables.enlist = _then_die(tables.enlist)
        case "before sending":
            HttpGeneralLedger.upload = _die  # type: ignore[method-assign]
        case "while it is sent":  # the server has it, and we do not hear of it
            HttpGeneralLedger.upload = _then_die(HttpGeneralLedger.upload)  # type: ignore[method-assign]
        case "before the answer is kept":
            tables.settle = _die
        case "after the answer is kept":
            tables.settle = _then_die(tables.settle)
        case "before it is published":
            outbox.publish = _die
        case "after it is published":
            tables.published = _die
        case "never":
            pass
        case _:
            raise ValueError(dies)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {os.getpid()} %(message)s")
    topic = GL_ACKNOWLEDGEMENTS._replace(name=os.environ["ACKNOWLEDGEMENTS"])
    here = settings()
    prepare(os.environ["DIES"])
    ledger = HttpGeneralLedger(here.general_ledger, here.general_ledger_timeout_s)
    Uploader(
        ledger, Codec(ConfluentRegistry(here.registry), [topic]), Storage(here.blob), here,
        until_idle_s=float(os.environ["IDLE_S"]), topic=topic,
    ).run()  # fmt: skip


if __name__ == "__main__":
    main()
