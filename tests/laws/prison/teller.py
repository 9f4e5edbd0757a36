"""What happens in a story, drawn by dice: Hypothesis' own, or a seed's. Mostly what can happen; often what cannot."""

from collections.abc import Callable
from random import Random
from typing import Any

from schemas.fields import Message, Money
from schemas.general_ledger import CorrectLines, LineRefusal, LinesProcessed, LinesRefused
from schemas.prison_advances import WriteOffAdvance
from schemas.prison_batches import AuthoriseBatch, CancelBatch, SubmitBatch
from schemas.prison_finance import (
    AdvanceApproval,
    AuthorisePurchase,
    CancelPurchase,
    CreditPrisoner,
    FundingSource,
    MoveBetweenSubAccounts,
    RefundPurchase,
    SubAccount,
    SubmitPurchase,
    SupplierPayment,
)
from schemas.prison_reference import GlPurpose

from .naive import DAY_US, MINUTE_US
from .story import SUB_ACCOUNTS, Story

Verb = Callable[[Story, Random], None]

PRISONS = ("LEI", "MDI")
SUPPLIERS = ("BT", "DHL", "CAN")
OFFICERS = ("governor", "deputy", "other")
FUNDING = ("spends", "cash", "spends cash", "advance", "spends cash advance", "spends advance", "cash advance")
TEXTS = ("Canteen Spends", "=1+1", "-2, \"two\"; 'three'", "Zażółć " * 20)
OTHER: dict[str, Any] = {
    "amount": Money(amount_minor=7, currency="GBP"), "description": "other", "reason": "other", "purchase_id": "P9",
    "line_ids": ("none",), "reasons": (LineRefusal(line_id="none", reason="other"),), "transaction_id": "P9",
}  # fmt: skip
"""What a message says that says something else, by its first field of these."""
AGES_US = (0, 0, 0, 0, 0, 0, 0, 10 * MINUTE_US, DAY_US, 12 * DAY_US, -20 * 60 * MINUTE_US)
WAITS_US = tuple(minutes * MINUTE_US for minutes in (0, 4, 6, 31, 400, 1_500, 4_500, 12_000, 140_000))


def opening(story: Story) -> None:
    """Two prisons with their officers, three suppliers, and people who have money."""
    for number, prison in enumerate(PRISONS):
        story.edit.prison(prison, _prison(100 - 40 * number, f"10{number}"))
    for officer, prison in zip(OFFICERS, ("LEI", "LEI", "MDI"), strict=True):
        rights = {"prison": prison, "may_lend": officer != "deputy", "may_write_off": officer != "deputy"}
        story.edit.officer(officer, rights)
    for account in _accounts():
        story.edit.new_code(account)
    for number, who in enumerate(story.people):
        prison = PRISONS[number % 2]
        limit, until = 90 if number == 1 else None, story.now + 400 * DAY_US if number else None
        story.edit.prisoner(who, {"prison": prison, "cost_centre": f"20{number}", "limit": limit, "until": until,
                                  "most": None})  # fmt: skip
        for account in SubAccount:
            story.send(_credit(story, who, account, 60))


# ---- money


def credit(story: Story, dice: Random) -> None:
    currency = dice.choice(["GBP"] * 9 + ["EUR"])
    message = _credit(story, _who(story, dice), dice.choice(list(SubAccount)), dice.randint(1, 60), currency)
    story.send(message, _at(story, dice))


def move(story: Story, dice: Random) -> None:
    source, target = dice.sample(list(SubAccount), 2)
    message = MoveBetweenSubAccounts(
        transfer_id=story.fresh("T"), prisoner_id=_who(story, dice), source=source, target=target,
        amount=_pence(dice.randint(1, 60)), description=dice.choice(TEXTS),
    )  # fmt: skip
    story.send(message, _at(story, dice))


# ---- purchases


def submit(story: Story, dice: Random) -> None:
    story.send(_purchase(story, dice, _who(story, dice), dice.choice(FUNDING)), _at(story, dice))


def buy(story: Story, dice: Random, funding: str = "") -> None:
    message = _purchase(story, dice, _who(story, dice), funding or dice.choice(FUNDING))
    if story.send(message) == "accepted":
        story.send(AuthorisePurchase(purchase_id=message.purchase_id, prisoner_id=message.prisoner_id))


def lend(story: Story, dice: Random) -> None:
    """Buy with an advance alone."""
    buy(story, dice, "advance")


def authorise(story: Story, dice: Random) -> None:
    who, purchase_id = _some_purchase(story, dice, "pending")
    story.send(AuthorisePurchase(purchase_id=purchase_id, prisoner_id=who), _at(story, dice))


def cancel(story: Story, dice: Random) -> None:
    who, purchase_id = _some_purchase(story, dice, "pending")
    story.send(CancelPurchase(purchase_id=purchase_id, prisoner_id=who, reason="changed"), _at(story, dice))


