"""A dealer at the processor, with a Billing that answers when it is told to.

`office.register()` sends the command; `office.calls` are those that Billing has not answered; `office.answer(call)`
answers one as Billing does, with an id of its own making, and `office.refuse(call)` as Billing refuses.
"""

from typing import Any

from schemas.billing import BillingDone, BillingRefused
from schemas.dealer_accounts import AddFastBuyout, RegisterDealer, Requisites, UpdateRequisites
from schemas.fields import Contract
from schemas.topics import BILLING_CALLS
from streams.dealer_billing.registration import Account
from streams.dealer_billing.room import DealerBilling, Tables
from tests.rooms import Stage, Told

from .book import BOOK, DEALER, new_rows

FIRST = Requisites(
    legal_name="Anvil Motors", tax_number="7701234567", legal_address="1 Forge Road", bank_code="044525225",
    bank_account="40702810900000000001",
)  # fmt: skip


def moved_to(address: str) -> Requisites:
    return FIRST.model_copy(update={"legal_address": address})


class Office:
    """One dealer, whom reference data knows as cme-1."""

    def __init__(self) -> None:
        self.kept = new_rows()
        self.stage = Stage(lambda ledger: DealerBilling(Tables(*self.kept), ledger), *self.kept)
        self.calls: list[Any] = []
        self.asked: list[str] = []

    def send(self, message: Contract, **how: Any) -> Told:
        told = self.stage.send(message, **how)
        calls = [each.message for each in told.sent if each.topic is BILLING_CALLS]
        self.calls += calls
        self.asked += [call.call_id for call in calls]
        return told

    def register(self, cme_dealer_id: str = "cme-1", requisites: Requisites = FIRST, **how: Any) -> Told:
        message = RegisterDealer(dealer_id=DEALER, cme_dealer_id=cme_dealer_id, requisites=requisites)
        return self.send(message, **how)

    def add_fast_buyout(self) -> Told:
        return self.send(AddFastBuyout(dealer_id=DEALER))

    def move_to(self, address: str) -> Told:
        return self.send(UpdateRequisites(dealer_id=DEALER, requisites=moved_to(address)))

    def answer(self, call: Any, **how: Any) -> Told:
        if call in self.calls:
            self.calls.remove(call)
        return self.send(done(call), **how)

    def refuse(self, call: Any, code: str = "bad-tax-number") -> Told:
        self.calls.remove(call)
        about = {"call_id": call.call_id, "dealer_id": call.dealer_id, "account": call.account}
        return self.send(BillingRefused(**about, code=code, text="Billing does not like it"))

    def answer_all(self) -> None:
        while self.calls:
            self.answer(self.calls[0])

    def account(self, account: str) -> Account:
        return self.kept.accounts[f"{BOOK}|{account}"]


def done(call: Any) -> BillingDone:
    """What Billing says when it has done a call: it names what it has made after the call."""
    return BillingDone(
        call_id=call.call_id, dealer_id=call.dealer_id, account=call.account, billing_id=f"made-by-{call.call_id}"
    )
