"""Prisoners' sub-accounts and purchases, by PRI-01, PRI-02 and PRI-10."""

from tests.torture.verifier.books import Line
from tests.torture.verifier.model import ACCEPTED, Input, Model, Rule, Verdict, refused

PENDING_US = 30 * 60_000_000
GBP = "GBP"


def credit(model: Model, given: Input) -> Verdict:
    if given.fields["prisoner_id"] not in model.facts.prisoners:
        return refused("unknown_prisoner")
    return _post(model, given, "prison", given.fields["sub_account"])


def move(model: Model, given: Input) -> Verdict:
    source = given.fields["source"]
    if model.books.available(given.book, source, GBP) < _amount(given):
        return refused("insufficient_funds")
    return _post(model, given, source, given.fields["target"])


def submit(model: Model, given: Input) -> Verdict:
    fields = given.fields
    key, amount = f"{given.book}|{fields['purchase_id']}", _amount(given)
    if fields["prisoner_id"] not in model.facts.prisoners:
        return refused("unknown_prisoner")
    if fields["supplier_id"] not in model.facts.suppliers:
        return refused("unknown_supplier")
    if key in model.purchases:
        return refused("already_exists")
    if model.books.available(given.book, "spends", GBP) < amount:
        return refused("insufficient_funds")
    until = given.at + PENDING_US
    model.purchases[key] = {**fields, "state": "pending", "until": until}
    lock = f"purchase:{fields['purchase_id']}"
    line = Line("locked", "spends", f"supplier/{fields['supplier_id']}", amount, GBP, lock, until)
    return Verdict(ACCEPTED, None, (model.books.enter(given.book, line),))


def authorise(model: Model, given: Input) -> Verdict:
    return _end(model, given, "settled", "authorised")


def cancel(model: Model, given: Input) -> Verdict:
    return _end(model, given, "voided", "cancelled")


def time_out(model: Model, book: str, purchase_id: str, now: int) -> Verdict | None:
    """A pending purchase passes its deadline; None if it may not."""
    purchase = model.purchases.get(f"{book}|{purchase_id}")
    if purchase is None or purchase["state"] != "pending" or purchase["until"] > now:
        return None
    purchase["state"] = "timed_out"
    return _unlock(model, book, purchase_id, "expired")


def _end(model: Model, given: Input, step: str, state: str) -> Verdict:
    purchase = model.purchases.get(f"{given.book}|{given.fields['purchase_id']}")
    if purchase is None:
        return refused("not_found")
    if purchase["state"] != "pending":
        return refused("wrong_state")
    purchase["state"] = state
    return _unlock(model, given.book, given.fields["purchase_id"], step)


def _unlock(model: Model, book: str, purchase_id: str, step: str) -> Verdict:
    lock = model.books.locks[f"{book}|purchase:{purchase_id}"]
    line = Line(step, lock.debit, lock.credit, lock.amount, GBP, f"purchase:{purchase_id}")
    return Verdict(ACCEPTED, None, (model.books.enter(book, line),))


def _post(model: Model, given: Input, debit: str, credit: str) -> Verdict:
    return Verdict(ACCEPTED, None, (model.books.enter(given.book, Line("posted", debit, credit, _amount(given), GBP)),))


def _amount(given: Input) -> int:
    return int(given.fields["amount"]["amount_minor"])


RULES: dict[str, Rule] = {
    "CreditPrisoner": credit,
    "MoveBetweenSubAccounts": move,
    "SubmitPurchase": submit,
    "AuthorisePurchase": authorise,
    "CancelPurchase": cancel,
}
