"""Prisoners' sub-accounts, purchases and advances, by PRI-01 to PRI-10, PRI-12 and PRI-13."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.torture.facts import Policy
from tests.torture.verifier import ledger_lines
from tests.torture.verifier.books import Line
from tests.torture.verifier.ledger_lines import remember, written
from tests.torture.verifier.model import ACCEPTED, REFUSED, Fields, Input, Model, Rule, Sent, Verdict, refused

PENDING_US = 30 * 60_000_000
MOST_ADVANCES = 20
GBP = "GBP"
LONDON = ZoneInfo("Europe/London")


def credit(model: Model, given: Input) -> Verdict:
    fields, target = given.fields, given.fields["sub_account"]
    if fields["prisoner_id"] not in model.facts.prisoners:
        return refused("unknown_prisoner")
    lines = [_post(model, given.book, "prison", target, _amount(given))]
    left = _amount(given) if target != "savings" else 0
    for number, each in enumerate(list(model.advances.get(given.book, [])), 1):
        if (paid := min(left, _due(model.facts.policy, each, given.at))) > 0:
            left -= paid
            lines.append(_post(model, given.book, target, "owed", paid))
            written(
                model,
                given.book,
                f"repayment/{_day(given.at)}/{fields['credit_id']}/{number}",
                [(target, "owed", paid)],
            )
            _repay(model, given.book, each, paid)
    return Verdict(ACCEPTED, None, tuple(lines))


def move(model: Model, given: Input) -> Verdict:
    source = given.fields["source"]
    if model.books.available(given.book, source, GBP) < _amount(given):
        return refused("insufficient_funds")
    return Verdict(ACCEPTED, None, (_post(model, given.book, source, given.fields["target"], _amount(given)),))


# ---- purchases


def submit(model: Model, given: Input, batch_id: str | None = None) -> Verdict:
    fields, facts = given.fields, model.facts
    key = f"{given.book}|{fields['purchase_id']}"
    if fields["prisoner_id"] not in facts.prisoners:
        return refused("unknown_prisoner")
    if any(each["supplier_id"] not in facts.suppliers for each in fields["payments"]):
        return refused("unknown_supplier")
    if key in model.purchases:
        return refused("already_exists")
    parts, missing = _share_out(model, given)
    lent = sum(amount for source, _, amount in parts if source == "advance")
    if reason := _unfunded(model, given, parts, missing, lent):
        return refused(reason)
    until = given.at + PENDING_US
    prison = facts.prison_of[fields["prisoner_id"]]
    purchase = {
        "id": fields["purchase_id"], "state": "pending", "until": until, "submitted_at": given.at, "parts": parts,
        "lent": lent, "refunded": {}, "refunds": [], "written_off": 0, "prison": prison,
        "description": fields["description"], "receipt_to": fields["receipt_to"],
        "batch": batch_id,
    }  # fmt: skip
    model.purchases[key] = purchase
    if lent:
        advance = {"id": fields["purchase_id"], "amount": lent, "repaid": 0, "since": None, "prison": prison}
        model.advances.setdefault(given.book, []).append(advance)
    lines = [
        Line("locked", debit, credit, amount, GBP, lock, until) for lock, debit, credit, amount in _locks(purchase)
    ]
    entered = tuple(model.books.enter(given.book, line) for line in lines)
    return Verdict(ACCEPTED, None, entered, _answered(given.book, purchase))


def _unfunded(model: Model, given: Input, parts: list[tuple[str, str, int]], missing: int, lent: int) -> str | None:
    fields, facts = given.fields, model.facts
    cash = sum(amount for source, _, amount in parts if source == "cash")
    if "spends" in fields["funding"] and cash:
        until, most = facts.permissions[fields["prisoner_id"]]
        if until is None or until <= given.at or (most is not None and most < cash):
            return "not_permitted"
    if lent and (reason := _unapproved(model, fields)):
        return reason
    if missing:
        return "insufficient_funds"
    open_ones = model.advances.get(given.book, [])
    owed = sum(each["amount"] - each["repaid"] for each in open_ones)
    if lent and owed + lent > facts.policy.allowed:
        return "advance_too_large"
    return "too_many_advances" if lent and len(open_ones) >= MOST_ADVANCES else None


def _share_out(model: Model, given: Input) -> tuple[list[tuple[str, str, int]], int]:
    """(source, supplier, pence) in the order of payments, and what nothing pays: penny by source by payment."""
    purse = [[source, 10**18 if source == "advance" else model.books.available(given.book, source, GBP)]
             for source in given.fields["funding"]]  # fmt: skip
    parts = []
    for payment in given.fields["payments"]:
        wanted = payment["amount"]["amount_minor"]
        while wanted and purse:
            source, there = purse[0]
            take = min(there, wanted)
            if take:
                parts.append((source, payment["supplier_id"], take))
            wanted, purse[0][1] = wanted - take, there - take
            if not purse[0][1]:
                purse.pop(0)
    paid = sum(amount for _, _, amount in parts)
    return parts, given.fields["total"]["amount_minor"] - paid


def _unapproved(model: Model, fields: Fields) -> str | None:
    officer, circumstance = fields["approval"]["approved_by"], fields["approval"]["circumstance"]
    if circumstance is not None:
        return None if circumstance in model.facts.policy.circumstances else "no_advance_policy"
    prison_id, may_approve, _ = model.facts.officers.get(officer, ("", False, False))
    return None if may_approve and prison_id == model.facts.prison_of[fields["prisoner_id"]] else "not_authorised"


def _locks(purchase: Fields) -> Iterator[tuple[str, str, str, int]]:
    """Lock, debit, credit, pence; the advance's two first."""
    if purchase["lent"]:
        yield f"advance:{purchase['id']}/account", "owed", "advance", purchase["lent"]
        yield f"advance:{purchase['id']}/prisoner", "advance", "spends", purchase["lent"]
    for source, supplier, amount in purchase["parts"]:
        if source != "advance":
            yield f"purchase:{purchase['id']}/{source}/{supplier}", source, f"supplier/{supplier}", amount


