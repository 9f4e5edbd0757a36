"""The ledger against a naive one, over random movements on two books in two currencies, some of them dropped."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.ledger import JournalLine, LotPart, Side, Step
from streams.ledger import lots
from streams.ledger.accounts import Account, Audience, Balance, Holding, Overdraft
from streams.ledger.draft import Draft, Ledger, Posted, Refused
from streams.ledger.limits import Usage
from streams.ledger.locks import Lock
from streams.ledger.lots import Lot

from . import naive, searched

CHART = {
    name: Account(
        name,
        Side.DEBIT if name in naive.DEBIT_SIDE else Side.CREDIT,
        Overdraft.FORBIDDEN if name in naive.NEVER_NEGATIVE else Overdraft.ALLOWED,
        Holding.LOTS if name in naive.LOTTED else Holding.SUM,
        Audience.OWNER if name in naive.OWNED else Audience.INTERNAL,
    )
    for name in ("bank", "till", "wallet", "gifts", "spends", "tab", "shop")
}
BOOKS = ("group:a", "group:b")
CURRENCIES = ("EUR", "JPY")

small = st.integers(1, 20)
plenty = st.integers(30, 99)
huge = st.sampled_from((naive.MOST // 2, naive.MOST, naive.MOST + 1))
amounts = st.one_of(*[small] * 12, plenty, huge)
incomes = st.one_of(*[plenty] * 12, small)
books = st.sampled_from((BOOKS[0], BOOKS[0], BOOKS[0], BOOKS[1]))
accounts = st.sampled_from((*sorted(CHART), "wallet", "wallet", "spends"))
sources = st.sampled_from(("bank", "bank", "bank", "tab", "till", "spends"))
sums = st.sampled_from(sorted(CHART.keys() - naive.LOTTED))
wallets = st.sampled_from(("wallet", "wallet", "wallet", "gifts"))
currencies = st.sampled_from(("EUR", "EUR", "EUR", "EUR", "JPY"))
LOCKS = ("L1", "L2", "L3")
lock_ids = st.sampled_from(LOCKS)
expiries = st.none() | st.integers(0, 60)
restrictions = st.sampled_from(("", "", "bike", "car", "few"))
purposes = st.sampled_from(("bike", "car"))
days = st.sampled_from(("2026-03-28", "2026-03-29", "2026-03-30"))


def spendable(purpose: str) -> Any:
    def most(lot: Lot) -> int:
        if lot.restriction == "few":
            return 3
        return lot.amount_minor if lot.restriction in ("", purpose) else 0

    return most


@searched(examples=150, steps=50)
class TwoBooks(RuleBasedStateMachine):
    """What is committed should be `model`, and what the open `draft` would make of it should be `tried`.

    A movement is always tried on both sides: the outcome must be the same, and then everything that stands.
    """

    def __init__(self) -> None:
        super().__init__()
        self.balances: dict[str, Balance] = {}
        self.locks: dict[str, Lock] = {}
        self.limits: dict[str, Usage] = {}
        self.journal: dict[str, list[JournalLine]] = {book: [] for book in BOOKS}
        self.statement: dict[str, list[Posted]] = {book: [] for book in BOOKS}
        self.model = {book: naive.NaiveBook() for book in BOOKS}
        self.at = 0
        self.lot_number = 0
        self._open(BOOKS[0])

    def _open(self, book: str) -> None:
        self.draft = Draft(book, self.at, Ledger(self.balances, self.locks, self.limits))
        self.tried = self.model[book].copy()
        self.before = (dict(self.balances), dict(self.locks), dict(self.limits))

    def _agree(self, answer: Refused | None, expected: str | None) -> bool:
        assert (answer.reason.value if answer else None) == expected
        return expected is None

    def _pay_from(self, name: str, currency: str, amount: int, purpose: str) -> tuple[int, tuple[LotPart, ...]]:
        """What can be paid of `amount`, and by which lots. More than there is stays as it is: it must be refused."""
        if name not in naive.LOTTED:
            return amount, ()
        parts = self.draft.pick_lots(CHART[name], currency, amount, spendable(purpose))
        left, expected = amount, []
        for lot_id, most in self.tried.usable(name, currency, self.at, purpose):
            if left:
                expected.append((lot_id, min(left, most)))
                left -= min(left, most)
        assert [(part.lot_id, part.amount_minor) for part in parts] == expected
        available = self.tried.posted(name, currency) - self.tried.locked(name, currency)
        return amount if amount > available else amount - left, parts

    # -- movements

    @initialize(expiries=st.lists(expiries, min_size=3, max_size=3), restrictions=st.lists(restrictions, min_size=3))
    def begin_with_something(self, expiries: list[int | None], restrictions: list[str]) -> None:
        self.fund("bank", 99, "EUR")
        for expires_at, restriction in zip(expiries, restrictions, strict=False):
            self.deposit("bank", "wallet", 30, "EUR", expires_at, restriction)

    @rule(
        debit=sources,
        wallet=wallets,
        amount=incomes,
        currency=currencies,
        expires_at=expiries,
        restriction=restrictions,
    )
    def deposit(
        self, debit: str, wallet: str, amount: int, currency: str, expires_at: int | None, restriction: str
    ) -> None:
        self.lot_number += 1
        lot_id = f"lot{self.lot_number * 7 % 11:02}"  # not in the order of their coming, and soon used again
        if amount > naive.MOST:
            return
        lot = {"id": lot_id, "expires_at": expires_at, "restriction": restriction}
        part = LotPart(lot_id=lot_id, amount_minor=amount, expires_at=expires_at, restriction=restriction)
        answer = self.draft.post(CHART[debit], CHART[wallet], amount, currency, "deposit", (), part)
        if self._agree(answer, self.tried.why_not_post(debit, wallet, amount, currency, lot_id)):
            self.tried.post(debit, wallet, amount, currency, {}, lot)

    @rule(debit=accounts, credit=sums, amount=amounts, currency=currencies, purpose=purposes)
    def pay(self, debit: str, credit: str, amount: int, currency: str, purpose: str) -> None:
        self.post(debit, credit, amount, currency, purpose)

    def post(self, debit: str, credit: str, amount: int, currency: str, purpose: str) -> None:
        amount, parts = self._pay_from(debit, currency, amount, purpose)
        if debit == credit or not amount:
            return
        answer = self.draft.post(CHART[debit], CHART[credit], amount, currency, "payment", parts)
        if self._agree(answer, self.tried.why_not_post(debit, credit, amount, currency, None)):
            self.tried.post(debit, credit, amount, currency, {p.lot_id: p.amount_minor for p in parts}, None)

    @rule(lock=lock_ids, debit=accounts, credit=sums, amount=amounts, currency=currencies, purpose=purposes)
    def hold(self, lock: str, debit: str, credit: str, amount: int, currency: str, purpose: str) -> None:
        self.reserve(lock, debit, credit, amount, currency, purpose)

    @rule(lock=lock_ids, wallet=wallets, amount=st.integers(1, 150), purpose=purposes)
    def start_trip(self, lock: str, wallet: str, amount: int, purpose: str) -> None:
        self.reserve(lock, wallet, "shop", amount, "EUR", purpose)

    def reserve(self, lock: str, debit: str, credit: str, amount: int, currency: str, purpose: str) -> None:
        amount, parts = self._pay_from(debit, currency, amount, purpose)
        if debit == credit or not amount:
            return
        answer = self.draft.reserve(lock, CHART[debit], CHART[credit], amount, currency, None, parts)
        if self._agree(answer, self.tried.why_not_lock(lock, debit, credit, amount, currency)):
            self.tried.lock(lock, debit, credit, amount, currency, {p.lot_id: p.amount_minor for p in parts})

    @rule(source=sources, amount=incomes, currency=currencies)
    def fund(self, source: str, amount: int, currency: str) -> None:
        self.post(source, "till" if source == "spends" else "spends", amount, currency, "")

    @precondition(lambda self: self.tried.locks)
    @rule(lock=lock_ids, amount=amounts)
    def settle_part(self, lock: str, amount: int) -> None:
        self.settle(lock, amount)

    @precondition(lambda self: self.tried.locks)
    @rule(which=st.integers(0, 2))
    def settle_whole(self, which: int) -> None:
        open_locks = sorted(self.tried.locks)
        lock = open_locks[which % len(open_locks)]
        self.settle(lock, self.tried.locks[lock]["left"])

    def settle(self, lock: str, amount: int) -> None:
        answer = self.draft.settle(lock, *self._accounts_of(lock), amount, "fare")
        if self._agree(answer, self.tried.why_not_settle(lock, amount)):
            self.tried.settle(lock, amount)

    @precondition(lambda self: self.tried.locks)
    @rule(lock=lock_ids, step=st.sampled_from((Step.VOIDED, Step.EXPIRED)))
    def void(self, lock: str, step: Step) -> None:
        answer = self.draft.void(lock, *self._accounts_of(lock), step)
        if self._agree(answer, None if lock in self.tried.locks else "no_such_lock"):
            self.tried.void(lock)

    def _accounts_of(self, lock: str) -> tuple[Account, Account]:
        held = self.tried.locks.get(lock, {"debit": "wallet", "credit": "shop"})
        return CHART[held["debit"]], CHART[held["credit"]]

    @rule(wallet=wallets, currency=currencies)
    def take_back_what_expired(self, wallet: str, currency: str) -> None:
        """All that is free in lots whose day has come, and nothing that a lock pinned."""
        for lot in self.draft.balance(CHART[wallet], currency).lots:
            if lot.expires_at is not None and lot.expires_at <= self.at and lot.free:
                answer = self.draft.post(
                    CHART[wallet], CHART["shop"], lot.free, currency, "expired", (lot.part(lot.free),)
                )
                if self._agree(answer, self.tried.why_not_post(wallet, "shop", lot.free, currency, None)):
                    self.tried.post(wallet, "shop", lot.free, currency, {lot.lot_id: lot.free}, None)
        due = self.draft.balance(CHART[wallet], currency).next_expiry
        assert due is None or due > self.at or self.tried.full(wallet, "shop", 1, currency)

    @rule(
        limit=st.sampled_from(("daily", "yearly")), window=days, allowed=st.integers(0, 60), amount=st.integers(-20, 20)
    )
    def use_or_free_limit(self, limit: str, window: str, allowed: int, amount: int) -> None:
        if amount < 0:
            self.draft.free_limit(limit, window, -amount)
            self.tried.give_back(limit, window, -amount)
        else:
            answer = self.draft.use_limit(limit, window, allowed, amount)
            assert (answer is None) == self.tried.use(limit, window, allowed, amount)

    # -- the draft's end

    @rule(book=books, later=st.integers(0, 5), fate=st.sampled_from(("committed", "committed", "dropped")))
    def end(self, book: str, later: int, fate: str) -> None:
        """The draft is committed or dropped, and the next begins."""
        done = self.draft.book
        if fate == "committed":
            self.draft.commit()
            self.model[done] = self.tried
            self.journal[done].extend(self.draft.lines)
            self.statement[done].extend(self.draft.posted)
            self.the_journal_gives_the_tables(done)
            self.statements_have_no_gaps_and_right_balances(done)
        self.at += later
        self._open(book)

    # -- what must hold at every moment

    @invariant()
    def nothing_changes_before_commit(self) -> None:
        assert (self.balances, self.locks, self.limits) == self.before

    @invariant()
    def the_draft_is_what_the_model_says(self) -> None:
        for currency in CURRENCIES:
            for name in CHART:
                assert _plain(self.draft.balance(CHART[name], currency)) == _expected(self.tried, name, currency)
        for lock_id in LOCKS:
            lock = self.draft.lock(lock_id)
            held = self.tried.locks.get(lock_id)
            assert (lock and lock.amount_minor) == (held and held["left"])
            if lock is not None and held is not None:
                parts = [(lot_id, part) for lot_id, part in held["lots"].items() if part]
                assert [(part.lot_id, part.amount_minor) for part in lock.parts] == parts

    @invariant()
    def money_is_neither_made_nor_lost(self) -> None:
        for currency in CURRENCIES:
            rows = [self.draft.balance(account, currency) for account in CHART.values()]
            assert sum(row.debits_posted for row in rows) == sum(row.credits_posted for row in rows)
            assert sum(row.debits_pending for row in rows) == sum(row.credits_pending for row in rows)
            locks = [lock for lock_id in LOCKS if (lock := self.draft.lock(lock_id))]
            of_locks = sum(lock.amount_minor for lock in locks if lock.currency == currency)
            assert of_locks == sum(row.debits_pending for row in rows)

    @invariant()
    def nobody_is_overdrawn_who_may_not_be(self) -> None:
        for currency in CURRENCIES:
            for name in naive.NEVER_NEGATIVE:
                row = self.draft.balance(CHART[name], currency)
                assert 0 <= row.locked <= row.posted
                assert row.available >= 0

    @invariant()
    def lots_are_the_balance_and_pinned_lots_the_locks(self) -> None:
        for currency in CURRENCIES:
            for name in naive.LOTTED:
                row = self.draft.balance(CHART[name], currency)
                assert sum(lot.amount_minor for lot in row.lots) == row.posted
                assert sum(lot.locked_minor for lot in row.lots) == row.locked
                assert all(0 <= lot.locked_minor <= lot.amount_minor > 0 for lot in row.lots)
                assert len({lot.lot_id for lot in row.lots}) == len(row.lots)

    @invariant()
    def every_figure_fits_its_row(self) -> None:
        for currency in CURRENCIES:
            for account in CHART.values():
                row = self.draft.balance(account, currency)
                assert 0 <= row.debits_posted + row.debits_pending <= naive.MOST
                assert 0 <= row.credits_posted + row.credits_pending <= naive.MOST
                assert -naive.MOST <= row.available <= row.posted <= naive.MOST

    # -- what must hold of everything committed

    def the_journal_gives_the_tables(self, book: str) -> None:
        accounts, parts, locks = naive.fold([msgspec.to_builtins(line) for line in self.journal[book]])
        rows = {key: row for key, row in self.balances.items() if key.startswith(f"{book}|")}
        assert {f"{book}|{name}|{currency}" for name, currency in accounts} == rows.keys()
        for (name, currency), sums_ in accounts.items():
            row = rows[f"{book}|{name}|{currency}"]
            assert [row.debits_posted, row.credits_posted, row.debits_pending, row.credits_pending] == sums_
            for lot in row.lots:
                assert parts.pop((name, currency, lot.lot_id)) == [lot.amount_minor, lot.locked_minor]
        assert parts == {}
        open_locks = {key: lock.amount_minor for key, lock in self.locks.items() if key.startswith(f"{book}|")}
        assert {f"{book}|{lock_id}": left for lock_id, left in locks.items()} == open_locks
        limits = {key: (use.window, use.used_minor) for key, use in self.limits.items() if key.startswith(f"{book}|")}
        assert {f"{book}|{name}": use for name, use in self.model[book].limits.items()} == limits

    def statements_have_no_gaps_and_right_balances(self, book: str) -> None:
        numbers: Counter[tuple[str, str]] = Counter()
        running: Counter[tuple[str, str]] = Counter()
        for line in self.statement[book]:
            whose = (line.account, line.currency)
            numbers[whose] += 1
            running[whose] += line.amount_minor
            assert (line.number, line.balance_minor) == (numbers[whose], running[whose])
        assert [
            (line.account, line.currency, line.amount_minor, line.balance_minor, line.counter_account)
            for line in self.statement[book]
        ] == self.model[book].statement


def _plain(row: Balance) -> Any:
    return (
        (row.debits_posted, row.credits_posted, row.debits_pending, row.credits_pending, row.entries),
        {lot.lot_id: (lot.amount_minor, lot.expires_at, lot.restriction) for lot in row.lots},
    )


def _expected(book: naive.NaiveBook, name: str, currency: str) -> Any:
    row = book.account(name, currency)
    return (
        (row.debits, row.credits, row.debits_pending, row.credits_pending, row.entries),
        {lot_id: (lot["amount"], lot["expires_at"], lot["restriction"]) for lot_id, lot in row.lots.items()},
    )


@pytest.mark.requirement("PIPE-09", "BEY-01", "MOB-09", "XFR-07")
class TestTwoBooks(TwoBooks.TestCase):  # type: ignore[name-defined,misc]
    pass


many_lots = st.lists(
    st.builds(
        Lot,
        lot_id=st.text("abc", min_size=1, max_size=3),
        amount_minor=small,
        expires_at=expiries,
        restriction=restrictions,
    ),
    unique_by=lambda lot: lot.lot_id,
    max_size=8,
)


@searched(examples=200)
@given(many_lots, st.randoms(use_true_random=False))
@pytest.mark.requirement("MOB-09")
def test_the_order_in_which_lots_come_does_not_matter(deposits: list[Lot], random: Any) -> None:
    def held(in_order: list[Lot]) -> tuple[Lot, ...]:
        row: tuple[Lot, ...] = ()
        for lot in in_order:
            row = lots.opened(row, lot.part(lot.amount_minor))
        return row

    shuffled = deposits[:]
    random.shuffle(shuffled)
    assert held(deposits) == held(shuffled)


@searched(examples=200)
@given(many_lots, st.integers(0, 200), st.integers(0, 60), purposes)
@pytest.mark.requirement("MOB-09")
def test_a_pick_never_gives_too_much_and_never_too_little(
    deposits: list[Lot], wanted: int, at: int, purpose: str
) -> None:
    alive = [lot for lot in deposits if lot.expires_at is None or at < lot.expires_at]
    most = sum(
        min(lot.amount_minor, 3) if lot.restriction == "few" else lot.amount_minor
        for lot in alive
        if lot.restriction in ("", "few", purpose)
    )
    parts = lots.pick(deposits, wanted, at, spendable(purpose))
    assert sum(part.amount_minor for part in parts) == min(wanted, most)


@searched(examples=200)
@given(st.lists(st.tuples(st.sampled_from("abcd"), small), max_size=6), st.integers(0, 250))
@pytest.mark.requirement("BEY-01")
def test_parts_that_are_split_are_the_same_pennies_in_the_same_order(named: list[tuple[str, int]], amount: int) -> None:
    parts = tuple(LotPart(lot_id=lot_id, amount_minor=part) for lot_id, part in named)
    first, rest = lots.split(parts, amount)
    pennies = [lot_id for lot_id, part in named for _ in range(part)]
    assert [part.lot_id for part in first for _ in range(part.amount_minor)] == pennies[:amount]
    assert [part.lot_id for part in rest for _ in range(part.amount_minor)] == pennies[amount:]
