"""What a fast buyout does to the SETTLEMENT account: its price is billed, corrected, or voided (DLR-04, DLR-09)."""

from schemas.dealer_billing import AccountType, Operation
from schemas.dealer_bills import BillDrafted
from schemas.fields import Fact
from schemas.lots import DealCharged
from streams.dealer_billing.deal_row import Deal, DealDesk, Wanted, taken_back
from streams.dealer_billing.owing import draft_bill, replace_bill, take_back
from streams.ledger.draft import Draft, Refused

BILL = "lot"
"""The first part of these bills' ids, `lot:LOT:VERSION:NUMBER`, of which no two dealers have the same."""


def lot_of(bill_id: str) -> str:
    """The lot whose price a bill is for."""
    return bill_id.removeprefix(f"{BILL}:").rsplit(":", 2)[0]


def charge(desk: DealDesk, deal: Deal | None, wanted: Wanted) -> list[Fact] | Refused:
    """Draft a bill of the price. Refuses ACCOUNT_NOT_OPEN."""
    drafted = _drafted(desk, deal, wanted, f"Lot {wanted.lot_id}")
    asked = draft_bill(desk.account(AccountType.SETTLEMENT), drafted)
    return asked if isinstance(asked, Refused) else [_charged(desk, wanted, drafted.bill_id), *asked]


def change(draft: Draft, desk: DealDesk, deal: Deal, wanted: Wanted) -> list[Fact] | Refused:
    """The same deal has another price: another bill stands in place of its bill. Refuses AMOUNT_TOO_LARGE."""
    assert deal.bill_id is not None
    if deal.charged_minor == wanted.terms.price.amount_minor:
        return [_charged(desk, wanted, deal.bill_id)]
    drafted = _drafted(desk, deal, wanted, f"Lot {wanted.lot_id}: another price", corrects=deal.bill_id)
    account, waiting = desk.account(AccountType.SETTLEMENT), desk.waiting(deal.bill_id)
    told = replace_bill(draft, account, desk.bill(deal.bill_id), waiting, drafted)
    return told if isinstance(told, Refused) else [_charged(desk, wanted, drafted.bill_id), *told]


def undo(draft: Draft, desk: DealDesk, deal: Deal, lot_id: str, version: int, reason: str) -> list[Fact] | Refused:
    """The bill is voided. Refuses AMOUNT_TOO_LARGE."""
    assert deal.bill_id is not None
    told = take_back(draft, desk.bill(deal.bill_id), desk.waiting(deal.bill_id), desk.dealer_id, reason)
    if isinstance(told, Refused):
        return told
    return [taken_back(desk, lot_id, version, reason, deal, deal.bill_id), *told]


def _drafted(desk: DealDesk, deal: Deal | None, wanted: Wanted, text: str, corrects: str | None = None) -> BillDrafted:
    return BillDrafted(
        bill_id=f"{BILL}:{wanted.lot_id}:{wanted.version}:{1 + (0 if deal is None else deal.bills)}",
        dealer_id=desk.dealer_id,
        account=AccountType.SETTLEMENT,
        operation=Operation.GET_SETTLEMENT,
        common=wanted.terms.price,
        text=text,
        corrects=corrects,
        lot_id=wanted.lot_id,
    )


def _charged(desk: DealDesk, wanted: Wanted, bill_id: str) -> DealCharged:
    return DealCharged(
        dealer_id=desk.dealer_id,
        lot_id=wanted.lot_id,
        version=wanted.version,
        terms=wanted.terms,
        charged_minor=wanted.terms.price.amount_minor,
        bill_id=bill_id,
    )
