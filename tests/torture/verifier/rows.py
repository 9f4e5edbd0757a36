"""Rows of the rooms' tables: what the model expects of them, and what of a restored one is compared.

All that decides anything is in both: a row that lacks it would let a worker decide otherwise after a restore.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from tests.torture.facts import Facts
from tests.torture.verifier.batches import unended, waiting
from tests.torture.verifier.deposits import segments
from tests.torture.verifier.lots import CHANGES
from tests.torture.verifier.model import Model

ENTERED = ("spends", "cash", "owed", "advance", "written_off")
"""Accounts that a purchase with an advance may come to, and whose codes it pins."""

Rows = dict[str, Any]


class Table(NamedTuple):
    """One table: its name, the rows that the model expects, and what is compared of one that is there."""

    name: str
    expected: Callable[[Model], Rows]
    found: Callable[[Rows], Any]


# ---- mobility


def trips(model: Model) -> Rows:
    return {key: _expected_trip(model.facts, trip) for key, trip in model.trips.items()}


def _expected_trip(facts: Facts, trip: Rows) -> Rows:
    vehicle = facts.vehicles.get(trip.get("vehicle_id", ""))
    return {
        "state": trip["state"], "until": trip["until"], "rider": trip.get("rider_id", ""),
        "funding": trip.get("funding", "wallet_then_card"), "started": trip.get("started_at", 0),
        "ended": trip.get("ended_at", 0), "ridden": trip.get("ridden_seconds", 0),
        "price": vehicle and (trip["vehicle_id"], *vehicle),
    }  # fmt: skip


def trip(row: Rows) -> Rows:
    price = row.get("price")
    return {
        "state": row["state"], "until": row["until"], "rider": row.get("rider_id", ""),
        "funding": row.get("funding", "wallet_then_card"), "started": row.get("started_at", 0),
        "ended": row.get("ended_at", 0), "ridden": row.get("ridden_seconds", 0),
        "price": price and (price["vehicle_id"], price["msp_id"], price["unlock_minor"],
                            Decimal(price["per_minute_minor"])),
    }  # fmt: skip


# ---- dealers


def dealer(row: Rows) -> Rows:
    return {"cme": row["cme_dealer_id"], "version": row["version"], "requisites": row["requisites"]}


def accounts(model: Model) -> Rows:
    return {key: {name: value for name, value in each.items() if name != "awaits"}
            for key, each in model.accounts.items()}  # fmt: skip


def account(row: Rows) -> Rows:
    ids = {name: row.get(f"{name}_id") for name in ("client", "payer", "contract")}
    return {**ids, "state": row["state"], "step": row["step"], "version": row["version"], "asked": row["asked"],
            "sent": row.get("is_sent", False)}  # fmt: skip


def bill(row: Rows) -> Rows:
    return {"account": row["account"], "currency": row["currency"], "common": row["common_minor"],
            "life": row.get("life", "draft"), "paid": row.get("paid_minor", 0),
            "surplus": row.get("surplus_minor", 0), "billing": row.get("billing_id"),
            "successor": row.get("successor"), "url": row.get("url")}  # fmt: skip


def payment(row: Rows) -> Rows:
    amount = row["amount"]
    return {"bill_id": row["named"], "amount": amount["amount_minor"], "currency": amount["currency"],
            "waits": row.get("waits_for")}  # fmt: skip


def lot(row: Rows) -> Rows:
    waiting = {each["version"]: {name: each["change"].get(name) for name in CHANGES} for each in row.get("waiting", ())}
    return {"version": row.get("version", 0), "dealer": row.get("dealer_id"), "terms": row.get("terms"),
            "ahead": waiting, "answer": row.get("answer")}  # fmt: skip


def deals(model: Model) -> Rows:
    """When a deal is tried again is put off by every tick that cannot charge it."""
    return {key: {**each, "again": each["again"] is not None} for key, each in model.deals.items()}


def deal(row: Rows) -> Rows:
    return {"version": row["version"], "state": row["state"], "terms": row.get("terms"),
            "charged": row.get("charged_minor", 0), "month": row.get("month"), "bill": row.get("bill_id"),
            "again": row.get("again_at") is not None, "bills": row.get("bills", 0),
            "reports": row.get("reports", 0)}  # fmt: skip


def commission_months(model: Model) -> Rows:
    return {key: {**each, "deals": list(each["deals"].items())} for key, each in model.months.items()}


def commission_month(row: Rows) -> Rows:
    deals = [(each["lot_id"], each["commission_minor"]) for each in row.get("deals", ())]
    return {"bill_at": row["bill_at"], "deals": deals, "bill": row.get("bill_id"), "number": row.get("number", 0)}


def deposits(model: Model) -> Rows:
    return {book: [(currency, segments(model, book, currency)) for currency in sorted(held)]
            for book, held in model.deposits.items()}  # fmt: skip


def deposit(row: Rows) -> Any:
    return [(each["currency"], list(each.get("segments", ()))) for each in row.get("held", ())]


# ---- prisoners


def purchases(model: Model) -> Rows:
    return {key: _expected_purchase(model.facts, each) for key, each in model.purchases.items()}


def _expected_purchase(facts: Facts, purchase: Rows) -> Rows:
    kept = ("state", "until", "submitted_at", "description", "receipt_to", "parts", "refunded", "refunds",
            "written_off", "batch")  # fmt: skip
    suppliers = dict.fromkeys(supplier for _, supplier, _ in purchase["parts"])
    accounts = {*(f"supplier/{each}" for each in suppliers), *(ENTERED if purchase["lent"] else ()),
                *(source for source, _, _ in purchase["parts"] if source != "advance")}  # fmt: skip
    return {
        **{name: purchase[name] for name in kept}, "prison": _borne(facts, purchase["prison"]),
        "suppliers": [(each, facts.codes[f"supplier/{each}"]) for each in suppliers],
        "codes": {account: facts.codes[account] for account in accounts},
    }  # fmt: skip


def purchase(row: Rows) -> Rows:
    refunded = {
        (part["source"], part["supplier_id"], part["account"]): part["amount_minor"] for part in row.get("refunded", ())
    }
    return {
        "state": row["state"], "until": row["until"], "submitted_at": row["submitted_at"],
        "description": row["description"], "receipt_to": row.get("receipt_to"), "batch": row.get("batch_id"),
        "parts": [(part["source"], part["supplier_id"], part["amount_minor"]) for part in row["parts"]],
        "refunded": refunded, "refunds": list(row.get("refund_ids", ())),
        "written_off": row.get("written_off_minor", 0),
        "prison": (row["prisoner"]["prison_id"], row["prisoner"]["cost_centre"]),
        "suppliers": [(each["supplier_id"], each["gl_account"]) for each in row["suppliers"]],
        "codes": {each["account"]: each["gl_account"] for each in row["codes"]},
    }  # fmt: skip


def advances(model: Model) -> Rows:
    return {book: [_expected_advance(model.facts, each) for each in lent] for book, lent in model.advances.items()}


def _expected_advance(facts: Facts, lent: Rows) -> Rows:
    since = lent["since"]
    return {
        "id": lent["id"], "state": "active" if since else "pending", "amount": lent["amount"],
        "repaid": lent["repaid"], "since": since and since.isoformat(), "instalment": facts.policy.instalment,
        "every_days": facts.policy.every_days, "prison": _borne(facts, lent["prison"]),
    }  # fmt: skip


def advance(row: Rows) -> list[Rows]:
    return [
        {"id": each["advance_id"], "state": each["state"], "amount": each["amount_minor"],
         "repaid": each.get("repaid_minor", 0), "since": each.get("since"), "instalment": each["instalment_minor"],
         "every_days": each["every_days"],
         "prison": (each["prisoner"]["prison_id"], each["prisoner"]["cost_centre"])}
        for each in row["open"]
    ]  # fmt: skip


def transactions(model: Model) -> Rows:
    return {key: _expected_transaction(model.facts, key, row) for key, row in model.transactions.items()}


def _expected_transaction(facts: Facts, key: str, row: Rows) -> Rows:
    prison = _borne(facts, facts.prison_of[key.partition("|")[0].partition(":")[2]])
    lines = [(number, side, account, amount, facts.codes[account], *prison)
             for number, side, account, amount in row["open"]]  # fmt: skip
    return {"state": row["state"], "entries": row["entries"], "until": row["until"], "open": lines}


def transaction(row: Rows) -> Rows:
    lines = [
        (int(line["line_id"].split("/")[-2]), line["side"], line["account"], line["amount"]["amount_minor"],
         line["gl_account"], line["prison_id"], line["cost_centre"])
        for line in row.get("open", ())
    ]  # fmt: skip
    return {"state": row["state"], "entries": row["entries"], "until": row.get("until"), "open": lines}


def batches(model: Model) -> Rows:
    return {book: _expected_batch(each) for book, each in model.batches.items()}


def _expected_batch(batch: Rows) -> Rows:
    members = [(key, each.prisoner_id, each.state, each.reason) for key, each in batch["members"].items()]
    kept = {name: batch[name] for name in ("step", "is_open", "deadline", "forget_at")}
    return {**kept, "members": members, "waiting": waiting(batch), "unended": unended(batch)}


def batch(row: Rows) -> Rows:
    members = [(each["purchase_id"], each["prisoner_id"], each["state"], each.get("reason")) for each in row["members"]]
    return {
        "step": row["step"], "is_open": row.get("is_open", False), "deadline": row.get("deadline"),
        "forget_at": row["forget_at"], "members": members, "waiting": row["waiting"], "unended": row["unended"],
    }  # fmt: skip


def _borne(facts: Facts, prison: str) -> tuple[str, str]:
    return prison, facts.cost_centres[prison]


TABLES: Iterable[Table] = (
    Table("trips", trips, trip),
    Table("registered_dealers", lambda model: model.dealers, dealer),
    Table("dealer_accounts", accounts, account),
    Table("bills", lambda model: model.bills, bill),
    Table("billing_payments", lambda model: model.payments, payment),
    Table("waiting_payments", lambda model: {key: ids for key, ids in model.waiting.items() if ids},
          lambda row: row["payment_ids"]),
    Table("dealer_lots", lambda model: model.lots, lot),
    Table("deals", deals, deal),
    Table("commission_months", commission_months, commission_month),
    Table("deposits", deposits, deposit),
    Table("deposit_payments", lambda model: model.moved, lambda row: (row["change_minor"], row["currency"])),
    Table("purchases", purchases, purchase),
    Table("advances", advances, advance),
    Table("batches", batches, batch),
    Table("gl_transactions", transactions, transaction),
    Table("seen", lambda model: {key: each.decision for key, each in model.seen.items()},
          lambda row: row["decision_id"]),
)  # fmt: skip
