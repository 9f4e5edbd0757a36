"""Ten years of dealers as the source expects them: 1,000 a year, each with three accounts, and 3,000 bills a year.

Pure, from a seed. Of the bills most are paid as they should be; some in parts, some with too much, some twice, some
before Billing has them, some not at all, and some are taken back. `Owed` keeps what must come of it.
"""

import random
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from schemas.dealer_accounts import AddFastBuyout, RegisterDealer, Requisites
from schemas.dealer_billing import BillingPayment, Operation
from schemas.dealer_bills import CreateBill, VoidBill
from schemas.fields import Message, Money

YEARS = 10
DEALERS_A_YEAR, BILLS_A_YEAR = 1_000, 3_000
CURRENCY = "EUR"
TOO_MUCH = 1_000
"""More than what a bill comes to, in minor units."""

CASES = {"exact": 55, "in parts": 15, "part": 10, "too much": 5, "twice": 5, "early": 3, "never": 5, "taken back": 2}
"""Weights of what becomes of a bill."""


class Told(NamedTuple):
    """One message of upstream. Two with the same id are one that comes twice."""

    event_id: str
    message: Message


class Year(NamedTuple):
    """What upstream says in a year: each part when all of the last one has followed from it."""

    number: int
    dealers: tuple[str, ...]
    registrations: tuple[Told, ...]
    bills: tuple[Told, ...]
    payments: tuple[Told, ...]
    voids: tuple[Told, ...]


class Owed:
    """By dealer, in minor units: what is owed of bills less what was paid beyond them, whatever paid which of them."""

    def __init__(self) -> None:
        self.net: Counter[str] = Counter()
        self.voided = 0
        self.cases: Counter[str] = Counter()


def years(seed: int, scale: float, owed: Owed) -> Iterator[Year]:
    """Year after year; `owed` is up to date when a year is given."""
    dice, dealers = random.Random(f"decade {seed}"), list[str]()
    for number in range(1, YEARS + 1):
        new = tuple(f"dlr-{number:02}-{each:04}" for each in range(round(DEALERS_A_YEAR * scale)))
        dealers += new
        bills = [_bill(dice, f"bil-{number:02}-{each:05}", dealers) for each in range(round(BILLS_A_YEAR * scale))]
        paid = [list(_payments(dice, bill, owed)) for bill in bills]
        early = [told for of_bill in paid for told in of_bill if told.event_id.startswith("early")]
        later = [told for of_bill in paid for told in of_bill if isinstance(told.message, BillingPayment)]
        dice.shuffle(later)
        voids = tuple(told for of_bill in paid for told in of_bill if isinstance(told.message, VoidBill))
        created = (*early, *(Told(f"create-{bill.bill_id}", bill) for bill in bills))
        later = [told for told in later if not told.event_id.startswith("early")]
        yield Year(number, new, tuple(_registrations(new)), created, tuple(later), voids)


def cme_id(dealer_id: str) -> str:
    """As reference data pairs them."""
    return f"cme-{dealer_id}"


def _registrations(dealers: tuple[str, ...]) -> Iterator[Told]:
    for dealer_id in dealers:
        registered = RegisterDealer(
            dealer_id=dealer_id, cme_dealer_id=cme_id(dealer_id), requisites=_requisites(dealer_id)
        )
        yield Told(f"register-{dealer_id}", registered)
        yield Told(f"buyout-{dealer_id}", AddFastBuyout(dealer_id=dealer_id))


def _requisites(dealer_id: str) -> Requisites:
    number = dealer_id.replace("-", "").removeprefix("dlr")
    return Requisites(
        legal_name=f"Motors {number} Ltd", tax_number=f"77{number:0>8}", legal_address=f"{number} Forge Road",
        bank_code="044525225", bank_account=f"40702810{number:0>12}",
    )  # fmt: skip


def _bill(dice: random.Random, bill_id: str, dealers: list[str]) -> CreateBill:
    operation = dice.choice(list(Operation))
    amount = dice.randrange(5_000, 50_000) if operation is Operation.GET_REWARD else dice.randrange(500_000, 3_000_000)
    return CreateBill(
        bill_id=bill_id, dealer_id=dice.choice(dealers), operation=operation, amount=_money(amount), text="A car"
    )


def _payments(dice: random.Random, bill: CreateBill, owed: Owed) -> Iterator[Told]:
    (case,) = dice.choices(list(CASES), list(CASES.values()))
    owed.cases[case] += 1
    owed.net[bill.dealer_id] += bill.amount.amount_minor
    common = bill.amount.amount_minor
    part = dice.randrange(1, common)
    match case:
        case "exact" | "early" | "twice":
            amounts = [common]
        case "in parts":
            amounts = [part, common - part]
        case "part":
            amounts = [part]
        case "too much":
            amounts = [common + TOO_MUCH]
        case "taken back":
            amounts = []
            owed.net[bill.dealer_id] -= common
            owed.voided += 1
            void = VoidBill(bill_id=bill.bill_id, dealer_id=bill.dealer_id, reason="The car was not sold")
            yield Told(f"void-{bill.bill_id}", void)
        case _:
            amounts = []
    for number, amount in enumerate(amounts):
        owed.net[bill.dealer_id] -= amount
        payment = BillingPayment(
            payment_id=f"pay-{bill.bill_id}-{number}",
            dealer_id=bill.dealer_id,
            bill_id=bill.bill_id,
            amount=_money(amount),
        )
        told = Told(f"{'early' if case == 'early' else 'paid'}-{bill.bill_id}-{number}", payment)
        yield from (told, told) if case == "twice" else (told,)


def _money(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency=CURRENCY)
