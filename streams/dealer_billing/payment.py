"""What becomes of money that Billing reports for a bill, or that waits in suspense (DLR-06).

    the bill that is meant    money from the bank                money from suspense (MatchPayment)
    unknown                   waits for it                       refused
    DRAFT                     waits for it                       waits for it
    sent, whatever is paid    pays what is owed; the surplus     the same
                              becomes the current balance
    VOIDED                    becomes the current balance        the same
    CORRECTED                 goes to its successor              the same

Waiting payments pay in the order in which they came. Money comes from outside, so no payment is turned away because we
know too little: neither its bill nor its dealer need be known. It is refused, and so not in our books but still with
Billing, where

    its currency is not its bill's    Billing corrects it and reports it under a new payment id. One that was waiting
                                      when its bill was drafted was taken already: it stays in suspense, in sight,
                                      until MatchPayment says whose it is
    its id was used before            by these rows, however long ago; within days by `Processor`, which tells a
                                      repetition from another payment
    100 payments wait for its bill    no bill is paid in so many parts: it names a bill that there will never be.
                                      MatchPayment for such a bill is refused as well

A payment in suspense may be for another dealer's bill. MatchPayment then takes it out of this book, and a message
takes it to the other one, which takes it whatever it knows. Payments are kept for ever, some 3,000 in a year.
"""

from collections.abc import Sequence

from schemas.dealer_billing import BillingPayment
from schemas.dealer_bills import (
    BillPaid,
    HandOverPayment,
    MatchPayment,
    PaymentCredited,
    PaymentHandedOver,
    PaymentWaits,
    Source,
)
from schemas.fields import LONGEST_TEXT, Fact, Money
from schemas.refusals import Reason
from streams.dealer_billing.accounts import BANK, CURRENT, RECEIVABLE, SUSPENSE
from streams.dealer_billing.bill_row import Bill, Life, paid
from streams.dealer_billing.payment_row import Meant, Payment, Waiting
from streams.ledger.draft import Draft, Refused, refused

MAX_WAITING = 100
"""Payments that wait for one bill at most: bounds the row, and the work of sending the bill. Only what is in our books
already comes on top: what waited for a bill that this one corrects, and what another dealer's book has handed over."""


def pay(draft: Draft, meant: Meant, known: Payment | None, message: BillingPayment) -> list[Fact] | Refused:
    """Pay the bill, or wait for it. Refuses ALREADY_EXISTS, CURRENCY_MISMATCH, TOO_MANY_WAITING, AMOUNT_TOO_LARGE.

    That a payment is in our books comes first: in the wrong currency it may wait in suspense, and CURRENCY_MISMATCH
    tells Billing that it never came to us.
    """
    if repeated := taken_before(known, message.payment_id):
        return repeated
    if refusal := _mismatch(meant, message.amount) or _full(meant, message.amount):
        return refusal
    payment = Payment(message.payment_id, message.bill_id, message.amount)
    return _put(draft, meant, message.dealer_id, payment, Source.BANK)


def taken_before(known: Payment | None, payment_id: str) -> Refused | None:
    """Why an id that a payment of a bill has is not taken again. Refuses ALREADY_EXISTS."""
    if known is None:
        return None
    return refused(Reason.ALREADY_EXISTS, payment=payment_id, bill=known.named, amount=known.amount)


def match_payment(draft: Draft, meant: Meant, payment: Payment | None, command: MatchPayment) -> list[Fact] | Refused:
    """Take a payment out of suspense, for this bill.

    Refuses NOT_FOUND, WRONG_STATE, CURRENCY_MISMATCH, TOO_MANY_WAITING.
    """
    if payment is None:
        return refused(Reason.NOT_FOUND, payment=command.payment_id)
    if payment.waits_for is None:
        return refused(Reason.WRONG_STATE, payment=command.payment_id, bill=payment.named, waits="no more")
    if command.bill_dealer_id is not None and command.bill_dealer_id != command.dealer_id:
        return _hand_over(draft, payment, command.bill_dealer_id, command)
    if meant.bill is None:
        return refused(Reason.NOT_FOUND, bill=command.bill_id)
    if mismatch := _mismatch(meant, payment.amount):
        return mismatch
    if payment.waits_for != meant.bill_id and (full := _full(meant, payment.amount)):
        return full
    return _put(draft, meant, command.dealer_id, payment, Source.SUSPENSE)


def take_over(draft: Draft, meant: Meant, known: Payment | None, message: HandOverPayment) -> list[Fact] | Refused:
    """Take what another dealer's book has handed over. What no bill here can take lies in suspense.

    Refuses ALREADY_EXISTS, which the id makes impossible, and AMOUNT_TOO_LARGE.
    """
    if known is not None:
        return refused(Reason.ALREADY_EXISTS, payment=message.payment_id, bill=known.named)
    payment = Payment(message.payment_id, message.bill_id, message.amount)
    if _mismatch(meant, message.amount):
        return _wait(draft, meant, message.dealer_id, payment, Source.BANK)
    return _put(draft, meant, message.dealer_id, payment, Source.BANK)


def settle_waiting(draft: Draft, meant: Meant, dealer_id: str, payments: Sequence[Payment]) -> list[Fact] | Refused:
    """Let what has waited for a bill, in its currency, pay it now, or follow it. Refuses AMOUNT_TOO_LARGE."""
    events = list[Fact]()
    for payment in payments:
        if _mismatch(meant, payment.amount) is None:
            told = _put(draft, meant, dealer_id, payment, Source.SUSPENSE)
            if isinstance(told, Refused):
                return told
            events += told
            meant = meant._replace(bill=_after(meant.bill, told))
    return events


