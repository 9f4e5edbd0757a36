"""A dealer on the running system, and the test as his Billing: it answers a call when the test says so."""

from typing import Any

from schemas.billing import (
    BillingDone,
    BillingRefused,
    CreateClient,
    CreateContract,
    CreatePayer,
    IssueBill,
    WithdrawBill,
)
from schemas.dealer_accounts import AccountOpened, AddFastBuyout, RegisterDealer, Requisites
from schemas.dealer_billing import AccountType, BillingPayment, Dealer, Operation
from schemas.dealer_bills import BillDrafted, BillSent, CorrectBill, CreateBill, VoidBill
from schemas.dealer_deposits import DepositReceived, DepositReturned
from schemas.fields import Money
from tests.e2e.world import World, fresh


def requisites(address: str = "1 Forge Road") -> Requisites:
    return Requisites(
        legal_name="Anvil Motors", tax_number="7701234567", legal_address=address, bank_code="044525225",
        bank_account="40702810900000000001",
    )  # fmt: skip


def eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


class DealerStory:
    """A dealer whom reference data knows."""

    def __init__(self, world: World) -> None:
        self._world, self.dealer_id = world, fresh("dlr")
        world.sql("INSERT INTO reference.dealers VALUES (%s, %s, 'Anvil')", self.dealer_id, f"cme-{self.dealer_id}")
        world.told(Dealer, dealer_id=self.dealer_id)

    def register(self) -> str:
        """The event's id."""
        message = RegisterDealer(
            dealer_id=self.dealer_id, cme_dealer_id=f"cme-{self.dealer_id}", requisites=requisites()
        )
        return self._world.send(message)

    def add_fast_buyout(self) -> None:
        self._world.send(AddFastBuyout(dealer_id=self.dealer_id))

    def open(self, account: AccountType) -> AccountOpened:
        """Billing does each step as it is asked."""
        for kind in (CreateClient, CreatePayer, CreateContract):
            self.done(self._world.told(kind, dealer_id=self.dealer_id, account=account))
        return self._world.told(AccountOpened, dealer_id=self.dealer_id, account=account)

    def done(self, call: Any, event_id: str = "") -> str:
        """Billing has done what a call asked."""
        bill_id = getattr(call, "bill_id", None)
        answer = BillingDone(
            call_id=call.call_id, dealer_id=call.dealer_id, account=call.account, billing_id=f"made-{call.call_id}",
            bill_id=bill_id, url=f"https://billing.example/{bill_id}.pdf" if bill_id else None,
        )  # fmt: skip
        return self._world.send(answer, event_id=event_id)

    def refused(self, call: Any, code: str) -> str:
        """Billing says no."""
        answer = BillingRefused(
            call_id=call.call_id, dealer_id=call.dealer_id, account=call.account, code=code, text="no",
            bill_id=getattr(call, "bill_id", None),
        )  # fmt: skip
        return self._world.send(answer)

    # ---- bills

    def draft(self, amount: int, operation: Operation = Operation.GET_SETTLEMENT, bill_id: str = "") -> str:
        bill_id = bill_id or fresh("bil")
        message = CreateBill(
            bill_id=bill_id, dealer_id=self.dealer_id, operation=operation, amount=eur(amount), text="A car"
        )
        self._world.send(message)
        self._world.told(BillDrafted, bill_id=bill_id)
        return bill_id

    def issue(self, bill_id: str) -> BillSent:
        self.done(self._world.told(IssueBill, bill_id=bill_id, dealer_id=self.dealer_id))
        return self._world.told(BillSent, bill_id=bill_id, dealer_id=self.dealer_id)

    def bill(self, amount: int) -> str:
        bill_id = self.draft(amount)
        self.issue(bill_id)
        return bill_id

    def pay(self, bill_id: str, amount: int, currency: str = "EUR", payment_id: str = "") -> str:
        payment_id = payment_id or fresh("pay")
        money = Money(amount_minor=amount, currency=currency)
        message = BillingPayment(payment_id=payment_id, dealer_id=self.dealer_id, bill_id=bill_id, amount=money)
        self._world.send(message)
        return payment_id

    def void(self, bill_id: str) -> WithdrawBill:
        self._world.send(VoidBill(bill_id=bill_id, dealer_id=self.dealer_id, reason="not sold"))
        return self._world.told(WithdrawBill, bill_id=bill_id)

    def correct(self, bill_id: str, amount: int) -> str:
        successor = fresh("bil")
        message = CorrectBill(
            bill_id=bill_id, dealer_id=self.dealer_id, successor_id=successor, amount=eur(amount), reason="new price"
        )
        self._world.send(message)
        self._world.told(BillDrafted, bill_id=successor, corrects=bill_id)
        return successor

    # ---- the deposit

    def deposit(self, amount: int, payment_id: str = "") -> str:
        payment_id = payment_id or fresh("dep")
        self._world.send(DepositReceived(payment_id=payment_id, dealer_id=self.dealer_id, amount=eur(amount)))
        return payment_id

    def return_deposit(self, amount: int) -> str:
        payment_id = fresh("dep")
        self._world.send(DepositReturned(payment_id=payment_id, dealer_id=self.dealer_id, amount=eur(amount)))
        return payment_id
