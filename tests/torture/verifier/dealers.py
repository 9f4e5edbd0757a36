"""Bills and the payments that Billing reports, by DLR-05 and DLR-06."""

from tests.torture.events import OF_LOTS
from tests.torture.verifier import accounts
from tests.torture.verifier.accounts import call
from tests.torture.verifier.books import Line
from tests.torture.verifier.model import ACCEPTED, Fields, Input, Model, Rule, Sent, Verdict, refused

MOST_WAITING, LONGEST = 100, 240
ACCOUNT = {"GET_REWARD": "COMMISSION", "GET_SETTLEMENT": "SETTLEMENT"}


class Told:
    """What a decision on one book comes to: lines that were entered, and what is sent."""

    def __init__(self, model: Model, book: str) -> None:
        self.model, self.book = model, book
        self.lines: list[Line] = []
        self.sent: list[Sent] = []

    def post(self, debit: str, credit: str, amount: int, currency: str) -> None:
        if amount:
            self.lines.append(self.model.books.enter(self.book, Line("posted", debit, credit, amount, currency)))

    def verdict(self) -> Verdict:
        return Verdict(ACCEPTED, None, tuple(self.lines), tuple(self.sent))


def sent(name: str, fields: Fields) -> Sent:
    """What a payment that is handed over to another book says."""
    said = f"{fields['amount']['amount_minor']} {fields['amount']['currency']} from {fields['from_dealer_id']}"
    return Sent(name, fields["dealer_id"], fields["bill_id"], fields["payment_id"], said)


# ---- bills


def create(model: Model, given: Input) -> Verdict:
    fields, key = given.fields, f"{given.book}|{given.fields['bill_id']}"
    kind = ACCOUNT[fields["operation"]]
    if fields["dealer_id"] not in model.facts.dealers:
        return refused("unknown_dealer")
    if key in model.bills:
        return refused("already_exists")
    if contract_of(model, given.book, kind) is None:
        return refused("account_not_open")
    if fields["bill_id"].startswith(OF_LOTS):
        return refused("not_permitted")
    told = Told(model, given.book)
    draft(told, fields["dealer_id"], fields["bill_id"], kind, fields["amount"], fields["text"])
    return told.verdict()


def void(model: Model, given: Input) -> Verdict:
    bill = model.bills.get(f"{given.book}|{given.fields['bill_id']}")
    if refusal := _not_standing(bill):
        return refused(refusal)
    if given.fields["bill_id"].startswith(OF_LOTS):
        return refused("not_permitted")
    told = Told(model, given.book)
    take_back(told, given.fields["dealer_id"], given.fields["bill_id"], given.fields["reason"])
    return told.verdict()


def correct(model: Model, given: Input) -> Verdict:
    fields, book = given.fields, given.book
    bill = model.bills.get(f"{book}|{fields['bill_id']}")
    if bill and bill["currency"] != fields["amount"]["currency"]:
        return refused("currency_mismatch")
    if refusal := _not_standing(bill):
        return refused(refusal)
    assert bill is not None
    if f"{book}|{fields['successor_id']}" in model.bills:
        return refused("already_exists")
    if contract_of(model, book, bill["account"]) is None:
        return refused("account_not_open")
    if fields["bill_id"].startswith(OF_LOTS) or fields["successor_id"].startswith(OF_LOTS):
        return refused("not_permitted")
    told = Told(model, book)
    replace(told, fields["dealer_id"], fields["bill_id"], fields["successor_id"], fields["amount"], fields["reason"])
    return told.verdict()


def hear(model: Model, given: Input) -> Verdict:
    """Billing's answer: about a bill, about an account, or about a commission, which changes nothing."""
    bill_id, dealer = given.fields["bill_id"], given.fields["dealer_id"]
    if given.fields["lot_id"] is not None:
        return Verdict(ACCEPTED)
    if bill_id is None:
        return accounts.hear(model, given)
    told, bill = Told(model, given.book), model.bills.get(f"{given.book}|{bill_id}")
    if bill is None or given.fields["call_id"] != f"{dealer}/{bill['account']}/bill/{bill_id}" or bill["billing"]:
        return told.verdict()
    if given.name == "BillingDone":
        bill["billing"] = given.fields["billing_id"]
        if bill["life"] == "draft":
            bill["url"] = given.fields["url"]
            _owe(told, bill_id, bill)
        else:
            told.sent.append(_withdrawal(dealer, bill_id, bill, "taken back before it was issued"))
    elif bill["life"] == "draft":
        take_back(told, dealer, bill_id, f"{given.fields['code']}: {given.fields['text']}")
    return told.verdict()


