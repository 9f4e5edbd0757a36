"""Laws of dealer billing over any story of bills and money, against a model that shares no code with the room."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dealer_bills import HandOverPayment
from streams.ledger.draft import Refused
from streams.runtime.rows import Rows

from .book import REWARD, SETTLEMENT, DealerBook

LAW = settings(deadline=None, max_examples=80)  # a busy machine is no broken law

pytestmark = pytest.mark.requirement("DLR-05", "DLR-06")

DEALERS = ("D1", "D2")
ACCOUNTS = {REWARD: "COMMISSION", SETTLEMENT: "SETTLEMENT"}
CURRENCIES = st.sampled_from(["EUR"] * 6 + ["USD"])
AMOUNTS = st.integers(1, 60)
BILLS = st.sampled_from(["B1", "B2", "B3"])
PAYMENTS = st.integers(1, 12).map("P{}".format)
WHO = st.sampled_from(["D1", "D1", "D1", "D2"])
NEW = (WHO, BILLS, AMOUNTS, st.sampled_from([REWARD, REWARD, SETTLEMENT]), CURRENCIES)
KINDS = {
    "send": (3, NEW),
    "draft": (1, NEW),
    "issue": (1, (WHO, BILLS)),
    "refuse": (1, (WHO, BILLS)),
    "pay": (5, (WHO, PAYMENTS, BILLS, AMOUNTS, CURRENCIES)),
    "void": (1, (WHO, BILLS)),
    "correct": (1, (WHO, BILLS, BILLS, AMOUNTS, CURRENCIES)),
    "match": (2, (WHO, PAYMENTS, BILLS)),
    "hand over": (1, (WHO, PAYMENTS, BILLS)),
}
"""What may happen, and how often."""

MOVES = st.sampled_from([kind for kind, (often, _) in KINDS.items() for _ in range(often)]).flatmap(
    lambda kind: st.tuples(st.just(kind), *KINDS[kind][1])
)
STORIES = st.lists(MOVES, min_size=15, max_size=50)
Move = tuple[Any, ...]


@dataclass
class ModelBill:
    account: str
    currency: str
    common: int
    stage: str = "draft"
    paid: int = 0
    next: str | None = None


@dataclass
class Model:
    """One dealer, kept the naive way: every unit of money is in exactly one place."""

    bills: dict[str, ModelBill] = field(default_factory=dict)
    current: dict[tuple[str, str], int] = field(default_factory=dict)
    suspense: list[tuple[str, str, int, str]] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def last(self, bill_id: str) -> str:
        while bill_id in self.bills and (following := self.bills[bill_id].next):
            bill_id = following
        return bill_id

    def draft(self, bill_id: str, amount: int, operation: Any, currency: str) -> None:
        if bill_id not in self.bills:
            self.bills[bill_id] = ModelBill(ACCOUNTS[operation], currency, amount)

    def issue(self, bill_id: str) -> None:
        bill = self.bills.get(bill_id)
        if bill and bill.stage == "draft":
            bill.stage = "sent"
            self._release(bill_id)
            key = (bill.account, bill.currency)
            balance = self.current.pop(key, 0)
            self._pour(bill, balance)

    def refuse(self, bill_id: str) -> None:
        if (bill := self.bills.get(bill_id)) and bill.stage == "draft":
            self.void(bill_id)

    def void(self, bill_id: str, stage: str = "voided") -> None:
        bill = self.bills.get(bill_id)
        if bill and bill.stage in ("draft", "sent"):
            bill.stage = stage
            self._credit(bill, bill.paid)
            bill.paid = 0
            self._release(bill_id)

    def correct(self, bill_id: str, new_id: str, amount: int, currency: str) -> None:
        bill = self.bills.get(bill_id)
        if bill and bill.stage in ("draft", "sent") and bill.currency == currency and new_id not in self.bills:
            self.bills[new_id] = ModelBill(bill.account, currency, amount)
            bill.next = new_id
            self.void(bill_id, "corrected")

    def pay(self, payment_id: str, bill_id: str, amount: int, currency: str, handed: str = "") -> bool:
        bill_id = self.last(bill_id)
        bill = self.bills.get(bill_id)
        if payment_id in self.known or (bill and bill.currency != currency and not handed):
            return False
        self.known.add(payment_id)
        self.suspense.append((payment_id, bill_id, amount, currency))
        self._release(bill_id, payment_id)
        return True

    def match(self, payment_id: str, bill_id: str) -> None:
        bill_id = self.last(bill_id)
        for place, (one, _, amount, currency) in enumerate(self.suspense):
            if one == payment_id and bill_id in self.bills and self.bills[bill_id].currency == currency:
                del self.suspense[place]
                self.suspense.append((payment_id, bill_id, amount, currency))
                self._release(bill_id, payment_id)
                return

    def take_out(self, payment_id: str) -> tuple[int, str] | None:
        for place, (one, _, amount, currency) in enumerate(self.suspense):
            if one == payment_id:
                del self.suspense[place]
                return amount, currency
        return None

    def _release(self, bill_id: str, only: str | None = None) -> None:
        """Let what is in suspense for a bill go where it belongs by now."""
        bill = self.bills.get(bill_id)
        held, self.suspense = self.suspense, []
        for payment_id, waits_for, amount, currency in held:
            mine = waits_for == bill_id and only in (None, payment_id)
            if not (bill and mine and bill.currency == currency) or bill.stage == "draft":
                self.suspense.append((payment_id, waits_for, amount, currency))
            elif bill.stage == "sent":
                self._pour(bill, amount)
            elif bill.stage == "voided":
                self._credit(bill, amount)
            else:
                self.suspense.append((payment_id, self.last(bill_id), amount, currency))

    def _pour(self, bill: ModelBill, amount: int) -> None:
        for _ in range(amount):
            if bill.paid < bill.common:
                bill.paid += 1
            else:
                self._credit(bill, 1)

    def _credit(self, bill: ModelBill, amount: int) -> None:
        key = (bill.account, bill.currency)
        self.current[key] = self.current.get(key, 0) + amount


@dataclass
class Two:
    """Two dealers' books and their models, side by side. `received` is all money that was taken, by currency."""

    books: dict[str, DealerBook] = field(default_factory=lambda: {who: DealerBook(who) for who in DEALERS})
    models: dict[str, Model] = field(default_factory=lambda: {who: Model() for who in DEALERS})
    received: dict[str, int] = field(default_factory=lambda: {"EUR": 0, "USD": 0})

    def play(self, move: Move) -> None:
        how, who, *rest = move
        book, model = self.books[who], self.models[who]
        match how:
            case "pay":
                answer = book.pay(*rest)
                accepted = model.pay(*rest)
                assert accepted is not isinstance(answer, Refused), (move, answer)
                if accepted:
                    self.received[rest[3]] += rest[2]
            case "hand over":
                self._hand_over(who, *rest)
            case "send":
                for each in ("draft", *rest), ("issue", rest[0]):
                    self.play((each[0], who, *each[1:]))
            case "issue" | "refuse" if f"dealer:{who}|{rest[0]}" not in book.kept.bills:
                pass
            case _:
                getattr(book, how)(*rest)
                getattr(model, how)(*rest)

    def _hand_over(self, who: str, payment_id: str, bill_id: str) -> None:
        other = DEALERS[1 - DEALERS.index(who)]
        events = self.books[who].match(payment_id, bill_id, of=other)
        taken = self.models[who].take_out(payment_id)
        assert (taken is None) is isinstance(events, Refused)
        if taken and not isinstance(events, Refused):
            (message,) = (event for event in events if isinstance(event, HandOverPayment))
            assert not isinstance(self.books[other].give(message), Refused)
            self.models[other].pay(message.payment_id, bill_id, *taken, handed="over")


