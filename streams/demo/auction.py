"""The auction of a day: lots sold to the demo's dealers, what changes afterwards, and who pays or deposits. Pure.

Cars were sold last month: the first tick that is after its end bills our commission. The next morning some prices and
some winners change. No dealer is concerned by two changes, so that their order never matters.
"""

import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TypeAlias

from schemas.dealer_billing import BillingPayment
from schemas.dealer_deposits import DepositReceived, DepositReturned
from schemas.fields import Money
from schemas.lots import DealConcluded, DealKind, LotPriceChanged, LotWinnerChanged
from streams.demo.dealers import has_fast_buyout, is_registered
from streams.demo.world import COMMISSION_RATES, World

DAY_US = 24 * 3_600_000_000
MONTH = "2026-02"
"""Of all deals."""
DEPOSITED = (5_000, 20_000, 60_000)
"""In minor units; the first opens one price segment, the last all."""
PAID_SHARE = 0.7

Said: TypeAlias = (
    DealConcluded | LotPriceChanged | LotWinnerChanged | BillingPayment | DepositReceived | DepositReturned
)


def sales(rnd: random.Random, world: World, count: int, day_us: int) -> list[DealConcluded]:
    """One lot for each dealer in turn, as long as there are lots; a price is whole euros, so that its share is too."""
    buyers = _buyers(world)
    return [
        DealConcluded(
            lot_id=f"lot-{number:03}",
            version=1,
            dealer_id=world.dealers[buyers[number % len(buyers)]],
            kind=_kind(number, buyers[number % len(buyers)]),
            price=_eur(rnd.randrange(200, 3_000) * 1_000),
            concluded_at=day_us - rnd.randrange(2, 20) * DAY_US,
        )
        for number in range(count)
    ]


def changes(world: World, sold: Sequence[DealConcluded]) -> Iterator[LotPriceChanged | LotWinnerChanged]:
    """Of each eight lots two become cheaper, and one goes to a dealer without any, or with one that does not change."""
    last = list(reversed(_buyers(world)))
    for number, deal in enumerate(sold):
        if number % 8 == 1:
            other = world.dealers[last[number // 8]]
            yield LotWinnerChanged(lot_id=deal.lot_id, version=2, dealer_id=other)
        elif number % 8 in (0, 2):
            yield LotPriceChanged(lot_id=deal.lot_id, version=2, price=_eur(deal.price.amount_minor * 9 // 10))


def payments(rnd: random.Random, sold: Sequence[DealConcluded]) -> Iterator[BillingPayment]:
    """Most dealers pay the price of what we bought for them, and the month's commission, in whole."""
    share = Decimal(COMMISSION_RATES[0][2])
    for deal in sold:
        price = deal.price.amount_minor
        is_commission = deal.kind is DealKind.AUCTION
        bill_id = f"commission:{MONTH}:EUR:1:{deal.dealer_id}" if is_commission else f"lot:{deal.lot_id}:1:1"
        if rnd.random() < PAID_SHARE:
            amount = _eur(int(price * share) if is_commission else price)
            yield BillingPayment(
                payment_id=f"pay-{deal.lot_id}", dealer_id=deal.dealer_id, bill_id=bill_id, amount=amount
            )


def deposits(rnd: random.Random, world: World) -> Iterator[DepositReceived]:
    """Of every other dealer who takes part in fast buyout."""
    for number in _depositors(world):
        amount = _eur(rnd.choice(DEPOSITED))
        yield DepositReceived(payment_id=f"dps-{number:03}", dealer_id=world.dealers[number], amount=amount)


def returns(world: World) -> Iterator[DepositReturned]:
    """Of each fourth deposit a part, which closes a segment."""
    for number in _depositors(world)[::4]:
        amount = _eur(DEPOSITED[0])
        yield DepositReturned(payment_id=f"dps-{number:03}-back", dealer_id=world.dealers[number], amount=amount)


def event_id(said: Said) -> str:
    """Of what Lotus says: its lot and version; of what Billing reports: the payment."""
    if isinstance(said, DealConcluded | LotPriceChanged | LotWinnerChanged):
        return f"{said.lot_id}-v{said.version}"
    return said.payment_id


def _kind(number: int, buyer: int) -> DealKind:
    return DealKind.FAST_BUYOUT if number % 4 == 2 and has_fast_buyout(buyer) else DealKind.AUCTION


def _buyers(world: World) -> list[int]:
    return [number for number in range(len(world.dealers)) if is_registered(number)]


def _depositors(world: World) -> list[int]:
    return [number for number in range(0, len(world.dealers), 2) if has_fast_buyout(number)]


def _eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")