def draft(told: Told, dealer: str, bill_id: str, kind: str, amount: Fields, text: str) -> None:
    """Billing is asked to issue a bill."""
    told.model.bills[f"{told.book}|{bill_id}"] = {
        "account": kind, "common": amount["amount_minor"], "currency": amount["currency"], "life": "draft", "paid": 0,
        "surplus": 0, "billing": None, "successor": None, "url": None,
    }  # fmt: skip
    fields = {"call_id": f"{dealer}/{kind}/bill/{bill_id}", "dealer_id": dealer, "account": kind,
              "contract_id": contract_of(told.model, told.book, kind), "bill_id": bill_id, "amount": amount,
              "text": text}  # fmt: skip
    told.sent.append(call("IssueBill", fields))


def _owe(told: Told, bill_id: str, bill: Fields) -> None:
    kind, currency = bill["account"], bill["currency"]
    bill["life"] = "sent"
    told.post(f"receivable/{kind}", f"revenue/{kind}", bill["common"], currency)
    _release(told, bill_id)
    balance = told.model.books.available(told.book, f"current/{kind}", currency)
    paid = min(bill["common"] - bill["paid"], balance)
    bill["paid"] += paid
    told.post(f"current/{kind}", f"receivable/{kind}", paid, currency)


def replace(told: Told, dealer: str, bill_id: str, successor: str, amount: Fields, text: str) -> None:
    """Another bill stands in place of one."""
    bill = told.model.bills[f"{told.book}|{bill_id}"]
    draft(told, dealer, successor, bill["account"], amount, text)
    bill["successor"] = successor
    _end(told, dealer, bill_id, "corrected", text)


def take_back(told: Told, dealer: str, bill_id: str, reason: str) -> None:
    """A bill is voided."""
    _end(told, dealer, bill_id, "voided", reason)


def _end(told: Told, dealer: str, bill_id: str, life: str, reason: str) -> None:
    bill = told.model.bills[f"{told.book}|{bill_id}"]
    if bill["life"] == "sent":
        revenue = f"revenue/{bill['account']}"
        told.post(revenue, f"receivable/{bill['account']}", bill["common"] - bill["paid"], bill["currency"])
        told.post(revenue, f"current/{bill['account']}", bill["paid"], bill["currency"])
    if bill["billing"]:
        told.sent.insert(0, _withdrawal(dealer, bill_id, bill, reason))
    bill |= {"life": life, "paid": 0, "surplus": 0}
    _release(told, bill_id)


def _withdrawal(dealer: str, bill_id: str, bill: Fields, reason: str) -> Sent:
    fields = {"call_id": f"{dealer}/{bill['account']}/withdrawal/{bill_id}", "dealer_id": dealer,
              "account": bill["account"], "bill_id": bill_id, "billing_id": bill["billing"],
              "reason": reason}  # fmt: skip
    return call("WithdrawBill", fields)


# ---- payments


def pay(model: Model, given: Input) -> Verdict:
    fields, book, amount = given.fields, given.book, given.fields["amount"]
    bill_id, bill = _meant(model, book, fields["bill_id"])
    if model.has_payment(f"{book}|{fields['payment_id']}"):
        return refused("already_exists")
    if bill and bill["currency"] != amount["currency"]:
        return refused("currency_mismatch")
    if _is_full(model, book, bill_id):
        return refused("too_many_waiting")
    return _take(model, book, bill_id, fields)


def take_over(model: Model, given: Input) -> Verdict:
    bill_id, _ = _meant(model, given.book, given.fields["bill_id"])
    return _take(model, given.book, bill_id, given.fields)


