"""The submission of a purchase: the whole total is checked, then every part is locked (PRI-02 to PRI-07, PRI-10).

What is refused is refused before anything is locked, in the order of `schemas.refusals.Reason`.
"""

from typing import NamedTuple

from schemas.fields import Fact
from schemas.prison_finance import FundingSource, PinnedCode, PurchasePending, SubmitPurchase
from schemas.prison_reference import AdvancePolicy, Prisoner, Supplier
from schemas.refusals import Reason
from streams.ledger.draft import Draft, Refused, refused
from streams.prison_finance import advance
from streams.prison_finance.accounting_day import london_date
from streams.prison_finance.accounts import (
    ADVANCE,
    CASH,
    CURRENCY,
    OWED,
    SPENDS,
    SUPPLIER,
    WRITTEN_OFF,
    other_money,
    payer,
)
from streams.prison_finance.advance import Advances
from streams.prison_finance.funding import Funded, allocate, unpermitted
from streams.prison_finance.gl_transaction import GlTransaction
from streams.prison_finance.purchase import DAILY, Purchase, lock_id
from streams.prison_finance.reference import Reference, pin

PENDING_US = 30 * 60_000_000
"""How long money stays locked for an order: time to check its details and confirm it, while no other can spend it."""


class Known(NamedTuple):
    """What the book knows under the id of a purchase, and of its advances. The write-off is that of its advance."""

    purchase: Purchase | None
    transaction: GlTransaction | None
    write_off: GlTransaction | None
    advances: Advances | None


class _Parties(NamedTuple):
    prisoner: Prisoner
    suppliers: tuple[Supplier, ...]


class _Terms(NamedTuple):
    """By what rules the parts are paid; `policy` is None without an advance."""

    policy: AdvancePolicy | None
    codes: tuple[PinnedCode, ...]


def submit(
    draft: Draft,
    known: Known,
    reference: Reference,
    command: SubmitPurchase,
    batch_id: str | None = None,
) -> list[Fact] | Refused:
    """Lock what the purchase costs, within the daily limit.

    Refuses CURRENCY_MISMATCH, UNKNOWN_PRISONER, UNKNOWN_SUPPLIER, ALREADY_EXISTS, NOT_PERMITTED, NO_ADVANCE_POLICY,
    NOT_AUTHORISED, NO_GL_ACCOUNT, OVER_LIMIT, INSUFFICIENT_FUNDS, ADVANCE_TOO_LARGE, TOO_MANY_ADVANCES,
    AMOUNT_TOO_LARGE.
    """
    parties = _parties(reference, command)
    if isinstance(parties, Refused):
        return parties
    if refusal := _exists(known, command.purchase_id):
        return refusal
    advances = known.advances
    funded = allocate(command.payments, _funds(draft, command))
    terms = _terms(draft, reference, parties.prisoner, funded, command)
    if isinstance(terms, Refused):
        return terms
    limit_day = _use_limit(draft, parties.prisoner, command)
    if isinstance(limit_day, Refused):
        return limit_day
    lent = funded.paid_by(FundingSource.ADVANCE)
    if refusal := (
        _missing(draft, reference, parties.prisoner, advances, funded, command)
        or (advance.too_large(advances, terms.policy, lent) if terms.policy is not None else None)
    ):
        return refusal
    pending = PurchasePending(
        purchase_id=command.purchase_id,
        prisoner_id=command.prisoner_id,
        prisoner=parties.prisoner,
        suppliers=parties.suppliers,
        parts=funded.parts,
        total=command.total,
        gl_accounts=terms.codes,
        description=command.description,
        receipt_to=command.receipt_to,
        batch_id=batch_id,
        submitted_at=draft.at,
        deadline=draft.at + PENDING_US,
        limit_day=limit_day,
    )
    events: list[Fact] = [pending]
    if terms.policy is not None:
        assert command.approval is not None
        locked = advance.lock(draft, pending, lent, terms.policy, command.approval)
        if isinstance(locked, Refused):
            return locked
        events.append(locked)
    return _lock_parts(draft, pending) or events


