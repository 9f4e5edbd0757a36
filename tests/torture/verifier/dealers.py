"""Bills and the payments that Billing reports, by DLR-05 and DLR-06."""

from tests.torture.verifier.books import Line
from tests.torture.verifier.model import ACCEPTED, Input, Model, Rule, Verdict, refused

MOST_WAITING = 100
ACCOUNT = {"GET_REWARD": "COMMISSION", "GET_SETTLEMENT": "SETTLEMENT"}


def raise_bill(model: Model, given: Input) -> Verdict:
    fields, books, book = given.fields, model.books, given.book
    key = f"{book}|{fields['bill_id']}"
    if fields["dealer_id"] not in model.facts.dealers:
        return refused("unknown_dealer")
    if key in model.bills:
        return refused("already_exists")
    account, amount = ACCOUNT[fields["operation"]], fields["amount"]["amount_minor"]
    bill = model.bills[key] = {"account": account, "common": amount, "paid": 0, "surplus": 0}
    lines = [books.enter(book, Line("posted", f"receivable/{account}", f"revenue/{account}", amount, "EUR"))]
    for payment_id in model.waiting.pop(key, []):
        payment = model.payments[f"{book}|{payment_id}"]
        payment["waits"] = None
        lines += _apply(model, book, bill, "suspense", payment["amount"])
    paid = min(amount - int(bill["paid"]), books.available(book, f"current/{account}", "EUR"))
    if paid:
        bill["paid"] = int(bill["paid"]) + paid
        lines.append(books.enter(book, Line("posted", f"current/{account}", f"receivable/{account}", paid, "EUR")))
    return Verdict(ACCEPTED, None, tuple(lines))


def pay(model: Model, given: Input) -> Verdict:
    fields, book = given.fields, given.book
    key, payment = f"{book}|{fields['bill_id']}", f"{book}|{fields['payment_id']}"
    amount, bill = fields["amount"]["amount_minor"], model.bills.get(key)
    if payment in model.payments:
        return refused("already_exists")
    if bill is not None:
        model.payments[payment] = {"bill_id": fields["bill_id"], "amount": amount, "waits": None}
        return Verdict(ACCEPTED, None, tuple(_apply(model, book, bill, "bank", amount)))
    waiting = model.waiting.setdefault(key, [])
    if len(waiting) >= MOST_WAITING:
        return refused("too_many_waiting")
    waiting.append(fields["payment_id"])
    model.payments[payment] = {"bill_id": fields["bill_id"], "amount": amount, "waits": fields["bill_id"]}
    return Verdict(ACCEPTED, None, (model.books.enter(book, Line("posted", "bank", "suspense", amount, "EUR")),))


def _apply(model: Model, book: str, bill: dict[str, int | str], source: str, amount: int) -> list[Line]:
    """Pay what is owed; the surplus becomes the current balance."""
    applied = min(amount, int(bill["common"]) - int(bill["paid"]))
    bill["paid"], bill["surplus"] = int(bill["paid"]) + applied, int(bill["surplus"]) + amount - applied
    targets = ((f"receivable/{bill['account']}", applied), (f"current/{bill['account']}", amount - applied))
    lines = [Line("posted", source, target, part, "EUR") for target, part in targets if part]
    return [model.books.enter(book, line) for line in lines]


RULES: dict[str, Rule] = {"RaiseBill": raise_bill, "BillingPayment": pay}
