"""Dealers, accounts, bills and what is in suspense as their books' events make them: the auditor's own fold, and the
rows that follow.

What a bill is worth is taken from the amounts that its events move, not from the sums that they tell. Requisites are
personal, and findings are printed: of them only digests are compared.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from streams.audit.bill import Bill
from streams.audit.books import Books
from streams.audit.compare import compare
from streams.audit.dealer_money import DealerMoney
from streams.audit.deals import Deals
from streams.audit.deposits import Deposits
from streams.audit.evidence import Row, Told
from streams.audit.findings import Finding, Kind
from streams.audit.openings import Openings

TABLES = ("dealers", "accounts", "bill", "deposits", "suspense")
"""Of Postgres; a projection topic each."""

RECEIVABLE = "receivable/"


class Dealers:
    """Takes what dealers' books tell, each book's events in their order."""

    def __init__(self) -> None:
        self._dealers: dict[str, dict[str, Any]] = {}
        self._accounts: dict[str, dict[str, Any]] = {}
        self._bills: dict[str, Bill] = {}
        self._deposits = Deposits()
        self._openings = Openings()
        self._money = DealerMoney()
        self._deals = Deals()

    def enter(self, told: Told) -> Iterator[Finding]:
        """Take one event. One of something that was never begun tells that its beginning is lost."""
        yield from self._deposits.enter(told)
        yield from self._openings.enter(told)
        yield from self._deals.enter(told)
        fields, book = told.fields, f"dealer:{told.fields.get('dealer_id')}"
        key = f"{book}|{fields.get('bill_id') or fields.get('account')}"
        yield from self._money.enter(told, self._bills.get(key))
        match told.name:
            case "DealerRegistered":
                self._dealers[book] = {"dealer_id": fields["dealer_id"], "cme_client_id": fields["cme_dealer_id"]}
                self._dealers[book] |= _requisites(fields)
            case "RequisitesChanged" if book in self._dealers:
                self._dealers[book] |= _requisites(fields)
            case "AccountOpening":
                named = {"dealer_id": fields["dealer_id"], "account_type": fields["account"]}
                ids = {"client_id": fields["client_id"], "payer_id": fields["payer_id"], "contract_id": None}
                self._accounts[key] = {**named, **ids, "state": fields["step"]}
            case "AccountOpened" if key in self._accounts:
                self._accounts[key] |= {"state": "open", "contract_id": fields["contract_id"]}
            case "AccountStopped" if key in self._accounts:
                self._accounts[key]["state"] = "stopped"
            case "BillDrafted":
                common = fields["common"]
                self._bills[key] = Bill(
                    fields["dealer_id"], fields["account"], common["currency"], common["amount_minor"]
                )
            case name if name in _OF_BILLS and key in self._bills:
                _change(self._bills[key], name, fields)
            case name if name in _NEEDS_A_BEGINNING:
                yield Finding(Kind.EVENT_MISSING, key, f"a beginning before {name}", "none")

    def rows(self, table: str) -> Iterator[tuple[str, Row]]:
        """The rows that analysts should see in a table."""
        match table:
            case "dealers":
                yield from self._dealers.items()
            case "accounts":
                yield from self._accounts.items()
            case "bill":
                yield from ((key, _row(key, bill)) for key, bill in self._bills.items())
            case "deposits":
                yield from self._deposits.rows()
            case "suspense":
                yield from self._money.waiting()

    def deposited(self, books: Books) -> Iterator[Finding]:
        """What deposits come to is what the journal has on their accounts."""
        yield from self._deposits.differing(books)

    def received(self, books: Books) -> Iterator[Finding]:
        """What payments and bills have moved is what the journal has on the other accounts."""
        yield from self._money.differing(books)

    def charged(self, rates: Iterable[Row]) -> Iterator[Finding]:
        """What dealers are charged for lots is what lots and rates say, and what bills come to."""
        yield from self._deals.differing(self._bills, rates)

    def owed(self, books: Books) -> Iterator[Finding]:
        """What is open of the bills that are sent is what the journal has on the accounts receivable."""
        owed: Counter[str] = Counter()
        for key, bill in self._bills.items():
            if bill.life == "sent":
                owed[f"{key.partition('|')[0]}|{RECEIVABLE}{bill.account}|{bill.currency}"] += bill.common - bill.paid
        journal = {
            key: account.debits_posted - account.credits_posted
            for key, account in books.accounts.items()
            if account.name.startswith(RECEIVABLE)
        }
        for key in sorted(owed.keys() | journal.keys()):
            if owed[key] != journal.get(key, 0):
                yield Finding(Kind.BILLS_DIFFER, key, f"{journal.get(key, 0)}, as the journal", str(owed[key]))

    def compare(
        self, place: str, projected: Mapping[str, Mapping[str, Row]], gone: Collection[str] = ()
    ) -> Iterator[Finding]:
        """Findings for every row of a projection that is missing, that nobody expects, or that differs.

        `gone` names payments that may have left suspense though the projection still has them.
        """
        for table in TABLES:
            found = projected.get(table, {})
            if table == "dealers":
                found = {key: {**row, "requisite": _digest(row.get("requisite"))} for key, row in found.items()}
            elif table == "suspense":
                waiting = dict(self.rows(table))
                found = {key: row for key, row in found.items() if key in waiting or key not in gone}
            yield from compare(Kind.PROJECTION_DIFFERS, f"{place} {table}", self.rows(table), found)


_OF_BILLS = ("BillSent", "BillPaid", "BillPaidFromBalance", "BillVoided", "BillCorrected")
_NEEDS_A_BEGINNING = (*_OF_BILLS, "RequisitesChanged", "AccountOpened", "AccountStopped")


def _change(bill: Bill, name: str, fields: Row) -> None:
    match name:
        case "BillSent":
            bill.life, bill.url = "sent", fields["url"]
        case "BillPaid":
            bill.paid += fields["applied_minor"]
            bill.surplus += fields["surplus_minor"]
        case "BillPaidFromBalance":
            bill.paid += fields["applied"]["amount_minor"]
        case "BillVoided":
            bill.end("voided")
        case "BillCorrected":
            bill.end("corrected", fields["successor_id"])


def _row(key: str, bill: Bill) -> Row:
    return {
        "bill_id": key.partition("|")[2],
        "dealer_id": bill.dealer_id,
        "account_type": bill.account,
        "common_sum_minor": bill.common,
        "paid_sum_minor": bill.paid,
        "currency": bill.currency,
        "state": bill.state,
        "url": bill.url,
        "successor": bill.successor,
    }


def _requisites(fields: Row) -> Row:
    given = {name: value for name, value in fields["requisites"].items() if value is not None}
    return {"version": fields["version"], "requisite": _digest(json.dumps(given).encode())}


def _digest(requisite: Any) -> str:
    """Of what the JSON says, however it is written; of what is no JSON, of its bytes."""
    try:
        plain = json.dumps(json.loads(requisite), sort_keys=True).encode()
    except (TypeError, ValueError):
        plain = requisite if isinstance(requisite, bytes) else b""
    return f"sha256 {hashlib.sha256(plain).hexdigest()[:16]}"
