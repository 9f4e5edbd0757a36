"""Laws of dealer billing over any sequence of bills and payments, against a model that shares no code with the room."""

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dealer_billing import Operation
from schemas.fields import Message
from streams.ledger.draft import Refused
from streams.runtime.rows import Rows

from .book import REWARD, SETTLEMENT, DealerBook

LAW = settings(deadline=None)  # a busy machine is no broken law

pytestmark = pytest.mark.requirement("DLR-05", "DLR-06")


class Raise(NamedTuple):
    bill_id: str
    amount: int
    operation: Operation
    currency: str


class Pay(NamedTuple):
    payment_id: str
    bill_id: str
    amount: int
    currency: str


CURRENCIES = st.sampled_from(["EUR", "EUR", "EUR", "USD"])
AMOUNTS = st.integers(1, 60)
BILL_IDS = st.sampled_from(["B1", "B2", "B3", "B4"])
RAISES = st.builds(Raise, BILL_IDS, AMOUNTS, st.sampled_from([REWARD, SETTLEMENT]), CURRENCIES)
PAYS = st.builds(Pay, st.integers(1, 12).map("P{}".format), BILL_IDS, AMOUNTS, CURRENCIES)
STORIES = st.lists(st.one_of(RAISES, PAYS, PAYS), max_size=30)


class Model:
    """What should stand, kept the naive way: one list of all money received, each unit where it is."""

    def __init__(self) -> None:
        self.bills: dict[str, tuple[Operation, str, int]] = {}
        self.paid: dict[str, int] = {}
        self.current: dict[tuple[Operation, str], int] = {}
        self.suspense: list[Pay] = []
        self.received: dict[str, Pay] = {}

    def take(self, event: Raise | Pay) -> bool:
        """Whether it is accepted."""
        return self._raise(event) if isinstance(event, Raise) else self._pay(event)

    def _raise(self, bill: Raise) -> bool:
        if bill.bill_id in self.bills:
            return False
        self.bills[bill.bill_id] = (bill.operation, bill.currency, bill.amount)
        self.paid[bill.bill_id] = 0
        balance = self.current.pop((bill.operation, bill.currency), 0)
        self._put(bill.bill_id, balance)
        arrived, self.suspense = self.suspense, []
        for payment in arrived:
            if (payment.bill_id, payment.currency) == (bill.bill_id, bill.currency):
                self._put(payment.bill_id, payment.amount)
            else:
                self.suspense.append(payment)
        return True

    def _pay(self, payment: Pay) -> bool:
        bill = self.bills.get(payment.bill_id)
        if payment.payment_id in self.received or (bill and bill[1] != payment.currency):
            return False
        self.received[payment.payment_id] = payment
        if bill:
            self._put(payment.bill_id, payment.amount)
        else:
            self.suspense.append(payment)
        return True

    def _put(self, bill_id: str, amount: int) -> None:
        operation, currency, common = self.bills[bill_id]
        for _ in range(amount):
            if self.paid[bill_id] < common:
                self.paid[bill_id] += 1
            else:
                self.current[operation, currency] = self.current.get((operation, currency), 0) + 1


def give(book: DealerBook, event: Raise | Pay) -> list[Message] | Refused:
    return book.raise_bill(*event) if isinstance(event, Raise) else book.pay(*event)


def told(story: list[Raise | Pay]) -> tuple[DealerBook, Model]:
    """The book and the model after a story; each event is accepted by both or by neither."""
    book, model = DealerBook(), Model()
    for event in story:
        answer = give(book, event)
        assert model.take(event) is not isinstance(answer, Refused), (event, answer)
    return book, model


@LAW
@given(STORIES)
def test_every_bill_and_balance_is_what_the_model_says(story: list[Raise | Pay]) -> None:
    book, model = told(story)
    assert {bill_id: book.bill(bill_id).paid_minor for bill_id in model.bills} == model.paid
    for currency in ("EUR", "USD"):
        for operation, account in ((REWARD, "COMMISSION"), (SETTLEMENT, "SETTLEMENT")):
            assert book.balance(f"current/{account}", currency) == model.current.get((operation, currency), 0)
        assert book.balance("suspense", currency) == sum(p.amount for p in model.suspense if p.currency == currency)


@LAW
@given(STORIES)
def test_money_received_is_paid_or_current_or_in_suspense_and_no_bill_is_overpaid(story: list[Raise | Pay]) -> None:
    book, model = told(story)
    bills = [book.bill(bill_id) for bill_id in model.bills]
    for currency in ("EUR", "USD"):
        in_currency = [bill for bill in bills if bill.currency == currency]
        received = sum(pay.amount for pay in model.received.values() if pay.currency == currency)
        current = sum(book.balance(f"current/{account}", currency) for account in ("COMMISSION", "SETTLEMENT"))
        owed = sum(book.balance(f"receivable/{account}", currency) for account in ("COMMISSION", "SETTLEMENT"))
        paid = sum(bill.paid_minor for bill in in_currency)
        assert paid + current + book.balance("suspense", currency) == received == book.balance("bank", currency)
        assert owed == sum(bill.owed_minor for bill in in_currency)
    assert all(0 <= bill.paid_minor <= bill.common_minor for bill in bills)


@LAW
@given(STORIES)
def test_what_was_taken_once_is_refused_ever_after(story: list[Raise | Pay]) -> None:
    book = DealerBook()
    taken = [event for event in story if not isinstance(give(book, event), Refused)]
    before = book.stands()
    assert all(isinstance(give(book, event), Refused) for event in taken)
    assert book.stands() == before


@LAW
@given(STORIES)
def test_rows_come_back_from_their_changelog_as_they_were(story: list[Raise | Pay]) -> None:
    book, _ = told(story)
    tables: list[tuple[Rows[Any], Rows[Any]]] = list(zip(book.kept, DealerBook().kept, strict=True))
    for rows, restored in tables:
        changes = rows.take_changes()
        restored.restore((key.encode(), None if row is None else rows.encode(row)) for key, row in changes)
        assert {key: restored[key] for key in restored} == {key: rows[key] for key in rows}
