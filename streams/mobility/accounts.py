"""The chart of accounts of a sharing group's book.

funding        the budgets that the city has given; grows with every deposit
wallet         what the group may spend, in lots
trips/MSP      what trips have earned one operator
rider/RIDER    what a rider owes beyond the wallet, until the card pays it (MOB-17)
expired        what the wallet lost on the day of its lots' expiry (MOB-09)
"""

from schemas.ledger import Side
from streams.ledger.accounts import Account, Audience, Holding, Overdraft

FUNDING = Account("funding", Side.DEBIT)
WALLET = Account("wallet", Side.CREDIT, Overdraft.FORBIDDEN, Holding.LOTS, Audience.OWNER)
TRIPS = Account("trips", Side.CREDIT)
RIDER = Account("rider", Side.CREDIT, audience=Audience.OWNER)
EXPIRED = Account("expired", Side.CREDIT, audience=Audience.OWNER)
