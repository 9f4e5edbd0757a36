"""The money of dealers' books as their events move it: the auditor's own fold, held to the journal (DLR-05, DLR-06).

Every payment that Billing reports is in one place: paid of a bill, on a current balance, or in suspense. `dealers.py`
checks what is owed, `deposits.py` what deposits come to; here are the other accounts, and each payment by its id.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from streams.audit.bill import Bill
from streams.audit.books import Books
from streams.audit.evidence import Row, Told
from streams.audit.findings import Finding, Kind

BANK, SUSPENSE, CURRENT, REVENUE = "bank", "suspense", "current/", "revenue/"
OF_DEPOSITS = f"{CURRENT}DEPOSIT"
DEALER = "dealer:"

Sum: TypeAlias = tuple[int, str]
"""Minor units and their currency."""


class DealerMoney:
    """Takes what dealers' books tell, each book's events in their order."""

    def __init__(self) -> None:
        self._accounts: Counter[str] = Counter()
        """By `book|account|currency`, on the account's own side."""
        self._taken: dict[str, Sum] = {}
        """Every payment that a book has taken, by `book|payment_id`."""
        self._waiting: dict[str, Row] = {}
        """Those that are in suspense, as analysts should see them."""
        self._handed: dict[str, Sum] = {}
        """Those that another book should have taken, by the key that they have there."""

    def enter(self, told: Told, bill: Bill | None) -> Iterator[Finding]:
        """Take one event; `bill` is the bill that it is about, as it was before."""
        fields, book = told.fields, f"{DEALER}{told.fields.get('dealer_id')}"
        match told.name:
            case "BillSent":
                self._add(book, f"{REVENUE}{fields['account']}", _sum(fields["common"]))
            case "BillPaid":
                yield from self._paid(book, fields, bill)
            case "BillPaidFromBalance":
                amount, currency = _sum(fields["applied"])
                self._add(book, f"{CURRENT}{fields['account']}", (-amount, currency))
                yield from _not_above(book, fields, bill, amount)
            case "PaymentCredited":
                yield from self._arrives(book, fields)
                self._add(book, f"{CURRENT}{fields['account']}", _sum(fields["received"]))
            case "PaymentWaits":
                yield from self._waits(book, fields)
            case "PaymentHandedOver":
                yield from self._leaves(book, fields)
            case "BillVoided" | "BillCorrected" if bill is not None:
                yield from self._taken_back(book, fields, bill)
            case "DepositChanged":
                self._add(book, BANK, (fields["change_minor"], fields["currency"]))

    def differing(self, books: Books) -> Iterator[Finding]:
        """What the events have moved is what the journal has; what one book handed over, the other has taken, once."""
        journal = {
            key: account.credits_posted - account.debits_posted
            for key, account in books.accounts.items()
            if account.book.startswith(DEALER) and _is_checked(account.name)
        }
        for key in sorted(self._accounts.keys() | journal.keys()):
            found = self._accounts[key] * (-1 if key.split("|")[1] == BANK else 1)
            if found != journal.get(key, 0):
                yield _differs(key, f"{journal.get(key, 0)}, as the journal", str(found))
        handed = {key: amount for key, amount in self._taken.items() if "/" in key}
        for key in sorted(self._handed.keys() | handed.keys()):
            if self._handed.get(key) != handed.get(key):
                yield _differs(key, f"{self._handed.get(key)} handed over", f"{handed.get(key)} taken")

    def waiting(self) -> Iterator[tuple[str, Row]]:
        """The payments in suspense, as analysts should see them."""
        yield from self._waiting.items()

    # ---- payments

    def _paid(self, book: str, fields: Row, bill: Bill | None) -> Iterator[Finding]:
        yield from self._arrives(book, fields)
        amount, currency = _sum(fields["received"])
        applied, surplus = fields["applied_minor"], fields["surplus_minor"]
        if applied + surplus != amount:
            yield _differs(f"{book}|{fields['payment_id']}", f"{amount} in two parts", f"{applied} and {surplus}")
        self._add(book, f"{CURRENT}{fields['account']}", (surplus, currency))
        yield from _not_above(book, fields, bill, applied)

    def _arrives(self, book: str, fields: Row) -> Iterator[Finding]:
        """From the bank, or out of suspense."""
        key, received = f"{book}|{fields['payment_id']}", _sum(fields["received"])
        if fields["source"] == SUSPENSE:
            yield from self._out_of_suspense(book, key, received)
        else:
            yield from self._take(book, key, received)

    def _waits(self, book: str, fields: Row) -> Iterator[Finding]:
        """Into suspense, or on in it for another bill."""
        key, amount = f"{book}|{fields['payment_id']}", _sum(fields["amount"])
        if self._in_suspense(key) != amount:
            yield from self._take(book, key, amount)
            self._add(book, SUSPENSE, amount)
        ids = {name: fields[name] for name in ("payment_id", "dealer_id", "bill_id", "named")}
        self._waiting[key] = {**ids, **fields["amount"]}

    def _leaves(self, book: str, fields: Row) -> Iterator[Finding]:
        """For another dealer's book."""
        amount, payment_id = _sum(fields["amount"]), fields["payment_id"]
        yield from self._out_of_suspense(book, f"{book}|{payment_id}", amount)
        self._add(book, BANK, (-amount[0], amount[1]))
        self._handed[f"{DEALER}{fields['bill_dealer_id']}|{fields['dealer_id']}/{payment_id}"] = amount

    def _take(self, book: str, key: str, amount: Sum) -> Iterator[Finding]:
        if key in self._taken:
            yield _differs(key, "a payment that is taken once", "taken again")
        self._taken[key] = amount
        self._add(book, BANK, amount)

    def _out_of_suspense(self, book: str, key: str, amount: Sum) -> Iterator[Finding]:
        if (waiting := self._in_suspense(key)) != amount:
            yield _differs(key, f"{waiting} in suspense", f"{amount} out of it")
        self._waiting.pop(key, None)
        self._add(book, SUSPENSE, (-amount[0], amount[1]))

    def _in_suspense(self, key: str) -> Sum | None:
        row = self._waiting.get(key)
        return None if row is None else _sum(row)

    # ---- bills

    def _taken_back(self, book: str, fields: Row, bill: Bill) -> Iterator[Finding]:
        if bill.life == "sent":
            self._add(book, f"{REVENUE}{bill.account}", (-bill.common, bill.currency))
            self._add(book, f"{CURRENT}{bill.account}", (bill.paid, bill.currency))
        if fields["credited_minor"] != bill.paid:
            yield _differs(f"{book}|{fields['bill_id']}", f"{bill.paid} credited", str(fields["credited_minor"]))

    def _add(self, book: str, account: str, amount: Sum) -> None:
        self._accounts[f"{book}|{account}|{amount[1]}"] += amount[0]


def _not_above(book: str, fields: Row, bill: Bill | None, applied: int) -> Iterator[Finding]:
    if bill is not None and bill.paid + applied > bill.common:
        key = f"{book}|{fields['bill_id']}"
        yield _differs(key, f"at most {bill.common} paid", str(bill.paid + applied))


def _is_checked(account: str) -> bool:
    kinds = (REVENUE, CURRENT)
    return account in (BANK, SUSPENSE) or (account.startswith(kinds) and account != OF_DEPOSITS)


def _differs(where: str, expected: str, found: str) -> Finding:
    return Finding(Kind.MONEY_DIFFERS, where, expected, found)


def _sum(money: Row) -> Sum:
    return money["amount_minor"], money["currency"]
