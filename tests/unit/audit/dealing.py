"""A dealer as his book tells of him and as projections show him: registered, one account open, one bill drafted."""

import json
from typing import Any

import msgspec

from schemas.fields import Fact
from streams.audit.evidence import Row, Told

DEALER = "dealer:D1"
ACCOUNT, BILL = f"{DEALER}|COMMISSION", f"{DEALER}|B1"
REQUISITES = {"legal_name": "Anvil Motors", "bank_account": "40702810900000000001", "email": None}


def told() -> list[Told]:
    """What the book has told."""
    return [
        Told("DealerRegistered", {"dealer_id": "D1", "cme_dealer_id": "cme-1", "version": 1, "requisites": REQUISITES}),
        Told("AccountOpening", {**about(), "step": "client", "version": 1, "client_id": None, "payer_id": None}),
        Told("AccountOpening", {**about(), "step": "contract", "version": 1, "client_id": "c-1", "payer_id": "p-1"}),
        Told("AccountOpened", {**about(), "version": 1, "client_id": "c-1", "payer_id": "p-1", "contract_id": "k-1"}),
        bill("BillDrafted", operation="GET_REWARD", text="A car", common=eur(100_00)),
    ]


def shown() -> dict[str, dict[str, Row]]:
    """What analysts should see of it."""
    requisite = json.dumps({name: value for name, value in REQUISITES.items() if value}).encode()
    dealer = {"id": DEALER, "dealer_id": "D1", "cme_client_id": "cme-1", "requisite": requisite, "version": 1}
    account = {"id": ACCOUNT, "dealer_id": "D1", "account_type": "COMMISSION", "state": "open",
               "client_id": "c-1", "payer_id": "p-1", "contract_id": "k-1"}  # fmt: skip
    return {"dealers": {DEALER: dealer}, "accounts": {ACCOUNT: account}, "bill": {BILL: bill_row()}}


def bill_row(**fields: Any) -> Row:
    """The row of the drafted bill, but for these fields."""
    row = {"id": BILL, "bill_id": "B1", "dealer_id": "D1", "account_type": "COMMISSION", "common_sum_minor": 100_00,
           "paid_sum_minor": 0, "currency": "EUR", "state": "draft", "url": None, "successor": None}  # fmt: skip
    return {**row, **fields}


def bill(name: str, **fields: Any) -> Told:
    """One event of the bill."""
    return Told(name, {**about(), "bill_id": "B1", **fields})


def sent() -> Told:
    return bill("BillSent", common=eur(100_00), billing_id="b-1", url="https://billing.example/b-1.pdf")


def paid(applied_minor: int, surplus_minor: int = 0, payment_id: str = "P1", source: str = "bank") -> Told:
    """What it says of the sum and the state is nothing that the auditor believes."""
    parts = {"applied_minor": applied_minor, "surplus_minor": surplus_minor, "paid_minor": -1, "state": "draft"}
    received = eur(applied_minor + surplus_minor)
    return bill("BillPaid", payment_id=payment_id, source=source, received=received, **parts)


def voided(credited_minor: int = 0) -> Told:
    return bill("BillVoided", credited_minor=credited_minor)


def waits(amount_minor: int = 40_00, payment_id: str = "P1", dealer_id: str = "D1") -> Told:
    """In suspense."""
    ids = {"dealer_id": dealer_id, "bill_id": "B1", "named": "B1", "payment_id": payment_id}
    return Told("PaymentWaits", {**ids, "amount": eur(amount_minor)})


def waiting_row(**fields: Any) -> Row:
    """The row of the payment that `waits`, but for these fields."""
    row = {"id": f"{DEALER}|P1", "payment_id": "P1", "dealer_id": "D1", "bill_id": "B1", "named": "B1",
           "amount_minor": 40_00, "currency": "EUR"}  # fmt: skip
    return {**row, **fields}


def handed_over(amount_minor: int = 40_00, payment_id: str = "P1", to: str = "D2") -> Told:
    """Out of suspense, to another dealer's book."""
    fields = {"payment_id": payment_id, "bill_id": "B1", "bill_dealer_id": to, "amount": eur(amount_minor)}
    return Told("PaymentHandedOver", {"dealer_id": "D1", **fields})


def deposited(change_minor: int, deposit_minor: int) -> Told:
    """The deposit changes, and is told to come to this."""
    fields = {"payment_id": "P1", "currency": "EUR", "change_minor": change_minor, "deposit_minor": deposit_minor}
    return Told("DepositChanged", {"dealer_id": "D1", **fields})


def segment(name: str, of: str = "small", deposit_minor: int = 50_00, from_minor: int | None = 50_00) -> Told:
    """`PriceSegmentGranted` or `PriceSegmentRevoked`."""
    fields = {"segment": of, "currency": "EUR", "from_minor": from_minor, "deposit_minor": deposit_minor}
    return Told(name, {"dealer_id": "D1", **fields})


def sold() -> Told:
    """The dealer buys lot L1 at the auction, for 100.00."""
    return Told("LotSold", {"lot_id": "L1", "version": 1, "dealer_id": "D1", "terms": TERMS})


def charged(commission_minor: int) -> Told:
    """So much for lot L1."""
    fields = {"dealer_id": "D1", "lot_id": "L1", "version": 1, "terms": TERMS, "month": "2026-03", "bill_id": None}
    return Told("DealCharged", {**fields, "charged_minor": commission_minor})


def read(event: Fact) -> Told:
    """An event of the rooms as the auditor reads it from its topic."""
    return Told(type(event).__name__, msgspec.to_builtins(event, enc_hook=lambda part: part.model_dump()))


def about() -> dict[str, Any]:
    return {"dealer_id": "D1", "account": "COMMISSION"}


def eur(amount_minor: int) -> Row:
    return {"amount_minor": amount_minor, "currency": "EUR"}


TERMS: Row = {"kind": "AUCTION", "price": eur(100_00), "concluded_at": 7}
