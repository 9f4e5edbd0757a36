"""The rules of prison finance, written a second time: money in, and purchases until they are paid (PRI-01 to 10)."""

from collections import Counter
from collections.abc import Callable
from datetime import date

from .afterwards import correct, processed, refund, refuse_lines, write_off
from .naive import MINUTE_US, Fields, NaivePrison, No, described, in_pounds, london

Rule = Callable[[NaivePrison, Fields, int], None]


def answer(prison: NaivePrison, name: str, fields: Fields, at: int, event_id: str, now: int) -> str:
    """`accepted`, `duplicate`, or why not; what is accepted becomes the truth. It happened `at`, and came `now`."""
    rule, identity = RULES[name]
    who, content = fields["prisoner_id"], (name, fields)
    ids = [(who, event_id)] + ([(who, identity.format(**fields))] if identity else [])
    for used in ids:
        if used in prison.seen:
            prison.seen.setdefault(ids[0], (content, now))
            return "duplicate" if prison.seen[used][0] == content else "other_content_under_this_id"
    try:
        rule(prison, fields, at)
        outcome = "accepted"
    except No as no:
        outcome, ids = str(no), ids[:1]  # what was refused may be asked for again
    prison.seen.update(dict.fromkeys(ids, (content, now)))
    return outcome


