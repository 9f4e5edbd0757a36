"""`python -m streams dealer suspense [CME_ID]`: the payments that wait for a bill, or for MatchPayment (DLR-06).

    with reading(settings().postgres) as connection:
        answer = in_suspense(connection, "cme-17")

Without a dealer it tells of all, also of those who are not registered. A row has what a MatchPayment needs to name.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.fields import format_minor
from streams.views.dealer import ids_of
from streams.views.money import amount_of, amounts, quiet_table
from streams.views.projection import TooManyPayments

MOST_PAYMENTS = 10_000
"""Payments that one answer shows at most."""


class WaitingPayment(NamedTuple):
    """A payment in suspense, in minor units.

    `named` is the bill that Billing named, `bill_id` the one that the payment waits for. `bill_state` and
    `bill_currency` are None while our books do not know that bill, `cme_dealer_id` while nobody has registered.
    """

    payment_id: str
    dealer_id: str
    cme_dealer_id: str | None
    bill_id: str
    named: str
    amount_minor: int
    currency: str
    bill_state: str | None
    bill_currency: str | None


class InSuspense(NamedTuple):
    """The answer; of all dealers where none was asked about."""

    cme_dealer_id: str | None
    payments: tuple[WaitingPayment, ...]

    @property
    def waiting(self) -> dict[str, int]:
        """In all, by currency, in minor units."""
        waiting: Counter[str] = Counter()
        for payment in self.payments:
            waiting[payment.currency] += payment.amount_minor
        return dict(sorted(waiting.items()))


PAYMENTS = f"""
    SELECT payment_id, dealer_id, cme_client_id AS cme_dealer_id, bill_id, named, amount_minor, currency, bill_state,
           bill_currency
      FROM analysis.suspense
     WHERE dealer_id = ANY(%(dealers)s) OR %(dealers)s::text[] IS NULL
     ORDER BY dealer_id, bill_id, payment_id LIMIT {MOST_PAYMENTS + 1}
"""


def in_suspense(connection: psycopg.Connection, cme_dealer_id: str | None) -> InSuspense:
    """What waits for all dealers, or for a dealer of CME. Raises `NoSuchDealer`, `TooManyPayments`."""
    dealers = None if cme_dealer_id is None else list(ids_of(connection, cme_dealer_id))
    with connection.cursor(row_factory=class_row(WaitingPayment)) as cursor:
        payments = cursor.execute(PAYMENTS, {"dealers": dealers}).fetchall()
    if len(payments) > MOST_PAYMENTS:
        ask = "ask for one dealer's" if cme_dealer_id is None else "analysis.suspense in Postgres has them all"
        raise TooManyPayments(f"more than {MOST_PAYMENTS:,} payments wait in suspense: {ask}")
    return InSuspense(cme_dealer_id, tuple(payments))


# ---- for programs


def as_json(answer: InSuspense) -> dict[str, Any]:
    """The answer for programs. Amounts are minor units."""
    return {
        "cme_dealer_id": answer.cme_dealer_id,
        "payments": [payment._asdict() for payment in answer.payments],
        "waiting": [{"waiting_minor": minor, "currency": currency} for currency, minor in answer.waiting.items()],
    }


# ---- for people


def render(answer: InSuspense) -> RenderableType:
    """The answer for people."""
    if not answer.payments:
        whose = "" if answer.cme_dealer_id is None else f" of {answer.cme_dealer_id}"
        return Text(f"no payment{whose} waits in suspense", style="dim")
    dealers = groupby(answer.payments, lambda payment: (payment.dealer_id, payment.cme_dealer_id))
    parts = [part for dealer, payments in dealers for part in (_heading(*dealer), _table(payments), "")]
    in_all = ", ".join(format_minor(minor, currency) for currency, minor in answer.waiting.items())
    return Group(*parts, Text.assemble(("in all ", "dim"), (in_all, "bold")))


def _heading(dealer_id: str, cme_dealer_id: str | None) -> Text:
    if cme_dealer_id is None:
        return Text.assemble((dealer_id, "bold"), ("   not registered", "dim"))
    return Text.assemble((cme_dealer_id, "bold"), (f"   {dealer_id}", "dim"))


def _table(payments: Iterable[WaitingPayment]) -> Table:
    table = quiet_table("payment", "waits for bill", "which is", *amounts("amount"), "")
    for payment in payments:
        table.add_row(
            Text(payment.payment_id, overflow="fold"),
            Text(_wanted(payment), overflow="fold"),
            _standing(payment),
            amount_of(payment.amount_minor, payment.currency),
            payment.currency,
        )
    return table


def _wanted(payment: WaitingPayment) -> str:
    return payment.bill_id if payment.named == payment.bill_id else f"{payment.bill_id}, paid as {payment.named}"


def _standing(payment: WaitingPayment) -> str:
    """Why the payment waits: its bill is unknown, not sent yet, or in another currency."""
    if payment.bill_state is None:
        return "unknown"
    state = payment.bill_state.replace("_", " ")
    return state if payment.bill_currency == payment.currency else f"{state}, in {payment.bill_currency}"
