"""The life of an advance: what a prison lends a prisoner for one purchase (PRI-05, PRI-12).

    state      its purchase is …                    credit or refund          WriteOffAdvance
    (none)     submitted: two locks -> PENDING      .                         refused
    PENDING    authorised: settle -> ACTIVE         .                         refused
               cancelled, timed out: void -> ended
    ACTIVE     .                                    repay; with nothing       written off -> ended
                                                    outstanding -> ended

Two transfers, as the source has it: from the prison to the advance account, which is what the prisoner owes, and from
there to the prisoner's spends. Both are pending with the purchase and settled with it, so that nothing ever stays on
the advance account. An ended advance leaves the row: its events tell whether it was repaid or written off.
"""

from enum import StrEnum
from typing import assert_never

import msgspec
from msgspec.structs import replace

from schemas.fields import Fact
from schemas.general_ledger import GeneralLedgerLine
from schemas.ledger import Step
from schemas.prison_advances import (
    AdvanceActive,
    AdvancePending,
    AdvanceRepaid,
    AdvanceVoided,
    AdvanceWrittenOff,
    WriteOffAdvance,
)
from schemas.prison_finance import AdvanceApproval, PinnedCode, PurchasePending, VoidCause
from schemas.prison_reference import AdvancePolicy, Prisoner
from schemas.refusals import Reason
from streams.ledger.draft import Draft, Refused, refused
from streams.prison_finance.accounting_day import london_date
from streams.prison_finance.accounts import ADVANCE, CURRENCY, OWED, SPENDS, WRITTEN_OFF, pounds
from streams.prison_finance.general_ledger import Entry, GeneralLedger, Transaction, describe, repinned
from streams.prison_finance.reference import Reference

MOST_ADVANCES = 20
"""Open advances of one prisoner."""


