"""General-ledger lines of prisoners' transactions, and what the general ledger answers, by PRI-10 and PRI-11.

A line is known by its transaction, the number of its entry, and its side. Its date depends on when days were closed,
which no input tells, so that ids are compared without it.
"""

from collections.abc import Iterable

from tests.torture.verifier.model import ACCEPTED, Fields, Input, Model, Rule, Verdict, refused

REMEMBERED_US = 90 * 24 * 3_600_000_000


def written(model: Model, book: str, transaction: str, steps: Iterable[tuple[str, str, int]]) -> None:
    """A debit and a credit line for every (debit account, credit account, pence)."""
    row = model.transactions.setdefault(f"{book}|{transaction}", {"entries": 0, "open": [], "until": None})
    row["state"] = "written"
    for debit, credit, amount in steps:
        row["entries"] += 1
        for side, account in (("debit", debit), ("credit", credit)):
            line = (row["entries"], side, account, amount)
            row["open"].append(line)
            model.ledger_lines[book, transaction, *line] += 1


def processed(model: Model, given: Input) -> Verdict:
    row = _row(model, given)
    if row is None:
        return refused("not_found")
    named = {_short(given, each) for each in given.fields["line_ids"]}
    if row["state"] != "written" or named != {(number, side) for number, side, _, _ in row["open"]}:
        return refused("wrong_state")
    row |= {"state": "processed", "open": [], "until": given.at + REMEMBERED_US}
    purchase = model.purchases.get(f"{given.book}|{given.fields['transaction_id']}")
    if purchase is not None and purchase["state"] == "authorised":
        remember(purchase, "processed", given.at)
    return Verdict(ACCEPTED)


def remember(purchase: Fields, state: str, at: int) -> None:
    """A state of a purchase that ends by being forgotten."""
    purchase |= {"state": state, "until": max(at, purchase["submitted_at"]) + REMEMBERED_US}


def lines_refused(model: Model, given: Input) -> Verdict:
    row = _row(model, given)
    if row is None:
        return refused("not_found")
    named = {_short(given, each["line_id"]) for each in given.fields["reasons"]}
    if row["state"] != "written" or not named <= {(number, side) for number, side, _, _ in row["open"]}:
        return refused("wrong_state")
    row["state"] = "refused"
    return Verdict(ACCEPTED)


def correct(model: Model, given: Input) -> Verdict:
    row = _row(model, given)
    if row is None:
        return refused("not_found")
    if row["state"] != "refused":
        return refused("wrong_state")
    before, row["open"] = row["open"], []
    pairs = zip(before[::2], before[1::2], strict=True)
    steps = [(debit[2], credit[2], debit[3]) for debit, credit in pairs]
    written(model, given.book, given.fields["transaction_id"], steps)
    return Verdict(ACCEPTED)


def _row(model: Model, given: Input) -> Fields | None:
    return model.transactions.get(f"{given.book}|{given.fields['transaction_id']}")


def _short(given: Input, line_id: str) -> tuple[int, str] | str:
    """Entry and side of a line id; the id itself if it is not of this prisoner's transaction."""
    prefix = f"{given.fields['prisoner_id']}/{given.fields['transaction_id']}/"
    parts = line_id.removeprefix(prefix).split("/")
    return (int(parts[1]), parts[2]) if line_id.startswith(prefix) and len(parts) == 3 else line_id


RULES: dict[str, Rule] = {"LinesProcessed": processed, "LinesRefused": lines_refused, "CorrectLines": correct}
