"""What the worker needs of a general ledger."""

from typing import Protocol

from sinks.general_ledger.answer import Answer


class GeneralLedger(Protocol):
    """Another general ledger is another class with these two."""

    def find(self, name: str, until: float) -> Answer | None:
        """What it answered, or is at work on, under this file name; None: it has no such file. Raises `NoAnswer`.

        It is over at `until` of `time.monotonic`.
        """
        ...

    def upload(self, name: str, content: bytes, digest: str, until: float) -> Answer:
        """Send a file. The digest is the key under which repetitions are one. Raises `NotTaken`, `NoAnswer`.

        It is over at `until` of `time.monotonic`, whatever happens: no byte leaves later.
        """
        ...
