"""The life of a deposit: it opens a lot in the wallet; what is left on its day goes to the expiry account (MOB-09)."""

from schemas.fields import Money
from schemas.ledger import LotPart
from schemas.mobility import BudgetDeposited, BudgetExpired, DepositBudget
from schemas.refusals import Reason
from streams.ledger.draft import Draft, Refused, refused
from streams.mobility.accounts import EXPIRED, FUNDING, WALLET
from streams.mobility.restriction import restriction_of

MAX_RESTRICTIONS = 100_000
"""Characters of all restrictions in one wallet at most: with the number of lots, this bounds its row."""


def deposit(draft: Draft, command: DepositBudget) -> list[BudgetDeposited] | Refused:
    """Open a lot. Refuses EXPIRES_IN_THE_PAST, ALREADY_EXISTS, TOO_MANY_LOTS, AMOUNT_TOO_LARGE."""
    amount, expires_at, restriction = command.amount, command.expires_at, restriction_of(command)
    if expires_at is not None and expires_at <= draft.at:
        return refused(Reason.EXPIRES_IN_THE_PAST, expires_at=expires_at, deposited_at=draft.at)
    if restriction and (refusal := _no_room(draft, amount.currency, restriction)):
        return refusal
    lot = LotPart(
        lot_id=command.deposit_id,
        amount_minor=amount.amount_minor,
        expires_at=expires_at,
        restriction=restriction,
    )
    text = f"Deposit {command.deposit_id}"
    if refusal := draft.post(FUNDING, WALLET, amount.amount_minor, amount.currency, text, opened=lot):
        return refusal
    return [
        BudgetDeposited(deposit_id=command.deposit_id, group_id=command.group_id, amount=amount, expires_at=expires_at)
    ]


def expire(draft: Draft, group_id: str, currency: str, now: int) -> list[BudgetExpired]:
    """Move what is left of every lot that has expired by `now`, and that no running trip has locked."""
    expired = []
    for lot in draft.balance(WALLET, currency).lots:
        if lot.expires_at is not None and lot.expires_at <= now and lot.free:
            text = f"Deposit {lot.lot_id} expired"
            refusal = draft.post(WALLET, EXPIRED, lot.free, currency, text, spent=(lot.part(lot.free),))
            assert refusal is None, refusal
            amount = Money(amount_minor=lot.free, currency=currency)
            expired.append(BudgetExpired(group_id=group_id, deposit_id=lot.lot_id, amount=amount))
    return expired


def _no_room(draft: Draft, currency: str, restriction: str) -> Refused | None:
    held = sum(len(lot.restriction) for lot in draft.balance(WALLET, currency).lots)
    if held + len(restriction) <= MAX_RESTRICTIONS:
        return None
    return refused(
        Reason.TOO_MANY_LOTS, account=WALLET.name, restrictions=held + len(restriction), bound=MAX_RESTRICTIONS
    )
