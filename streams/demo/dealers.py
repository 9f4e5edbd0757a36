"""The dealers of a day: they register, are billed, and most of them pay. Pure."""

import random
from collections.abc import Iterable, Iterator

from schemas.dealer_accounts import AddFastBuyout, RegisterDealer, Requisites
from schemas.dealer_billing import BillingPayment, Operation
from schemas.dealer_bills import CreateBill
from schemas.fields import Money
from streams.demo.world import World

STRANGER = "dlr-unknown"
STRANGER_SHARE, MISTYPED_SHARE, UNPAID_SHARE = 0.02, 0.01, 0.15


def registrations(world: World) -> Iterator[RegisterDealer | AddFastBuyout]:
    """One dealer in twenty never registers; of the others one in four wants no fast buyout."""
    for number, dealer_id in enumerate(world.dealers):
        if not is_registered(number):
            continue
        yield RegisterDealer(dealer_id=dealer_id, cme_dealer_id=f"cme-{dealer_id}", requisites=requisites(dealer_id, 1))
        if has_fast_buyout(number):
            yield AddFastBuyout(dealer_id=dealer_id)


def bills(rnd: random.Random, world: World, count: int) -> Iterator[CreateBill]:
    """On accounts that dealers have; some of a dealer who has not registered, or whom nobody knows."""
    for number in range(count):
        dealer = rnd.randrange(len(world.dealers))
        is_stranger = rnd.random() < STRANGER_SHARE
        operation = rnd.choice(list(Operation)) if has_fast_buyout(dealer) else Operation.GET_REWARD
        yield CreateBill(
            bill_id=f"bil-{number:05}",
            dealer_id=STRANGER if is_stranger else world.dealers[dealer],
            operation=operation,
            amount=_eur(rnd.randrange(10_000, 2_000_000)),
            text="Our reward" if operation is Operation.GET_REWARD else "The price of a car",
        )


def payments(rnd: random.Random, bills: Iterable[CreateBill]) -> Iterator[BillingPayment]:
    """In whole, in parts, too much, too little; some name a bill that there is not."""
    for number, bill in enumerate(bills):
        if rnd.random() < UNPAID_SHARE:
            continue
        due = bill.amount.amount_minor
        parts = rnd.choices(((due,), (due // 2, due - due // 2), (due + 5_000,), (due // 3,)), (6, 2, 1, 1))[0]
        for part, amount in enumerate(parts):
            yield BillingPayment(
                payment_id=f"pay-{number:05}-{part}",
                dealer_id=bill.dealer_id,
                bill_id=bill.bill_id if rnd.random() > MISTYPED_SHARE else "bil-mistyped",
                amount=_eur(amount),
            )


def requisites(dealer_id: str, number: int) -> Requisites:
    """A dealer's, at one address after another."""
    return Requisites(
        legal_name=f"Dealer {dealer_id}", tax_number="7701234567", legal_address=f"{number} Forge Road",
        bank_code="044525225", bank_account="40702810900000000001",
    )  # fmt: skip


def is_registered(number: int) -> bool:
    """Whether the dealer of a number ever registers."""
    return number % 20 != 19


def has_fast_buyout(number: int) -> bool:
    """Whether he takes part in fast buyout."""
    return is_registered(number) and number % 4 != 3


def _eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")
