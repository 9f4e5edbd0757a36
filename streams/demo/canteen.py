"""The week's canteen: each prison's shop submits one batch for its people, and confirms it or calls it off. Pure."""

import random
from collections.abc import Iterator

from schemas.prison_batches import AuthoriseBatch, CancelBatch, SubmitBatch
from schemas.prison_finance import FundingSource, SubmitPurchase, SupplierPayment
from streams.demo.world import PRISONS, World, prison_of
from streams.prison_finance.accounts import pounds

STRANGER = "A9999ZZ"


def batches(rnd: random.Random, world: World, name: str, share: float) -> Iterator[SubmitBatch]:
    """One for each prison, of so many of its people; somebody is unknown, and some want more than they have."""
    for prison_id in PRISONS:
        numbers = [each for each in range(len(world.prisoners)) if prison_of(each) == prison_id]
        people = [world.prisoners[each] for each in numbers if rnd.random() < share] or [STRANGER]
        yield SubmitBatch(
            batch_id=f"{name}-{prison_id}",
            purchases=tuple(
                _order(rnd, world, f"{name}-{prison_id}", who) for who in dict.fromkeys([*people, STRANGER])
            ),
        )


def confirmations(batches: list[SubmitBatch]) -> Iterator[AuthoriseBatch | CancelBatch]:
    """The last prison gets no delivery this week."""
    *confirmed, called_off = batches
    for batch in confirmed:
        yield AuthoriseBatch(batch_id=batch.batch_id)
    yield CancelBatch(batch_id=called_off.batch_id, reason="no-delivery")


def _order(rnd: random.Random, world: World, batch_id: str, who: str) -> SubmitPurchase:
    suppliers = rnd.sample(world.suppliers, rnd.choice((1, 2)))
    amounts = [rnd.randrange(50, 1_500) for _ in suppliers]
    return SubmitPurchase(
        purchase_id=f"{batch_id}-{who}",
        prisoner_id=who,
        payments=tuple(
            SupplierPayment(supplier_id=supplier, amount=pounds(amount))
            for supplier, amount in zip(suppliers, amounts, strict=True)
        ),
        total=pounds(sum(amounts)),
        funding=(FundingSource.SPENDS,),
        description="Weekly canteen",
    )
