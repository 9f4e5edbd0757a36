"""Money that comes in for a prisoner, and moves between his sub-accounts (PRI-01)."""

from schemas.fields import Fact
from schemas.prison_finance import (
    CreditPrisoner,
    MoveBetweenSubAccounts,
    MovedBetweenSubAccounts,
    PrisonerCredited,
)
from schemas.prison_reference import Prisoner
from schemas.refusals import Reason
from streams.ledger.draft import Draft, Refused, refused
from streams.prison_finance.accounts import PRISON, account_of, other_money
from streams.prison_finance.advance import Advances
from streams.prison_finance.general_ledger import GeneralLedger
from streams.prison_finance.repayment import repay


def credit(
    draft: Draft, prisoner: Prisoner | None, advances: Advances | None, ledger: GeneralLedger, command: CreditPrisoner
) -> list[Fact] | Refused:
    """Put money on a sub-account; what is due of advances is repaid out of it (PRI-12).

    Refuses CURRENCY_MISMATCH, UNKNOWN_PRISONER, AMOUNT_TOO_LARGE.
    """
    amount = command.amount
    if refusal := other_money(amount):
        return refusal
    if prisoner is None:
        return refused(Reason.UNKNOWN_PRISONER, prisoner=command.prisoner_id)
    target = account_of(command.sub_account)
    if refusal := draft.post(PRISON, target, amount.amount_minor, amount.currency, command.description):
        return refusal
    credited = PrisonerCredited(
        credit_id=command.credit_id,
        prisoner_id=command.prisoner_id,
        sub_account=command.sub_account,
        amount=amount,
    )
    return [credited, *repay(draft, advances, ledger, command)]


def move(draft: Draft, command: MoveBetweenSubAccounts) -> list[MovedBetweenSubAccounts] | Refused:
    """Move what is there and not locked; the prisoner may have left, his money is still his.

    Refuses CURRENCY_MISMATCH, INSUFFICIENT_FUNDS, AMOUNT_TOO_LARGE.
    """
    amount = command.amount
    if refusal := other_money(amount):
        return refusal
    source, target = account_of(command.source), account_of(command.target)
    if refusal := draft.post(source, target, amount.amount_minor, amount.currency, command.description):
        return refusal
    return [
        MovedBetweenSubAccounts(
            transfer_id=command.transfer_id,
            prisoner_id=command.prisoner_id,
            source=command.source,
            target=command.target,
            amount=amount,
        )
    ]
