"""What rooms and agents see of Faust: an app with tables, topics and agents, without an event loop.

An agent is a coroutine that waits for its next batch. `deliver` hands it one, and comes back when the agent waits for
the next: then, and only then, the batch is done.
"""

# mypy: allow-subclassing-any

import weakref
from collections.abc import Callable, Coroutine, Generator
from functools import cached_property
from types import coroutine
from typing import Any, NamedTuple

from faust.streams import _current_event

from streams.runtime.outbox import Outbox
from streams.runtime.tables import OwnedRows, Projection

Batch = list[Any]
Agent = Callable[["Stream"], Coroutine[Any, Any, None]]


class Table(OwnedRows):
    """A table without Faust's shell."""

    def __init__(
        self,
        name: str,
        changelog: str,
        row: Any,
        due: Callable[[Any], int | None] | None,
        projection: Projection | None,
    ) -> None:
        self.name = name
        self.changelog_topic_name = changelog
        self._keep(row, due, projection)

    def peek(self, partition: int) -> dict[str, Any]:
        """The rows of a partition, for who only looks."""
        return self._owned[partition]._rows

    def encoded(self, row: Any) -> bytes:
        """What the changelog has of a row."""
        return self._encode(row)

    @cached_property
    def _encode(self) -> Callable[[Any], bytes]:
        return self._new_rows().encode


@coroutine
def _next_batch() -> Generator[None, Batch, Batch]:
    return (yield)


class Stream:
    """What an agent iterates over."""

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> Batch:
        return await _next_batch()


class BatchPlace(NamedTuple):
    """Where the records of a batch come from."""

    topic: str
    partition: int


class Event:
    """What makes tables and outbox usable, while an agent works on it."""

    def __init__(self, message: BatchPlace) -> None:
        self.message = message


class App:
    """The part of `faust.App` that the pipeline is wired to."""

    def __init__(self, app_id: str) -> None:
        self.outbox = Outbox()
        self.tables: dict[str, Table] = {}
        self._id = app_id
        self._agents: dict[str, list[Coroutine[Any, Any, None]]] = {}

    # ---- for wiring, named as Faust names them

    def Table(  # noqa: N802
        self,
        name: str,
        *,
        partitions: int,
        row: Any,
        due: Callable[[Any], int | None] | None = None,
        projection: Projection | None = None,
    ) -> Table:
        """Declare a table."""
        made = self.tables[name] = Table(name, f"{self._id}-{name}-changelog", row, due, projection)
        return made

    def topic(self, name: str) -> str:
        """A topic to read from."""
        return name

    def agent(self, topic: str, *, name: str) -> Callable[[Agent], Agent]:
        """Declare an agent, and let it come to its first wait."""

        def declare(agent: Agent) -> Agent:
            running = agent(Stream())
            running.send(None)
            self._agents.setdefault(topic, []).append(running)
            return agent

        return declare

    # ---- for the worker

    @property
    def topics(self) -> list[str]:
        """Every topic that an agent reads."""
        return sorted(self._agents)

    def deliver(self, topic: str, partition: int, batch: Batch) -> None:
        """Let the topic's agents work on a batch."""
        event = Event(BatchPlace(topic, partition))
        _current_event.set(weakref.ref(event))
        try:
            for agent in self._agents[topic]:
                agent.send(batch)
        finally:
            _current_event.set(None)

    def close(self) -> None:
        """End the agents."""
        for agents in self._agents.values():
            for agent in agents:
                agent.close()
