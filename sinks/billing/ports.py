"""What the worker needs of a Billing, and what is of no use whoever asks how often."""

from typing import Protocol

from sinks.billing.answer import Answer
from sinks.billing.content import Wanted
from sinks.remote import NoAnswer, NotTaken


class NotUnderstood(NotTaken):
    """It was turned away without a word that says why."""


class Nonsense(NoAnswer):
    """There is an answer, and it makes no sense."""


class Billing(Protocol):
    """Another Billing is another class with these. All is over at `until` of `time.monotonic`, whatever happens."""

    async def find(self, wanted: Wanted, until: float) -> Answer | None:
        """What became of a call, by its id; None: nothing. Raises `NoAnswer`."""
        ...

    async def send(self, wanted: Wanted, until: float) -> Answer:
        """Have it carried out. The id is the key under which repetitions are one. Raises `NotTaken`, `NoAnswer`.

        No byte leaves after `until`.
        """
        ...

    async def close(self) -> None:
        """It is asked nothing any more."""
        ...
