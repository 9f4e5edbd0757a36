"""The general-ledger lines of what purchases, refunds, repayments and write-offs move (PRI-10).

What the finance office's journals look like, and where that is published: `sinks/adi/segments.py`.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

import msgspec

from schemas.general_ledger import GeneralLedgerLine, LedgerSide
from schemas.prison_finance import PinnedCode
from schemas.prison_reference import Prisoner
from streams.ledger.tables import Rows
from streams.prison_finance.accounting_day import OpenDays, accounting_date, london_date
from streams.prison_finance.accounts import pounds
from streams.prison_finance.gl_transaction import GlTransaction

TEXT_LENGTH = 110
"""Characters of a description before day and id: all three must fit into 240."""


class Entry(NamedTuple):
    """A movement between two accounts of a prisoner's book: one debit line and one credit line."""

    debit: str
    credit: str
    amount_minor: int


class Transaction(NamedTuple):
    """What all lines of one transaction share. Cost centre and codes are those that its purchase goes by."""

    transaction_id: str
    prisoner: Prisoner
    codes: tuple[PinnedCode, ...]
    description: str
    reverses: str | None = None


def describe(text: str, at: int, id_: str) -> str:
    """A description as published: `Canteen Spends - 09.01.2024 - CANTEEN-0001`. `at` is a moment of that day."""
    return f"{text[:TEXT_LENGTH]} - {date.fromisoformat(london_date(at)):%d.%m.%Y} - {id_}"


class GeneralLedger(NamedTuple):
    """Where lines are written: the open day, and what each transaction of the book has already."""

    book: str
    open_days: OpenDays | None
    transactions: Rows[GlTransaction]

    def transaction(self, transaction_id: str) -> GlTransaction | None:
        """The transaction as far as it has gone; None if it was never written, or long ago."""
        return self.transactions.get(f"{self.book}|{transaction_id}")

    def date(self, at: int) -> str:
        """The accounting date of what happens at a moment."""
        return accounting_date(self.open_days, at)

    def lines(self, transaction: Transaction, entries: Iterable[Entry], at: int) -> Iterator[GeneralLedgerLine]:
        """Two lines that balance for every entry, numbered on from what the transaction has."""
        before = self.transaction(transaction.transaction_id)
        codes = {pinned.account: pinned.gl_account for pinned in transaction.codes}
        dated, prisoner = self.date(at), transaction.prisoner
        for number, entry in enumerate(entries, start=1 if before is None else before.entries + 1):
            for side, account in ((LedgerSide.DEBIT, entry.debit), (LedgerSide.CREDIT, entry.credit)):
                yield GeneralLedgerLine(
                    line_id=line_id(prisoner.prisoner_id, transaction.transaction_id, dated, number, side),
                    transaction_id=transaction.transaction_id,
                    prisoner_id=prisoner.prisoner_id,
                    prison_id=prisoner.prison_id,
                    accounting_date=dated,
                    cost_centre=prisoner.cost_centre,
                    gl_account=codes[account],
                    side=side,
                    amount=pounds(entry.amount_minor),
                    description=transaction.description,
                    account=account,
                    reverses=transaction.reverses,
                )


def repinned(
    prisoner: Prisoner, codes: tuple[PinnedCode, ...], line: GeneralLedgerLine
) -> tuple[Prisoner, tuple[PinnedCode, ...]]:
    """By what a purchase and its advance go on after a line of theirs is corrected: what follows goes where it went."""
    return prisoner.model_copy(update={"cost_centre": line.cost_centre}), tuple(
        msgspec.structs.replace(pinned, gl_account=line.gl_account) if pinned.account == line.account else pinned
        for pinned in codes
    )


def line_id(prisoner_id: str, transaction_id: str, dated: str, number: int, side: LedgerSide) -> str:
    """An id that no other line gets: the date tells lines from those of an id that was used again after months."""
    return f"{prisoner_id}/{transaction_id}/{dated}/{number}/{side}"
