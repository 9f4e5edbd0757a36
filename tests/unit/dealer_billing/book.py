"""A dealer's book for tests: messages go in, and a line says what then stands.

`send_bill("B1", 100)` drafts a bill and lets Billing have it; `draft("B1", 100)` and `issue("B1")` do one of both.
`pay("P1", "B1", 40)` and `deposit("P1", 40)` are what Billing reports. Each gives the events, or the refusal. Nothing
remembers ids here but the room's own rows. `stands()` is `B1 part_paid 40/100` for every bill, then every balance that
is not zero.
"""

from typing import NamedTuple

from schemas.billing import BillingDone, BillingRefused
from schemas.dealer_accounts import OpeningStep
from schemas.dealer_billing import AccountType, BillingPayment, Dealer, Operation
from schemas.dealer_bills import CorrectBill, CreateBill, MatchPayment, VoidBill
from schemas.dealer_deposits import DepositReceived, DepositReturned, DepositTier
from schemas.fields import Contract, Fact, Money
from streams.dealer_billing.bill import ACCOUNT_OF
from streams.dealer_billing.bill_row import Bill
from streams.dealer_billing.deposit import Deposit, Moved, Tiers, evolve_tiers
from streams.dealer_billing.deposit_rows import TIERS, know
from streams.dealer_billing.payment_row import Payment, Waiting
from streams.dealer_billing.registration import Account, Registered, State
from streams.dealer_billing.room import DealerBilling, Tables
from streams.ledger.accounts import Balance
from streams.ledger.draft import Draft, Ledger, Refused
from streams.ledger.limits import Usage
from streams.ledger.locks import Lock
from streams.runtime.rows import Rows

DEALER = "D1"
BOOK = f"dealer:{DEALER}"
REWARD, SETTLEMENT = Operation.GET_REWARD, Operation.GET_SETTLEMENT
OPEN = Account(State.OPEN, OpeningStep.CONTRACT, 1, 1, "client", "payer", "contract")


class Kept(NamedTuple):
    """The room's own tables, as rows of the runtime."""

    bills: Rows[Bill]
    payments: Rows[Payment]
    waiting: Rows[Waiting]
    dealers: Rows[Dealer]
    registered: Rows[Registered]
    accounts: Rows[Account]
    deposits: Rows[Deposit]
    moved: Rows[Moved]
    tiers: Rows[Tiers]

    def know(self, dealer_id: str) -> None:
        """As reference data says it."""
        dealer = Dealer(dealer_id=dealer_id, cme_dealer_id="cme-1", name="Anvil Motors")
        know(self.dealers, self.deposits, [(dealer_id, dealer)])

    def end(self, dealer_id: str) -> None:
        """As a tombstone says it."""
        know(self.dealers, self.deposits, [(dealer_id, None)])

    def set_tier(self, segment: str, from_minor: int | None, currency: str = "EUR", tier_id: str = "") -> None:
        """As reference data says it; None ends the tier."""
        tier_id = tier_id or f"{segment}-{currency}"
        tier = from_minor and DepositTier(tier_id=tier_id, segment=segment, currency=currency, from_minor=from_minor)
        self.tiers[TIERS] = evolve_tiers(self.tiers.get(TIERS), tier_id, tier or None)


class Money3(NamedTuple):
    """The money tables, as rows of the runtime."""

    balances: Rows[Balance]
    locks: Rows[Lock]
    limits: Rows[Usage]


def new_rows(dealer_id: str = DEALER) -> Kept:
    """Rows of a dealer whom reference data knows; nothing has changed yet."""
    deposits = Rows(Deposit, due=lambda deposit: deposit.judged_by)
    bills = Rows(Bill), Rows(Payment), Rows(Waiting)
    kept = Kept(*bills, Rows(Dealer), Rows(Registered), Rows(Account), deposits, Rows(Moved), Rows(Tiers))
    kept.know(dealer_id)
    kept.dealers.take_changes()
    return kept