def refund(story: Story, dice: Random) -> None:
    who, purchase_id = _some_purchase(story, dice, "authorised", "processed")
    payments = _payments(dice, most=12) if dice.random() < 0.6 else ()
    message = RefundPurchase(
        refund_id=story.fresh("R"), purchase_id=purchase_id, prisoner_id=who, payments=payments, reason="spoilt"
    )
    story.send(message, _at(story, dice))


def write_off(story: Story, dice: Random) -> None:
    def lent() -> list[tuple[str, str]]:
        return [(who, each["id"]) for who, advances in story.model.advances.items() for each in advances]

    who, advance_id = _mostly(dice, lent, lambda: buy(story, dice, "advance"), (_who(story, dice), "P1"))
    message = WriteOffAdvance(
        advance_id=advance_id, prisoner_id=who, written_off_by=dice.choice(OFFICERS), reason="released"
    )
    story.send(message, _at(story, dice))


# ---- batches


def submit_batch(story: Story, dice: Random) -> None:
    people = [*story.people, "ghost"] if dice.random() < 0.2 else story.people
    purchases = {
        each.purchase_id: each for each in (_purchase(story, dice, who, dice.choice(FUNDING)) for who in people)
    }
    some = dice.sample(list(purchases.values()), dice.randint(1, len(purchases)))
    story.send(SubmitBatch(batch_id=story.fresh("B"), purchases=tuple(some)), _at(story, dice))


def authorise_batch(story: Story, dice: Random) -> None:
    story.send(AuthoriseBatch(batch_id=_some_batch(story, dice)), _at(story, dice))


def cancel_batch(story: Story, dice: Random) -> None:
    story.send(CancelBatch(batch_id=_some_batch(story, dice), reason="no-delivery"), _at(story, dice))


def deliver(story: Story, dice: Random) -> None:
    for _ in range(dice.randint(1, 8)):
        if waiting := story.expected():
            story.deliver(dice.choice(waiting))


# ---- the general ledger


def processed(story: Story, dice: Random) -> None:
    who, transaction, lines = _some_transaction(story, dice, "written")
    message = LinesProcessed(prisoner_id=who, transaction_id=transaction, file=story.fresh("file"), line_ids=lines)
    story.send(message, _at(story, dice))


def refused(story: Story, dice: Random) -> None:
    who, transaction, lines = _some_transaction(story, dice, "written")
    reasons = tuple(LineRefusal(line_id=line, reason="account closed") for line in lines[: dice.randint(1, 2)])
    message = LinesRefused(prisoner_id=who, transaction_id=transaction, file=story.fresh("file"), reasons=reasons)
    story.send(message, _at(story, dice))


def correct(story: Story, dice: Random) -> None:
    who, transaction, _ = _some_transaction(story, dice, "refused")
    lines = story.model.transactions.get((who, transaction), {"open": []})["open"]
    if lines and dice.random() < 0.5:  # what the general ledger refused is mended
        story.edit.new_code(dice.choice(lines).account)
    story.send(CorrectLines(correction_id=story.fresh("K"), prisoner_id=who, transaction_id=transaction))


# ---- what was said before


def again(story: Story, dice: Random) -> None:
    """Under the same event's id, or under another."""
    message, at, event_id = dice.choice(story.sent[-dice.choice([1, 3, 25]) :])
    story.send(message, at, dice.choice([event_id, story.fresh("again")]))


def other_content(story: Story, dice: Random) -> None:
    """Something else under an id that was used."""
    message, at, event_id = dice.choice(story.sent[-25:])
    field = next(field for field in (*OTHER, "purchases", "batch_id") if field in type(message).model_fields)
    value = message.purchases[::-1] if isinstance(message, SubmitBatch) else OTHER.get(field, "B9")
    changed: Message = message.model_copy(update={field: value})
    story.send(changed, at, dice.choice([event_id, event_id, story.fresh("other")]))


# ---- reference data, and time


def edit_prisoner(story: Story, dice: Random) -> None:
    who = dice.choice(story.people)
    until = dice.choice([None, story.now - DAY_US, story.now + 90 * DAY_US, story.now + 90 * DAY_US])
    number = dice.randint(0, 1)
    fields = {"prison": PRISONS[number], "cost_centre": f"20{number}", "limit": dice.choice([None, None, 40, 90]),
              "until": until, "most": dice.choice([None, None, 20])}  # fmt: skip
    story.edit.prisoner(who, fields if dice.random() < 0.9 else None)


def edit_prison(story: Story, dice: Random) -> None:
    fields = _prison(dice.choice([None, 0, 60, 100, 100]), dice.choice(["101", "102", "103"]))
    story.edit.prison(dice.choice(PRISONS), fields if dice.random() < 0.9 else None)


def edit_officer(story: Story, dice: Random) -> None:
    rights = {"prison": dice.choice(PRISONS), "may_lend": dice.random() < 0.8, "may_write_off": dice.random() < 0.8}
    story.edit.officer(dice.choice(OFFICERS), rights if dice.random() < 0.9 else None)


def edit_code(story: Story, dice: Random) -> None:
    account = dice.choice(_accounts())
    if dice.random() < 0.8:
        story.edit.new_code(account)
    else:
        story.edit.no_code(account)