def authorise(model: Model, given: Input) -> Verdict:
    purchase = model.purchases.get(f"{given.book}|{given.fields['purchase_id']}")
    if purchase is None or purchase["state"] != "pending":
        return refused("not_found" if purchase is None else "wrong_state")
    remember(purchase, "authorised", given.at)
    held = {(debit, credit): lock for lock, debit, credit, _ in _locks(purchase)}
    steps = [("owed", "advance", purchase["lent"]), ("advance", "spends", purchase["lent"])] if purchase["lent"] else []
    lines = [Line("settled", debit, credit, amount, GBP, held[debit, credit]) for debit, credit, amount in steps]
    for source, supplier, amount in purchase["parts"]:
        debit, credit = ("spends" if source == "advance" else source), f"supplier/{supplier}"
        steps.append((debit, credit, amount))
        if source == "advance":
            lines.append(Line("posted", debit, credit, amount, GBP))
        else:
            lines.append(Line("settled", debit, credit, amount, GBP, held[debit, credit]))
    for each in model.advances.get(given.book, []):
        if each["id"] == purchase["id"]:
            each["since"] = _day(given.at)
    written(model, given.book, purchase["id"], steps)
    entered = tuple(model.books.enter(given.book, line) for line in lines)
    return Verdict(ACCEPTED, None, entered, _answered(given.book, purchase))


def cancel(model: Model, given: Input) -> Verdict:
    purchase = model.purchases.get(f"{given.book}|{given.fields['purchase_id']}")
    if purchase is None or purchase["state"] != "pending":
        return refused("not_found" if purchase is None else "wrong_state")
    remember(purchase, "cancelled", given.at)
    return _unlock(model, given.book, purchase, "voided")


def time_out(model: Model, book: str, purchase_id: str, now: int) -> Verdict | None:
    """A pending purchase passes its deadline; None if it may not."""
    purchase = model.purchases.get(f"{book}|{purchase_id}")
    if purchase is None or purchase["state"] != "pending" or purchase["until"] > now:
        return None
    remember(purchase, "timed_out", now)
    return _unlock(model, book, purchase, "expired")


def _unlock(model: Model, book: str, purchase: Fields, step: str) -> Verdict:
    lines = [Line(step, debit, credit, amount, GBP, lock) for lock, debit, credit, amount in _locks(purchase)]
    _end(model, book, purchase["id"])
    entered = tuple(model.books.enter(book, line) for line in lines)
    return Verdict(ACCEPTED, None, entered, _answered(book, purchase))


# ---- purchases of a batch


def batched_submit(model: Model, given: Input) -> Verdict:
    purchase = given.fields["purchase"]
    verdict = submit(model, given._replace(fields=purchase), given.fields["batch_id"])
    return _or_no(given, purchase["purchase_id"], verdict)


def batched(rule: Rule) -> Rule:
    """A rule for a purchase that the batch itself has submitted; of any other it knows nothing."""

    def decide(model: Model, given: Input) -> Verdict:
        purchase = model.purchases.get(f"{given.book}|{given.fields['purchase_id']}")
        is_its = purchase is None or purchase["batch"] == given.fields["batch_id"]
        return _or_no(given, given.fields["purchase_id"], rule(model, given) if is_its else refused("not_found"))

    return decide


def _answered(book: str, purchase: Fields) -> tuple[Sent, ...]:
    """What the batch of a purchase hears of its new state."""
    if purchase["batch"] is None:
        return ()
    prisoner_id = book.partition(":")[2]
    return (Sent("BatchAnswer", purchase["batch"], prisoner_id, purchase["id"], f"{purchase['state']} None"),)


def _or_no(given: Input, purchase_id: str, verdict: Verdict) -> Verdict:
    if verdict.outcome != REFUSED:
        return verdict
    ids = given.fields["batch_id"], given.fields["prisoner_id"], purchase_id
    return verdict._replace(sent=(Sent("BatchAnswer", *ids, f"refused {verdict.reason}"),))


# ---- refunds


