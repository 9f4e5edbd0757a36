"""The chart of accounts of a prisoner's book, in pounds sterling.

prison         what the prison holds for the prisoner; grows with every credit
cash           private cash: what others sent in
spends         what may be spent on purchases (PRI-02)
savings        what is put by
supplier/ID    what purchases have earned one supplier
owed           what the prisoner owes out of advances; never below zero (PRI-12)
advance        the advance account: what goes from the prison to the prisoner passes through, so that nothing stays
written_off    advances that were given up
"""

from typing import assert_never

from schemas.fields import Money
from schemas.ledger import Side
from schemas.prison_finance import FundingSource, SubAccount
from schemas.refusals import Reason
from streams.ledger.accounts import Account, Audience, Overdraft
from streams.ledger.draft import Refused, refused

CURRENCY = "GBP"
"""Of the general ledger that the lines go to, of a day's totals, and of daily limits: other money is refused."""

PRISON = Account("prison", Side.DEBIT)
CASH = Account("cash", Side.CREDIT, Overdraft.FORBIDDEN, audience=Audience.OWNER)
SPENDS = Account("spends", Side.CREDIT, Overdraft.FORBIDDEN, audience=Audience.OWNER)
SAVINGS = Account("savings", Side.CREDIT, Overdraft.FORBIDDEN, audience=Audience.OWNER)
SUPPLIER = Account("supplier", Side.CREDIT)
OWED = Account("owed", Side.DEBIT, Overdraft.FORBIDDEN)
ADVANCE = Account("advance", Side.CREDIT)
WRITTEN_OFF = Account("written_off", Side.DEBIT, Overdraft.FORBIDDEN)


def account_of(sub_account: SubAccount) -> Account:
    """The account of a sub-account."""
    match sub_account:
        case SubAccount.CASH:
            return CASH
        case SubAccount.SPENDS:
            return SPENDS
        case SubAccount.SAVINGS:
            return SAVINGS
        case _:
            assert_never(sub_account)


def payer(source: FundingSource) -> Account:
    """The account that pays a supplier: what an advance pays has come to spends before."""
    match source:
        case FundingSource.SPENDS | FundingSource.ADVANCE:
            return SPENDS
        case FundingSource.CASH:
            return CASH
        case _:
            assert_never(source)


def other_money(amount: Money) -> Refused | None:
    """Refuses CURRENCY_MISMATCH."""
    if amount.currency == CURRENCY:
        return None
    return refused(Reason.CURRENCY_MISMATCH, currency=CURRENCY, given=amount.currency, wanted=amount.amount_minor)


def pounds(amount_minor: int) -> Money:
    """Pence that were checked before."""
    return Money.model_construct(amount_minor=amount_minor, currency=CURRENCY)
