"""The payment of a purchase, from submission to the general ledger (PRI-02 to PRI-07, PRI-10).

    state        SubmitPurchase    AuthorisePurchase    CancelPurchase   deadline       LinesProcessed   Refund
    (none)       lock -> PENDING   refused              refused          .              refused          refused
    PENDING      refused           settle, write lines  void             void           refused          refused
                                   -> AUTHORISED        -> CANCELLED     -> TIMED_OUT
    AUTHORISED   refused           refused              refused          forgotten      -> PROCESSED     money back
    PROCESSED    refused           refused              refused          forgotten      refused          money back
    CANCELLED    refused           refused              refused          forgotten      refused          refused
    TIMED_OUT    refused           refused              refused          forgotten      refused          refused

Every part (a source pays a supplier) is a lock of its own; what an advance pays has none, since pending money cannot be
locked again: it comes to spends and leaves them when the purchase is authorised. Savings are never touched. The
prisoner's prison, suppliers and ledger codes are pinned at submission and bear the lines, wherever the prisoner is by
then; where lines were corrected, refunds go by theirs. The deadline passes by a tick: what comes before that tick is in
time. An order that is confirmed or off before it was submitted is refused, so that its sender sends it again; it cannot
wait, as nobody could say for how long.
"""

from enum import StrEnum
from typing import assert_never

import msgspec
from msgspec.structs import replace

from schemas.fields import Contract, Fact
from schemas.general_ledger import GeneralLedgerLine
from schemas.ledger import Step
from schemas.prison_advances import AdvanceWrittenOff
from schemas.prison_batches import BatchedAuthorise, BatchedCancel
from schemas.prison_finance import (
    AuthorisePurchase,
    CancelPurchase,
    FundingSource,
    PinnedCode,
    PurchaseAuthorised,
    PurchasePart,
    PurchasePending,
    PurchaseProcessed,
    PurchaseRefunded,
    PurchaseVoided,
    RefundPart,
    VoidCause,
)
from schemas.prison_reference import Prisoner, Supplier
from schemas.refusals import Reason
from streams.ledger.draft import Draft, Refused, refused
from streams.prison_finance import advance
from streams.prison_finance.accounts import CURRENCY, SUPPLIER, payer, pounds
from streams.prison_finance.advance import Advances
from streams.prison_finance.general_ledger import Entry, GeneralLedger, Transaction, describe, repinned
from streams.prison_finance.gl_transaction import REMEMBERED_US

DAILY = "daily-purchases"
"""The limit on what a prisoner may spend in one Europe/London day."""


class State(StrEnum):
    PENDING = "pending"
    AUTHORISED = "authorised"
    PROCESSED = "processed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


class Purchase(msgspec.Struct, frozen=True, omit_defaults=True):
    """A purchase as its prisoner's book sees it. `until` is when this state ends by itself, in UTC micros.

    `refunded` is what went back, by the refunds `refund_ids`; `written_off_minor` what was given up of its advance; in
    pence.
    """

    state: State
    until: int
    prisoner: Prisoner
    suppliers: tuple[Supplier, ...]
    parts: tuple[PurchasePart, ...]
    codes: tuple[PinnedCode, ...]
    description: str
    submitted_at: int
    receipt_to: str | None = None
    batch_id: str | None = None
    limit_day: str | None = None
    refunded: tuple[RefundPart, ...] = ()
    refund_ids: tuple[str, ...] = ()
    written_off_minor: int = 0

    @property
    def total_minor(self) -> int:
        return sum(part.amount_minor for part in self.parts)


# ---- decide; submission has a file of its own


def authorise(
    draft: Draft,
    purchase: Purchase | None,
    advances: Advances | None,
    ledger: GeneralLedger,
    command: AuthorisePurchase | BatchedAuthorise,
) -> list[Fact] | Refused:
    """Pay the suppliers with all that is locked, and write the lines for the general ledger.

    Refuses NOT_FOUND, WRONG_STATE; AMOUNT_TOO_LARGE where an advance would burst an account.
    """
    if purchase is None or _is_not_its(purchase, command):
        return refused(Reason.NOT_FOUND, purchase=command.purchase_id)
    if purchase.state is not State.PENDING:
        return refused(Reason.WRONG_STATE, purchase=command.purchase_id, state=purchase.state)
    text = describe(purchase.description, purchase.submitted_at, command.purchase_id)
    events, entries = list[Fact](), list[Entry]()
    if (lent := advance.of(advances, command.purchase_id)) is not None:
        activated, transfers = advance.activate(draft, lent)
        events.append(activated)
        entries += transfers
    for part in purchase.parts:
        source, earner = payer(part.source), SUPPLIER.of(part.supplier_id)
        if part.source is FundingSource.ADVANCE:
            if refusal := draft.post(source, earner, part.amount_minor, CURRENCY, text):
                return refusal
        else:
            refusal = draft.settle(lock_id(command.purchase_id, part), source, earner, part.amount_minor, text)
            assert refusal is None, refusal
        entries.append(Entry(source.name, earner.name, part.amount_minor))
    events.append(
        PurchaseAuthorised(
            purchase_id=command.purchase_id,
            prisoner_id=command.prisoner_id,
            suppliers=purchase.suppliers,
            parts=purchase.parts,
            total=pounds(purchase.total_minor),
            description=purchase.description,
            receipt_to=purchase.receipt_to,
            batch_id=purchase.batch_id,
            at=draft.at,
        )
    )
    transaction = Transaction(command.purchase_id, purchase.prisoner, purchase.codes, text)
    return [*events, *ledger.lines(transaction, entries, draft.at)]


