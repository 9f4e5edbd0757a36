"""A dealer's bill, and the payments that Billing reports for it, before it stands and after (DLR-05, DLR-06).

    status       RaiseBill                           BillingPayment
    (none)       bill it, then pay it: first from    bank -> suspense, where it waits for the bill
                 the account's current balance,
                 then from the payments that wait
                 -> OPEN, PART_PAID or PAID
    OPEN         refused                             pay what is owed -> PART_PAID or PAID
    PART_PAID    refused                             pay what is owed -> PART_PAID or PAID
    PAID         refused                             nothing is owed -> PAID

Whatever a payment has above what is owed becomes the current balance of the bill's account. Waiting payments pay in the
order in which they came. Money comes from outside, so no payment is turned away because we know too little: neither its
bill nor its dealer need be known. It is refused, and so not in our books but still with Billing, where

    its currency is not its bill's    Billing corrects it and reports it under a new payment id. One that was waiting
                                      when its bill was raised was taken already: it stays in suspense, in sight,
                                      until somebody decides about it
    its id was used before            by these rows, however long ago; within days by `Processor`, which tells a
                                      repetition from another payment
    100 payments wait for its bill    no bill is paid in so many parts: it names a bill that there will never be

Bills and payments are kept for ever: some 3,000 of each in a year, for all dealers.
"""

from collections.abc import Sequence
from typing import assert_never

import msgspec
from msgspec.structs import replace

from schemas.dealer_billing import (
    AccountType,
    BillingPayment,
    BillPaid,
    BillRaised,
    BillStatus,
    Dealer,
    Operation,
    PaidFrom,
    PaymentSuspended,
    RaiseBill,
)
from schemas.fields import Fact, Money
from schemas.refusals import Reason
from streams.dealer_billing.accounts import BANK, CURRENT, RECEIVABLE, REVENUE, SUSPENSE
from streams.ledger.draft import Draft, Refused, refused

MAX_WAITING = 100
"""Payments that wait for one bill at most: bounds the row, and the work of raising the bill."""


class Bill(msgspec.Struct, frozen=True, omit_defaults=True):
    """A bill as its dealer's book sees it, in minor units."""

    account: AccountType
    currency: str
    common_minor: int
    paid_minor: int = 0

    @property
    def owed_minor(self) -> int:
        """What is still to be paid."""
        return self.common_minor - self.paid_minor

    @property
    def status(self) -> BillStatus:
        """Follows from the sums alone."""
        if not self.owed_minor:
            return BillStatus.PAID
        return BillStatus.PART_PAID if self.paid_minor else BillStatus.OPEN


class Payment(msgspec.Struct, frozen=True):
    """A payment that was taken; its id is not taken again."""

    payment_id: str
    bill_id: str
    amount: Money


class Waiting(msgspec.Struct, frozen=True):
    """The ids of the payments that are in suspense for one bill, in the order in which they came."""

    payment_ids: tuple[str, ...] = ()


# ---- decide


def raise_bill(
    draft: Draft, bill: Bill | None, dealer: Dealer | None, waiting: Sequence[Payment], command: RaiseBill
) -> list[Fact] | Refused:
    """Bill the dealer, and pay the bill from what he has paid already.

    Refuses UNKNOWN_DEALER, ALREADY_EXISTS, AMOUNT_TOO_LARGE.
    """
    if dealer is None:
        return refused(Reason.UNKNOWN_DEALER, dealer=command.dealer_id)
    if bill is not None:
        return refused(
            Reason.ALREADY_EXISTS,
            bill=command.bill_id,
            status=bill.status,
            common=bill.common_minor,
            paid=bill.paid_minor,
            currency=bill.currency,
        )
    amount = command.amount
    standing = Bill(_billed_on(command.operation), amount.currency, amount.amount_minor)
    receivable, revenue = RECEIVABLE.of(standing.account), REVENUE.of(standing.account)
    if refusal := draft.post(receivable, revenue, amount.amount_minor, amount.currency, f"Bill {command.bill_id}"):
        return refusal
    standing = replace(standing, paid_minor=_pay_from_current(draft, command.bill_id, standing))
    events: list[Fact] = [
        BillRaised(
            bill_id=command.bill_id,
            dealer_id=command.dealer_id,
            account=standing.account,
            operation=command.operation,
            common=amount,
            paid_minor=standing.paid_minor,
            status=standing.status,
            url=command.url,
        )
    ]
    for payment in waiting:
        if payment.amount.currency == standing.currency:
            paid = _apply(draft, standing, command.dealer_id, payment, PaidFrom.SUSPENSE)
            assert not isinstance(paid, Refused), paid
            standing = evolve(standing, paid)
            events.append(paid)
    return events


