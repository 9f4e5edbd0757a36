"""Accounts: what they are called, on which side they grow, whether they may be overdrawn, and what stands on them."""

from enum import Enum

import msgspec

from schemas.ledger import Side
from streams.ledger.lots import Lot


class Overdraft(Enum):
    """Whether an account's available balance may fall below zero."""

    FORBIDDEN = "forbidden"
    ALLOWED = "allowed"


class Holding(Enum):
    """Whether an account's money is one sum, or lots that each have their own expiry and restriction."""

    SUM = "sum"
    LOTS = "lots"


class Audience(Enum):
    """Whose statement shows an account's lines: the book's owner, or nobody outside."""

    OWNER = "owner"
    INTERNAL = "internal"


class Account(msgspec.Struct, frozen=True):
    """One account of a room's chart. Accounts of one kind differ by a qualifier: `trips/msp-7`."""

    name: str
    side: Side
    overdraft: Overdraft = Overdraft.ALLOWED
    holding: Holding = Holding.SUM
    audience: Audience = Audience.INTERNAL

    def __post_init__(self) -> None:
        assert self.holding is Holding.SUM or self.side is Side.CREDIT, f"{self.name}: lots open by credits"

    def of(self, qualifier: str) -> "Account":
        """The account of this kind that belongs to `qualifier`."""
        return msgspec.structs.replace(self, name=f"{self.name}/{qualifier}")


class Balance(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands on one account in one currency, in minor units: a row of the balances table (PIPE-02)."""

    side: Side
    debits_posted: int = 0
    credits_posted: int = 0
    debits_pending: int = 0
    credits_pending: int = 0
    entries: int = 0
    lots: tuple[Lot, ...] = ()

    @property
    def posted(self) -> int:
        """The balance, on the account's own side."""
        grown = self.credits_posted - self.debits_posted
        return grown if self.side is Side.CREDIT else -grown

    @property
    def locked(self) -> int:
        """What locks will take away."""
        return self.debits_pending if self.side is Side.CREDIT else self.credits_pending

    @property
    def available(self) -> int:
        """What may still be spent or locked: posted less locked. What locks will bring does not count yet."""
        return self.posted - self.locked

    @property
    def next_expiry(self) -> int | None:
        """When the first lot with unlocked money expires, in UTC microseconds."""
        return min((lot.expires_at for lot in self.lots if lot.expires_at is not None and lot.free), default=None)
