"""The chart of accounts of a dealer's book. TYPE is COMMISSION, DEPOSIT or SETTLEMENT.

receivable/TYPE    what the dealer owes of the bills raised on one account; never less than nothing
revenue/TYPE       what those bills come to
bank               the money that Billing has reported and we took, less what was handed over to another dealer's book
current/TYPE       what the dealer paid beyond his bills; pays the next one first (DLR-06). Of DEPOSIT, which has no
                   bills: his deposit, which pays nothing (DLR-08)
suspense           what waits for its bill, or for somebody who says whose it is
"""

from schemas.ledger import Side
from streams.ledger.accounts import Account, Audience, Overdraft

RECEIVABLE = Account("receivable", Side.DEBIT, Overdraft.FORBIDDEN)
REVENUE = Account("revenue", Side.CREDIT)
BANK = Account("bank", Side.DEBIT)
CURRENT = Account("current", Side.CREDIT, Overdraft.FORBIDDEN, audience=Audience.OWNER)
SUSPENSE = Account("suspense", Side.CREDIT, Overdraft.FORBIDDEN)

DEALER = "dealer:"
"""What the name of a dealer's book begins with; his id follows."""


def dealer_of(book: str) -> str:
    """Whose book it is."""
    return book.removeprefix(DEALER)
