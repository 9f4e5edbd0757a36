"""The general-ledger lines of a purchase (PRI-10). Facts and their sources: design/facts.md, "ADI journal file"."""

from datetime import date

from schemas.fields import Money
from schemas.general_ledger import GeneralLedgerLine, LedgerSide
from schemas.prison_finance import Prisoner, Supplier

SPENDS_GL_ACCOUNT = "2102"
"""NOMIS code of spends. The Single Operating Platform's own code is in no public source: whoever runs this sets it."""

NAME_LENGTH = 120
"""Characters of a supplier's name in a description: with a day and a purchase id it must fit into 240."""


def describe(supplier: Supplier, day: str, purchase_id: str) -> str:
    """A line's description as published: `Canteen Spends - 09.01.2024 - CANTEEN-0001`. `day` is an ISO date."""
    return f"{supplier.name[:NAME_LENGTH]} Spends - {date.fromisoformat(day):%d.%m.%Y} - {purchase_id}"


def lines(
    prisoner: Prisoner, supplier: Supplier, purchase_id: str, amount: Money, accounting_date: str, description: str
) -> list[GeneralLedgerLine]:
    """Two lines that balance: from the spends of the prisoner's prison to the supplier."""
    return [
        GeneralLedgerLine(
            line_id=f"{prisoner.prisoner_id}/{purchase_id}/{accounting_date}/{side}",
            transaction_id=purchase_id,
            prisoner_id=prisoner.prisoner_id,
            prison_id=prisoner.prison_id,
            accounting_date=accounting_date,
            cost_centre=prisoner.cost_centre,
            gl_account=gl_account,
            side=side,
            amount=amount,
            description=description,
        )
        for side, gl_account in ((LedgerSide.DEBIT, SPENDS_GL_ACCOUNT), (LedgerSide.CREDIT, supplier.gl_account))
    ]
