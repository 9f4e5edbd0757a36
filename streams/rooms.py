"""What a room is: the rules of one source system, pure, over one partition of its tables."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from schemas.fields import Contract, Fact
from streams.ledger.draft import Draft, Refused

DUE_PER_TICK = 1_000
"""Rows of one table that one tick works on at most, and lots of money that it lets expire; the next tick goes on."""

Verdict: TypeAlias = Sequence[Fact] | Refused
"""What a room answers: the events that say what happened, in order; or why nothing may happen."""


class DueDecision(NamedTuple):
    """Something that time made due. `id` is the same in every replay, and never used twice."""

    id: str
    draft: Draft
    verdict: Verdict


class Notice(NamedTuple):
    """What time has made true of a whole partition: about no book, without money, and so not in the journal.

    `id` is the same in every replay, and never used twice in one partition.
    """

    id: str
    events: Sequence[Fact]


class Room(Protocol):
    """One partition of a room's tables, with its rules. Pure: rows in, events out."""

    name: str

    def decide(self, draft: Draft, message: Contract) -> Verdict: ...

    def evolve(self, event: Fact) -> None: ...

    def identity(self, message: Contract) -> str | None:
        """An id that upstream may use only once, whatever the event's id is; None where the room's rows see to it."""
        ...

    def refusal(self, message: Contract, refused: Refused) -> Sequence[Fact]:
        """The events that say no: to the sender, and to whatever process asked."""
        ...

    def due(self, now: int) -> Iterable[DueDecision | Notice]:
        """What falls due at or before `now`; each is carried out before the next is asked for."""
        ...
