"""How a deal stands in its dealer's book: its row, and what events make of it. The states are those of `deal.py`."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, Self, TypeAlias, assert_never

import msgspec
from msgspec.structs import replace

from schemas.billing import ReportCommission
from schemas.dealer_reference import CommissionPolicy, CommissionRate
from schemas.fields import Fact
from schemas.lots import DealCharged, DealTakenBack, DealTerms, DealWaits
from streams.dealer_billing.commission import Desk

DealEvent: TypeAlias = DealCharged | DealWaits | DealTakenBack | ReportCommission


class State(StrEnum):
    """Where a deal stands."""

    WAITS = "waits"
    CHARGED = "charged"
    TAKEN_BACK = "taken_back"


class Deal(msgspec.Struct, frozen=True, omit_defaults=True):
    """A deal as of `version` of its lot.

    Of the auction: `charged_minor` is the commission, `month` is the one on whose bill it goes, and `reports` counts
    what Billing was told of it. A fast buyout: `charged_minor` is the price, `bill_id` is its settlement, and `bills`
    counts the settlements that there were. `again_at` is when a tick looks at it.
    """

    version: int
    state: State
    terms: DealTerms | None = None
    charged_minor: int = 0
    month: str | None = None
    bill_id: str | None = None
    again_at: int | None = None
    bills: int = 0
    reports: int = 0


class Wanted(msgspec.Struct, frozen=True):
    """What a version of a lot wants of its buyer."""

    lot_id: str
    version: int
    terms: DealTerms


class DealDesk(Desk, Protocol):
    """What decisions about deals read beside months."""

    @property
    def rates(self) -> list[CommissionRate]: ...

    @property
    def policy(self) -> CommissionPolicy | None: ...

    @property
    def is_known(self) -> bool:
        """Whether reference data knows the dealer."""
        ...

    def deal(self, lot_id: str) -> Deal | None: ...

    def after(self, events: Sequence[Fact]) -> Self:
        """The desk with its deals and months as these events of the same decision leave them."""
        ...


def evolve(deal: Deal | None, event: DealEvent) -> Deal:
    """The deal after an event."""
    bills, reports = (0, 0) if deal is None else (deal.bills, deal.reports)
    match event:
        case DealCharged():
            is_another = event.bill_id is not None and (deal is None or deal.bill_id != event.bill_id)
            return Deal(
                event.version,
                State.CHARGED,
                event.terms,
                event.charged_minor,
                event.month,
                event.bill_id,
                bills=bills + is_another,
                reports=reports,
            )
        case DealWaits():
            return Deal(event.version, State.WAITS, event.terms, again_at=event.again_at, bills=bills, reports=reports)
        case DealTakenBack():
            return Deal(event.version, State.TAKEN_BACK, bills=bills, reports=reports)
        case ReportCommission():
            assert deal is not None
            return replace(deal, reports=event.version)
        case _:
            assert_never(event)


def taken_back(desk: Desk, lot_id: str, version: int, reason: str, deal: Deal, bill_id: str | None) -> DealTakenBack:
    """What is told of a deal that was charged, and is no more."""
    assert deal.terms is not None
    return DealTakenBack(
        dealer_id=desk.dealer_id,
        lot_id=lot_id,
        version=version,
        reason=reason,
        kind=deal.terms.kind,
        currency=deal.terms.price.currency,
        charged_minor=deal.charged_minor,
        month=deal.month,
        bill_id=bill_id,
    )