def match_payment(model: Model, given: Input) -> Verdict:
    fields, book = given.fields, given.book
    payment = model.payments.get(f"{book}|{fields['payment_id']}")
    if payment is None:
        return refused("not_found")
    if payment["waits"] is None:
        return refused("wrong_state")
    told = Told(model, book)
    if fields["bill_dealer_id"] not in (None, fields["dealer_id"]):
        there = f"{fields['dealer_id']}/{fields['payment_id']}"
        if len(there) > LONGEST:
            return refused("wrong_state")
        told.post("suspense", "bank", payment["amount"], payment["currency"])
        _stop_waiting(model, book, fields["payment_id"])
        money = {"amount_minor": payment["amount"], "currency": payment["currency"]}
        handed = {"dealer_id": fields["bill_dealer_id"], "from_dealer_id": fields["dealer_id"], "payment_id": there,
                  "bill_id": fields["bill_id"], "amount": money}  # fmt: skip
        told.sent.append(sent("HandOverPayment", handed))
        return told.verdict()
    bill_id, bill = _meant(model, book, fields["bill_id"])
    if bill is None:
        return refused("not_found")
    if bill["currency"] != payment["currency"]:
        return refused("currency_mismatch")
    if payment["waits"] != bill_id and _is_full(model, book, bill_id):
        return refused("too_many_waiting")
    _stop_waiting(model, book, fields["payment_id"])
    _put(told, bill_id, fields["payment_id"], "suspense")
    return told.verdict()


def _take(model: Model, book: str, bill_id: str, fields: Fields) -> Verdict:
    told, amount = Told(model, book), fields["amount"]
    model.payments[f"{book}|{fields['payment_id']}"] = {
        "bill_id": fields["bill_id"], "amount": amount["amount_minor"], "currency": amount["currency"], "waits": None,
    }  # fmt: skip
    _put(told, bill_id, fields["payment_id"], "bank")
    return told.verdict()


def _put(told: Told, bill_id: str, payment_id: str, source: str) -> None:
    """Where money goes that is for a bill: to it, to the balance, or into suspense."""
    payment = told.model.payments[f"{told.book}|{payment_id}"]
    bill, amount, currency = told.model.bills.get(f"{told.book}|{bill_id}"), payment["amount"], payment["currency"]
    if bill is None or bill["life"] == "draft" or bill["currency"] != currency:
        if source == "bank":
            told.post("bank", "suspense", amount, currency)
        payment["waits"] = bill_id
        told.model.waiting.setdefault(f"{told.book}|{bill_id}", []).append(payment_id)
        return
    applied = min(amount, bill["common"] - bill["paid"]) if bill["life"] == "sent" else 0
    bill["paid"] += applied
    bill["surplus"] += amount - applied if bill["life"] == "sent" else 0
    told.post(source, f"receivable/{bill['account']}", applied, currency)
    told.post(source, f"current/{bill['account']}", amount - applied, currency)


def _is_full(model: Model, book: str, bill_id: str) -> bool:
    """Whether no more may wait for a bill."""
    bill, waiting = model.bills.get(f"{book}|{bill_id}"), model.waiting.get(f"{book}|{bill_id}", [])
    return (bill is None or bill["life"] == "draft") and len(waiting) >= MOST_WAITING


def _release(told: Told, bill_id: str) -> None:
    """What waits for a bill, in its currency, goes where it belongs by now."""
    model, book = told.model, told.book
    meant, bill = _meant(model, book, bill_id)
    assert bill is not None
    for payment_id in list(model.waiting.get(f"{book}|{bill_id}", [])):
        if model.payments[f"{book}|{payment_id}"]["currency"] == bill["currency"]:
            _stop_waiting(model, book, payment_id)
            _put(told, meant, payment_id, "suspense")


def _stop_waiting(model: Model, book: str, payment_id: str) -> None:
    payment = model.payments[f"{book}|{payment_id}"]
    model.waiting[f"{book}|{payment['waits']}"].remove(payment_id)
    payment["waits"] = None


def _meant(model: Model, book: str, bill_id: str) -> tuple[str, Fields | None]:
    """The bill, or the last of its successors."""
    while (bill := model.bills.get(f"{book}|{bill_id}")) and bill["successor"]:
        bill_id = bill["successor"]
    return bill_id, bill


def contract_of(model: Model, book: str, kind: str) -> str | None:
    """The contract of an account that is open."""
    account = model.accounts.get(f"{book}|{kind}")
    return account["contract"] if account and account["state"] == "open" else None


def _not_standing(bill: Fields | None) -> str | None:
    if bill is None:
        return "not_found"
    return "wrong_state" if bill["life"] in ("voided", "corrected") else None


RULES: dict[str, Rule] = accounts.RULES | {
    "CreateBill": create, "VoidBill": void, "CorrectBill": correct, "BillingDone": hear, "BillingRefused": hear,
    "BillingPayment": pay, "MatchPayment": match_payment, "HandOverPayment": take_over,
}  # fmt: skip
