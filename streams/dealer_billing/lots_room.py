"""The room of lots, over one partition of its table: no money, only what was sold, and what dealers' books answer."""

from collections.abc import Iterable

from schemas.fields import Contract, Fact
from schemas.lots import (
    ChargeDeal,
    DealConcluded,
    LotAnswer,
    LotDealAnswered,
    LotEventWaits,
    LotPriceChanged,
    LotRefused,
    LotSold,
    LotWinnerChanged,
    TakeBackDeal,
)
from streams.dealer_billing import lot
from streams.dealer_billing.lot import Lot
from streams.ledger.draft import Draft, Refused
from streams.ledger.tables import Rows
from streams.rooms import DueDecision, Verdict

LOT = "lot:"


class DealerLots:
    """Decides the lots in one partition; `lots` is by book."""

    name = "dealer_lots"

    def __init__(self, lots: Rows[Lot]) -> None:
        self._lots = lots

    def identity(self, message: Contract) -> str | None:
        """Lotus says one thing under a version of a lot."""
        if isinstance(message, DealConcluded | LotPriceChanged | LotWinnerChanged):
            return f"version:{message.version}"
        return None

    def decide(self, draft: Draft, message: Contract) -> Verdict:
        """Answer one message of Lotus, or of a dealer's book."""
        row = self._lots.get(draft.book)
        match message:
            case DealConcluded() | LotPriceChanged() | LotWinnerChanged():
                return lot.hear(row, message, draft.at)
            case LotAnswer():
                return lot.hear_answer(row, message)
            case _:
                raise TypeError(f"{type(message).__name__} is no message of this room")

    def evolve(self, event: Fact) -> None:
        """Change the row that an event changes."""
        match event:
            case LotSold() | LotEventWaits() | LotDealAnswered():
                book = f"{LOT}{event.lot_id}"
                self._lots[book] = lot.evolve(self._lots.get(book), event)
            case ChargeDeal() | TakeBackDeal():
                pass  # for a dealer's book
            case _:
                raise TypeError(f"{type(event).__name__} is no event of this room")

    def refusal(self, message: Contract, refused: Refused) -> list[Fact]:
        """The event that says no."""
        if not isinstance(message, DealConcluded | LotPriceChanged | LotWinnerChanged):
            raise TypeError(f"{type(message).__name__} is no message of this room")
        return [
            LotRefused(lot_id=message.lot_id, version=message.version, reason=refused.reason, figures=refused.figures)
        ]

    def due(self, now: int) -> Iterable[DueDecision]:
        """Nothing: a version waits as long as it takes."""
        return ()
