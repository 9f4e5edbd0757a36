"""What dealers' books project of dealers, accounts, bills, deposits and suspense, against the model
(DLR-06, DLR-10)."""

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tests.torture.verifier.deposits import segments
from tests.torture.verifier.model import Fields, Model

Rows = dict[str, Any]


class Projected(NamedTuple):
    """One projection: its table in Postgres, its topic, the rows that the model expects, what of a row is compared."""

    table: str
    topic: str
    expected: Callable[[Model], Rows]
    shown: Callable[[Fields], Any]


def dealers(model: Model) -> Rows:
    return {book: (_dealer(book), each["cme"], _told(each["requisites"]), each["version"])
            for book, each in model.dealers.items()}  # fmt: skip


def dealer(row: Fields) -> Any:
    return row["dealer_id"], row["cme_client_id"], _told(json.loads(row["requisite"])), row["version"]


def accounts(model: Model) -> Rows:
    return {key: (_dealer(key), key.partition("|")[2], each["state"], each["client"], each["payer"], each["contract"])
            for key, each in model.accounts.items()}  # fmt: skip


def account(row: Fields) -> Any:
    return tuple(row[name] for name in ("dealer_id", "account_type", "state", "client_id", "payer_id", "contract_id"))


def bills(model: Model) -> Rows:
    return {key: (key.partition("|")[2], _dealer(key), each["account"], each["common"], each["paid"],
                  each["currency"], state(each), each["url"], each["successor"])
            for key, each in model.bills.items()}  # fmt: skip


def bill(row: Fields) -> Any:
    names = ("bill_id", "dealer_id", "account_type", "common_sum_minor", "paid_sum_minor", "currency", "state", "url",
             "successor")  # fmt: skip
    return tuple(row[name] for name in names)


def state(bill: Fields) -> str:
    """As people have it: what is paid says more of a bill that is sent."""
    if bill["life"] != "sent":
        return str(bill["life"])
    if bill["paid"] < bill["common"]:
        return "part_paid" if bill["paid"] else "sent"
    return "overpaid" if bill["surplus"] else "paid"


def deposits(model: Model) -> Rows:
    opened = {book: [f"{of} {name}" for of in sorted(held) for name in segments(model, book, of)]
              for book, held in model.deposits.items()}  # fmt: skip
    return {book: (_dealer(book), ", ".join(each)) for book, each in opened.items()}


def deposit(row: Fields) -> Any:
    return row["dealer_id"], row["segments"]


def suspense(model: Model) -> Rows:
    return {key: (key.partition("|")[2], _dealer(key), each["waits"], each["bill_id"], each["amount"], each["currency"])
            for key, each in model.payments.items() if each["waits"] is not None}  # fmt: skip


def payment(row: Fields) -> Any:
    return tuple(row[name] for name in ("payment_id", "dealer_id", "bill_id", "named", "amount_minor", "currency"))


def _dealer(key: str) -> str:
    return key.partition("|")[0].removeprefix("dealer:")


def _told(requisites: Fields) -> Fields:
    return {name: value for name, value in requisites.items() if value is not None}


PROJECTED: Iterable[Projected] = (
    Projected("dealers", "dealer_billing.dealer.projection.v1", dealers, dealer),
    Projected("accounts", "dealer_billing.account.projection.v1", accounts, account),
    Projected("bill", "dealer_billing.bill.projection.v1", bills, bill),
    Projected("deposits", "dealer_billing.deposit.projection.v1", deposits, deposit),
    Projected("suspense", "dealer_billing.suspense.projection.v1", suspense, payment),
)
