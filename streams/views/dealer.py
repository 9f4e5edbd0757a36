"""`python -m streams dealer bills CME_ID`: what a dealer still has to pay, the source's getBillsByDealer (DLR-07).

    with reading(settings().postgres) as connection:
        answer = bills_by_dealer(connection, "cme-17")

A bill that is sent, and not paid in whole, is to be paid: a draft owes nothing yet, one taken back nothing any more.
Every step finds its rows by an index, so that the answer does not become slower while paid bills pile up.
"""

from collections import Counter
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.views.money import amount_of, amounts, balance_of, quiet_table
from streams.views.projection import NoSuchDealer, TooManyBills

MOST_BILLS = 10_000
"""Bills that one answer shows at most."""


class OpenBill(NamedTuple):
    """A bill that is to be paid, in minor units. `url` is of its PDF in Billing."""

    dealer_id: str
    bill_id: str
    account: str
    common_minor: int
    paid_minor: int
    owed_minor: int
    currency: str
    state: str
    url: str | None


class CurrentBalance(NamedTuple):
    """What was paid beyond bills on an account, in one currency; None where there never was any money."""

    dealer_id: str
    account: str
    state: str
    balance_minor: int
    currency: str | None


class ToPay(NamedTuple):
    """The answer. A dealer of CME is one of ours, but for one whose pair of ids was changed after he registered."""

    cme_dealer_id: str
    dealer_ids: tuple[str, ...]
    bills: tuple[OpenBill, ...]
    balances: tuple[CurrentBalance, ...]

    @property
    def owed(self) -> dict[str, int]:
        """In all, by currency, in minor units."""
        owed: Counter[str] = Counter()
        for bill in self.bills:
            owed[bill.currency] += bill.owed_minor
        return dict(sorted(owed.items()))


DEALERS = "SELECT dealer_id FROM projection.dealers WHERE cme_client_id = %s ORDER BY 1"

BILLS = f"""
    SELECT bill.dealer_id, bill.bill_id, bill.account_type AS account, bill.common_sum_minor AS common_minor,
           bill.paid_sum_minor AS paid_minor, bill.common_sum_minor - bill.paid_sum_minor AS owed_minor,
           bill.currency, bill.state, bill.url
      FROM projection.dealers JOIN projection.bill USING (dealer_id)
     WHERE dealers.cme_client_id = %s AND bill.state IN ('sent', 'part_paid')
     ORDER BY bill.dealer_id, bill.account_type, bill.bill_id LIMIT {MOST_BILLS + 1}
"""

BALANCES = """
    SELECT accounts.dealer_id, accounts.account_type AS account, accounts.state,
           coalesce(balances.balance_minor, 0) AS balance_minor, balances.currency
      FROM projection.dealers JOIN projection.accounts USING (dealer_id)
      LEFT JOIN projection.balances
        ON balances.book = dealers.id AND balances.account = 'current/' || accounts.account_type
     WHERE dealers.cme_client_id = %s
     ORDER BY accounts.dealer_id, accounts.account_type, balances.currency
"""


def bills_by_dealer(connection: psycopg.Connection, cme_dealer_id: str) -> ToPay:
    """What a dealer of CME still has to pay, and his current balances. Raises `NoSuchDealer`, `TooManyBills`."""
    dealers = ids_of(connection, cme_dealer_id)
    with connection.cursor(row_factory=class_row(OpenBill)) as cursor:
        bills = cursor.execute(BILLS, [cme_dealer_id]).fetchall()
    if len(bills) > MOST_BILLS:
        raise TooManyBills(f"dealer {cme_dealer_id!r} of CME has more than {MOST_BILLS:,} bills to pay")
    with connection.cursor(row_factory=class_row(CurrentBalance)) as cursor:
        balances = cursor.execute(BALANCES, [cme_dealer_id]).fetchall()
    return ToPay(cme_dealer_id, dealers, tuple(bills), tuple(balances))


def ids_of(connection: psycopg.Connection, cme_dealer_id: str) -> tuple[str, ...]:
    """Our ids of a dealer of CME. Raises `NoSuchDealer`."""
    dealers = tuple(each for (each,) in connection.execute(DEALERS, [cme_dealer_id]))
    if not dealers:
        raise _no_such_dealer(connection, cme_dealer_id)
    return dealers


def _no_such_dealer(connection: psycopg.Connection, cme_dealer_id: str) -> NoSuchDealer:
    """Some ask by our id."""
    query = "SELECT cme_client_id FROM projection.dealers WHERE id = 'dealer:' || %s"
    ours = connection.execute(query, [cme_dealer_id.removeprefix("dealer:")]).fetchone()
    meant = f"; did you mean {ours[0]}, which is CME's id of {cme_dealer_id}?" if ours else ""
    return NoSuchDealer(f"no dealer is registered whom CME knows as {cme_dealer_id!r}{meant}")


# ---- for programs


def as_json(answer: ToPay) -> dict[str, Any]:
    """The answer for programs. Amounts are minor units."""
    return {
        "cme_dealer_id": answer.cme_dealer_id,
        "dealer_ids": list(answer.dealer_ids),
        "bills": [bill._asdict() for bill in answer.bills],
        "owed": [{"owed_minor": minor, "currency": currency} for currency, minor in answer.owed.items()],
        "current_balances": [balance._asdict() for balance in answer.balances],
    }


# ---- for people


def render(answer: ToPay) -> RenderableType:
    """The answer for people."""
    heading = Text.assemble((answer.cme_dealer_id, "bold"), (f"   {', '.join(answer.dealer_ids)}", "dim"))
    bills = [_bills(answer), "", _addresses(answer)] if answer.bills else [Text("nothing to pay", style="dim")]
    return Group(heading, "", *bills, "", _balances(answer))


def _bills(answer: ToPay) -> Table:
    table = quiet_table("bill", "account", "state", *amounts("sum", "paid", "to pay"), "")
    for bill in answer.bills:
        table.add_row(
            Text(bill.bill_id, overflow="fold"),
            bill.account,
            bill.state.replace("_", " "),
            *(amount_of(minor, bill.currency) for minor in (bill.common_minor, bill.paid_minor, bill.owed_minor)),
            bill.currency,
        )
    for currency, owed in answer.owed.items():
        in_all = amount_of(owed, currency)
        in_all.stylize("bold")
        table.add_row("", "", Text("in all", style="dim"), "", "", in_all, currency)
    return table


def _addresses(answer: ToPay) -> Table:
    """A table of their own, as no line has room for them beside all else."""
    table = quiet_table("bill", "PDF")
    for bill in answer.bills:
        if bill.url is not None:
            table.add_row(Text(bill.bill_id, overflow="fold"), Text(bill.url, overflow="fold"))
    return table


def _balances(answer: ToPay) -> Table:
    table = quiet_table("account", "state", *amounts("current balance"), "")
    for each in answer.balances:
        balance = Text("0", style="dim") if each.currency is None else balance_of(each.balance_minor, each.currency)
        table.add_row(each.account, each.state, balance, each.currency or "")
    return table
