"""The source's purchase flows of several people, each with its main failure, on real servers."""

import pytest

from schemas.fields import Money
from schemas.prison_batches import AuthoriseBatch, BatchAnswered, BatchRefused, BatchStep, CancelBatch, SubmitBatch
from schemas.prison_finance import FundingSource, PurchaseVoided, SubmitPurchase, SupplierPayment
from tests.e2e.prison import Prison, entries, gbp
from tests.e2e.world import World, fresh

Orders = dict[str, dict[str, int]]


class Shop:
    """Sends batches of one prison, and reads what they are answered."""

    def __init__(self, prison: Prison) -> None:
        self.prison = prison
        self.world = prison.world

    def submit(self, orders: Orders) -> str:
        """The id of a batch of what each person buys from each supplier."""
        batch = fresh("week")
        self.world.send(
            SubmitBatch(batch_id=batch, purchases=tuple(_order(batch, who, each) for who, each in orders.items()))
        )
        return batch

    def answer(self, batch: str, step: BatchStep) -> dict[str, str]:
        """What a step came to: for each person the state, and why it is refused."""
        told = self.world.told(BatchAnswered, batch_id=batch, step=step)
        assert told.complete
        return {each.prisoner_id: each.reason or each.state.value for each in told.members}

    def authorise(self, batch: str) -> dict[str, str]:
        """What becomes of everyone once the orders are confirmed."""
        self.world.send(AuthoriseBatch(batch_id=batch))
        return self.answer(batch, BatchStep.AUTHORISE)

    def entries(self, batch: str, who: str) -> list[tuple[str, str, int]]:
        """The general-ledger entries of one person's purchase."""
        return entries(self.prison.lines(f"{batch}-{who}"))


def _order(batch: str, who: str, payments: dict[str, int]) -> SubmitPurchase:
    return SubmitPurchase(
        purchase_id=f"{batch}-{who}",
        prisoner_id=who,
        payments=tuple(SupplierPayment(supplier_id=supplier, amount=gbp(p)) for supplier, p in payments.items()),
        total=Money(amount_minor=sum(payments.values()), currency="GBP"),
        funding=(FundingSource.SPENDS,),
        description="Weekly canteen",
    )


@pytest.fixture(scope="module")
def shop(world: World) -> Shop:
    return Shop(Prison(world))


@pytest.mark.requirement("PRI-08", "PRI-10")
def test_flow_7_a_purchase_for_several_people_from_one_supplier(shop: Shop) -> None:
    ann, bob, cid = (shop.prison.prisoner(spends=funds) for funds in (250, 249, 300))
    batch = shop.submit({ann: {"CANTEEN": 250}, bob: {"CANTEEN": 250}, cid: {"CANTEEN": 250}})
    assert shop.answer(batch, BatchStep.SUBMIT) == {ann: "pending", bob: "insufficient_funds", cid: "pending"}
    assert shop.authorise(batch) == {ann: "authorised", bob: "insufficient_funds", cid: "authorised"}
    assert shop.entries(batch, ann) == shop.entries(batch, cid) == [("2102", "2501", 250)]
    assert shop.entries(batch, bob) == []


@pytest.mark.requirement("PRI-09", "PRI-10")
def test_flow_8_a_purchase_for_several_people_from_multiple_suppliers(shop: Shop) -> None:
    ann, bob, cid = (shop.prison.prisoner(spends=funds) for funds in (300, 300, 299))
    batch = shop.submit({who: {"CANTEEN": 200, "BT": 100} for who in (ann, bob, cid)})
    assert shop.answer(batch, BatchStep.SUBMIT) == {ann: "pending", bob: "pending", cid: "insufficient_funds"}
    assert shop.authorise(batch) == {ann: "authorised", bob: "authorised", cid: "insufficient_funds"}
    both = [("2102", "2501", 200), ("2102", "2502", 100)]
    assert shop.entries(batch, ann) == shop.entries(batch, bob) == both


@pytest.mark.requirement("PRI-08", "PRI-10")
def test_a_batch_that_is_called_off_frees_everyones_money(shop: Shop) -> None:
    ann, stranger = shop.prison.prisoner(spends=250), fresh("A")
    batch = shop.submit({ann: {"CANTEEN": 250}, stranger: {"CANTEEN": 250}})
    assert shop.answer(batch, BatchStep.SUBMIT) == {ann: "pending", stranger: "unknown_prisoner"}
    shop.world.send(CancelBatch(batch_id=batch, reason="no-delivery"))
    assert shop.answer(batch, BatchStep.CANCEL)[ann] == "cancelled"
    assert shop.world.told(PurchaseVoided, purchase_id=f"{batch}-{ann}").batch_id == batch
    shop.world.send(AuthoriseBatch(batch_id=batch))
    assert shop.world.told(BatchRefused, batch_id=batch).reason == "wrong_state"