def wait(story: Story, dice: Random) -> None:
    story.wait(dice.choice(WAITS_US))


def payday(story: Story, dice: Random) -> None:
    """Some days later money comes in for all who owe some, or for nobody."""
    story.wait(dice.randint(2, 9) * DAY_US)
    for who in [who for who in story.people if story.model.advances[who]]:
        story.send(_credit(story, who, dice.choice(list(SubAccount)), dice.randint(5, 60)))


VERBS: dict[str, Verb] = {
    verb.__name__: verb
    for verb in (
        credit, move, submit, buy, lend, authorise, cancel, refund, write_off, submit_batch, authorise_batch,
        cancel_batch, deliver, processed, refused, correct, again, other_content, edit_prisoner, edit_prison,
        edit_officer, edit_code, wait, payday,
    )
}  # fmt: skip


# ---- what is spoken of


def _who(story: Story, dice: Random) -> str:
    return dice.choice([*story.people * 6, "ghost"])


def _at(story: Story, dice: Random) -> int:
    return story.now - dice.choice(AGES_US)


def _mostly(dice: Random, known: Callable[[], list[Any]], make: Callable[[], object], otherwise: Any) -> Any:
    """One that is known, if need be made before; or, now and then, another."""
    if dice.random() < 0.1:
        return otherwise
    if not known():
        make()
    return dice.choice(known() or [otherwise])


def _some_purchase(story: Story, dice: Random, *states: str) -> tuple[str, str]:
    def known() -> list[tuple[str, str]]:
        return [key for key, row in story.model.purchases.items() if row["state"] in states]

    make = submit if "pending" in states else buy
    otherwise = _who(story, dice), _purchase_id(story, dice)
    found: tuple[str, str] = _mostly(dice, known, lambda: make(story, dice), otherwise)
    return found


def _some_batch(story: Story, dice: Random) -> str:
    """One that is answered and pending."""

    def known() -> list[str]:
        rows = {key: story.batches[key] for key in story.batches}
        return [key.partition(":")[2] for key, row in rows.items() if row.unended and not row.waiting]

    def make() -> None:
        submit_batch(story, dice)
        story.settle()

    found: str = _mostly(dice, known, make, "B9")
    return found


def _some_transaction(story: Story, dice: Random, state: str) -> tuple[str, str, tuple[str, ...]]:
    """Prisoner, transaction, and its open lines; or one line too few."""

    def known() -> list[tuple[str, str]]:
        return [key for key, row in story.model.transactions.items() if row["state"] == state]

    make = buy if state == "written" else refused
    otherwise = dice.choice([*story.model.transactions, ("A1", "P1")])
    who, transaction = _mostly(dice, known, lambda: make(story, dice), otherwise)
    row = story.model.transactions.get((who, transaction), {"open": []})
    lines = tuple(line.id for line in row["open"]) or ("none",)
    return who, transaction, lines if dice.random() < 0.9 else lines[1:] or ("none",)


def _purchase(story: Story, dice: Random, who: str, sources: str) -> SubmitPurchase:
    funding = tuple(FundingSource(source) for source in sources.split())
    payments = _payments(dice, most=40)
    approval = None
    if FundingSource.ADVANCE in funding:
        officer = dice.choice(["governor", "governor", "other", "other", "deputy", None])
        circumstance = None if officer else dice.choice(["arrival", "birthday"])
        approval = AdvanceApproval(approved_by=officer, circumstance=circumstance)
    return SubmitPurchase(
        purchase_id=_purchase_id(story, dice), prisoner_id=who, payments=payments,
        total=_pence(sum(each.amount.amount_minor for each in payments)), funding=funding,
        description=dice.choice(TEXTS), approval=approval,
    )  # fmt: skip


def _purchase_id(story: Story, dice: Random) -> str:
    return dice.choice(["P1", "P2", "P3", *[story.fresh("P")] * 7])


def _payments(dice: Random, most: int) -> tuple[SupplierPayment, ...]:
    some = dice.sample(SUPPLIERS, dice.choice([1, 1, 2, 3]))
    return tuple(SupplierPayment(supplier_id=each, amount=_pence(dice.randint(1, most))) for each in some)


def _credit(story: Story, who: str, account: SubAccount, amount: int, currency: str = "GBP") -> CreditPrisoner:
    return CreditPrisoner(
        credit_id=story.fresh("C"), prisoner_id=who, sub_account=account,
        amount=Money(amount_minor=amount, currency=currency), description="Postal order",
    )  # fmt: skip


def _pence(amount: int) -> Money:
    return Money(amount_minor=amount, currency="GBP")


def _prison(allowed: int | None, cost_centre: str) -> dict[str, Any]:
    return {"cost_centre": cost_centre, "allowed": allowed, "instalment": 7, "every": 2, "automatic": ("arrival",)}


def _accounts() -> list[str]:
    return [*(purpose.value for purpose in GlPurpose), *(f"supplier/{each}" for each in SUPPLIERS)]


assert {account.value for account in SubAccount} == set(SUB_ACCOUNTS)
