"""What a dealer's book is charged for lots, waits to be, or is charged no more, by DLR-04 and DLR-09."""

from collections.abc import Iterator

from tests.torture.verifier import accounts, dealers, deposits, lots, months
from tests.torture.verifier.dealers import Told
from tests.torture.verifier.model import ACCEPTED, Fields, Input, Model, Rule, Verdict

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
NOTHING: Fields = {"terms": None, "charged": 0, "month": None, "bill": None, "again": None}


def charge(model: Model, given: Input) -> Verdict:
    """A version of a lot is to be charged; one that is not above the last changes nothing."""
    deal, fields = _newer(model, given), given.fields
    if deal is None:
        return Verdict(ACCEPTED)
    told, before = Told(model, given.book), deal["terms"]
    if deal["state"] == "charged" and _same_but_price(before, fields["terms"]):
        _reprice(told, fields["lot_id"], deal, fields["terms"])
        _answer(told, fields["lot_id"], deal, "charged")
        return told.verdict()
    if deal["state"] == "charged":
        _undo(told, fields["lot_id"], deal, "the deal was concluded anew")
    _begin(told, fields["lot_id"], deal, fields["terms"], given.at)
    return told.verdict()


def take_back(model: Model, given: Input) -> Verdict:
    """The dealer does not buy the lot."""
    deal, fields = _newer(model, given), given.fields
    if deal is None:
        return Verdict(ACCEPTED)
    told = Told(model, given.book)
    if deal["state"] == "charged":
        _undo(told, fields["lot_id"], deal, fields["reason"])
    deal |= {**NOTHING, "state": "taken_back"}
    _answer(told, fields["lot_id"], deal, "taken_back")
    return told.verdict()


def again(model: Model, book: str, lot_id: str, now: int) -> Verdict | None:
    """A tick tries again what has waited; None if it may not."""
    deal = model.deals.get(f"{book}|{lot_id}")
    if deal is None or not _is_due(model, book, deal, now):
        return None
    told = Told(model, book)
    _begin(told, lot_id, deal, deal["terms"], now)
    return told.verdict()


def hear_refusal(model: Model, given: Input) -> Verdict:
    """Billing refuses; what was on a bill that follows from lots is billed again a day later."""
    bill_id, book, at = given.fields["bill_id"], given.book, given.at
    bill = model.bills.get(f"{book}|{bill_id}")
    was_draft = bill is not None and bill["life"] == "draft"
    verdict = dealers.hear(model, given)
    if bill is None or not was_draft or bill["life"] != "voided":
        return verdict
    if bill_id.startswith("commission:"):
        months.unbill(model, book, bill_id, at)
    if bill_id.startswith("lot:"):
        lot_id = bill_id.removeprefix("lot:").rsplit(":", 2)[0]
        deal = model.deals[f"{book}|{lot_id}"]
        if deal["bill"] == bill_id:
            told = Told(model, book)
            _wait(told, lot_id, deal, deal["terms"], "refused_by_billing", at + DAY_US)
            return verdict._replace(sent=(*verdict.sent, *told.sent))
    return verdict


def due(model: Model, book: str, parts: list[str], now: int) -> Verdict | None:
    """What a tick makes of a deal, of a month or of a deposit, by what names it; None if it may not."""
    if parts[0] == "tiers":
        return deposits.judge(model, book)
    if parts[-1] == "billed":
        return months.bill(model, book, parts[0], parts[1], now)
    return again(model, book, parts[0], now)


def overdue(model: Model, ticked: int) -> Iterator[str]:
    """What the last tick should have charged or billed."""
    for key, deal in model.deals.items():
        if _is_due(model, key.partition("|")[0], deal, ticked):
            yield f"{key} can be charged since {deal['again']}, and it is {ticked}"
    for key, row in model.months.items():
        if months.is_due(model.facts, key.split("|")[1], row, ticked):
            yield f"{key} has no bill of {row['deals']}, and it is {ticked}"


def _newer(model: Model, given: Input) -> Fields | None:
    """The deal, which has this version of the lot now; None where it had heard of it, or of a later one."""
    key, version = f"{given.book}|{given.fields['lot_id']}", given.fields["version"]
    deal = model.deals.setdefault(key, {**NOTHING, "version": 0, "state": None, "bills": 0, "reports": 0})
    if version <= deal["version"]:
        return None
    deal["version"] = version
    return deal


