"""Refunds: an authorised purchase is taken back, in whole or in part, as a reversal (PRI-13).

No supplier gives back more than it got. Money goes back in the reverse order of funding: what an advance paid comes
first, then cash, then spends. What an advance paid repays that advance while something is owed on it; if it was written
off, it makes good the loss up to what was given up; what is left is the prisoner's, on spends.
"""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.fields import Fact
from schemas.prison_advances import AdvanceRepaid
from schemas.prison_finance import FundingSource, PurchasePart, PurchaseRefunded, RefundPart, RefundPurchase
from schemas.refusals import Reason
from streams.ledger.accounts import Account
from streams.ledger.draft import Draft, Refused, refused
from streams.prison_finance import advance
from streams.prison_finance.accounts import CASH, CURRENCY, OWED, SPENDS, SUPPLIER, WRITTEN_OFF, other_money, pounds
from streams.prison_finance.advance import Advance, Advances
from streams.prison_finance.general_ledger import Entry, GeneralLedger, Transaction, describe
from streams.prison_finance.purchase import Purchase, State

ACCOUNTS: dict[str, Account] = {account.name: account for account in (SPENDS, CASH, OWED, WRITTEN_OFF)}


MOST_IN_PART = 100
"""Refunds of one purchase that name payments: its row knows them all. One of all that is left is still taken then."""


class _Left(NamedTuple):
    """What may still go where out of an advance's part, in pence."""

    owed: int
    written_off: int


def refund(
    draft: Draft, purchase: Purchase | None, advances: Advances | None, ledger: GeneralLedger, command: RefundPurchase
) -> list[Fact] | Refused:
    """Take back from the suppliers what the command says, or all that is left.

    Refuses CURRENCY_MISMATCH, ALREADY_EXISTS, NOT_FOUND, WRONG_STATE, EXCEEDS_PURCHASE, TOO_MANY_REFUNDS,
    AMOUNT_TOO_LARGE.
    """
    transaction_id = f"refund/{command.refund_id}"
    for payment in command.payments:
        if refusal := other_money(payment.amount):
            return refusal
    if ledger.transaction(transaction_id) is not None:
        return refused(Reason.ALREADY_EXISTS, refund=command.refund_id)
    if purchase is None:
        return refused(Reason.NOT_FOUND, purchase=command.purchase_id)
    if command.refund_id in purchase.refund_ids:  # they outlive the memory of their ledger transactions
        return refused(Reason.ALREADY_EXISTS, refund=command.refund_id)
    if purchase.state not in (State.AUTHORISED, State.PROCESSED):
        return refused(Reason.WRONG_STATE, purchase=command.purchase_id, state=purchase.state)
    wanted = _wanted(purchase, command)
    if isinstance(wanted, Refused):
        return wanted
    lent = advance.of(advances, command.purchase_id)
    parts = tuple(_parts(purchase, lent, wanted))
    text = describe(f"Refund of {purchase.description}", draft.at, command.refund_id)
    for part in parts:
        earner, account = SUPPLIER.of(part.supplier_id), ACCOUNTS[part.account]
        if refusal := draft.post(earner, account, part.amount_minor, CURRENCY, text):
            return refusal
    entries = [Entry(SUPPLIER.of(part.supplier_id).name, part.account, part.amount_minor) for part in parts]
    transaction = Transaction(transaction_id, purchase.prisoner, purchase.codes, text, reverses=command.purchase_id)
    return [
        PurchaseRefunded(
            refund_id=command.refund_id,
            purchase_id=command.purchase_id,
            prisoner_id=command.prisoner_id,
            parts=parts,
            total=pounds(sum(part.amount_minor for part in parts)),
            reason=command.reason,
            at=draft.at,
        ),
        *_repaid(lent, parts, transaction_id, draft.at),
        *ledger.lines(transaction, entries, draft.at),
    ]


def _wanted(purchase: Purchase, command: RefundPurchase) -> dict[str, int] | Refused:
    """Pence by supplier. Refuses EXCEEDS_PURCHASE, TOO_MANY_REFUNDS."""
    left = dict.fromkeys((part.supplier_id for part in purchase.parts), 0)
    for part in purchase.parts:
        left[part.supplier_id] += part.amount_minor
    paid = dict(left)
    for given in purchase.refunded:
        left[given.supplier_id] -= given.amount_minor
    if not command.payments:
        everything = {supplier_id: amount for supplier_id, amount in left.items() if amount}
        if not everything:
            return refused(Reason.EXCEEDS_PURCHASE, purchase=command.purchase_id, left=0)
        return everything
    wanted = {payment.supplier_id: payment.amount.amount_minor for payment in command.payments}
    for supplier_id, amount in wanted.items():
        if amount > left.get(supplier_id, 0):
            figures = {"paid": paid.get(supplier_id, 0), "left": left.get(supplier_id, 0), "wanted": amount}
            return refused(Reason.EXCEEDS_PURCHASE, supplier=supplier_id, **figures)
    if len(purchase.refund_ids) >= MOST_IN_PART:
        return refused(Reason.TOO_MANY_REFUNDS, purchase=command.purchase_id, bound=MOST_IN_PART)
    return wanted


def _parts(purchase: Purchase, lent: Advance | None, wanted: dict[str, int]) -> Iterator[RefundPart]:
    given: dict[tuple[FundingSource, str], int] = {}
    recovered = 0
    for before in purchase.refunded:
        key = before.source, before.supplier_id
        given[key] = given.get(key, 0) + before.amount_minor
        recovered += before.amount_minor if before.account == WRITTEN_OFF.name else 0
    still = _Left(0 if lent is None else lent.outstanding_minor, purchase.written_off_minor - recovered)
    wanted = dict(wanted)
    for source in reversed(FundingSource):
        for part in (each for each in purchase.parts if each.source is source):
            left = part.amount_minor - given.get((source, part.supplier_id), 0)
            amount = min(wanted.get(part.supplier_id, 0), left)
            if amount:
                wanted[part.supplier_id] -= amount
                back = _split(source, amount, still)
                still = _Left(still.owed - back.get(OWED.name, 0), still.written_off - back.get(WRITTEN_OFF.name, 0))
                yield from _refund_parts(part, back)
    assert not any(wanted.values()), wanted


def _split(source: FundingSource, amount: int, still: _Left) -> dict[str, int]:
    """Account to pence: where money of a source goes back to."""
    if source is not FundingSource.ADVANCE:
        return {source.value: amount}
    owed = min(amount, still.owed)
    made_good = min(amount - owed, still.written_off)
    return {OWED.name: owed, WRITTEN_OFF.name: made_good, SPENDS.name: amount - owed - made_good}


def _refund_parts(part: PurchasePart, back: dict[str, int]) -> Iterator[RefundPart]:
    for account, amount in back.items():
        if amount:
            yield RefundPart(source=part.source, supplier_id=part.supplier_id, account=account, amount_minor=amount)


def _repaid(lent: Advance | None, parts: tuple[RefundPart, ...], transaction_id: str, at: int) -> Iterator[Fact]:
    amount = sum(part.amount_minor for part in parts if part.account == OWED.name)
    if lent is not None and amount:
        yield AdvanceRepaid(
            advance_id=lent.advance_id,
            prisoner_id=lent.prisoner.prisoner_id,
            transaction_id=transaction_id,
            amount=pounds(amount),
            outstanding_minor=lent.outstanding_minor - amount,
            at=at,
        )
