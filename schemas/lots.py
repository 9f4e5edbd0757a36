"""Dealer billing: what a lot of the auction was sold for, and to whom. The book is the lot; it charges dealers."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field
from pydantic import Field, StringConstraints

from schemas.billing import LotVersion
from schemas.fields import (
    Count,
    CurrencyCode,
    Fact,
    FactPart,
    Identifier,
    Message,
    Money,
    NonNegativeMinor,
    Text,
    UtcMicros,
)

_LOT = r"^[A-Za-z0-9][A-Za-z0-9._~:-]{0,63}$"
LotId = Annotated[str, StringConstraints(pattern=_LOT), Meta(pattern=_LOT)]
"""Shorter than other ids, so that a bill's id can be made of it."""

_MONTH = r"^\d{4}-\d{2}$"
Month = Annotated[str, StringConstraints(pattern=_MONTH), Meta(pattern=_MONTH)]
"""YYYY-MM, in the zone of the commission policy."""


class DealKind(StrEnum):
    """How a dealer buys: from the seller, for our commission; or from us, who have bought the car for him."""

    AUCTION = "AUCTION"
    FAST_BUYOUT = "FAST_BUYOUT"


class DealTerms(FactPart, frozen=True, kw_only=True):
    """What was agreed, whoever buys."""

    kind: DealKind
    price: Money
    concluded_at: Annotated[UtcMicros, Meta(description="decides the rate, and the month whose commission it is")]


# ---- upstream: Lotus, which counts what it says of a lot: 1, 2, 3, … What comes early waits for what is before it


class DealConcluded(Message):
    """A dealer buys the car (DLR-04). The first thing that is said of a lot; said again, it replaces all."""

    lot_id: LotId
    version: LotVersion
    dealer_id: Identifier
    kind: DealKind
    price: Money
    concluded_at: UtcMicros = Field(description="decides the rate, and the month whose commission it is")


class LotPriceChanged(Message):
    """Seller, dealer and account manager agreed on another price after the auction (DLR-09)."""

    lot_id: LotId
    version: LotVersion
    price: Money


class LotWinnerChanged(Message):
    """Not the winner, but another dealer buys the car (DLR-09)."""

    lot_id: LotId
    version: LotVersion
    dealer_id: Identifier


# ---- from the lot to a dealer


class ChargeDeal(Fact, frozen=True, kw_only=True):
    """The dealer buys the car on these terms; in place of what an earlier version of the lot charged him."""

    dealer_id: Identifier
    lot_id: LotId
    version: LotVersion
    terms: DealTerms


class TakeBackDeal(Fact, frozen=True, kw_only=True):
    """The dealer does not buy the car: take back what an earlier version of the lot charged him."""

    dealer_id: Identifier
    lot_id: LotId
    version: LotVersion
    reason: Text


# ---- from a dealer to the lot


class DealAnswer(StrEnum):
    """What a dealer's book did with a version of the lot."""

    CHARGED = "charged"
    WAITS = "waits"
    TAKEN_BACK = "taken_back"
    REFUSED = "refused"


class LotAnswer(Fact, frozen=True, kw_only=True):
    """What a dealer's book says to a charge, or to taking it back; after `waits` another answer follows."""

    lot_id: LotId
    dealer_id: Identifier
    version: LotVersion
    answer: DealAnswer
    reason: Annotated[str | None, Meta(description="why it waits, or is refused")] = None
    figures: dict[str, str] = field(default_factory=dict)


# ---- what a lot says


class LotSold(Fact, frozen=True, kw_only=True):
    """This is what the lot was sold for, and to whom, as of this version; dealers' books are being told."""

    lot_id: LotId
    version: LotVersion
    dealer_id: Identifier
    terms: DealTerms


class LotChange(FactPart, frozen=True, kw_only=True):
    """What one version says of a lot; null: that it stays as it was."""

    dealer_id: Identifier | None = None
    kind: DealKind | None = None
    price: Money | None = None
    concluded_at: UtcMicros | None = None


class LotEventWaits(Fact, frozen=True, kw_only=True):
    """A version of the lot has come before the one that is before it. It waits."""

    lot_id: LotId
    version: LotVersion
    awaited: Annotated[LotVersion, Meta(description="the version that has to come first")]
    change: LotChange


class LotDealAnswered(Fact, frozen=True, kw_only=True):
    """A dealer's book has done what this version of the lot asked of it, waits to do it, or has refused it."""

    lot_id: LotId
    version: LotVersion
    dealer_id: Identifier
    answer: DealAnswer
    reason: Annotated[str | None, Meta(description="why it waits, or is refused")] = None
    figures: dict[str, str] = field(default_factory=dict)


class LotRefused(Fact, frozen=True, kw_only=True):
    """What Lotus says of a lot contradicts what it has said; nothing is charged for it."""

    lot_id: LotId
    version: LotVersion
    reason: str
    figures: dict[str, str] = field(default_factory=dict)


# ---- what a dealer's book says of deals


class DealCharged(Fact, frozen=True, kw_only=True):
    """The dealer is charged for a lot: commission in a month's account, or the whole price on a bill of its own."""

    dealer_id: Identifier
    lot_id: LotId
    version: LotVersion
    terms: DealTerms
    charged_minor: Annotated[NonNegativeMinor, Meta(description="the commission, or the whole price")]
    month: Annotated[Month | None, Meta(description="on whose commission bill it goes")] = None
    bill_at: Annotated[UtcMicros | None, Meta(description="when that month is billed")] = None
    rate_id: Annotated[Identifier | None, Meta(description="the commission rate that it follows from")] = None
    bill_id: Annotated[Identifier | None, Meta(description="the settlement's bill")] = None


class DealWaits(Fact, frozen=True, kw_only=True):
    """The dealer cannot be charged for a lot yet: his account is not open, or no rate is known. It is tried again."""

    dealer_id: Identifier
    lot_id: LotId
    version: LotVersion
    terms: DealTerms
    reason: str
    again_at: Annotated[UtcMicros, Meta(description="when it is tried again")]
    figures: dict[str, str] = field(default_factory=dict)


class DealTakenBack(Fact, frozen=True, kw_only=True):
    """The dealer owes nothing for a lot any more. What it was charged is null where it was not charged."""

    dealer_id: Identifier
    lot_id: LotId
    version: LotVersion
    reason: Text
    kind: DealKind | None = None
    currency: CurrencyCode | None = None
    charged_minor: NonNegativeMinor = 0
    month: Annotated[Month | None, Meta(description="whose commission it was")] = None
    bill_id: Annotated[Identifier | None, Meta(description="the bill that it was on, now voided or corrected")] = None


class CommissionBilled(Fact, frozen=True, kw_only=True):
    """A dealer's commission of a month is on this bill: the first, or one that stands in place of another."""

    dealer_id: Identifier
    month: Month
    bill_id: Identifier
    number: Annotated[Count, Meta(description="counts the bills of this dealer, month and currency")]
    total: Money
    lots: tuple[LotId, ...]


class CommissionUnbilled(Fact, frozen=True, kw_only=True):
    """A month's commission is on no bill any more: nothing is left of it, or Billing has refused the bill."""

    dealer_id: Identifier
    month: Month
    currency: CurrencyCode
    bill_id: Identifier
    bill_at: Annotated[UtcMicros, Meta(description="from when on what there is of it is billed again")]
