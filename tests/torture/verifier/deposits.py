"""Deposits, and the price segments that they open, by DLR-08.

Which tiers a decision knew is in no input, but no posting depends on it. So segments are compared when all is at rest,
with the tiers as they are then; and what was told of them must lead there, nothing opened or closed twice.
"""

from tests.torture import kafka
from tests.torture.verifier.dealers import Told
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.model import ACCEPTED, Input, Model, Rule, Verdict, refused
from tests.torture.wire import Wire

EVENTS = "dealer_billing.dealer.event.v1"
DEPOSIT = "current/DEPOSIT"
TOLD = {"PriceSegmentGranted": True, "PriceSegmentRevoked": False}

Segment = tuple[str, str, str]
"""Of a book, in a currency, its name."""


def receive(model: Model, given: Input) -> Verdict:
    return _move(model, given, "bank", DEPOSIT, 1)


def give_back(model: Model, given: Input) -> Verdict:
    return _move(model, given, DEPOSIT, "bank", -1)


def _move(model: Model, given: Input, debit: str, credit: str, sign: int) -> Verdict:
    key, money = f"{given.book}|{given.fields['payment_id']}", given.fields["amount"]
    amount, currency = money["amount_minor"], money["currency"]
    if model.has_payment(key):
        return refused("already_exists")
    if sign < 0 and model.books.available(given.book, DEPOSIT, currency) < amount:
        return refused("insufficient_funds")
    told = Told(model, given.book)
    told.post(debit, credit, amount, currency)
    model.moved[key] = (sign * amount, currency)
    model.deposits.setdefault(given.book, set()).add(currency)
    return told.verdict()


def judge(model: Model, book: str) -> Verdict | None:
    """A tick finds that tiers have changed; None where there is nothing to judge."""
    return Verdict(ACCEPTED) if book in model.deposits and _is_open(model, book) else None


def segments(model: Model, book: str, currency: str) -> list[str]:
    """What the deposit reaches."""
    held = model.books.balance(book, DEPOSIT, currency)
    return sorted(name for name, of, least in model.tiers if _is_open(model, book) and of == currency and least <= held)


def check_told(servers: str, wire: Wire, model: Model, differences: Differences) -> None:
    """What was told of segments, one event after the other, leads to those that must be open."""
    told = set[Segment]()
    for record in kafka.read(servers, EVENTS):
        name, fields = wire.decode(record.value())
        if name in TOLD:
            segment = record.key().decode(), fields["currency"], fields["segment"]
            if (segment in told) is TOLD[name]:
                differences.add("segment", f"{name} of {segment} is told twice")
            told ^= {segment}
    open_ = {(book, of, name) for book, held in model.deposits.items() for of in held
             for name in segments(model, book, of)}  # fmt: skip
    for each in sorted(told ^ open_):
        differences.add("segment", f"{each} was told to be {'open' if each in told else 'closed'}, and is not")


def _is_open(model: Model, book: str) -> bool:
    account = model.accounts.get(f"{book}|DEPOSIT")
    return account is not None and account["state"] == "open"


RULES: dict[str, Rule] = {"DepositReceived": receive, "DepositReturned": give_back}
