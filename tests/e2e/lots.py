"""A lot of the auction on the running system, as Lotus tells of it version by version; and our percentage of it."""

import time

from schemas.dealer_reference import CommissionPolicy, CommissionRate
from schemas.fields import Money
from schemas.lots import DealConcluded, DealKind, LotPriceChanged, LotWinnerChanged
from tests.e2e.dealer import eur
from tests.e2e.world import World, fresh

DAY_US = 24 * 3_600_000_000
LONG_AGO = 64
"""Days: the month of such a deal, and the month after it, are over for so long that both are billed."""


def five_per_cent(world: World) -> None:
    """Our percentage, and when it is billed, typed into Postgres once."""
    if not world.sql("SELECT rate_id FROM reference.commission_rates"):
        world.sql("INSERT INTO reference.commission_rates VALUES ('r1', 1, 0.05, 0)")
        world.sql("INSERT INTO reference.commission_policies VALUES ('commission', 'Europe/Moscow', 1)")
    world.told(CommissionRate, rate_id="r1")
    world.told(CommissionPolicy, policy_id="commission")


class LotStory:
    """Each thing that is said has the next version, and gives its event's id."""

    def __init__(self, world: World) -> None:
        self._world, self.lot_id, self.version = world, fresh("lot"), 0

    def concluded(
        self, dealer_id: str, price: int, kind: DealKind = DealKind.AUCTION, days_ago: int = 0, event_id: str = ""
    ) -> str:
        self.version += 1
        message = DealConcluded(
            lot_id=self.lot_id,
            version=self.version,
            dealer_id=dealer_id,
            kind=kind,
            price=eur(price),
            concluded_at=time.time_ns() // 1_000 - days_ago * DAY_US,
        )
        return self._world.send(message, event_id=event_id)

    def price(self, price: int, currency: str = "EUR") -> str:
        self.version += 1
        money = Money(amount_minor=price, currency=currency)
        return self._world.send(LotPriceChanged(lot_id=self.lot_id, version=self.version, price=money))

    def winner(self, dealer_id: str) -> str:
        self.version += 1
        return self._world.send(LotWinnerChanged(lot_id=self.lot_id, version=self.version, dealer_id=dealer_id))