def _begin(told: Told, lot_id: str, deal: Fields, terms: Fields, at: int) -> None:
    model, price = told.model, terms["price"]
    if why := _obstacle(model, told.book, terms):
        _wait(told, lot_id, deal, terms, why, at + HOUR_US)
        return
    deal |= {**NOTHING, "state": "charged", "terms": terms}
    if terms["kind"] == "AUCTION":
        minor = months.commission(model.facts, terms["concluded_at"], price["amount_minor"])
        assert minor is not None
        month = months.place(model, told.book, terms["concluded_at"], price["currency"], minor)
        deal |= {"charged": minor, "month": month}
        months.accrue(told, month, price["currency"], lot_id, minor)
        _report(told, lot_id, deal, minor, price["currency"])
    else:
        _bill(told, lot_id, deal, price)
        dealers.draft(told, _dealer(told.book), deal["bill"], "SETTLEMENT", price, f"Lot {lot_id}")
    _answer(told, lot_id, deal, "charged")


def _reprice(told: Told, lot_id: str, deal: Fields, terms: Fields) -> None:
    price, before = terms["price"], deal["bill"]
    deal["terms"] = terms
    if terms["kind"] == "AUCTION":
        minor = months.commission(told.model.facts, terms["concluded_at"], price["amount_minor"])
        assert minor is not None
        deal["charged"] = minor
        _report(told, lot_id, deal, minor, price["currency"])
        months.follow(told, deal["month"], price["currency"], lot_id, minor, f"lot {lot_id} has another price")
    elif price["amount_minor"] != deal["charged"]:
        _bill(told, lot_id, deal, price)
        dealers.replace(told, _dealer(told.book), before, deal["bill"], price, f"Lot {lot_id}: another price")


def _undo(told: Told, lot_id: str, deal: Fields, reason: str) -> None:
    if deal["bill"] is not None:
        dealers.take_back(told, _dealer(told.book), deal["bill"], reason)
        return
    currency = deal["terms"]["price"]["currency"]
    _report(told, lot_id, deal, 0, currency)
    months.follow(told, deal["month"], currency, lot_id, None, f"lot {lot_id}: {reason}")


def _bill(told: Told, lot_id: str, deal: Fields, price: Fields) -> None:
    deal["bills"] += 1
    deal |= {"charged": price["amount_minor"], "bill": f"lot:{lot_id}:{deal['version']}:{deal['bills']}"}


def _report(told: Told, lot_id: str, deal: Fields, minor: int, currency: str) -> None:
    dealer, kind = _dealer(told.book), "COMMISSION"
    deal["reports"] += 1
    fields = {"call_id": f"{dealer}/{kind}/commission/{lot_id}/{deal['reports']}", "dealer_id": dealer,
              "account": kind, "contract_id": dealers.contract_of(told.model, told.book, kind), "lot_id": lot_id,
              "version": deal["reports"], "commission_minor": minor, "currency": currency}  # fmt: skip
    told.sent.append(accounts.call("ReportCommission", fields))


def _wait(told: Told, lot_id: str, deal: Fields, terms: Fields, why: str, again: int) -> None:
    deal |= {**NOTHING, "state": "waits", "terms": terms, "again": again}
    _answer(told, lot_id, deal, "waits", why)


def _answer(told: Told, lot_id: str, deal: Fields, said: str, why: str | None = None) -> None:
    fields = {"lot_id": lot_id, "dealer_id": _dealer(told.book), "version": deal["version"], "answer": said,
              "reason": why}  # fmt: skip
    told.sent.append(lots.sent("LotAnswer", fields))


def _obstacle(model: Model, book: str, terms: Fields) -> str | None:
    """Why nothing can be charged."""
    if dealers.contract_of(model, book, "COMMISSION" if terms["kind"] == "AUCTION" else "SETTLEMENT") is None:
        return "account_not_open" if _dealer(book) in model.facts.dealers else "unknown_dealer"
    has_rate = months.commission(model.facts, terms["concluded_at"], 1) is not None
    return None if terms["kind"] != "AUCTION" or has_rate else "no_commission_rate"


def _is_due(model: Model, book: str, deal: Fields, now: int) -> bool:
    return deal["state"] == "waits" and deal["again"] <= now and _obstacle(model, book, deal["terms"]) is None


def _same_but_price(before: Fields, after: Fields) -> bool:
    return all(before[name] == after[name] for name in ("kind", "concluded_at")) and (
        before["price"]["currency"] == after["price"]["currency"]
    )


def _dealer(book: str) -> str:
    return book.removeprefix("dealer:")


RULES: dict[str, Rule] = {"ChargeDeal": charge, "TakeBackDeal": take_back, "BillingRefused": hear_refusal}
