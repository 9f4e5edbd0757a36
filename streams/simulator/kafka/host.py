"""The machine that a client runs on. A plain host does no harm; an adversary makes one that does."""

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from streams.simulator.kafka.broker import Broker
    from streams.simulator.kafka.consumer import Consumer
    from streams.simulator.kafka.producer import Producer

T = TypeVar("T")


class Request(Enum):
    """What a client asks of the broker, or does on its own."""

    FETCH = "fetch"
    COMMITTED = "committed"
    INIT = "init"
    PRODUCE = "produce"
    OFFSETS = "offsets"
    END = "end"
    ABORT = "abort"


class Mishap(Enum):
    """What becomes of a request on its way."""

    NONE = "none"
    ANSWER_LOST = "answer_lost"
    """The broker did it; the connection broke before its answer; the client asks again."""
    LATE_COPY = "late_copy"
    """The request was held up until the client gave it up and asked again; the first one comes later."""
    TIMED_OUT = "timed_out"
    """The broker did nothing in time, and says so; the caller may try again."""


class Process:
    """One life of the program on a host; a program that is started again has another one."""

    def __init__(self) -> None:
        self.silent_since: float | None = None
        """When the broker last heard of it; None while its heartbeats come."""


class Host:
    """Where clients run: whether the broker hears of it, what time passes on it, what becomes of its requests."""

    def __init__(self, broker: "Broker", name: str) -> None:
        self.broker = broker
        self.name = name
        self.process = Process()

    # ---- what may go wrong: nothing, here

    def at(self, step: Enum) -> None:
        """Called when the program on it comes to a step of its own."""

    def before(self, request: Request) -> None:
        """Called before a request leaves."""

    def after(self, request: Request) -> None:
        """Called when the broker has done it."""

    def mishap(self, request: Request) -> Mishap:
        """What becomes of this request."""
        return Mishap.NONE

    def delay(self, late: Callable[[], object]) -> None:
        """Take a late copy of a request, to be let in later."""

    def spend(self, seconds: float) -> None:
        """A call of a client took this long."""

    def arrange(self, places: list[T]) -> list[T]:
        """In which order fetched partitions come."""
        return places

    def joins_at_once(self) -> bool:
        """Whether a consumer that lost its session joins again within the same call."""
        return True

    # ---- its clients

    def new_consumer(self, config: dict[str, Any]) -> "Consumer":
        """A consumer on this host."""
        from streams.simulator.kafka.consumer import Consumer

        return Consumer(self, config)

    def new_producer(self, config: dict[str, Any]) -> "Producer":
        """A producer on this host."""
        from streams.simulator.kafka.producer import Producer

        return Producer(self, config)
