"""A dealer's book for tests: messages go in, and a line says what then stands.

`raise_bill("B1", 100)` and `pay("P1", "B1", 40)` give the events, or the refusal. Nothing remembers ids here but the
room's own rows. `stands()` is `B1 part_paid 40/100` for every bill, then every balance that is not zero.
"""

from typing import NamedTuple

from schemas.dealer_billing import BillingPayment, Dealer, Operation, RaiseBill
from schemas.fields import Message, Money
from streams.dealer_billing.bill import Bill, Payment, Waiting
from streams.dealer_billing.registration import Account, Registered
from streams.dealer_billing.room import DealerBilling, Tables
from streams.ledger.accounts import Balance
from streams.ledger.draft import Draft, Ledger, Refused
from streams.ledger.limits import Usage
from streams.ledger.locks import Lock
from streams.runtime.rows import Rows

DEALER = "D1"
BOOK = f"dealer:{DEALER}"
REWARD, SETTLEMENT = Operation.GET_REWARD, Operation.GET_SETTLEMENT


class Kept(NamedTuple):
    """The room's own tables, as rows of the runtime."""

    bills: Rows[Bill]
    payments: Rows[Payment]
    waiting: Rows[Waiting]
    dealers: Rows[Dealer]
    registered: Rows[Registered]
    accounts: Rows[Account]


class Money3(NamedTuple):
    """The money tables, as rows of the runtime."""

    balances: Rows[Balance]
    locks: Rows[Lock]
    limits: Rows[Usage]


class DealerBook:
    """One dealer, known unless `forget_dealer`."""

    def __init__(self) -> None:
        self.kept = Kept(Rows(Bill), Rows(Payment), Rows(Waiting), Rows(Dealer), Rows(Registered), Rows(Account))
        self.money = Money3(Rows(Balance, due=lambda balance: balance.next_expiry), Rows(Lock), Rows(Usage))
        self.room = DealerBilling(Tables(*self.kept))
        self.kept.dealers[DEALER] = Dealer(dealer_id=DEALER, cme_dealer_id="cme-1", name="Anvil Motors")

    def forget_dealer(self) -> None:
        del self.kept.dealers[DEALER]

    def raise_bill(
        self, bill_id: str, amount: int, operation: Operation = REWARD, currency: str = "EUR"
    ) -> list[Message] | Refused:
        money = Money(amount_minor=amount, currency=currency)
        url = f"https://billing.example/{bill_id}.pdf"
        return self.give(RaiseBill(bill_id=bill_id, dealer_id=DEALER, operation=operation, amount=money, url=url))

    def pay(self, payment_id: str, bill_id: str, amount: int, currency: str = "EUR") -> list[Message] | Refused:
        money = Money(amount_minor=amount, currency=currency)
        return self.give(BillingPayment(payment_id=payment_id, dealer_id=DEALER, bill_id=bill_id, amount=money))

    def give(self, message: Message) -> list[Message] | Refused:
        """What the room answers, carried out where it is not refused."""
        draft = Draft(BOOK, 0, Ledger(*self.money))
        verdict = self.room.decide(draft, message)
        if isinstance(verdict, Refused):
            return verdict
        draft.commit()
        for event in verdict:
            self.room.evolve(event)
        return list(verdict)

    def bill(self, bill_id: str) -> Bill:
        return self.kept.bills[f"{BOOK}|{bill_id}"]

    def balance(self, account: str, currency: str = "EUR") -> int:
        row = self.money.balances.get(f"{BOOK}|{account}|{currency}")
        return 0 if row is None else row.posted

    def waits(self, bill_id: str) -> tuple[str, ...]:
        row = self.kept.waiting.get(f"{BOOK}|{bill_id}")
        return () if row is None else row.payment_ids

    def stands(self) -> str:
        bills = [
            f"{key.split('|')[1]} {bill.status} {bill.paid_minor}/{bill.common_minor}"
            for key in self.kept.bills
            if (bill := self.kept.bills[key])
        ]
        balances = [
            f"{account} {row.posted}" + ("" if currency == "EUR" else f" {currency}")
            for key in sorted(self.money.balances)
            if (row := self.money.balances[key]).posted
            for account, currency in [key.split("|")[1:]]
        ]
        return ", ".join(bills + balances)


def paid(amount: int, currency: str = "EUR") -> Money:
    return Money(amount_minor=amount, currency=currency)