def credit(prison: NaivePrison, fields: Fields, at: int) -> None:
    who, target, left = fields["prisoner_id"], fields["sub_account"], in_pounds(fields["amount"])
    if who not in prison.prisoners:
        raise No("unknown_prisoner")
    prison.post(who, [("prison", target, left)])
    for number, lent in enumerate(list(prison.advances[who]) if target != "savings" else [], 1):
        if lent["since"] is None:
            continue
        periods = max(0, (london(at) - lent["since"]).days // lent["every"])
        due = min(lent["amount"], periods * lent["instalment"]) - (lent["amount"] - lent["left"])
        if (paid := min(left, due)) > 0:
            left -= paid
            prison.post(who, [(target, "owed", paid)])
            prison.repay(who, lent, paid)
            transaction = f"repayment/{london(at)}/{fields['credit_id']}/{number}"
            text = described("Advance repaid", at, lent["id"])
            prison.write(who, transaction, lent["terms"], text, [(target, "owed", paid)], at)


def move(prison: NaivePrison, fields: Fields, at: int) -> None:
    who, source, amount = fields["prisoner_id"], fields["source"], in_pounds(fields["amount"])
    if prison.available(who, source) < amount:
        raise No("insufficient_funds")
    prison.post(who, [(source, fields["target"], amount)])


def submit(prison: NaivePrison, fields: Fields, at: int, batch: str | None = None) -> None:
    who, purchase_id = fields["prisoner_id"], fields["purchase_id"]
    total, prisoner = in_pounds(fields["total"]), prison.prisoners.get(who)
    if prisoner is None:
        raise No("unknown_prisoner")
    if any(f"supplier/{each['supplier_id']}" not in prison.codes for each in fields["payments"]):
        raise No("unknown_supplier")
    known = {name for whose, name in [*prison.purchases, *prison.transactions] if whose == who}
    if known & {purchase_id, f"write-off/{purchase_id}"} or prison.lent(who, purchase_id):
        raise No("already_exists")
    parts = shares(prison, fields)
    lent = sum(amount for source, _, amount in parts if source == "advance")
    movements = [("owed", "advance", lent), ("advance", "spends", lent)] if lent else []
    policy = may_be_paid(prison, fields, prisoner, parts, at)
    codes = pinned(prison, parts, fields)
    limit_day = within_limit(prison, who, prisoner["limit"], total, at)
    if total > sum(amount for _, _, amount in parts):
        raise No("insufficient_funds")
    if lent and sum(each["left"] for each in prison.advances[who]) + lent > policy["allowed"]:
        raise No("advance_too_large")
    terms = {"codes": codes, "cost_centre": prisoner["cost_centre"], "prison": prisoner["prison"]}
    prison.purchases[who, purchase_id] = {
        "state": "pending", "until": at + 30 * MINUTE_US, "submitted_at": at, "parts": parts, "terms": terms,
        "text": fields["description"], "batch": batch, "limit_day": limit_day, "refunds": [], "back": Counter(),
        "given_up": 0,
    }  # fmt: skip
    if limit_day is not None:
        used = prison.used.get(who)
        prison.used[who] = limit_day, total + (used[1] if used and used[0] == limit_day else 0)
    if lent:
        prison.advances[who].append({
            "id": purchase_id, "amount": lent, "left": lent, "since": None, "terms": terms,
            "instalment": policy["instalment"], "every": policy["every"],
        })  # fmt: skip
    movements += [(source, f"supplier/{earner}", amount) for source, earner, amount in parts if source != "advance"]
    prison.held[who][purchase_id] = movements
    if batch:
        prison.answers[batch, purchase_id] = "pending"


def shares(prison: NaivePrison, fields: Fields) -> list[tuple[str, str, int]]:
    """Source, supplier, pence: penny after penny out of the first source that has one."""
    who, order = fields["prisoner_id"], fields["funding"]
    purse = {source: 10**9 if source == "advance" else prison.available(who, source) for source in order}
    got: Counter[tuple[str, str]] = Counter()
    for payment in fields["payments"]:
        for _ in range(payment["amount"]["amount_minor"]):
            source = next((source for source in order if purse[source]), None)
            if source is not None:
                purse[source] -= 1
                got[str(source), payment["supplier_id"]] += 1
    return [(source, supplier, amount) for (source, supplier), amount in got.items()]


def may_be_paid(
    prison: NaivePrison, fields: Fields, prisoner: Fields, parts: list[tuple[str, str, int]], at: int
) -> Fields:
    """The policy of the prisoner's prison."""
    cash = sum(amount for source, _, amount in parts if source == "cash")
    until, most = prisoner["until"], prisoner["most"]
    if cash and "spends" in fields["funding"] and (until is None or until <= at or (most is not None and most < cash)):
        raise No("not_permitted")
    policy = prison.prisons.get(prisoner["prison"], {})
    if any(source == "advance" for source, _, _ in parts):
        approval = fields["approval"]
        if policy.get("allowed") is None or approval["circumstance"] not in (None, *policy["automatic"]):
            raise No("no_advance_policy")
        officer = prison.officers.get(approval["approved_by"])
        is_his = officer is not None and officer["prison"] == prisoner["prison"] and officer["may_lend"]
        if approval["circumstance"] is None and not is_his:
            raise No("not_authorised")
    return policy


def pinned(prison: NaivePrison, parts: list[tuple[str, str, int]], fields: Fields) -> dict[str, str]:
    accounts = {source for source, _, _ in parts} | {f"supplier/{each['supplier_id']}" for each in fields["payments"]}
    if "advance" in accounts:
        accounts |= {"spends", "cash", "owed", "written_off"}
    if not accounts <= prison.codes.keys():
        raise No("no_gl_account")
    return {account: prison.codes[account] for account in accounts}


def within_limit(prison: NaivePrison, who: str, limit: int | None, total: int, at: int) -> date | None:
    """The day whose limit is used: its own, or a later one that was used already."""
    if limit is None:
        return None
    last, used = prison.used.get(who, (date.min, 0))
    day = max(last, london(at))
    if (used if day == last else 0) + total > limit:
        raise No("over_limit")
    return day


def authorise(prison: NaivePrison, fields: Fields, at: int) -> None:
    who, purchase_id = fields["prisoner_id"], fields["purchase_id"]
    row = pending(prison, fields)
    prison.end(purchase_id, row, "authorised", at)
    lent = prison.lent(who, purchase_id)
    movements = []
    if lent is not None:
        lent["since"] = london(at)
        movements = [("owed", "advance", lent["amount"]), ("advance", "spends", lent["amount"])]
    for source, earner, amount in row["parts"]:
        movements.append(("spends" if source == "advance" else source, f"supplier/{earner}", amount))
    del prison.held[who][purchase_id]
    prison.post(who, movements)
    text = described(row["text"], row["submitted_at"], purchase_id)
    prison.write(who, purchase_id, row["terms"], text, movements, at)


def cancel(prison: NaivePrison, fields: Fields, at: int) -> None:
    row = pending(prison, fields)
    prison.void(fields["prisoner_id"], fields["purchase_id"], row, "cancelled", at)


def pending(prison: NaivePrison, fields: Fields) -> Fields:
    row = prison.purchase(fields)
    if row["state"] != "pending":
        raise No("wrong_state")
    return row


def submit_of_batch(prison: NaivePrison, fields: Fields, at: int) -> None:
    try:
        submit(prison, fields["purchase"], at, fields["batch_id"])
    except No:
        prison.answers[fields["batch_id"], fields["purchase"]["purchase_id"]] = "refused"
        raise


RULES: dict[str, tuple[Rule, str | None]] = {
    "CreditPrisoner": (credit, "credit:{credit_id}"),
    "MoveBetweenSubAccounts": (move, "transfer:{transfer_id}"),
    "SubmitPurchase": (submit, None),
    "AuthorisePurchase": (authorise, None),
    "CancelPurchase": (cancel, None),
    "BatchedSubmit": (submit_of_batch, None),
    "BatchedAuthorise": (authorise, None),
    "BatchedCancel": (cancel, None),
    "RefundPurchase": (refund, "refund:{refund_id}"),
    "WriteOffAdvance": (write_off, "write-off:{advance_id}"),
    "LinesProcessed": (processed, "processed:{transaction_id}:{file}"),
    "LinesRefused": (refuse_lines, "refused:{transaction_id}:{file}"),
    "CorrectLines": (correct, "correction:{correction_id}"),
}
"""By message: what is done, and under which id only once."""