def _exists(known: Known, purchase_id: str) -> Refused | None:
    """An advance, and lines that the general ledger has not processed, its write-off's too, may outlive the memory of
    their purchase."""
    if known.purchase is not None:
        return refused(Reason.ALREADY_EXISTS, purchase=purchase_id, state=known.purchase.state)
    if known.transaction is not None:
        return refused(Reason.ALREADY_EXISTS, transaction=purchase_id, state=known.transaction.state)
    if known.write_off is not None:
        write_off = advance.write_off_id(purchase_id)
        return refused(Reason.ALREADY_EXISTS, transaction=write_off, state=known.write_off.state)
    if advance.of(known.advances, purchase_id) is not None:
        return refused(Reason.ALREADY_EXISTS, advance=purchase_id)
    return None


def _parties(reference: Reference, command: SubmitPurchase) -> _Parties | Refused:
    if refusal := other_money(command.total):
        return refusal
    prisoner = reference.prisoners.get(command.prisoner_id)
    if prisoner is None:
        return refused(Reason.UNKNOWN_PRISONER, prisoner=command.prisoner_id)
    suppliers = []
    for payment in command.payments:
        supplier = reference.suppliers.get(payment.supplier_id)
        if supplier is None:
            return refused(Reason.UNKNOWN_SUPPLIER, supplier=payment.supplier_id)
        suppliers.append(supplier)
    return _Parties(prisoner, tuple(suppliers))


def _funds(draft: Draft, command: SubmitPurchase) -> dict[FundingSource, int]:
    """What each source has: an advance gives whatever is left to pay."""
    return {
        source: command.total.amount_minor
        if source is FundingSource.ADVANCE
        else draft.balance(payer(source), CURRENCY).available
        for source in command.funding
    }


def _terms(
    draft: Draft, reference: Reference, prisoner: Prisoner, funded: Funded, command: SubmitPurchase
) -> _Terms | Refused:
    cash = funded.paid_by(FundingSource.CASH)
    if refusal := unpermitted(prisoner, command.funding, cash, draft.at):
        return refusal
    policy: AdvancePolicy | None = None
    accounts = [payer(part.source).name for part in funded.parts]
    if funded.paid_by(FundingSource.ADVANCE):
        assert command.approval is not None
        approved = advance.approve(reference, prisoner, command.approval)
        if isinstance(approved, Refused):
            return approved
        policy = approved
        accounts += [account.name for account in (SPENDS, CASH, OWED, ADVANCE, WRITTEN_OFF)]
    codes = pin(reference, [*accounts, *(SUPPLIER.of(each.supplier_id).name for each in command.payments)])
    return codes if isinstance(codes, Refused) else _Terms(policy, codes)


def _use_limit(draft: Draft, prisoner: Prisoner, command: SubmitPurchase) -> str | Refused | None:
    """The day whose limit was used; None where there is no limit. Refuses OVER_LIMIT."""
    if prisoner.daily_limit_minor is None:
        return None
    day = draft.limit_window(DAILY, london_date(draft.at))
    return draft.use_limit(DAILY, day, prisoner.daily_limit_minor, command.total.amount_minor) or day


def _missing(
    draft: Draft,
    reference: Reference,
    prisoner: Prisoner,
    advances: Advances | None,
    funded: Funded,
    command: SubmitPurchase,
) -> Refused | None:
    """Refuses INSUFFICIENT_FUNDS; where the prison would lend what is missing, it says so (PRI-05)."""
    if not funded.missing_minor:
        return None
    has = {f"{source}_available": available for source, available in _funds(draft, command).items()}
    figures = {**has, "total": command.total.amount_minor, "missing": funded.missing_minor}
    prison = reference.prisons.get(prisoner.prison_id)
    policy = None if prison is None else prison.policy
    if policy is not None and advance.too_large(advances, policy, funded.missing_minor) is None:
        allowed = policy.allowed_minor - advance.outstanding(advances)
        figures |= {"advance_recommended": funded.missing_minor, "advance_allowed": allowed}
    return refused(Reason.INSUFFICIENT_FUNDS, **figures)


def _lock_parts(draft: Draft, pending: PurchasePending) -> Refused | None:
    for part in pending.parts:
        if part.source is FundingSource.ADVANCE:
            continue
        lock, earner = lock_id(pending.purchase_id, part), SUPPLIER.of(part.supplier_id)
        refusal = draft.reserve(lock, payer(part.source), earner, part.amount_minor, CURRENCY, pending.deadline)
        if refusal is not None:
            return refusal
    return None
