"""The deposits of the dealers in one partition: the rows that `deposit.py` decides by, and what a tick does to them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from schemas.dealer_accounts import AccountOpened
from schemas.dealer_billing import AccountType, Dealer
from schemas.dealer_deposits import DepositChanged, DepositReceived, DepositReturned
from schemas.fields import Fact
from streams.dealer_billing import deposit, registration
from streams.dealer_billing.accounts import DEALER, dealer_of
from streams.dealer_billing.deposit import Deposit, DepositEvent, Moved, Tiers
from streams.dealer_billing.registration import Account
from streams.ledger.draft import Draft, Ledger, Refused
from streams.ledger.tables import DueRows, Rows, put
from streams.rooms import DUE_PER_TICK, DueDecision, Verdict

TIERS = "tiers"
"""The one key of the table of tiers."""


class DepositRows(NamedTuple):
    """One partition of what deposits are decided by."""

    deposits: DueRows[Deposit]
    """By book; due by the count of the tiers' changes that last judged it."""
    moved: Rows[Moved]
    """By `book|payment_id`."""
    tiers: Rows[Tiers]
    """One row a partition, under `TIERS`."""
    accounts: Rows[Account]
    """By `book|ACCOUNT`; registration changes them."""
    dealers: Rows[Dealer]
    """By dealer id: whom reference data knows."""

    def decide(self, draft: Draft, message: DepositReceived | DepositReturned) -> Verdict:
        """What becomes of a deposit that Billing reports."""
        if refusal := self.moved_before(draft.book, message.payment_id):
            return refusal
        account, before = self._account(draft.book), self.deposits.get(draft.book)
        if isinstance(message, DepositReceived):
            return deposit.receive(draft, account, before, self._tiers_of(draft.book), message)
        return deposit.give_back(draft, account, before, self._tiers_of(draft.book), message)

    def moved_before(self, book: str, payment_id: str) -> Refused | None:
        """Why an id that changed a deposit is not taken again."""
        return deposit.moved_before(self.moved.get(f"{book}|{payment_id}"), payment_id)

    def opened(self, draft: Draft, dealer_id: str, told: Sequence[Fact]) -> Iterator[Fact]:
        """What opens because the DEPOSIT account does, if that was told."""
        if any(isinstance(event, AccountOpened) and event.account is AccountType.DEPOSIT for event in told):
            yield from deposit.judge(draft, dealer_id, self.deposits.get(draft.book), self._tiers_of(draft.book))

    def evolve(self, book: str, event: DepositEvent) -> None:
        """Change the rows that an event changes."""
        self.deposits[book] = deposit.evolve(self.deposits.get(book), event)
        if isinstance(event, DepositChanged):
            self.moved[f"{book}|{event.payment_id}"] = Moved(event.change_minor, event.currency)

    def due(self, now: int, ledger: Ledger) -> Iterator[DueDecision]:
        """Judge the deposits that were judged by older tiers; the events count, which may be many of one deposit."""
        tiers, left = self._tiers(), DUE_PER_TICK
        for book in self.deposits.due(tiers.changes - 1, DUE_PER_TICK):
            if left <= 0:
                return
            draft, told, held = Draft(book, now, ledger), list[Fact](), self.deposits.get(book) or Deposit()
            if registration.contract_of(self._account(book)) is not None:
                told += deposit.judge(draft, dealer_of(book), held, self._tiers_of(book))
            if told:
                yield DueDecision(f"{book}|tiers/{tiers.changes}/{held.turns}", draft, told)
            self.deposits[book] = deposit.judged(self.deposits.get(book), tiers)
            left -= max(1, len(told))

    def _account(self, book: str) -> Account | None:
        return self.accounts.get(f"{book}|{AccountType.DEPOSIT}")

    def _tiers(self) -> Tiers:
        return self.tiers.get(TIERS) or Tiers()

    def _tiers_of(self, book: str) -> Tiers:
        """The tiers that a dealer's deposit is judged by: none if reference data does not know him (any more)."""
        return self._tiers() if self.dealers.get(dealer_of(book)) is not None else Tiers()


def know(dealers: Rows[Dealer], deposits: Rows[Deposit], references: Iterable[tuple[str, Dealer | None]]) -> None:
    """Keep what reference data says of dealers; None ends one. Deposits of a dealer who is ended, or new, fall due."""
    for dealer_id, dealer in references:
        book, before = f"{DEALER}{dealer_id}", dealers.get(dealer_id)
        put(dealers, dealer_id, dealer)
        held = deposits.get(book)
        if held is not None and (before is None) is not (dealer is None):
            deposits[book] = deposit.turned(held)