# ---- the money


def _put(draft: Draft, meant: Meant, dealer_id: str, payment: Payment, source: Source) -> list[Fact] | Refused:
    bill = meant.bill
    if bill is None or _must_wait(meant):
        return _wait(draft, meant, dealer_id, payment, source)
    if bill.life is Life.VOIDED:
        return _credit(draft, meant.bill_id, bill, dealer_id, payment, source)
    return _apply(draft, meant.bill_id, bill, dealer_id, payment, source)


def _apply(
    draft: Draft, bill_id: str, bill: Bill, dealer_id: str, payment: Payment, source: Source
) -> list[Fact] | Refused:
    """Pay what is owed; the surplus becomes the current balance."""
    received = payment.amount
    applied = min(received.amount_minor, bill.owed_minor)
    surplus = received.amount_minor - applied
    for account, part in ((RECEIVABLE, applied), (CURRENT, surplus)):
        if part:
            text = f"Payment {payment.payment_id} of bill {bill_id}"[:LONGEST_TEXT]
            if refusal := draft.post(_FROM[source], account.of(bill.account), part, received.currency, text):
                return refusal
    after = paid(bill, applied, surplus)
    return [
        BillPaid(
            bill_id=bill_id,
            dealer_id=dealer_id,
            payment_id=payment.payment_id,
            named=payment.named,
            account=bill.account,
            source=source,
            received=received,
            applied_minor=applied,
            surplus_minor=surplus,
            paid_minor=after.paid_minor,
            state=after.state,
        )
    ]


def _credit(
    draft: Draft, bill_id: str, bill: Bill, dealer_id: str, payment: Payment, source: Source
) -> list[Fact] | Refused:
    """A voided bill owes nothing: all of it becomes the current balance."""
    received, current = payment.amount, CURRENT.of(bill.account)
    text = f"Payment {payment.payment_id} of voided bill {bill_id}"[:LONGEST_TEXT]
    if refusal := draft.post(_FROM[source], current, received.amount_minor, received.currency, text):
        return refusal
    return [
        PaymentCredited(
            bill_id=bill_id,
            dealer_id=dealer_id,
            payment_id=payment.payment_id,
            named=payment.named,
            account=bill.account,
            source=source,
            received=received,
        )
    ]


def _wait(draft: Draft, meant: Meant, dealer_id: str, payment: Payment, source: Source) -> list[Fact] | Refused:
    """Into suspense, or on in suspense for another bill."""
    amount = payment.amount
    if source is Source.BANK:
        text = f"Payment {payment.payment_id} waits for bill {meant.bill_id}"
        if refusal := draft.post(BANK, SUSPENSE, amount.amount_minor, amount.currency, text):
            return refusal
    return [
        PaymentWaits(
            payment_id=payment.payment_id,
            dealer_id=dealer_id,
            named=payment.named,
            bill_id=meant.bill_id,
            amount=amount,
        )
    ]


def _hand_over(draft: Draft, payment: Payment, to_dealer_id: str, command: MatchPayment) -> list[Fact] | Refused:
    """Out of this book: the money is the bank's again until the other book takes it from there."""
    there = f"{command.dealer_id}/{payment.payment_id}"
    if len(there) > LONGEST_TEXT:
        return refused(Reason.WRONG_STATE, payment=command.payment_id, handed_over="too often")
    amount = payment.amount
    text = f"Payment {payment.payment_id} is for bill {command.bill_id} of {to_dealer_id}"[:LONGEST_TEXT]
    if refusal := draft.post(SUSPENSE, BANK, amount.amount_minor, amount.currency, text):
        return refusal
    gone = PaymentHandedOver(
        payment_id=payment.payment_id,
        dealer_id=command.dealer_id,
        named=payment.named,
        bill_id=command.bill_id,
        bill_dealer_id=to_dealer_id,
        amount=amount,
    )
    on_its_way = HandOverPayment(
        dealer_id=to_dealer_id,
        from_dealer_id=command.dealer_id,
        payment_id=there,
        bill_id=command.bill_id,
        amount=amount,
    )
    return [gone, on_its_way]


_FROM = {Source.BANK: BANK, Source.SUSPENSE: SUSPENSE}


def _must_wait(meant: Meant) -> bool:
    return meant.bill is None or meant.bill.life is Life.DRAFT


def _mismatch(meant: Meant, amount: Money) -> Refused | None:
    bill = meant.bill
    if bill is None or bill.currency == amount.currency:
        return None
    return refused(
        Reason.CURRENCY_MISMATCH, bill=meant.bill_id, currency=bill.currency, paid_in=amount.currency,
        wanted=amount.amount_minor,
    )  # fmt: skip


def _full(meant: Meant, amount: Money) -> Refused | None:
    if not _must_wait(meant) or len((meant.waiting or Waiting()).payment_ids) < MAX_WAITING:
        return None
    return refused(
        Reason.TOO_MANY_WAITING, bill=meant.bill_id, bound=MAX_WAITING, wanted=amount.amount_minor,
        currency=amount.currency,
    )  # fmt: skip


def _after(bill: Bill | None, told: Sequence[Fact]) -> Bill | None:
    for event in told:
        if bill is not None and isinstance(event, BillPaid):
            bill = paid(bill, event.applied_minor, event.surplus_minor)
    return bill
