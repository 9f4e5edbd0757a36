"""A draft of one decision on one book: movements are tried, refused or noted; nothing changes before `commit`.

Every movement becomes a journal line, and the line alone changes balances and locks (`fold`), so that a fold of the
journal gives the tables (PIPE-09).
"""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from schemas.fields import MAX_MINOR
from schemas.ledger import JournalLine, LotPart, Side, Step
from schemas.refusals import Reason
from streams.ledger import limits, lots
from streams.ledger.accounts import Account, Audience, Balance, Holding, Overdraft
from streams.ledger.fold import evolve_credited, evolve_debited, evolve_lock
from streams.ledger.limits import Usage
from streams.ledger.locks import Lock
from streams.ledger.lots import MAX_LOTS, Lot
from streams.ledger.tables import DueRows, Rows

Row = TypeVar("Row")


class Refused(NamedTuple):
    """Why a command cannot be carried out, with the figures that explain it (BEY-03)."""

    reason: Reason
    figures: dict[str, str]


def refused(reason: Reason, **figures: object) -> Refused:
    """A refusal; figures are amounts in minor units, ids, states."""
    return Refused(reason, {name: str(figure) for name, figure in figures.items()})


class Posted(NamedTuple):
    """One posted movement as the owner of an account sees it: the raw matter of a statement line."""

    account: str
    currency: str
    number: int
    amount_minor: int
    balance_minor: int
    counter_account: str
    text: str


class Ledger(NamedTuple):
    """The three money tables, or one partition of each (PIPE-02)."""

    balances: DueRows[Balance]
    locks: Rows[Lock]
    limits: Rows[Usage]


class _Overlay(Generic[Row]):
    """Rows as the draft would leave them, over rows that stay as they are until commit.

    What another draft changed meanwhile stops the commit: this one was decided on rows that stand no longer.
    """

    def __init__(self, rows: Rows[Row]) -> None:
        self._rows = rows
        self._found: dict[str, Row | None] = {}
        self._changed: dict[str, Row | None] = {}

    def get(self, key: str) -> Row | None:
        return self._changed[key] if key in self._changed else self._rows.get(key)

    def put(self, key: str, row: Row | None) -> None:
        if key not in self._changed:
            self._found[key] = self._rows.get(key)
        self._changed[key] = row

    def commit(self) -> None:
        for key, row in self._changed.items():
            assert self._rows.get(key) is self._found[key], f"{key} has changed since it was read"
            if row is not None:
                self._rows[key] = row
            elif self._rows.get(key) is not None:
                del self._rows[key]


