"""Over random sequences of deposits, returns, bills, payments, tiers and ticks: a deposit is what was received for it,
less what was returned, and the segments that are open are those that it reaches (DLR-08)."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.billing import BillingDone
from schemas.dealer_accounts import AccountOpened, OpeningStep
from schemas.dealer_billing import AccountType
from schemas.dealer_deposits import DepositChanged, PriceSegmentGranted, PriceSegmentRevoked
from schemas.fields import Fact
from streams.dealer_billing.registration import Account, Registered, State
from streams.ledger.draft import Refused
from tests.unit.dealer_billing.book import OPEN, REWARD, SETTLEMENT, DealerBook, new_rows
from tests.unit.dealer_billing.registering import FIRST

from . import searched

DEALERS = ("D1", "D2")
ALMOST = Account(State.CONTRACT, OpeningStep.CONTRACT, 1, 1, "client", "payer")
SEGMENTS = ("small", "middle", "large")
who = st.sampled_from(DEALERS)
payments = st.integers(1, 15).map("P{}".format)
amounts = st.integers(1, 60)
currencies = st.sampled_from(["EUR", "EUR", "EUR", "USD"])


@searched(examples=150, steps=50)
class Deposits(RuleBasedStateMachine):
    """Two dealers of one partition; the first has an open DEPOSIT account. The model is sums, and a set of ids."""

    def __init__(self) -> None:
        super().__init__()
        self.book = DealerBook()
        self.book.kept.registered["dealer:D2"] = Registered("cme-2", FIRST, 1)
        for account, row in (("COMMISSION", OPEN), ("SETTLEMENT", OPEN), ("DEPOSIT", ALMOST)):
            self.book.kept.accounts[f"dealer:D2|{account}"] = row
        self.book.kept.know("D2")
        self.known, self.open = set(DEALERS), {"D1"}
        self.received, self.returned = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        self.used: dict[str, set[str]] = {dealer: set() for dealer in DEALERS}
        self.tiers: dict[str, tuple[str, str, int]] = {}
        self.granted: set[tuple[str, str, str]] = set()
        self.stale: set[str] = set()
        """Dealers whose segments no decision has judged since the tiers changed, or reference data turned."""

    def _is(self, dealer: str) -> None:
        self.book.dealer_id, self.book.book = dealer, f"dealer:{dealer}"

    # ---- what happens

    @rule(dealer=who, payment=payments, amount=amounts, currency=currencies)
    def deposit(self, dealer: str, payment: str, amount: int, currency: str) -> None:
        self._is(dealer)
        answer = self.book.deposit(payment, amount, currency)
        assert isinstance(answer, Refused) is (payment in self.used[dealer])
        if not isinstance(answer, Refused):
            self.received[dealer, currency] += amount
            self._moved(dealer, payment, currency, amount, answer)

    @rule(dealer=who, payment=payments, amount=amounts, currency=currencies)
    def give_back(self, dealer: str, payment: str, amount: int, currency: str) -> None:
        self._is(dealer)
        answer = self.book.return_deposit(payment, amount, currency)
        is_refused = payment in self.used[dealer] or amount > self._deposit(dealer, currency)
        assert isinstance(answer, Refused) is is_refused
        if not isinstance(answer, Refused):
            self.returned[dealer, currency] += amount
            self._moved(dealer, payment, currency, -amount, answer)

    @rule(dealer=who, payment=payments, amount=amounts, bill=st.sampled_from(["B1", "B2"]))
    def pay(self, dealer: str, payment: str, amount: int, bill: str) -> None:
        self._is(dealer)
        answer = self.book.pay(payment, bill, amount)
        assert isinstance(answer, Refused) is (payment in self.used[dealer])
        self.used[dealer].add(payment)

    @rule(
        dealer=who, bill=st.sampled_from(["B1", "B2"]), amount=amounts, operation=st.sampled_from([REWARD, SETTLEMENT])
    )
    def send_bill(self, dealer: str, bill: str, amount: int, operation: Any) -> None:
        self._is(dealer)
        self.book.send_bill(bill, amount, operation)

    @rule(dealer=who, bill=st.sampled_from(["B1", "B2"]))
    def void(self, dealer: str, bill: str) -> None:
        self._is(dealer)
        self.book.void(bill)

    @rule(tier=st.sampled_from(["t1", "t2", "t3", "t4"]), segment=st.sampled_from(SEGMENTS), start=amounts,
          currency=currencies)  # fmt: skip
    def set_tier(self, tier: str, segment: str, start: int, currency: str) -> None:
        self.book.kept.set_tier(segment, start, currency, tier)
        self.tiers[tier] = (currency, segment, start)
        self.stale = set(DEALERS)

    @rule(tier=st.sampled_from(["t1", "t2", "t3", "t4"]))
    def end_tier(self, tier: str) -> None:
        self.book.kept.set_tier("small", None, tier_id=tier)
        self.tiers.pop(tier, None)
        self.stale = set(DEALERS)

    @rule(dealer=who)
    def end_or_know_again(self, dealer: str) -> None:
        (self.book.kept.end if dealer in self.known else self.book.kept.know)(dealer)
        self.known ^= {dealer}
        self.stale.add(dealer)

    @rule()
    def tick(self) -> None:
        told = self.book.tick()
        assert told == [] or self.stale, "a tick had nothing to judge by"
        self._hear(told)
        self.stale = set()

    @rule()
    def open_the_second(self) -> None:
        self._is("D2")
        answer = self.book.give(
            BillingDone(
                call_id="D2/DEPOSIT/contract/1", dealer_id="D2", account=AccountType.DEPOSIT, billing_id="contract"
            )
        )
        assert not isinstance(answer, Refused)
        if "D2" not in self.open:
            assert isinstance(answer[0], AccountOpened)
            self.open.add("D2")
            self.stale.discard("D2")
        self._hear(answer[1:])

    # ---- the laws

    @invariant()
    def a_deposit_is_what_was_received_less_what_was_returned_and_never_negative(self) -> None:
        for dealer in DEALERS:
            self._is(dealer)
            for currency in ("EUR", "USD"):
                deposit = self._deposit(dealer, currency)
                assert self.book.balance("current/DEPOSIT", currency) == deposit
                assert deposit >= 0

    @invariant()
    def the_open_segments_are_those_that_the_deposit_reaches(self) -> None:
        for dealer in DEALERS:
            expected = {
                (dealer, currency, segment)
                for currency, segment, start in self.tiers.values()
                if dealer in self.open & self.known and start <= self._deposit(dealer, currency)
            }
            mine = {each for each in self.granted if each[0] == dealer}
            assert mine == expected or dealer in self.stale
            self._is(dealer)
            rows = {(dealer, currency, each) for currency in ("EUR", "USD") for each in self.book.segments(currency)}
            assert rows == mine

    def teardown(self) -> None:
        """Rows come back from their changelog as they were."""
        for rows, restored in zip(self.book.kept, new_rows(), strict=True):
            changes = rows.take_changes()
            restored.restore((key.encode(), None if row is None else rows.encode(row)) for key, row in changes)
            assert [restored.get(key) for key, _ in changes] == [rows.get(key) for key, _ in changes]

    # ---- inside

    def _deposit(self, dealer: str, currency: str) -> int:
        return self.received[dealer, currency] - self.returned[dealer, currency]

    def _moved(self, dealer: str, payment: str, currency: str, change: int, answer: list[Fact]) -> None:
        self.used[dealer].add(payment)
        changed = answer[0]
        assert isinstance(changed, DepositChanged)
        assert (changed.change_minor, changed.deposit_minor) == (change, self._deposit(dealer, currency))
        self._hear(answer[1:])
        if dealer in self.open:
            self.stale.discard(dealer)

    def _hear(self, told: list[Fact]) -> None:
        """A segment opens when it is closed, and closes when it is open; nothing else happens to it."""
        for event in told:
            assert isinstance(event, PriceSegmentGranted | PriceSegmentRevoked)
            key = (event.dealer_id, event.currency, event.segment)
            assert (key in self.granted) is isinstance(event, PriceSegmentRevoked), event
            self.granted ^= {key}


@pytest.mark.requirement("DLR-08", "PIPE-05")
class TestDeposits(Deposits.TestCase):  # type: ignore[name-defined,misc]
    """The same for pytest."""