class State(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"


class Advance(msgspec.Struct, frozen=True, omit_defaults=True):
    """An open advance; amounts in pence. `since` is the London day from which its instalments are counted."""

    advance_id: str
    state: State
    amount_minor: int
    prisoner: Prisoner
    instalment_minor: int
    every_days: int
    codes: tuple[PinnedCode, ...]
    repaid_minor: int = 0
    since: str | None = None

    @property
    def outstanding_minor(self) -> int:
        """What is still to be repaid; of a pending one, what will be."""
        return self.amount_minor - self.repaid_minor


class Advances(msgspec.Struct, frozen=True):
    """A prisoner's open advances, oldest first: one row a book, none where there are none."""

    open: tuple[Advance, ...]


def of(advances: Advances | None, advance_id: str) -> Advance | None:
    """The open advance of an id."""
    found = () if advances is None else advances.open
    return next((each for each in found if each.advance_id == advance_id), None)


def outstanding(advances: Advances | None) -> int:
    """What all open advances come to, with the pending ones."""
    return 0 if advances is None else sum(each.outstanding_minor for each in advances.open)


# ---- decide, as a part of what becomes of its purchase


def approve(reference: Reference, prisoner: Prisoner, approval: AdvanceApproval) -> AdvancePolicy | Refused:
    """The policy by which an advance is given. Refuses NO_ADVANCE_POLICY, NOT_AUTHORISED."""
    prison = reference.prisons.get(prisoner.prison_id)
    policy = None if prison is None else prison.policy
    if policy is None:
        return refused(Reason.NO_ADVANCE_POLICY, prison=prisoner.prison_id)
    if approval.circumstance is not None:
        if approval.circumstance in policy.automatic:
            return policy
        return refused(Reason.NO_ADVANCE_POLICY, prison=prisoner.prison_id, circumstance=approval.circumstance)
    assert approval.approved_by is not None
    officer = reference.officers.get(approval.approved_by)
    if officer is None or officer.prison_id != prisoner.prison_id or not officer.may_approve_advances:
        return refused(Reason.NOT_AUTHORISED, officer=approval.approved_by, prison=prisoner.prison_id)
    return policy


def too_large(advances: Advances | None, policy: AdvancePolicy, wanted_minor: int) -> Refused | None:
    """Refuses ADVANCE_TOO_LARGE, TOO_MANY_ADVANCES."""
    owed = outstanding(advances)
    if owed + wanted_minor > policy.allowed_minor:
        return refused(Reason.ADVANCE_TOO_LARGE, allowed=policy.allowed_minor, outstanding=owed, wanted=wanted_minor)
    if advances is not None and len(advances.open) >= MOST_ADVANCES:
        return refused(Reason.TOO_MANY_ADVANCES, bound=MOST_ADVANCES)
    return None


def lock(
    draft: Draft, purchase: PurchasePending, amount_minor: int, policy: AdvancePolicy, approval: AdvanceApproval
) -> AdvancePending | Refused:
    """Lock both transfers. Refuses AMOUNT_TOO_LARGE."""
    advance_id, deadline = purchase.purchase_id, purchase.deadline
    if refusal := (
        draft.reserve(_to_account(advance_id), OWED, ADVANCE, amount_minor, CURRENCY, deadline)
        or draft.reserve(_to_prisoner(advance_id), ADVANCE, SPENDS, amount_minor, CURRENCY, deadline)
    ):
        return refusal
    return AdvancePending(
        advance_id=advance_id,
        prisoner_id=purchase.prisoner_id,
        prisoner=purchase.prisoner,
        amount=pounds(amount_minor),
        approval=approval,
        instalment_minor=policy.instalment_minor,
        every_days=policy.every_days,
        gl_accounts=purchase.gl_accounts,
        deadline=deadline,
    )


def activate(draft: Draft, lent: Advance) -> tuple[AdvanceActive, list[Entry]]:
    """Settle both transfers; the schedule begins."""
    amount, text = lent.amount_minor, f"Advance - {lent.advance_id}"
    refusal = draft.settle(_to_account(lent.advance_id), OWED, ADVANCE, amount, text)
    assert refusal is None, refusal
    refusal = draft.settle(_to_prisoner(lent.advance_id), ADVANCE, SPENDS, amount, text)
    assert refusal is None, refusal
    active = AdvanceActive(
        advance_id=lent.advance_id,
        prisoner_id=lent.prisoner.prisoner_id,
        amount=pounds(amount),
        since=london_date(draft.at),
        at=draft.at,
    )
    return active, [Entry(OWED.name, ADVANCE.name, amount), Entry(ADVANCE.name, SPENDS.name, amount)]


def void(draft: Draft, lent: Advance, cause: VoidCause, step: Step) -> AdvanceVoided:
    """Free both transfers."""
    refusal = draft.void(_to_account(lent.advance_id), OWED, ADVANCE, step)
    assert refusal is None, refusal
    refusal = draft.void(_to_prisoner(lent.advance_id), ADVANCE, SPENDS, step)
    assert refusal is None, refusal
    return AdvanceVoided(
        advance_id=lent.advance_id,
        prisoner_id=lent.prisoner.prisoner_id,
        cause=cause,
        amount=pounds(lent.amount_minor),
        at=draft.at,
    )


# ---- decide: giving up


def write_off(
    draft: Draft, advances: Advances | None, reference: Reference, ledger: GeneralLedger, command: WriteOffAdvance
) -> list[Fact] | Refused:
    """Give up what is outstanding: an officer of the prison that lent it decides.

    Refuses NOT_FOUND, WRONG_STATE, NOT_AUTHORISED.
    """
    lent = of(advances, command.advance_id)
    if lent is None:
        return refused(Reason.NOT_FOUND, advance=command.advance_id)
    if lent.state is not State.ACTIVE:
        return refused(Reason.WRONG_STATE, advance=command.advance_id, state=lent.state)
    prison_id, officer = lent.prisoner.prison_id, reference.officers.get(command.written_off_by)
    if officer is None or officer.prison_id != prison_id or not officer.may_write_off:
        return refused(Reason.NOT_AUTHORISED, officer=command.written_off_by, prison=prison_id)
    amount, text = lent.outstanding_minor, describe("Advance written off", draft.at, command.advance_id)
    refusal = draft.post(WRITTEN_OFF, OWED, amount, CURRENCY, text)
    assert refusal is None, refusal
    written_off = AdvanceWrittenOff(
        advance_id=command.advance_id,
        prisoner_id=command.prisoner_id,
        amount=pounds(amount),
        written_off_by=command.written_off_by,
        reason=command.reason,
        at=draft.at,
    )
    transaction = Transaction(write_off_id(command.advance_id), lent.prisoner, lent.codes, text)
    return [written_off, *ledger.lines(transaction, [Entry(WRITTEN_OFF.name, OWED.name, amount)], draft.at)]


def write_off_id(advance_id: str) -> str:
    """Of the transaction, which may be open long after the advance has ended."""
    return f"write-off/{advance_id}"


# ---- evolve

Event = AdvancePending | AdvanceActive | AdvanceVoided | AdvanceRepaid | AdvanceWrittenOff | GeneralLedgerLine
"""Of general-ledger lines those that correct others of the advance's purchase."""


def evolve(advances: Advances | None, event: Event) -> Advances | None:
    """The open advances after an event; None where there are none."""
    before = () if advances is None else advances.open
    if isinstance(event, AdvancePending):
        return Advances((*before, _pending(event)))
    advance_id = event.transaction_id if isinstance(event, GeneralLedgerLine) else event.advance_id
    after = (_changed(each, event) if each.advance_id == advance_id else each for each in before)
    still_open = tuple(each for each in after if each is not None)
    return Advances(still_open) if still_open else None


def _pending(event: AdvancePending) -> Advance:
    return Advance(
        event.advance_id,
        State.PENDING,
        event.amount.amount_minor,
        event.prisoner,
        event.instalment_minor,
        event.every_days,
        event.gl_accounts,
    )


def _changed(
    lent: Advance, event: AdvanceActive | AdvanceVoided | AdvanceRepaid | AdvanceWrittenOff | GeneralLedgerLine
) -> Advance | None:
    match event:
        case AdvanceActive():
            return replace(lent, state=State.ACTIVE, since=event.since)
        case AdvanceRepaid():
            repaid = replace(lent, repaid_minor=lent.repaid_minor + event.amount.amount_minor)
            assert repaid.outstanding_minor == event.outstanding_minor >= 0, event
            return repaid if repaid.outstanding_minor else None
        case AdvanceVoided() | AdvanceWrittenOff():
            return None
        case GeneralLedgerLine():
            prisoner, codes = repinned(lent.prisoner, lent.codes, event)
            return replace(lent, prisoner=prisoner, codes=codes)
        case _:
            assert_never(event)


def _to_account(advance_id: str) -> str:
    return f"advance:{advance_id}/account"


def _to_prisoner(advance_id: str) -> str:
    return f"advance:{advance_id}/prisoner"