class Draft:
    """What one decision does to the accounts, locks and limits of one book. `at` is now, in UTC microseconds."""

    def __init__(self, book: str, at: int, ledger: Ledger) -> None:
        self.book = book
        self.at = at
        self.lines: list[JournalLine] = []
        self.posted: list[Posted] = []
        self._balances = _Overlay(ledger.balances)
        self._locks = _Overlay(ledger.locks)
        self._limits = _Overlay(ledger.limits)

    # -- what stands

    def balance(self, account: Account, currency: str) -> Balance:
        """What stands on an account, with this draft's movements."""
        balance = self._balances.get(f"{self.book}|{account.name}|{currency}") or Balance(account.side)
        assert balance.side is account.side, f"{account.name} stands on the {balance.side} side"
        return balance

    def lock(self, lock_id: str) -> Lock | None:
        """An open lock, or None."""
        return self._locks.get(f"{self.book}|{lock_id}")

    def pick_lots(
        self, account: Account, currency: str, wanted_minor: int, spendable: Callable[[Lot], int] = lots.anything
    ) -> tuple[LotPart, ...]:
        """Usable lots for at most `wanted_minor`, earliest expiry first."""
        return lots.pick(self.balance(account, currency).lots, wanted_minor, self.at, spendable)

    # -- movements: each is noted and gives None, or is refused and changes nothing

    def post(
        self,
        debit: Account,
        credit: Account,
        amount_minor: int,
        currency: str,
        text: str,
        spent: tuple[LotPart, ...] = (),
        opened: LotPart | None = None,
    ) -> Refused | None:
        """Move money at once. Lots of the debit account must be named; a lot opens in a credit account that holds lots.

        Refuses ALREADY_EXISTS where a lot of that id is open, INSUFFICIENT_FUNDS where an account may not be overdrawn,
        TOO_MANY_LOTS, AMOUNT_TOO_LARGE.
        """
        if refusal := (
            self._lot_exists(credit, currency, opened)
            or self._unfunded(debit, credit, amount_minor, currency)
            or self._no_room(credit, currency, opened)
            or self._too_large(debit, credit, amount_minor, currency)
        ):
            return refusal
        _check_spent(debit, amount_minor, spent)
        _check_opened(credit, amount_minor, opened)
        self._note(
            JournalLine(
                step=Step.POSTED,
                debit=debit.name,
                credit=credit.name,
                amount_minor=amount_minor,
                currency=currency,
                text=text,
                spent=spent,
                opened=opened,
            ),
            debit,
            credit,
        )
        return None

    def reserve(
        self,
        lock_id: str,
        debit: Account,
        credit: Account,
        amount_minor: int,
        currency: str,
        deadline: int | None,
        spent: tuple[LotPart, ...] = (),
    ) -> Refused | None:
        """Lock money for a later movement to an account that holds no lots, since settling opens none.

        Refuses ALREADY_EXISTS, INSUFFICIENT_FUNDS, AMOUNT_TOO_LARGE. What it locks will fit when it is settled.
        """
        if self.lock(lock_id) is not None:
            return refused(Reason.ALREADY_EXISTS, lock=lock_id)
        if refusal := (
            self._unfunded(debit, credit, amount_minor, currency)
            or self._too_large(debit, credit, amount_minor, currency)
        ):
            return refusal
        _check_spent(debit, amount_minor, spent)
        _check_opened(credit, amount_minor, None)
        self._note(
            JournalLine(
                step=Step.LOCKED,
                debit=debit.name,
                credit=credit.name,
                amount_minor=amount_minor,
                currency=currency,
                lock_id=lock_id,
                deadline=deadline,
                spent=spent,
            ),
            debit,
            credit,
        )
        return None

    def settle(self, lock_id: str, debit: Account, credit: Account, amount_minor: int, text: str) -> Refused | None:
        """Move part or all of what a lock holds. Refuses NO_SUCH_LOCK, EXCEEDS_LOCK. The rest stays locked."""
        lock = self.lock(lock_id)
        if lock is None:
            return refused(Reason.NO_SUCH_LOCK, lock=lock_id)
        if amount_minor > lock.amount_minor:
            return refused(Reason.EXCEEDS_LOCK, lock=lock_id, locked=lock.amount_minor, wanted=amount_minor)
        self._end(Step.SETTLED, lock_id, lock, debit, credit, amount_minor, text)
        return None

    def void(self, lock_id: str, debit: Account, credit: Account, step: Step = Step.VOIDED) -> Refused | None:
        """Free all that a lock still holds. `step` says why: VOIDED or EXPIRED. Refuses NO_SUCH_LOCK."""
        assert step in (Step.VOIDED, Step.EXPIRED)
        lock = self.lock(lock_id)
        if lock is None:
            return refused(Reason.NO_SUCH_LOCK, lock=lock_id)
        self._end(step, lock_id, lock, debit, credit, lock.amount_minor, "")
        return None

    def use_limit(self, name: str, window: str, limit_minor: int, amount_minor: int) -> Refused | None:
        """Use a limit's window, or a newer one that already runs. Refuses OVER_LIMIT with what is left."""
        assert amount_minor >= 0, amount_minor
        key = f"{self.book}|{name}"
        used = limits.reserve(self._limits.get(key), window, amount_minor)
        if used.used_minor > limit_minor:
            left = max(0, limit_minor - used.used_minor + amount_minor)
            return refused(Reason.OVER_LIMIT, limit=name, allowed=limit_minor, left=left, wanted=amount_minor)
        self._limits.put(key, used)
        return None

    def limit_window(self, name: str, window: str) -> str:
        """The window in which a use would count: this one, or a newer one that already runs."""
        return limits.counted_in(self._limits.get(f"{self.book}|{name}"), window)

    def free_limit(self, name: str, window: str, amount_minor: int) -> None:
        """Give back what was used of a limit's window, which is what `limit_window` said before it was used."""
        assert amount_minor >= 0, amount_minor
        key = f"{self.book}|{name}"
        self._limits.put(key, limits.release(self._limits.get(key), window, amount_minor))

    def commit(self) -> None:
        """Make the draft the truth."""
        self._balances.commit()
        self._locks.commit()
        self._limits.commit()

    # -- inside

    def _unfunded(self, debit: Account, credit: Account, amount_minor: int, currency: str) -> Refused | None:
        """What an account that may not be overdrawn lacks. A debit shrinks credit accounts, a credit debit accounts."""
        assert amount_minor > 0, amount_minor
        assert debit.name != credit.name, debit.name
        for account, shrinks in ((debit, debit.side is Side.CREDIT), (credit, credit.side is Side.DEBIT)):
            balance = self.balance(account, currency)
            if shrinks and account.overdraft is Overdraft.FORBIDDEN and balance.available < amount_minor:
                return refused(
                    Reason.INSUFFICIENT_FUNDS,
                    account=account.name,
                    currency=currency,
                    available=balance.available,
                    locked=balance.locked,
                    wanted=amount_minor,
                    missing=amount_minor - balance.available,
                )
        return None

    def _lot_exists(self, credit: Account, currency: str, opened: LotPart | None) -> Refused | None:
        """Two open lots of one id would be one lot at the next change, and the money of the other lost."""
        if opened is not None and any(lot.lot_id == opened.lot_id for lot in self.balance(credit, currency).lots):
            return refused(Reason.ALREADY_EXISTS, account=credit.name, lot=opened.lot_id)
        return None

    def _no_room(self, credit: Account, currency: str, opened: LotPart | None) -> Refused | None:
        if opened is not None and len(self.balance(credit, currency).lots) >= MAX_LOTS:
            return refused(Reason.TOO_MANY_LOTS, account=credit.name, bound=MAX_LOTS)
        return None

    def _too_large(self, debit: Account, credit: Account, amount_minor: int, currency: str) -> Refused | None:
        """What no row could hold. Locked money counts, so that a lock which was taken can always be settled."""
        debited, credited = self.balance(debit, currency), self.balance(credit, currency)
        for account, moved in (
            (debit, debited.debits_posted + debited.debits_pending),
            (credit, credited.credits_posted + credited.credits_pending),
        ):
            if moved + amount_minor > MAX_MINOR:
                left = MAX_MINOR - moved
                return refused(
                    Reason.AMOUNT_TOO_LARGE, account=account.name, currency=currency, left=left, wanted=amount_minor
                )
        return None

    def _end(
        self, step: Step, lock_id: str, lock: Lock, debit: Account, credit: Account, amount_minor: int, text: str
    ) -> None:
        assert (debit.name, credit.name) == (lock.debit, lock.credit), f"lock {lock_id} is between other accounts"
        assert 0 < amount_minor <= lock.amount_minor
        ended, _ = lots.split(lock.parts, amount_minor)
        self._note(
            JournalLine(
                step=step,
                debit=debit.name,
                credit=credit.name,
                amount_minor=amount_minor,
                currency=lock.currency,
                lock_id=lock_id,
                text=text,
                spent=ended,
            ),
            debit,
            credit,
        )

    def _note(self, line: JournalLine, debit: Account, credit: Account) -> None:
        self.lines.append(line)
        for account, evolve, counter in ((debit, evolve_debited, credit), (credit, evolve_credited, debit)):
            before = self.balance(account, line.currency)
            after = evolve(before, line)
            self._balances.put(f"{self.book}|{account.name}|{line.currency}", after)
            if account.audience is Audience.OWNER and after.entries > before.entries:
                self.posted.append(
                    Posted(
                        account.name,
                        line.currency,
                        after.entries,
                        after.posted - before.posted,
                        after.posted,
                        counter.name,
                        line.text,
                    )
                )
        if line.lock_id is not None:
            key = f"{self.book}|{line.lock_id}"
            self._locks.put(key, evolve_lock(self._locks.get(key), line))


def _check_spent(debit: Account, amount_minor: int, spent: tuple[LotPart, ...]) -> None:
    """A debit of an account that holds lots names the lots, for exactly the amount."""
    named = sum(part.amount_minor for part in spent)
    assert named == (amount_minor if debit.holding is Holding.LOTS else 0), f"{debit.name}: {named} of {amount_minor}"


def _check_opened(credit: Account, amount_minor: int, opened: LotPart | None) -> None:
    """A credit of an account that holds lots opens one, worth exactly the amount."""
    worth = 0 if opened is None else opened.amount_minor
    assert worth == (amount_minor if credit.holding is Holding.LOTS else 0), f"{credit.name}: {worth} of {amount_minor}"
