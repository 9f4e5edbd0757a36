"""The payments of bills that were taken, and which of them are in suspense (DLR-06). `payment.py` says what becomes of
them."""

from typing import NamedTuple, TypeAlias

import msgspec

from schemas.dealer_bills import BillPaid, PaymentCredited, PaymentHandedOver, PaymentWaits
from schemas.fields import Money
from streams.dealer_billing.bill_row import Bill

PaymentEvent: TypeAlias = PaymentWaits | BillPaid | PaymentCredited | PaymentHandedOver


class Payment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A payment that was taken; its id is not taken again. `waits_for` is a bill's id while it is in suspense."""

    payment_id: str
    named: str
    amount: Money
    waits_for: str | None = None


class Waiting(msgspec.Struct, frozen=True):
    """The ids of the payments that are in suspense for one bill, in the order in which they came."""

    payment_ids: tuple[str, ...] = ()


class Meant(NamedTuple):
    """The bill that a payment is for: the one it names, or the last of its successors. `bill` is None if unknown."""

    bill_id: str
    bill: Bill | None
    waiting: Waiting | None


def evolve_payment(before: Payment | None, event: PaymentEvent) -> Payment:
    """A payment after an event."""
    waits_for = event.bill_id if isinstance(event, PaymentWaits) else None
    if before is not None:
        return msgspec.structs.replace(before, waits_for=waits_for)
    amount = event.amount if isinstance(event, PaymentWaits | PaymentHandedOver) else event.received
    return Payment(event.payment_id, event.named, amount, waits_for)


def without(waiting: Waiting | None, payment_id: str) -> Waiting | None:
    """What waits for a bill when a payment does so no more; None where nothing does."""
    left = tuple(each for each in (waiting or Waiting()).payment_ids if each != payment_id)
    return Waiting(left) if left else None


def with_payment(waiting: Waiting | None, payment_id: str) -> Waiting:
    """What waits for a bill when one more does."""
    return Waiting((*(waiting or Waiting()).payment_ids, payment_id))
