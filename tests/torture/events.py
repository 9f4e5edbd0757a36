"""What upstream says, and where."""

from typing import Any, NamedTuple

DEPOSITS, TRIPS = "mobility.deposit.command.v1", "mobility.trip.event.v1"
BILLS, PAYMENTS = "dealer_billing.bill.command.v1", "dealer_billing.billing-payment.event.v1"
DEALERS, CORRECTED_BILLS = "dealer_billing.dealer.command.v1", "dealer_billing.bill-correction.command.v1"
BILLING_CALLS, BILLING_ANSWERS = "dealer_billing.billing-call.command.v1", "dealer_billing.billing-answer.event.v1"
CREDITS, PURCHASES = "prison_finance.credit.command.v1", "prison_finance.purchase.command.v1"
ADVANCES, CORRECTIONS = "prison_finance.advance.command.v1", "prison_finance.gl-correction.command.v1"
LOT_DEALS = "dealer_billing.lot-deal.event.v1"
ACKNOWLEDGEMENTS = "prison_finance.gl-acknowledgement.event.v1"
BATCHES = "prison_finance.batch.command.v1"
UPSTREAM = (
    DEPOSITS, TRIPS, DEALERS, BILLS, CORRECTED_BILLS, PAYMENTS, BILLING_ANSWERS, LOT_DEALS,
    CREDITS, PURCHASES, ADVANCES, BATCHES, ACKNOWLEDGEMENTS, CORRECTIONS,
)  # fmt: skip
BATCHED, ANSWERS = "prison_finance.batched-purchase.command.v1", "prison_finance.batch-answer.event.v1"
HANDED = "dealer_billing.handed-payment.command.v1"
CHARGES, LOT_ANSWERS = "dealer_billing.lot-charge.command.v1", "dealer_billing.lot-answer.event.v1"
BETWEEN_BOOKS = (BATCHED, ANSWERS, HANDED, CHARGES, LOT_ANSWERS)
"""What one book writes for another; commands before the answers that follow from them."""

OF_LOTS = ("lot:", "commission:")
"""What the ids of bills begin with that follow from lots: nobody else makes, voids or corrects one."""

Fields = dict[str, Any]


class Event(NamedTuple):
    """One message of upstream."""

    topic: str
    name: str
    key: str
    event_id: str
    fields: Fields
    age_us: int = 0
    """How long ago it happened."""
