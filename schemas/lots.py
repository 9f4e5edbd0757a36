"""Dealer billing: what a lot of the auction was sold for, and to whom. The book is the lot; it charges dealers."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field
from pydantic import Field

from schemas.dealer_billing import AccountType
from schemas.fields import Fact, Identifier, Message, Money, NonNegativeMinor, Text, UtcMicros

LotVersion = Annotated[int, Field(ge=1, le=10**9), Meta(ge=1, le=10**9)]
"""Lotus counts what it says of a lot: 1, 2, 3, … What comes out of order waits for what is before it."""


class DealKind(StrEnum):
    """How a dealer buys: from the seller, for our commission; or from us, who have bought the car for him."""

    AUCTION = "AUCTION"
    FAST_BUYOUT = "FAST_BUYOUT"


# ---- upstream: Lotus


class DealConcluded(Message):
    """A dealer buys the car (DLR-04)."""

    lot_id: Identifier
    version: LotVersion
    dealer_id: Identifier
    kind: DealKind
    price: Money
    concluded_at: UtcMicros = Field(description="decides the rate, and the month whose commission it is")


class LotPriceChanged(Message):
    """Seller, dealer and account manager agreed on another price after the auction (DLR-09)."""

    lot_id: Identifier
    version: LotVersion
    price: Money


class LotWinnerChanged(Message):
    """Not the winner, but another dealer buys the car (DLR-09)."""

    lot_id: Identifier
    version: LotVersion
    dealer_id: Identifier


# ---- from the lot to a dealer


class ChargeDeal(Fact, frozen=True, kw_only=True):
    """The dealer buys the car for this price; in place of what an earlier version of the lot charged him."""

    dealer_id: Identifier
    lot_id: Identifier
    version: LotVersion
    kind: DealKind
    price: Money
    concluded_at: UtcMicros


class TakeBackDeal(Fact, frozen=True, kw_only=True):
    """The dealer does not buy the car: take back what an earlier version of the lot charged him."""

    dealer_id: Identifier
    lot_id: Identifier
    version: LotVersion
    reason: Text


# ---- from a dealer to the lot


class DealAnswer(StrEnum):
    """What a dealer's book did with the deal."""

    CHARGED = "charged"
    TAKEN_BACK = "taken_back"
    REFUSED = "refused"


class LotAnswer(Fact, frozen=True, kw_only=True):
    """What a dealer's book says to a charge, or to taking it back."""

    lot_id: Identifier
    dealer_id: Identifier
    version: LotVersion
    answer: DealAnswer
    reason: Annotated[str | None, Meta(description="why it is refused")] = None
    figures: dict[str, str] = field(default_factory=dict)


# ---- what a lot says


class LotSold(Fact, frozen=True, kw_only=True):
    """This is what the lot was sold for, and to whom, as of this version; dealers' books are being told."""

    lot_id: Identifier
    version: LotVersion
    dealer_id: Identifier
    kind: DealKind
    price: Money
    concluded_at: UtcMicros


class LotEventWaits(Fact, frozen=True, kw_only=True):
    """A version of the lot has come before the one that is before it. It waits."""

    lot_id: Identifier
    version: LotVersion
    awaited: Annotated[LotVersion, Meta(description="the version that has to come first")]
    dealer_id: Identifier | None = None
    kind: DealKind | None = None
    price: Money | None = None
    concluded_at: UtcMicros | None = None


class LotDealAnswered(Fact, frozen=True, kw_only=True):
    """A dealer's book has done what this version of the lot asked of it, or has refused it."""

    lot_id: Identifier
    version: LotVersion
    dealer_id: Identifier
    answer: DealAnswer
    reason: Annotated[str | None, Meta(description="why it is refused")] = None
    figures: dict[str, str] = field(default_factory=dict)


class LotRefused(Fact, frozen=True, kw_only=True):
    """What Lotus says of a lot contradicts what it has said; nothing is charged for it."""

    lot_id: Identifier
    version: LotVersion
    reason: str
    figures: dict[str, str] = field(default_factory=dict)


# ---- what a dealer's book says of deals


class DealCharged(Fact, frozen=True, kw_only=True):
    """The dealer owes this commission, or this settlement, for a lot."""

    dealer_id: Identifier
    lot_id: Identifier
    version: LotVersion
    kind: DealKind
    account: AccountType
    price: Money
    concluded_at: UtcMicros
    charged_minor: Annotated[NonNegativeMinor, Meta(description="the commission, or the whole price")]
    month: Annotated[Text | None, Meta(description="YYYY-MM: whose commission bill it goes on")] = None
    rate_id: Annotated[Identifier | None, Meta(description="the commission rate that it follows from")] = None
    bill_id: Annotated[Identifier | None, Meta(description="the settlement's bill")] = None


class DealTakenBack(Fact, frozen=True, kw_only=True):
    """The dealer owes nothing for a lot any more."""

    dealer_id: Identifier
    lot_id: Identifier
    version: LotVersion
    account: AccountType
    reason: Text
    bill_id: Annotated[Identifier | None, Meta(description="the bill that it was on, now voided or corrected")] = None


class CommissionBilled(Fact, frozen=True, kw_only=True):
    """A month's commission of a dealer is on a bill: once for each dealer, month and currency (DLR-04)."""

    dealer_id: Identifier
    month: Annotated[Text, Meta(description="YYYY-MM, in the zone of the commission policy")]
    bill_id: Identifier
    total: Money
    lots: tuple[Identifier, ...]
