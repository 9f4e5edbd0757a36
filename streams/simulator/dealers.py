"""What dealers, their bills and their payments go through in a run: every case of DLR-03 to DLR-06, from a seed."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.dealer_accounts import UpdateRequisites
from schemas.dealer_billing import BillingPayment, Operation
from schemas.dealer_bills import CorrectBill, CreateBill, MatchPayment, VoidBill
from schemas.fields import Message, Money
from schemas.publishing import Upstream
from schemas.topics import BILL_CORRECTIONS, BILLING_PAYMENTS, BILLS, DEALER_COMMANDS, Topic
from streams.demo.day import HOUR_US, plan
from streams.demo.dealers import requisites

BILLS_EACH = 4
VOID_SHARE, CORRECT_SHARE, MISTYPED_SHARE, OTHERS_SHARE, DOLLARS_SHARE, EARLY_SHARE = 0.15, 0.2, 0.15, 0.15, 0.1, 0.2


class Said(NamedTuple):
    """Something that upstream says of a dealer."""

    topic: Topic
    message: Message
    event_id: str


def stories(rnd: random.Random, dealers: Sequence[str]) -> Iterator[Upstream]:
    """Bills of all dealers in rounds; what becomes of a bill comes after the bills of the next round, or before it."""
    before: list[Said] = []
    for number in range(BILLS_EACH):
        after: list[Said] = []
        for dealer_id in dealers:
            created, *told = _bill(rnd, dealers, dealer_id, f"{dealer_id}-b{number}")
            if rnd.random() < EARLY_SHARE:
                created, told = told[0], [created, *told[1:]]
            yield _event(created)
            after += told
            if rnd.random() < 0.2:
                update = UpdateRequisites(dealer_id=dealer_id, requisites=requisites(dealer_id, number + 2))
                yield _event(Said(DEALER_COMMANDS, update, f"{dealer_id}-moved-{number}"))
        yield from map(_event, before)
        before = after
    yield from map(_event, before)


def _bill(rnd: random.Random, dealers: Sequence[str], dealer_id: str, bill_id: str) -> Iterator[Said]:
    due = rnd.randrange(1_000, 90_000)
    yield Said(
        BILLS,
        CreateBill(
            bill_id=bill_id,
            dealer_id=dealer_id,
            operation=rnd.choice(list(Operation)),
            amount=_money(due),
            text=f"Bill {bill_id}",
        ),
        bill_id,
    )
    for part, amount in enumerate(rnd.choice(((due,), (due // 2, due - due // 2), (due + 500,), (due // 3,)))):
        yield from _payment(rnd, dealers, dealer_id, bill_id, f"{bill_id}-p{part}", amount)
    ids = {"bill_id": bill_id, "dealer_id": dealer_id, "reason": "not so"}
    fate = rnd.random()
    if fate < VOID_SHARE:
        yield Said(BILL_CORRECTIONS, VoidBill(**ids), f"{bill_id}-void")
    elif fate < VOID_SHARE + CORRECT_SHARE:
        successor = f"{bill_id}-c"
        corrected = CorrectBill(**ids, successor_id=successor, amount=_money(due - 300))
        yield Said(BILL_CORRECTIONS, corrected, f"{bill_id}-correct")
        yield from _payment(rnd, dealers, dealer_id, bill_id, f"{bill_id}-late", 300)


def _payment(
    rnd: random.Random, dealers: Sequence[str], dealer_id: str, bill_id: str, payment_id: str, amount: int
) -> Iterator[Said]:
    """A payment that names its bill, or a bill of nobody, or is reported of another dealer; and who sees to it."""
    ids = {"payment_id": payment_id, "bill_id": bill_id}
    currency = "USD" if rnd.random() < DOLLARS_SHARE else "EUR"
    fate, money = rnd.random(), _money(amount, currency)
    if fate < MISTYPED_SHARE:
        named = BillingPayment(payment_id=payment_id, dealer_id=dealer_id, bill_id=f"{bill_id}-oh", amount=money)
        match = MatchPayment(**ids, match_id=f"{payment_id}-m", dealer_id=dealer_id)
    elif fate < MISTYPED_SHARE + OTHERS_SHARE:
        wrong = rnd.choice(dealers)
        named = BillingPayment(**ids, dealer_id=wrong, amount=money)
        match = MatchPayment(**ids, match_id=f"{payment_id}-m", dealer_id=wrong, bill_dealer_id=dealer_id)
    else:
        yield Said(BILLING_PAYMENTS, BillingPayment(**ids, dealer_id=dealer_id, amount=money), payment_id)
        return
    yield Said(BILLING_PAYMENTS, named, payment_id)
    yield Said(BILL_CORRECTIONS, match, f"{payment_id}-match")


def _event(said: Said) -> Upstream:
    return plan(said.topic, said.message, said.event_id, 10 * HOUR_US, "dealer-service").event


def _money(amount_minor: int, currency: str = "EUR") -> Money:
    return Money(amount_minor=amount_minor, currency=currency)
