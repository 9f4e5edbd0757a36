"""The rules of prison finance, written a second time: what follows a purchase that was paid (PRI-11 to PRI-13)."""

from collections import Counter
from collections.abc import Iterator

from .naive import QUARTER_US, Fields, NaivePrison, No, described, in_pounds

BACK = ("advance", "cash", "spends")
"""The order in which refunds go back."""


def refund(prison: NaivePrison, fields: Fields, at: int) -> None:
    who, purchase_id, transaction = fields["prisoner_id"], fields["purchase_id"], f"refund/{fields['refund_id']}"
    wanted = {each["supplier_id"]: in_pounds(each["amount"]) for each in fields["payments"]}
    if (who, transaction) in prison.transactions:
        raise No("already_exists")
    row = prison.purchase(fields)
    if fields["refund_id"] in row["refunds"]:
        raise No("already_exists")
    if row["state"] not in ("authorised", "processed"):
        raise No("wrong_state")
    left = {(source, earner): amount - row["back"][source, earner] for source, earner, amount in row["parts"]}
    of: Counter[str] = Counter()
    for (_, earner), amount in left.items():
        of[earner] += amount
    wanted = wanted or {earner: amount for earner, amount in of.items() if amount}
    if not wanted or any(amount > of[earner] for earner, amount in wanted.items()):
        raise No("exceeds_purchase")
    movements = []
    for source, earner in sorted(left, key=lambda part: BACK.index(part[0])):
        amount = min(left[source, earner], wanted.get(earner, 0))
        if amount:
            wanted[earner] -= amount
            row["back"][source, earner] += amount
            homes = [(source, amount)] if source != "advance" else home(prison, who, purchase_id, row, amount)
            movements += [(f"supplier/{earner}", to, back) for to, back in homes if back]
    row["refunds"].append(fields["refund_id"])
    prison.post(who, movements)
    text = described(f"Refund of {row['text']}", at, fields["refund_id"])
    prison.write(who, transaction, row["terms"], text, movements, at, reverses=purchase_id)


def home(prison: NaivePrison, who: str, purchase_id: str, row: Fields, amount: int) -> Iterator[tuple[str, int]]:
    """What an advance has paid goes to what is owed of it, to what was given up of it, and then to its prisoner."""
    lent = prison.lent(who, purchase_id)
    owed = min(amount, lent["left"]) if lent else 0
    if lent and owed:
        prison.repay(who, lent, owed)
    lost = min(amount - owed, row["given_up"])
    row["given_up"] -= lost
    yield from (("owed", owed), ("written_off", lost), ("spends", amount - owed - lost))


def write_off(prison: NaivePrison, fields: Fields, at: int) -> None:
    who, advance_id = fields["prisoner_id"], fields["advance_id"]
    lent = prison.lent(who, advance_id)
    if lent is None:
        raise No("not_found")
    if lent["since"] is None:
        raise No("wrong_state")
    officer = prison.officers.get(fields["written_off_by"])
    if officer is None or officer["prison"] != lent["terms"]["prison"] or not officer["may_write_off"]:
        raise No("not_authorised")
    movements = [("written_off", "owed", lent["left"])]
    if (who, advance_id) in prison.purchases:
        prison.purchases[who, advance_id]["given_up"] = lent["left"]
    prison.repay(who, lent, lent["left"])
    prison.post(who, movements)
    text = described("Advance written off", at, advance_id)
    prison.write(who, f"write-off/{advance_id}", lent["terms"], text, movements, at)


# ---- what the general ledger says


def processed(prison: NaivePrison, fields: Fields, at: int) -> None:
    who, transaction = fields["prisoner_id"], fields["transaction_id"]
    row = written(prison, fields)
    if {line.id for line in row["open"]} != set(fields["line_ids"]):
        raise No("wrong_state")
    row |= {"state": "processed", "open": [], "until": at + QUARTER_US}
    bought = prison.purchases.get((who, transaction))
    if bought is not None and bought["state"] == "authorised":
        prison.end(transaction, bought, "processed", at)


def refuse_lines(prison: NaivePrison, fields: Fields, _at: int) -> None:
    row = written(prison, fields)
    if not {each["line_id"] for each in fields["reasons"]} <= {line.id for line in row["open"]}:
        raise No("wrong_state")
    row["state"] = "refused"


def correct(prison: NaivePrison, fields: Fields, at: int) -> None:
    """What follows the purchase, refunds and repayments, will go by the same terms."""
    who, transaction = fields["prisoner_id"], fields["transaction_id"]
    row = transaction_in(prison, fields, "refused")
    before = row["open"]
    for account in [line.account for line in before]:
        if account not in prison.codes:
            raise No("unknown_supplier" if account.startswith("supplier/") else "no_gl_account")
    row["open"] = []
    for debit, credit in zip(before[::2], before[1::2], strict=True):
        centre = prison.prisons.get(debit.prison, {}).get("cost_centre", debit.cost_centre)
        terms = {"codes": prison.codes, "cost_centre": centre, "prison": debit.prison}
        movement = debit.account, credit.account, debit.amount
        prison.write(who, transaction, terms, debit.text, [movement], at, debit.reverses, (debit, credit))
        if corrected := prison.purchases.get((who, transaction)) or prison.lent(who, transaction):
            corrected["terms"]["cost_centre"] = centre
            corrected["terms"]["codes"] |= {account: prison.codes[account] for account in movement[:2]}


def written(prison: NaivePrison, fields: Fields) -> Fields:
    return transaction_in(prison, fields, "written")


def transaction_in(prison: NaivePrison, fields: Fields, state: str) -> Fields:
    row = prison.transactions.get((fields["prisoner_id"], fields["transaction_id"]))
    if row is None:
        raise No("not_found")
    if row["state"] != state:
        raise No("wrong_state")
    return row
