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
    parts: tuple[LotPart, ...] = ()