class DealerBook:
    """One dealer with open accounts, known unless `forget_dealer`."""

    def __init__(self, dealer_id: str = DEALER) -> None:
        self.dealer_id, self.book = dealer_id, f"dealer:{dealer_id}"
        self.kept = new_rows(dealer_id)
        self.money = Money3(Rows(Balance, due=lambda balance: balance.next_expiry), Rows(Lock), Rows(Usage))
        self.room = DealerBilling(Tables(*self.kept), Ledger(*self.money))
        for account in AccountType:
            self.kept.accounts[f"{self.book}|{account}"] = OPEN

    def forget_dealer(self) -> None:
        self.kept.end(self.dealer_id)

    # ---- what is said

    def draft(
        self, bill_id: str, amount: int, operation: Operation = REWARD, currency: str = "EUR"
    ) -> list[Fact] | Refused:
        return self.give(
            CreateBill(
                bill_id=bill_id,
                dealer_id=self.dealer_id,
                operation=operation,
                amount=paid(amount, currency),
                text="A car",
            )
        )

    def issue(self, bill_id: str, account: AccountType | None = None) -> list[Fact] | Refused:
        account = account or self.bill(bill_id).account
        return self.give(
            BillingDone(
                call_id=f"{self.dealer_id}/{account}/bill/{bill_id}",
                dealer_id=self.dealer_id,
                account=account,
                billing_id=f"billing-{bill_id}",
                url=f"https://billing.example/{bill_id}.pdf",
                bill_id=bill_id,
            )
        )

    def refuse(self, bill_id: str, wanted: str = "bill") -> list[Fact] | Refused:
        account = self.bill(bill_id).account
        return self.give(
            BillingRefused(
                call_id=f"{self.dealer_id}/{account}/{wanted}/{bill_id}",
                dealer_id=self.dealer_id,
                account=account,
                code="E7",
                text="no such contract",
                bill_id=bill_id,
            )
        )

    def send_bill(
        self, bill_id: str, amount: int, operation: Operation = REWARD, currency: str = "EUR"
    ) -> list[Fact] | Refused:
        drafted = self.draft(bill_id, amount, operation, currency)
        return drafted if isinstance(drafted, Refused) else self.issue(bill_id, ACCOUNT_OF[operation])

    def pay(self, payment_id: str, bill_id: str, amount: int, currency: str = "EUR") -> list[Fact] | Refused:
        money = paid(amount, currency)
        return self.give(BillingPayment(payment_id=payment_id, dealer_id=self.dealer_id, bill_id=bill_id, amount=money))

    def void(self, bill_id: str) -> list[Fact] | Refused:
        return self.give(VoidBill(bill_id=bill_id, dealer_id=self.dealer_id, reason="not sold"))

    def correct(self, bill_id: str, successor_id: str, amount: int, currency: str = "EUR") -> list[Fact] | Refused:
        return self.give(
            CorrectBill(
                bill_id=bill_id,
                dealer_id=self.dealer_id,
                successor_id=successor_id,
                amount=paid(amount, currency),
                reason="another price",
            )
        )

    def match(self, payment_id: str, bill_id: str, of: str | None = None) -> list[Fact] | Refused:
        return self.give(
            MatchPayment(
                match_id=f"m-{payment_id.replace('/', '-')}"[:60] + f"-{bill_id}",
                dealer_id=self.dealer_id,
                payment_id=payment_id,
                bill_id=bill_id,
                bill_dealer_id=of,
            )
        )

    def deposit(self, payment_id: str, amount: int, currency: str = "EUR") -> list[Fact] | Refused:
        money = paid(amount, currency)
        return self.give(DepositReceived(payment_id=payment_id, dealer_id=self.dealer_id, amount=money))

    def return_deposit(self, payment_id: str, amount: int, currency: str = "EUR") -> list[Fact] | Refused:
        money = paid(amount, currency)
        return self.give(DepositReturned(payment_id=payment_id, dealer_id=self.dealer_id, amount=money))

    def tick(self) -> list[Fact]:
        """What a tick makes due, carried out."""
        told = list[Fact]()
        for due in self.room.due(0):
            assert not isinstance(due.verdict, Refused)
            due.draft.commit()
            for event in due.verdict:
                self.room.evolve(event)
            told += due.verdict
        return told

    def give(self, message: Contract) -> list[Fact] | Refused:
        """What the room answers, carried out where it is not refused."""
        draft = Draft(self.book, 0, Ledger(*self.money))
        verdict = self.room.decide(draft, message)
        if isinstance(verdict, Refused):
            return verdict
        draft.commit()
        for event in verdict:
            self.room.evolve(event)
        return list(verdict)

    # ---- what stands

    def bill(self, bill_id: str) -> Bill:
        return self.kept.bills[f"{self.book}|{bill_id}"]

    def balance(self, account: str, currency: str = "EUR") -> int:
        row = self.money.balances.get(f"{self.book}|{account}|{currency}")
        return 0 if row is None else row.posted

    def waits(self, bill_id: str) -> tuple[str, ...]:
        row = self.kept.waiting.get(f"{self.book}|{bill_id}")
        return () if row is None else row.payment_ids

    def segments(self, currency: str = "EUR") -> tuple[str, ...]:
        """The price segments that are open."""
        row = self.kept.deposits.get(self.book) or Deposit()
        return next((held.segments for held in row.held if held.currency == currency), ())

    def stands(self) -> str:
        bills = [
            f"{key.split('|')[1]} {bill.state} {bill.paid_minor}/{bill.common_minor}"
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
