"""A sink worker that kills itself (SIGKILL) at a named step of its first transaction that makes files.

The steps are found by wrapping functions of the real worker; the real worker knows nothing of this.
"""

import logging
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

from schemas.codec import Codec
from schemas.registry import ConfluentRegistry
from schemas.settings import settings
from schemas.topics import GL_LINES, TRIP_PAYMENTS
from sinks import manifest, worker
from sinks.adi.sink import AdiSink
from sinks.inlet import Inlet
from sinks.invoices.sink import InvoiceSink
from sinks.sink import Sink
from sinks.storage import Storage
from sinks.worker import Worker

PARTITIONS = 3


_put = Storage._put


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying_after(step: Callable[..., Any]) -> Callable[..., Any]:
    """The step, and then death if it had something to do with files."""

    def last(*values: Any) -> Any:
        done = step(*values)
        if any(getattr(done, "files", ()) or (isinstance(value, dict) and value) for value in values) or done:
            _die()
        return done

    return last


def prepare(dies: str) -> None:
    """Arrange the death."""
    match dies:
        case "never":
            pass
        case "before commit":
            worker.carry_out = _dying_after(worker.carry_out)
        case "after commit":
            Inlet.moved = _die  # type: ignore[method-assign]
        case "in the middle of the put":
            Storage._put = _half  # type: ignore[method-assign]
        case "after put":
            manifest.stored = _die
        case _:
            raise ValueError(dies)


def _half(self: Storage, files: Mapping[str, bytes]) -> None:
    """Store one file, begin another, and die."""
    (first, content), (second, whole), *_ = files.items()
    _put(self, {first: content})
    self._files.makedirs(self._files._parent(self._path(second)), exist_ok=True)
    self._files.pipe_file(f"{self._path(second)}.partial", whole[: len(whole) // 2])
    _die()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {os.getpid()} %(message)s")
    trips = TRIP_PAYMENTS._replace(name=os.environ["TRIPS"])
    lines = GL_LINES._replace(name=os.environ["LINES"])
    sink: Sink = InvoiceSink(trips) if os.environ["SINK"] == "invoices" else AdiSink(PARTITIONS, lines)
    here = settings()
    codec = Codec(ConfluentRegistry(here.registry), [sink.topic])
    prepare(os.environ["DIES"])
    Worker(
        sink, codec, Storage(here.blob), kafka=here.kafka, postgres=here.postgres,
        until_idle_s=float(os.environ["IDLE_S"]),
    ).run()  # fmt: skip


if __name__ == "__main__":
    main()