def told(story: list[Move]) -> Two:
    two = Two()
    for move in story:
        two.play(move)
    return two


@LAW
@given(STORIES)
def test_every_bill_and_balance_is_what_the_model_says(story: list[Move]) -> None:
    two = told(story)
    for who, model in two.models.items():
        book = two.books[who]
        assert {bill_id: book.bill(bill_id).paid_minor for bill_id in model.bills} == {
            bill_id: bill.paid for bill_id, bill in model.bills.items()
        }
        for currency in two.received:
            for account in ACCOUNTS.values():
                assert book.balance(f"current/{account}", currency) == model.current.get((account, currency), 0)
            waiting = sum(amount for _, _, amount, each in model.suspense if each == currency)
            assert book.balance("suspense", currency) == waiting


@LAW
@given(STORIES)
def test_money_received_is_paid_or_current_or_in_suspense_and_no_bill_is_paid_above_its_sum(story: list[Move]) -> None:
    two = told(story)
    bills = [(who, book.kept.bills[key]) for who, book in two.books.items() for key in book.kept.bills]
    for currency, received in two.received.items():
        found = 0
        for who, book in two.books.items():
            mine = [bill for owner, bill in bills if owner == who and bill.currency == currency]
            current = sum(book.balance(f"current/{account}", currency) for account in ACCOUNTS.values())
            held = sum(bill.paid_minor for bill in mine) + current + book.balance("suspense", currency)
            assert held == book.balance("bank", currency)
            found += held
            owed = sum(bill.owed_minor for bill in mine if bill.life == "sent")
            assert owed == sum(book.balance(f"receivable/{account}", currency) for account in ACCOUNTS.values())
            billed = sum(bill.common_minor for bill in mine if bill.life == "sent")
            assert billed == sum(book.balance(f"revenue/{account}", currency) for account in ACCOUNTS.values())
        assert found == received
    assert all(0 <= bill.paid_minor <= bill.common_minor for _, bill in bills)


@LAW
@given(STORIES)
def test_what_is_in_suspense_is_what_waits_for_a_bill_each_once(story: list[Move]) -> None:
    for book in told(story).books.values():
        waiting = [each for key in book.kept.waiting for each in book.kept.waiting[key].payment_ids]
        in_suspense = {key.split("|")[1] for key in book.kept.payments if book.kept.payments[key].waits_for}
        assert (len(waiting), set(waiting)) == (len(in_suspense), in_suspense)


@LAW
@given(STORIES)
def test_a_payment_that_was_taken_once_is_refused_ever_after(story: list[Move]) -> None:
    two = Two()
    taken: list[Move] = []
    for move in story:
        if move[0] == "pay" and move[2] not in two.models[move[1]].known:
            taken.append(move)
        two.play(move)
    before = {who: book.stands() for who, book in two.books.items()}
    for _, who, payment_id, *rest in taken:
        if payment_id in two.models[who].known:
            assert isinstance(two.books[who].pay(payment_id, *rest), Refused)
    assert {who: book.stands() for who, book in two.books.items()} == before


@LAW
@given(STORIES)
def test_rows_come_back_from_their_changelog_as_they_were(story: list[Move]) -> None:
    book = told(story).books["D1"]
    restored = DealerBook().kept
    tables: list[tuple[Rows[Any], Rows[Any]]] = list(zip(book.kept, restored, strict=True))
    for rows, other in tables:
        changes = rows.take_changes()
        other.restore((key.encode(), None if row is None else rows.encode(row)) for key, row in changes)
        assert {key: other[key] for key in other} == {key: rows[key] for key in rows}
