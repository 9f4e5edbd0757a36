"""Repayment of advances by schedule, out of what comes in (PRI-12).

From the day an advance became active an instalment falls due every so many London days. A credit to cash or spends pays
what is due by then and not repaid yet: the oldest advance first, out of the credited money only, in the decision that
credits it. Savings, transfers and refunds pay nothing by schedule; a refund pays its own advance (`refund`).
"""

from datetime import date

from schemas.fields import Fact
from schemas.prison_advances import AdvanceRepaid
from schemas.prison_finance import CreditPrisoner, SubAccount
from streams.ledger.draft import Draft
from streams.prison_finance.accounting_day import london_date
from streams.prison_finance.accounts import CURRENCY, OWED, account_of, pounds
from streams.prison_finance.advance import Advance, Advances, State
from streams.prison_finance.general_ledger import Entry, GeneralLedger, Transaction, describe


def due_minor(lent: Advance, day: str) -> int:
    """What of an advance should be repaid by a London day and is not, in pence."""
    if lent.state is not State.ACTIVE:
        return 0
    assert lent.since is not None
    days = (date.fromisoformat(day) - date.fromisoformat(lent.since)).days
    instalments = max(0, days // lent.every_days)
    return max(0, min(lent.amount_minor, instalments * lent.instalment_minor) - lent.repaid_minor)


def repay(draft: Draft, advances: Advances | None, ledger: GeneralLedger, credit: CreditPrisoner) -> list[Fact]:
    """What a credit that was just made pays back: each advance by a transaction of its own.

    Its id has the London day, as a credit's id is forgotten long before the general ledger's lines may be.
    """
    if advances is None or credit.sub_account is SubAccount.SAVINGS:
        return []
    events, left, day = list[Fact](), credit.amount.amount_minor, london_date(draft.at)
    for number, lent in enumerate(advances.open, start=1):
        amount = min(due_minor(lent, day), left)
        if amount:
            left -= amount
            events += _repay(draft, lent, amount, ledger, credit, f"repayment/{day}/{credit.credit_id}/{number}")
    return events


def _repay(
    draft: Draft, lent: Advance, amount: int, ledger: GeneralLedger, credit: CreditPrisoner, transaction_id: str
) -> list[Fact]:
    source, text = account_of(credit.sub_account), describe("Advance repaid", draft.at, lent.advance_id)
    refusal = draft.post(source, OWED, amount, CURRENCY, text)
    assert refusal is None, refusal
    repaid = AdvanceRepaid(
        advance_id=lent.advance_id,
        prisoner_id=credit.prisoner_id,
        transaction_id=transaction_id,
        amount=pounds(amount),
        outstanding_minor=lent.outstanding_minor - amount,
        at=draft.at,
    )
    transaction = Transaction(transaction_id, lent.prisoner, lent.codes, text)
    return [repaid, *ledger.lines(transaction, [Entry(source.name, OWED.name, amount)], draft.at)]
