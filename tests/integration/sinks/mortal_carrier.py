"""A worker of the billing sink that kills itself (SIGKILL) at a named step. The real one knows nothing of this."""

import logging
import os
import signal
from collections.abc import Callable
from typing import Any

from schemas.codec import Codec
from schemas.registry import ConfluentRegistry
from schemas.settings import settings
from schemas.topics import BILLING_ANSWERS, BILLING_CALLS
from sinks.billing import outbox, tables
from sinks.billing.carrier import Carrier
from sinks.billing.http import HttpBilling
from sinks.billing.sink import BillingSink
from sinks.storage import Storage
from sinks.worker import Worker


def _die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def _at_once(_: Callable[..., Any]) -> Callable[..., Any]:
    return _die


def _afterwards(step: Callable[..., Any]) -> Callable[..., Any]:
    def last(*values: Any) -> Any:
        step(*values)
        _die()

    return last


def _when_awaited(step: Callable[..., Any]) -> Callable[..., Any]:
    async def last(*values: Any) -> Any:
        await step(*values)
        _die()

    return last


DEATHS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "before it is kept": (tables, "keep", _afterwards),  # in the transaction that moves the position, too
    "after it is kept": (Worker, "_commit", _afterwards),
    "before it is asked for": (HttpBilling, "find", _at_once),
    "before sending": (HttpBilling, "send", _at_once),
    "while it is sent": (HttpBilling, "send", _when_awaited),  # the server has it, and we do not hear of it
    "before the answer is kept": (tables, "settle", _at_once),
    "after the answer is kept": (tables, "settle", _afterwards),
    "before it is published": (outbox, "publish", _at_once),
    "after it is published": (tables, "published", _at_once),
}
"""What is replaced, and by what."""


def prepare(dies: str) -> None:
    """Arrange the death."""
    if dies != "never":
        where, name, how = DEATHS[dies]
        setattr(where, name, how(getattr(where, name)))


def main() -> None:
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {os.getpid()} %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    calls = BILLING_CALLS._replace(name=os.environ["CALLS"])
    answers = BILLING_ANSWERS._replace(name=os.environ["ANSWERS"])
    here = settings()
    prepare(os.environ["DIES"])
    codec = Codec(ConfluentRegistry(here.registry), [calls, answers])
    with Carrier(HttpBilling(here.billing, here.billing_timeout_s), codec, here, answers) as carrier:
        Worker(
            BillingSink(calls), codec, Storage(here.blob), kafka=here.kafka, postgres=here.postgres,
            until_idle_s=float(os.environ["IDLE_S"]), deliver=carrier.deliver,
        ).run()  # fmt: skip


if __name__ == "__main__":
    main()
