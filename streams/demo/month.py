"""Four weeks of prisons, to the demo's day: wages, orders, canteen batches, advances, refunds; pure, from a seed.

Monday     wages to everybody, money from home to some, private cash moved to spends by half
Tuesday    orders of single people, in all the ways they can be paid; confirmed, or taken back
Wednesday  one canteen batch for each prison, everybody in it; confirmed ten minutes later
Friday     orders that never arrived are refunded
every night at three the clock ticks, and closes the accounting day
"""

import random
from collections.abc import Callable, Iterator

from schemas.fields import Message
from schemas.prison_batches import AuthoriseBatch
from schemas.prison_finance import CreditPrisoner, MoveBetweenSubAccounts, RefundPurchase, SubAccount
from schemas.topics import BATCHES, CREDITS, PURCHASES
from streams.demo import canteen
from streams.demo.day import DAY_START_US, HOUR_US, MINUTE_US, Phase, Planned, orders, plan, sent
from streams.demo.world import Scale, World
from streams.prison_finance.accounts import pounds

WEEKS = 4
DAY_US = 24 * HOUR_US
PEOPLE_OF_A_PRISON, PRISONS = 1_200, 3
MONTH = Scale(groups=0, riders=0, vehicles=0, trips=0, dealers=0, bills=0, prisoners=PRISONS * PEOPLE_OF_A_PRISON)
"""Its purchases are those of one Tuesday."""

HOME_SHARE, MOVED_SHARE, REFUNDED_SHARE = 0.15, 0.5, 0.02


def make_month(seed: int, scale: Scale, world: World, encode: Callable[[Message], bytes]) -> list[Phase]:
    """The phases of the month. `encode` is for what a day needs it for: nothing here is bad input."""
    rnd = random.Random(f"month {seed}")
    phases = [phase for week in range(WEEKS) for phase in _week(rnd, week, world, scale)]
    return list(_with_nights([*phases, Phase("the end", [], DAY_START_US + DAY_US)]))


def _week(rnd: random.Random, week: int, world: World, scale: Scale) -> Iterator[Phase]:
    monday = 7 * (week - WEEKS) * DAY_US

    def phase(name: str, planned: list[Planned], from_monday_us: int) -> Phase:
        return Phase(f"week {week + 1}: {name}", sent(rnd, planned), DAY_START_US + monday + from_monday_us)

    yield phase("wages", list(_credits(rnd, week, world, monday + 8 * HOUR_US)), 9 * HOUR_US)
    single = list(orders(rnd, world, scale.purchases, f"W{week + 1}", monday + DAY_US))
    yield phase("orders", single, DAY_US + 18 * HOUR_US)
    wednesday = 2 * DAY_US + 9 * HOUR_US
    batches = list(canteen.batches(rnd, world, f"W{week + 1}", share=1.0))
    submitted = [plan(BATCHES, each, f"{each.batch_id}-submit", monday + wednesday, "shop") for each in batches]
    yield phase("canteen", submitted, wednesday + 2 * MINUTE_US)
    confirmed = [AuthoriseBatch(batch_id=each.batch_id) for each in batches]
    authorised = [
        plan(BATCHES, each, f"{each.batch_id}-confirm", monday + wednesday + 10 * MINUTE_US, "shop")
        for each in confirmed
    ]
    yield phase("canteen confirmed", authorised, wednesday + 20 * MINUTE_US)
    refunds = [
        plan(PURCHASES, refund, refund.refund_id, monday + 4 * DAY_US + 10 * HOUR_US, "shop")
        for batch in batches
        for refund in _refunds(rnd, [(each.purchase_id, each.prisoner_id) for each in batch.purchases])
    ]
    yield phase("refunds", refunds, 4 * DAY_US + 11 * HOUR_US)


def _credits(rnd: random.Random, week: int, world: World, at: int) -> Iterator[Planned]:
    for number, prisoner_id in enumerate(world.prisoners):
        name = f"W{week + 1}-{number:05}"
        wanted = [(SubAccount.SPENDS, rnd.randrange(200, 1_500), "Weekly wage")]
        if rnd.random() < HOME_SHARE:
            wanted.append((SubAccount.CASH, rnd.randrange(500, 5_000), "Money from home"))
        for account, amount, description in wanted:
            credit = CreditPrisoner(
                credit_id=f"crd-{name}-{account}",
                prisoner_id=prisoner_id,
                sub_account=account,
                amount=pounds(amount),
                description=description,
            )
            yield plan(CREDITS, credit, credit.credit_id, at, "prison")
        if rnd.random() < MOVED_SHARE:
            move = MoveBetweenSubAccounts(
                transfer_id=f"mov-{name}",
                prisoner_id=prisoner_id,
                source=SubAccount.CASH,
                target=SubAccount.SPENDS,
                amount=pounds(rnd.randrange(100, 1_500)),
                description="Private cash to spends",
            )
            yield plan(CREDITS, move, move.transfer_id, at + MINUTE_US, "prison")


def _refunds(rnd: random.Random, purchases: list[tuple[str, str]]) -> Iterator[RefundPurchase]:
    for purchase_id, prisoner_id in purchases:
        if rnd.random() < REFUNDED_SHARE:
            yield RefundPurchase(
                refund_id=f"{purchase_id}-R",
                purchase_id=purchase_id,
                prisoner_id=prisoner_id,
                payments=(),
                reason="Never arrived",
            )


def _with_nights(phases: list[Phase]) -> Iterator[Phase]:
    """A tick at three of every night that lies between two phases."""
    night = DAY_START_US - 7 * WEEKS * DAY_US + 3 * HOUR_US
    for phase in phases:
        while night < phase.tick_us - 6 * HOUR_US:
            yield Phase(f"night {(night - DAY_START_US) // DAY_US + 7 * WEEKS + 1}", [], night)
            night += DAY_US
        yield phase