def refund(model: Model, given: Input) -> Verdict:
    fields, transaction = given.fields, f"refund/{given.fields['refund_id']}"
    purchase = model.purchases.get(f"{given.book}|{fields['purchase_id']}")
    if f"{given.book}|{transaction}" in model.transactions:
        return refused("already_exists")
    if purchase is None or purchase["state"] not in {"authorised", "processed"}:
        return refused("not_found" if purchase is None else "wrong_state")
    left = _left(purchase)
    got = {supplier: sum(amount for (_, who), amount in left.items() if who == supplier) for _, supplier in left}
    wanted = {each["supplier_id"]: each["amount"]["amount_minor"] for each in fields["payments"]} or {
        supplier: amount for supplier, amount in got.items() if amount
    }
    if not wanted or any(amount > got.get(supplier, 0) for supplier, amount in wanted.items()):
        return refused("exceeds_purchase")
    steps, refunded = [], purchase["refunded"]
    for source in ("advance", "cash", "spends"):
        for (of, supplier), there in left.items():
            take = min(there, wanted.get(supplier, 0)) if of == source else 0
            if take:
                wanted[supplier] -= take
                for to, amount in _homes(model, given.book, purchase, source, take):
                    steps.append((f"supplier/{supplier}", to, amount))
                    refunded[source, supplier, to] = refunded.get((source, supplier, to), 0) + amount
    purchase["refunds"].append(fields["refund_id"])
    written(model, given.book, transaction, steps)
    return Verdict(ACCEPTED, None, tuple(_post(model, given.book, *step) for step in steps))


def _left(purchase: Fields) -> dict[tuple[str, str], int]:
    left = {(source, supplier): amount for source, supplier, amount in purchase["parts"]}
    for (source, supplier, _), amount in purchase["refunded"].items():
        left[source, supplier] -= amount
    return left


def _homes(model: Model, book: str, purchase: Fields, source: str, amount: int) -> Iterator[tuple[str, int]]:
    """Where money goes back to: an advance's to what is owed of it, then to what was given up, then to spends."""
    if source != "advance":
        yield source, amount
        return
    lent = next((each for each in model.advances.get(book, []) if each["id"] == purchase["id"]), None)
    if lent is not None and (owed := min(amount, lent["amount"] - lent["repaid"])):
        yield "owed", owed
        amount -= owed
        _repay(model, book, lent, owed)
    made_good = sum(each for (_, _, account), each in purchase["refunded"].items() if account == "written_off")
    if lost := min(amount, purchase["written_off"] - made_good):
        yield "written_off", lost
        amount -= lost
    if amount:
        yield "spends", amount


# ---- advances


def write_off(model: Model, given: Input) -> Verdict:
    advance_id = given.fields["advance_id"]
    lent = next((each for each in model.advances.get(given.book, []) if each["id"] == advance_id), None)
    if lent is None or lent["since"] is None:
        return refused("not_found" if lent is None else "wrong_state")
    prison_id, _, may_write_off = model.facts.officers.get(given.fields["written_off_by"], ("", False, False))
    if not may_write_off or prison_id != lent["prison"]:
        return refused("not_authorised")
    lost = lent["amount"] - lent["repaid"]
    model.purchases[f"{given.book}|{advance_id}"]["written_off"] = lost
    _end(model, given.book, advance_id)
    written(model, given.book, f"write-off/{advance_id}", [("written_off", "owed", lost)])
    return Verdict(ACCEPTED, None, (_post(model, given.book, "written_off", "owed", lost),))


def _due(policy: Policy, lent: Fields, at: int) -> int:
    """What should be repaid by now and is not: whole instalments of whole periods of London days."""
    if lent["since"] is None:
        return 0
    since: date = lent["since"]
    periods = max(0, (_day(at) - since).days // policy.every_days)
    due = min(int(lent["amount"]), periods * policy.instalment) - int(lent["repaid"])
    return due if due > 0 else 0


def _repay(model: Model, book: str, lent: Fields, amount: int) -> None:
    lent["repaid"] += amount
    if lent["repaid"] == lent["amount"]:
        _end(model, book, lent["id"])


def _end(model: Model, book: str, advance_id: str) -> None:
    left = [each for each in model.advances.pop(book, []) if each["id"] != advance_id]
    if left:
        model.advances[book] = left


def _day(at: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(LONDON).date()


def _post(model: Model, book: str, debit: str, credit: str, amount: int) -> Line:
    return model.books.enter(book, Line("posted", debit, credit, amount, GBP))


def _amount(given: Input) -> int:
    return int(given.fields["amount"]["amount_minor"])


RULES: dict[str, Rule] = {
    "CreditPrisoner": credit,
    "MoveBetweenSubAccounts": move,
    "SubmitPurchase": submit,
    "AuthorisePurchase": authorise,
    "CancelPurchase": cancel,
    "RefundPurchase": refund,
    "WriteOffAdvance": write_off,
    "BatchedSubmit": batched_submit,
    "BatchedAuthorise": batched(authorise),
    "BatchedCancel": batched(cancel),
    **ledger_lines.RULES,
}
