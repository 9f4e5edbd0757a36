"""The payment of a purchase out of available spends, from submission to the general ledger (PRI-02, PRI-10).

    state        SubmitPurchase       AuthorisePurchase     CancelPurchase        deadline passes
    (none)       lock -> PENDING      refused               refused               .
    PENDING      refused              settle, write lines   void -> CANCELLED     void -> TIMED_OUT
                                      -> AUTHORISED
    AUTHORISED   refused              refused               refused               forgotten
    CANCELLED    refused              refused               refused               forgotten
    TIMED_OUT    refused              refused               refused               forgotten

Only spends pay: cash and savings are not touched, whatever stands there. The prisoner's prison and the supplier's
account are pinned at submission and bear the lines, wherever the prisoner is by then. The deadline passes by a tick:
what comes before that tick is in time. An order that is confirmed or off before it was submitted is refused, so that
its sender sends it again; it cannot wait, as nobody could say for how long.
"""

from enum import StrEnum
from typing import assert_never

import msgspec
from msgspec.structs import replace

from schemas.fields import Fact, Money
from schemas.ledger import Step
from schemas.prison_finance import (
    AuthorisePurchase,
    CancelPurchase,
    Prisoner,
    PurchaseAuthorised,
    PurchasePending,
    PurchaseVoided,
    SubmitPurchase,
    Supplier,
    VoidCause,
)
from schemas.refusals import Reason
from streams.ledger.draft import Draft, Refused, refused
from streams.prison_finance import general_ledger
from streams.prison_finance.accounting_day import OpenDays, accounting_date, london_date
from streams.prison_finance.accounts import SPENDS, SUPPLIER, other_money

MINUTE_US = 60_000_000
PENDING_US = 30 * MINUTE_US
"""How long money stays locked for an order: time to check its details and confirm it, while no other can spend it."""
REMEMBERED_US = 90 * 24 * 60 * MINUTE_US
"""How long an ended purchase is remembered, so that its id is not used again."""
DAILY = "daily-purchases"
"""The limit on what a prisoner may spend in one Europe/London day."""


class State(StrEnum):
    PENDING = "pending"
    AUTHORISED = "authorised"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


class Purchase(msgspec.Struct, frozen=True, omit_defaults=True):
    """A purchase as its prisoner's book sees it. `until` is when this state ends by itself, in UTC micros."""

    state: State
    until: int
    prisoner: Prisoner
    supplier: Supplier
    amount: Money
    submitted_at: int
    limit_day: str | None = None


# ---- decide


def submit(
    draft: Draft,
    purchase: Purchase | None,
    prisoner: Prisoner | None,
    supplier: Supplier | None,
    command: SubmitPurchase,
) -> list[Fact] | Refused:
    """Lock what the purchase costs, within the daily limit.

    Refuses CURRENCY_MISMATCH, UNKNOWN_PRISONER, UNKNOWN_SUPPLIER, ALREADY_EXISTS, OVER_LIMIT, INSUFFICIENT_FUNDS,
    AMOUNT_TOO_LARGE.
    """
    amount = command.amount
    if refusal := other_money(amount):
        return refusal
    if prisoner is None:
        return refused(Reason.UNKNOWN_PRISONER, prisoner=command.prisoner_id)
    if supplier is None:
        return refused(Reason.UNKNOWN_SUPPLIER, supplier=command.supplier_id)
    if purchase is not None:
        return refused(Reason.ALREADY_EXISTS, purchase=command.purchase_id, state=purchase.state)
    limit_day = None
    if prisoner.daily_limit_minor is not None:
        limit_day = draft.limit_window(DAILY, london_date(draft.at))
        if refusal := draft.use_limit(DAILY, limit_day, prisoner.daily_limit_minor, amount.amount_minor):
            return refusal
    lock_id, earner, deadline = _lock_id(command.purchase_id), SUPPLIER.of(supplier.supplier_id), draft.at + PENDING_US
    if refusal := draft.reserve(lock_id, SPENDS, earner, amount.amount_minor, amount.currency, deadline):
        return refusal
    return [
        PurchasePending(
            purchase_id=command.purchase_id,
            prisoner_id=command.prisoner_id,
            prisoner=prisoner,
            supplier=supplier,
            amount=amount,
            description=command.description,
            submitted_at=draft.at,
            deadline=deadline,
            limit_day=limit_day,
        )
    ]


