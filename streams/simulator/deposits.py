"""What deposits and their tiers go through in a run, from a seed: every case of DLR-08."""

import random
from collections.abc import Iterator, Sequence

from connectors.cdc import Op
from schemas.dealer_deposits import DepositReceived, DepositReturned, DepositTier
from schemas.fields import Money
from schemas.publishing import Upstream
from schemas.topics import BILLING_PAYMENTS
from streams.demo.day import HOUR_US, plan
from streams.demo.world import TIERS
from streams.simulator.reference import RowChange, dealer_row, tier_of

MOVES_EACH = 5
CHANGED_TIERS = 6
TURNS_EACH = 2
RETURNED_SHARE, DOLLARS_SHARE, OF_A_BILL_SHARE = 0.4, 0.15, 0.1


def deposits(rnd: random.Random, dealers: Sequence[str]) -> Iterator[Upstream]:
    """Deposits and returns of all dealers in rounds; some returns are of more than there is, some ids are a bill's."""
    for number in range(MOVES_EACH):
        for dealer_id in dealers:
            payment_id = f"{dealer_id}-d{number}"
            if rnd.random() < OF_A_BILL_SHARE:
                payment_id = f"{dealer_id}-b{number % 4}-p0"
            currency = "USD" if rnd.random() < DOLLARS_SHARE else "EUR"
            amount = Money(amount_minor=rnd.choice((4_000, 5_000, 9_999, 20_000, 60_000)), currency=currency)
            kind = DepositReturned if number and rnd.random() < RETURNED_SHARE else DepositReceived
            message = kind(payment_id=payment_id, dealer_id=dealer_id, amount=amount)
            yield plan(BILLING_PAYMENTS, message, f"{payment_id}-{kind.__name__}", 11 * HOUR_US, "billing").event


def tier_moves(rnd: random.Random) -> Iterator[RowChange]:
    """Tiers that are raised, lowered, ended and made again, in the order of the database's log."""
    rows: dict[str, DepositTier | None] = {tier_id: tier_of(tier_id) for tier_id in TIERS}
    for lsn in range(2, 2 + CHANGED_TIERS):
        tier_id = rnd.choice(list(rows))
        before = rows[tier_id]
        if before is not None and rnd.random() < 0.3:
            after, op = None, Op.DELETED
        else:
            update = {"from_minor": rnd.choice((3_000, 5_000, 15_000, 40_000, 90_000))}
            after, op = tier_of(tier_id).model_copy(update=update), Op.UPDATED if before else Op.CREATED
        rows[tier_id] = after
        yield RowChange("deposit_tiers", op, before, after, lsn)


def dealer_turns(rnd: random.Random, dealers: Sequence[str]) -> Iterator[RowChange]:
    """Reference data ends some dealers, and knows some of them again, in the order of the database's log."""
    for dealer_id in dealers:
        row = dealer_row(dealer_id)
        for turn in range(rnd.randint(0, TURNS_EACH)):
            before, after, op = (None, row, Op.CREATED) if turn % 2 else (row, None, Op.DELETED)
            yield RowChange("dealers", op, before, after, 2 + turn)