def cancel(
    draft: Draft, purchase: Purchase | None, advances: Advances | None, command: CancelPurchase | BatchedCancel
) -> list[Fact] | Refused:
    """Free what is locked, and what it used of the daily limit. Refuses NOT_FOUND, WRONG_STATE."""
    if purchase is None or _is_not_its(purchase, command):
        return refused(Reason.NOT_FOUND, purchase=command.purchase_id)
    if purchase.state is not State.PENDING:
        return refused(Reason.WRONG_STATE, purchase=command.purchase_id, state=purchase.state)
    return _void(draft, command.purchase_id, purchase, advances, VoidCause.CANCELLED)


def time_out(draft: Draft, purchase_id: str, purchase: Purchase, advances: Advances | None) -> list[Fact]:
    """What happens when a pending purchase passes its deadline."""
    assert purchase.state is State.PENDING
    return _void(draft, purchase_id, purchase, advances, VoidCause.TIMED_OUT)


def _is_not_its(purchase: Purchase, command: Contract) -> bool:
    """Whether a batch speaks of a purchase that it did not submit: another batch did, or the person himself."""
    return isinstance(command, BatchedAuthorise | BatchedCancel) and command.batch_id != purchase.batch_id


# ---- evolve

Event = (
    PurchasePending | PurchaseAuthorised | PurchaseVoided | PurchaseProcessed | PurchaseRefunded | AdvanceWrittenOff
    | GeneralLedgerLine
)  # fmt: skip
"""Of general-ledger lines those that correct others of the purchase."""


def evolve(purchase: Purchase | None, event: Event) -> Purchase:
    """The purchase after an event."""
    if isinstance(event, PurchasePending):
        assert purchase is None
        return _pending(event)
    assert purchase is not None
    match event:
        case PurchaseAuthorised():
            return replace(purchase, state=State.AUTHORISED, until=_remembered(purchase, event.at))
        case PurchaseVoided():
            return replace(purchase, state=_voided(event.cause), until=_remembered(purchase, event.at))
        case PurchaseProcessed():
            return replace(purchase, state=State.PROCESSED, until=_remembered(purchase, event.at))
        case PurchaseRefunded():
            return replace(
                purchase,
                refunded=_with_refund(purchase.refunded, event.parts),
                refund_ids=(*purchase.refund_ids, event.refund_id),
            )
        case AdvanceWrittenOff():
            return replace(purchase, written_off_minor=event.amount.amount_minor)
        case GeneralLedgerLine():
            prisoner, codes = repinned(purchase.prisoner, purchase.codes, event)
            return replace(purchase, prisoner=prisoner, codes=codes)
        case _:
            assert_never(event)


def _pending(event: PurchasePending) -> Purchase:
    return Purchase(
        State.PENDING,
        until=event.deadline,
        prisoner=event.prisoner,
        suppliers=event.suppliers,
        parts=event.parts,
        codes=event.gl_accounts,
        description=event.description,
        submitted_at=event.submitted_at,
        receipt_to=event.receipt_to,
        batch_id=event.batch_id,
        limit_day=event.limit_day,
    )


def _remembered(purchase: Purchase, ended_at: int) -> int:
    """Until when; from its submission, if its end was before that."""
    return max(purchase.submitted_at, ended_at) + REMEMBERED_US


def _with_refund(before: tuple[RefundPart, ...], parts: tuple[RefundPart, ...]) -> tuple[RefundPart, ...]:
    """One part for each source, supplier and account, however many refunds there are."""
    sums: dict[tuple[FundingSource, str, str], int] = {}
    for part in (*before, *parts):
        key = part.source, part.supplier_id, part.account
        sums[key] = sums.get(key, 0) + part.amount_minor
    return tuple(
        RefundPart(source=source, supplier_id=supplier_id, account=account, amount_minor=amount)
        for (source, supplier_id, account), amount in sums.items()
    )


# ---- the money


def _void(
    draft: Draft, purchase_id: str, purchase: Purchase, advances: Advances | None, cause: VoidCause
) -> list[Fact]:
    step, events = Step.VOIDED if cause is VoidCause.CANCELLED else Step.EXPIRED, list[Fact]()
    if (lent := advance.of(advances, purchase_id)) is not None:
        events.append(advance.void(draft, lent, cause, step))
    for part in purchase.parts:
        if part.source is not FundingSource.ADVANCE:
            earner = SUPPLIER.of(part.supplier_id)
            refusal = draft.void(lock_id(purchase_id, part), payer(part.source), earner, step)
            assert refusal is None, refusal
    if purchase.limit_day is not None:
        draft.free_limit(DAILY, purchase.limit_day, purchase.total_minor)
    voided = PurchaseVoided(
        purchase_id=purchase_id,
        prisoner_id=purchase.prisoner.prisoner_id,
        cause=cause,
        total=pounds(purchase.total_minor),
        batch_id=purchase.batch_id,
        at=draft.at,
    )
    return [*events, voided]


def _voided(cause: VoidCause) -> State:
    match cause:
        case VoidCause.CANCELLED:
            return State.CANCELLED
        case VoidCause.TIMED_OUT:
            return State.TIMED_OUT
        case _:
            assert_never(cause)


def lock_id(purchase_id: str, part: PurchasePart) -> str:
    """The lock of a part. Ids have no `/`, so that no two parts share one."""
    return f"purchase:{purchase_id}/{part.source}/{part.supplier_id}"
