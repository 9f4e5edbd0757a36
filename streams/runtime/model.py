"""The programming model agents see: Faust's, with every item of a stream a batch of raw records.

Exactly once begins here: an event counts as done only when its agent asks for the next one.
"""

# mypy: allow-subclassing-any

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any, NoReturn

from faust import Schema, Stream, Topic
from faust.agents import Agent
from faust.agents.agent import _current_agent
from faust.types import ConsumerMessage, TopicT

from streams.runtime.fatal import UnsupportedError, die


def refused(feature: str, instead: str) -> Callable[..., Any]:
    """A method that takes the place of an unsupported one and says so."""

    def method(*_: Any, **__: Any) -> NoReturn:
        raise UnsupportedError(feature, instead)

    return method


class BatchMessage(ConsumerMessage):
    """One Faust message that carries every raw record of one partition in one cycle."""


class RawSchema(Schema):
    """Hands the raw records to the agent: decoding is the agent's, so that bad bytes can become a dead letter."""

    def compile(self, app: Any, **_: Any) -> Any:
        """The coroutine function that makes an event of a message."""

        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return app.create_event(message.key, message.value, message.headers, message)

        return decode


_BATCHES = "iterate with `async for batch in stream`; an item is all records of one partition in one cycle"


class BatchStream(Stream):
    """`async for batch in stream` gives `list[confluent_kafka.Message]`, all of one partition, in offset order.

    Faust's own iterator acknowledges an event also while an exception unwinds it. This one acknowledges when the agent
    comes back, and only then (ADR 2, finding 1).
    """

    def __aiter__(self) -> AsyncIterator[list[Any]]:
        if not isinstance(self.channel, TopicT):
            raise UnsupportedError("a stream over anything but a topic", "give the agent an app.topic(...)")
        return self._batches()

    async def _batches(self) -> AsyncIterator[list[Any]]:
        self._finalized = True
        await self.maybe_start()
        get = self.channel.queue.get
        while not self.should_stop:
            try:
                event = await get()
            except StopAsyncIteration:  # how Faust tells a stream to stop
                return
            self._set_current_event(event)
            yield event.value
            self._set_current_event(None)
            event.ack()

    take = take_events = take_with_timestamp = noack_take = refused("Stream.take", _BATCHES)
    group_by = through = echo = refused("repartitioning a stream", "put records with a new key on a topic of its own")
    join = left_join = inner_join = outer_join = combine = refused("joining streams", "keep one side in a table")
    events = items = enumerate = filter = noack = add_processor = refused("Stream processors", _BATCHES)


class FatalAgent(Agent):
    """An agent that fails or returns ends the process before anything can acknowledge its event (PIPE-03)."""

    def __init__(self, fun: Any, *, name: str | None = None, **options: Any) -> None:
        label = f"agent {name or fun.__name__}"
        if options.get("concurrency", 1) > 1 or options.get("isolated_partitions"):
            raise UnsupportedError(f"{label} with concurrency", "start more workers; one actor keeps partition order")
        if options.get("sink") or inspect.isasyncgenfunction(fun):
            raise UnsupportedError(f"{label} that yields or has sinks", "put outputs in app.outbox")
        if options.get("supervisor_strategy"):
            raise UnsupportedError(f"{label} with a supervisor", "a failure ends the process, which is restarted")
        super().__init__(fun, name=name, **options)

    async def _execute_actor(self, coro: Any, aref: Any) -> None:
        _current_agent.set(self)
        try:
            await coro
        except asyncio.CancelledError:
            if self._stopping:
                raise
            die(f"agent {self.name} was cancelled")
        except BaseException as error:  # noqa: BLE001  the last line of defence: no failure may reach Faust's own
            die(error)
        if not self._stopping:
            die(f"agent {self.name} returned; an agent iterates over its stream for ever")

    @property
    def _stopping(self) -> bool:
        return bool(self.app.should_stop or self.should_stop)

    ask = ask_nowait = cast = map = kvmap = join = kvjoin = refused("asking an agent", "put a record on its topic")
    send = send_soon = refused("sending to an agent", "put a record on its topic")


class OutboxTopic(Topic):
    """A topic to read from. Writing goes through `app.outbox`, the one way that is part of the transaction."""

    def __init__(self, app: Any, *, pattern: Any = None, **options: Any) -> None:
        if pattern is not None:
            raise UnsupportedError("a topic pattern", "name the topics, so that their partitions can be checked")
        super().__init__(app, **options)

    send = send_soon = refused("Topic.send", "use app.outbox.put(topic, key, value)")
