"""Locks: money reserved in a first phase, then settled in whole or part, voided, or expired (two-phase transfers)."""

import msgspec

from schemas.ledger import LotPart


class Lock(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is still reserved between two accounts of a book: a row of the locks table (PIPE-02).

    `parts` are the lots of the debit account that it pins, in the order of spending.
    `deadline` is in UTC microseconds; None never expires.
    """

    debit: str
    credit: str
    amount_minor: int
    currency: str
    deadline: int | None = None
    parts: tuple[tuple[str, int, int | None, str], ...] = ()

    @property
    def lot_parts(self) -> tuple[LotPart, ...]:
        """The pinned lots as the journal names them."""
        return tuple(
            LotPart(lot_id=lot_id, amount_minor=amount, expires_at=expires_at, restriction=restriction)
            for lot_id, amount, expires_at, restriction in self.parts
        )


def pinned(parts: tuple[LotPart, ...]) -> tuple[tuple[str, int, int | None, str], ...]:
    """Lot parts as a lock's row keeps them."""
    return tuple((part.lot_id, part.amount_minor, part.expires_at, part.restriction) for part in parts)
