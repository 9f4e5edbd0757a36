"""How a bill stands: its row, and what every event makes of it. The states are those of `bill.py`."""

from enum import StrEnum
from typing import TypeAlias, assert_never

import msgspec
from msgspec.structs import replace

from schemas.billing import WithdrawBill
from schemas.dealer_billing import AccountType
from schemas.dealer_bills import (
    BillCorrected,
    BillDrafted,
    BillPaid,
    BillPaidFromBalance,
    BillSent,
    BillState,
    BillVoided,
)

BillEvent: TypeAlias = (
    BillDrafted | BillSent | BillPaid | BillPaidFromBalance | BillVoided | BillCorrected | WithdrawBill
)


class Life(StrEnum):
    """What the sums of a bill do not say."""

    DRAFT = "draft"
    SENT = "sent"
    VOIDED = "voided"
    CORRECTED = "corrected"


class Bill(msgspec.Struct, frozen=True, omit_defaults=True):
    """A bill as its dealer's book sees it, in minor units.

    `surplus_minor` is what its payments had above what was owed. `billing_id` is None while Billing is not known to
    have the bill, `url` is of its PDF there; `successor` is the bill that stands in its place.
    """

    account: AccountType
    currency: str
    common_minor: int
    life: Life = Life.DRAFT
    paid_minor: int = 0
    surplus_minor: int = 0
    billing_id: str | None = None
    successor: str | None = None
    url: str | None = None

    @property
    def owed_minor(self) -> int:
        """What is still to be paid, of a bill that is sent."""
        return self.common_minor - self.paid_minor

    @property
    def state(self) -> BillState:
        """Where the bill stands, as events and people have it."""
        if self.life is not Life.SENT:
            return BillState(self.life)
        if self.owed_minor:
            return BillState.PART_PAID if self.paid_minor else BillState.SENT
        return BillState.OVERPAID if self.surplus_minor else BillState.PAID


def evolve(bill: Bill | None, event: BillEvent) -> Bill:
    """The bill after an event."""
    if isinstance(event, BillDrafted):
        return Bill(event.account, event.common.currency, event.common.amount_minor)
    assert bill is not None
    match event:
        case BillSent():
            return replace(bill, life=Life.SENT, billing_id=event.billing_id, url=event.url)
        case BillPaid():
            after = paid(bill, event.applied_minor, event.surplus_minor)
            assert (after.paid_minor, after.state) == (event.paid_minor, event.state)
            return after
        case BillPaidFromBalance():
            after = paid(bill, event.applied.amount_minor, 0)
            assert (after.paid_minor, after.state) == (event.paid_minor, event.state)
            return after
        case WithdrawBill():
            return replace(bill, billing_id=event.billing_id)
        case BillVoided():
            return replace(bill, life=Life.VOIDED, paid_minor=0, surplus_minor=0)
        case BillCorrected():
            return replace(bill, life=Life.CORRECTED, paid_minor=0, surplus_minor=0, successor=event.successor_id)
        case _:
            assert_never(event)


def paid(bill: Bill, applied_minor: int, surplus_minor: int) -> Bill:
    """The bill with so much more paid of it, and so much more than it."""
    after = replace(bill, paid_minor=bill.paid_minor + applied_minor, surplus_minor=bill.surplus_minor + surplus_minor)
    assert after.life is Life.SENT
    assert after.paid_minor <= after.common_minor
    return after