def authorise(
    draft: Draft, purchase: Purchase | None, open_days: OpenDays | None, command: AuthorisePurchase
) -> list[Fact] | Refused:
    """Pay the supplier with all that is locked, and write the lines for the general ledger.

    Refuses NOT_FOUND, WRONG_STATE.
    """
    if purchase is None:
        return refused(Reason.NOT_FOUND, purchase=command.purchase_id)
    if purchase.state is not State.PENDING:
        return refused(Reason.WRONG_STATE, purchase=command.purchase_id, state=purchase.state)
    prisoner, supplier, amount = purchase.prisoner, purchase.supplier, purchase.amount
    text = general_ledger.describe(supplier, london_date(purchase.submitted_at), command.purchase_id)
    earner = SUPPLIER.of(supplier.supplier_id)
    refusal = draft.settle(_lock_id(command.purchase_id), SPENDS, earner, amount.amount_minor, text)
    assert refusal is None, refusal
    authorised = PurchaseAuthorised(
        purchase_id=command.purchase_id,
        prisoner_id=command.prisoner_id,
        supplier_id=supplier.supplier_id,
        amount=amount,
        at=draft.at,
    )
    dated = accounting_date(open_days, draft.at)
    return [authorised, *general_ledger.lines(prisoner, supplier, command.purchase_id, amount, dated, text)]


def cancel(draft: Draft, purchase: Purchase | None, command: CancelPurchase) -> list[Fact] | Refused:
    """Free what is locked, and what it used of the daily limit. Refuses NOT_FOUND, WRONG_STATE."""
    if purchase is None:
        return refused(Reason.NOT_FOUND, purchase=command.purchase_id)
    if purchase.state is not State.PENDING:
        return refused(Reason.WRONG_STATE, purchase=command.purchase_id, state=purchase.state)
    return [_void(draft, command.purchase_id, purchase, VoidCause.CANCELLED)]


def time_out(draft: Draft, purchase_id: str, purchase: Purchase) -> list[Fact]:
    """What happens when a pending purchase passes its deadline."""
    assert purchase.state is State.PENDING
    return [_void(draft, purchase_id, purchase, VoidCause.TIMED_OUT)]


# ---- evolve


def evolve(purchase: Purchase | None, event: PurchasePending | PurchaseAuthorised | PurchaseVoided) -> Purchase:
    """The purchase after an event."""
    match event:
        case PurchasePending():
            assert purchase is None
            return Purchase(
                State.PENDING,
                until=event.deadline,
                prisoner=event.prisoner,
                supplier=event.supplier,
                amount=event.amount,
                submitted_at=event.submitted_at,
                limit_day=event.limit_day,
            )
        case PurchaseAuthorised():
            assert purchase is not None
            return replace(purchase, state=State.AUTHORISED, until=_remembered(purchase, event.at))
        case PurchaseVoided():
            assert purchase is not None
            return replace(purchase, state=_voided(event.cause), until=_remembered(purchase, event.at))
        case _:
            assert_never(event)


def _remembered(purchase: Purchase, ended_at: int) -> int:
    """Until when; from its submission, if its end was before that."""
    return max(purchase.submitted_at, ended_at) + REMEMBERED_US


# ---- the money


def _void(draft: Draft, purchase_id: str, purchase: Purchase, cause: VoidCause) -> PurchaseVoided:
    step = Step.VOIDED if cause is VoidCause.CANCELLED else Step.EXPIRED
    refusal = draft.void(_lock_id(purchase_id), SPENDS, SUPPLIER.of(purchase.supplier.supplier_id), step)
    assert refusal is None, refusal
    if purchase.limit_day is not None:
        draft.free_limit(DAILY, purchase.limit_day, purchase.amount.amount_minor)
    return PurchaseVoided(
        purchase_id=purchase_id,
        prisoner_id=purchase.prisoner.prisoner_id,
        cause=cause,
        amount=purchase.amount,
        at=draft.at,
    )


def _voided(cause: VoidCause) -> State:
    match cause:
        case VoidCause.CANCELLED:
            return State.CANCELLED
        case VoidCause.TIMED_OUT:
            return State.TIMED_OUT
        case _:
            assert_never(cause)


def _lock_id(purchase_id: str) -> str:
    return f"purchase:{purchase_id}"
