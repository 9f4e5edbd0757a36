"""What the running cycle will write besides its tables."""

from typing import Any, NamedTuple

from faust.streams import current_event

ANY_PARTITION = -1
"""Let the partitioner (murmur2 of the key) choose."""


class OutRecord(NamedTuple):
    """One record to be written by the transaction of the running cycle."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] | None = None
    partition: int = ANY_PARTITION


class Outbox:
    """Collects the outputs of a cycle; they become visible with its offsets and rows, or never (PIPE-03)."""

    def __init__(self) -> None:
        self._records: list[OutRecord] = []

    def put(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]] | None = None,
        partition: int = ANY_PARTITION,
    ) -> None:
        """Write a record when the cycle commits. An explicit partition skips the partitioner.

        Raises RuntimeError outside an agent's event: a transaction without consumed offsets is not fenced by the
        group's generation, so timers and web pages may not send.
        """
        if current_event() is None:
            raise RuntimeError(f"a record for {topic} may only be put while an agent works on an event")
        self._records.append(OutRecord(topic, key, value, headers, partition))

    def take(self) -> list[OutRecord]:
        """Hand over everything put since the last call, in the order of the puts."""
        taken, self._records = self._records, []
        return taken

    def __len__(self) -> int:
        return len(self._records)


def outbox_of(app: Any) -> Outbox:
    """`app.outbox`, made with the app's first table or agent: `faust.App` has no seam of its own for it."""
    if not hasattr(app, "outbox"):
        app.outbox = Outbox()
    outbox: Outbox = app.outbox
    return outbox