def pay(
    draft: Draft, bill: Bill | None, known: Payment | None, waiting: Waiting | None, message: BillingPayment
) -> list[Fact] | Refused:
    """Pay the bill, or wait for it. Refuses ALREADY_EXISTS, CURRENCY_MISMATCH, TOO_MANY_WAITING, AMOUNT_TOO_LARGE.

    That a payment is in our books comes first: in the wrong currency it may wait in suspense, and CURRENCY_MISMATCH
    tells Billing that it never came to us.
    """
    amount = message.amount
    if known is not None:
        return refused(Reason.ALREADY_EXISTS, payment=message.payment_id, bill=known.bill_id, amount=known.amount)
    if bill is not None and bill.currency != amount.currency:
        return refused(
            Reason.CURRENCY_MISMATCH,
            bill=message.bill_id,
            currency=bill.currency,
            paid_in=amount.currency,
            wanted=amount.amount_minor,
        )
    if bill is None:
        return _suspend(draft, waiting or Waiting(), message)
    payment = Payment(message.payment_id, message.bill_id, amount)
    paid = _apply(draft, bill, message.dealer_id, payment, PaidFrom.BANK)
    return paid if isinstance(paid, Refused) else [paid]


# ---- evolve


def evolve(bill: Bill | None, event: BillRaised | BillPaid) -> Bill:
    """The bill after an event."""
    match event:
        case BillRaised():
            return Bill(event.account, event.common.currency, event.common.amount_minor, event.paid_minor)
        case BillPaid():
            assert bill is not None
            assert bill.paid_minor + event.applied_minor == event.paid_minor <= bill.common_minor
            return replace(bill, paid_minor=event.paid_minor)
        case _:
            assert_never(event)


def evolve_waiting(waiting: Waiting | None, event: PaymentSuspended | BillPaid) -> Waiting | None:
    """What waits for a bill after an event; None where nothing does."""
    before = () if waiting is None else waiting.payment_ids
    match event:
        case PaymentSuspended():
            return Waiting((*before, event.payment_id))
        case BillPaid():
            left = tuple(payment_id for payment_id in before if payment_id != event.payment_id)
            return Waiting(left) if left else None
        case _:
            assert_never(event)


def taken(event: PaymentSuspended | BillPaid) -> Payment:
    """The payment that an event took."""
    match event:
        case PaymentSuspended():
            return Payment(event.payment_id, event.bill_id, event.amount)
        case BillPaid():
            return Payment(event.payment_id, event.bill_id, event.received)
        case _:
            assert_never(event)


# ---- the money


def _pay_from_current(draft: Draft, bill_id: str, bill: Bill) -> int:
    """Pay as much of a new bill as the account's current balance can, and say how much that is."""
    current = CURRENT.of(bill.account)
    paid = min(bill.owed_minor, draft.balance(current, bill.currency).available)
    if paid:
        text = f"Bill {bill_id}, from the current balance"
        refusal = draft.post(current, RECEIVABLE.of(bill.account), paid, bill.currency, text)
        assert refusal is None, refusal
    return paid


def _apply(draft: Draft, bill: Bill, dealer_id: str, payment: Payment, paid_from: PaidFrom) -> BillPaid | Refused:
    """Pay what is owed; the surplus becomes the current balance."""
    source = BANK if paid_from is PaidFrom.BANK else SUSPENSE
    received = payment.amount
    applied = min(received.amount_minor, bill.owed_minor)
    surplus = received.amount_minor - applied
    for account, part in ((RECEIVABLE, applied), (CURRENT, surplus)):
        if part:
            text = f"Payment {payment.payment_id} of bill {payment.bill_id}"
            if refusal := draft.post(source, account.of(bill.account), part, received.currency, text):
                return refusal
    after = replace(bill, paid_minor=bill.paid_minor + applied)
    return BillPaid(
        bill_id=payment.bill_id,
        dealer_id=dealer_id,
        payment_id=payment.payment_id,
        account=bill.account,
        paid_from=paid_from,
        received=received,
        applied_minor=applied,
        surplus_minor=surplus,
        paid_minor=after.paid_minor,
        status=after.status,
    )


def _suspend(draft: Draft, waiting: Waiting, message: BillingPayment) -> list[Fact] | Refused:
    amount = message.amount
    if len(waiting.payment_ids) >= MAX_WAITING:
        return refused(
            Reason.TOO_MANY_WAITING, bill=message.bill_id, bound=MAX_WAITING, wanted=amount.amount_minor,
            currency=amount.currency,
        )  # fmt: skip
    text = f"Payment {message.payment_id} of unknown bill {message.bill_id}"
    if refusal := draft.post(BANK, SUSPENSE, amount.amount_minor, amount.currency, text):
        return refusal
    return [
        PaymentSuspended(
            payment_id=message.payment_id, dealer_id=message.dealer_id, bill_id=message.bill_id, amount=amount
        )
    ]


def _billed_on(operation: Operation) -> AccountType:
    match operation:
        case Operation.GET_REWARD:
            return AccountType.COMMISSION
        case Operation.GET_SETTLEMENT:
            return AccountType.SETTLEMENT
        case _:
            assert_never(operation)
