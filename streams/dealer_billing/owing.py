"""What a bill's decisions have in common: asking Billing for it, owing it, and taking it back.

Bills of the API, corrections, settlements of lots and monthly commissions are drafted, owed and reversed here alike.
"""

from collections.abc import Sequence

from schemas.billing import IssueBill, WithdrawBill
from schemas.dealer_billing import AccountType
from schemas.dealer_bills import BillCorrected, BillDrafted, BillPaid, BillPaidFromBalance, BillSent, BillVoided
from schemas.fields import Fact, Money
from schemas.refusals import Reason
from streams.dealer_billing import registration
from streams.dealer_billing.accounts import CURRENT, RECEIVABLE, REVENUE
from streams.dealer_billing.bill_row import Bill, Life, evolve, paid
from streams.dealer_billing.payment import settle_waiting
from streams.dealer_billing.payment_row import Meant, Payment
from streams.dealer_billing.registration import Account
from streams.ledger.draft import Draft, Refused, refused


def draft_bill(account: Account | None, drafted: BillDrafted) -> list[Fact] | Refused:
    """Ask Billing to issue a bill that is not there yet. Refuses ACCOUNT_NOT_OPEN."""
    contract_id = registration.contract_of(account)
    if contract_id is None:
        state = "none" if account is None else account.state
        return refused(Reason.ACCOUNT_NOT_OPEN, dealer=drafted.dealer_id, account=drafted.account, state=state)
    issue = IssueBill(
        call_id=call_id_of(drafted.dealer_id, drafted.account, "bill", drafted.bill_id),
        dealer_id=drafted.dealer_id,
        account=drafted.account,
        contract_id=contract_id,
        bill_id=drafted.bill_id,
        amount=drafted.common,
        text=drafted.text,
    )
    return [drafted, issue]


def send(draft: Draft, meant: Meant, waiting: Sequence[Payment], sent: BillSent) -> list[Fact] | Refused:
    """Owe the bill, and pay it: by the payments that have waited for it, then from the current balance.

    Refuses AMOUNT_TOO_LARGE.
    """
    bill, dealer_id = meant.bill, sent.dealer_id
    assert bill is not None
    receivable, revenue = RECEIVABLE.of(bill.account), REVENUE.of(bill.account)
    if refusal := draft.post(receivable, revenue, bill.common_minor, bill.currency, f"Bill {sent.bill_id}"):
        return refusal
    standing = evolve(bill, sent)
    settled = settle_waiting(draft, meant._replace(bill=standing), dealer_id, waiting)
    if isinstance(settled, Refused):
        return settled
    for event in settled:
        if isinstance(event, BillPaid):
            standing = evolve(standing, event)
    return [sent, *settled, *_pay_from_balance(draft, sent.bill_id, dealer_id, standing)]


def take_back(
    draft: Draft, meant: Meant, waiting: Sequence[Payment], dealer_id: str, reason: str
) -> list[Fact] | Refused:
    """Void a draft or a bill that is sent. Refuses AMOUNT_TOO_LARGE."""
    bill_id, bill = meant.bill_id, meant.bill
    assert bill is not None
    if refusal := _reverse(draft, bill_id, bill):
        return refusal
    voided = BillVoided(
        bill_id=bill_id,
        dealer_id=dealer_id,
        account=bill.account,
        reason=reason,
        common=common_of(bill),
        credited_minor=bill.paid_minor,
    )
    settled = settle_waiting(draft, meant._replace(bill=evolve(bill, voided)), dealer_id, waiting)
    if isinstance(settled, Refused):
        return settled
    return [voided, *_withdrawals(dealer_id, bill_id, bill, reason), *settled]


def replace_bill(
    draft: Draft, account: Account | None, meant: Meant, waiting: Sequence[Payment], drafted: BillDrafted
) -> list[Fact] | Refused:
    """Take back a draft or a bill that is sent, and draft its successor. Refuses ACCOUNT_NOT_OPEN, AMOUNT_TOO_LARGE."""
    bill_id, bill, reason = meant.bill_id, meant.bill, drafted.text
    assert bill is not None
    asked = draft_bill(account, drafted)
    if isinstance(asked, Refused):
        return asked
    if refusal := _reverse(draft, bill_id, bill):
        return refusal
    corrected = BillCorrected(
        bill_id=bill_id,
        dealer_id=drafted.dealer_id,
        account=bill.account,
        reason=reason,
        common=common_of(bill),
        credited_minor=bill.paid_minor,
        successor_id=drafted.bill_id,
    )
    instead = Meant(drafted.bill_id, evolve(None, drafted), None)
    settled = settle_waiting(draft, instead, drafted.dealer_id, waiting)
    if isinstance(settled, Refused):
        return settled
    return [corrected, *_withdrawals(drafted.dealer_id, bill_id, bill, reason), *asked, *settled]


# ---- inside


def _reverse(draft: Draft, bill_id: str, bill: Bill) -> Refused | None:
    """What is not paid of a bill is owed no more; what is paid is the dealer's again. A draft owes nothing."""
    if bill.life is not Life.SENT:
        return None
    revenue = REVENUE.of(bill.account)
    for account, part in ((RECEIVABLE, bill.owed_minor), (CURRENT, bill.paid_minor)):
        if part:
            text = f"Bill {bill_id} is taken back"
            if refusal := draft.post(revenue, account.of(bill.account), part, bill.currency, text):
                return refusal
    return None


def _pay_from_balance(draft: Draft, bill_id: str, dealer_id: str, bill: Bill) -> list[Fact]:
    """Pay as much of a new bill as the account's current balance can."""
    current = CURRENT.of(bill.account)
    applied = min(bill.owed_minor, draft.balance(current, bill.currency).available)
    if not applied:
        return []
    text = f"Bill {bill_id}, from the current balance"
    refusal = draft.post(current, RECEIVABLE.of(bill.account), applied, bill.currency, text)
    assert refusal is None, refusal
    after = paid(bill, applied, 0)
    return [
        BillPaidFromBalance(
            bill_id=bill_id,
            dealer_id=dealer_id,
            account=bill.account,
            applied=Money(amount_minor=applied, currency=bill.currency),
            paid_minor=after.paid_minor,
            state=after.state,
        )
    ]


def _withdrawals(dealer_id: str, bill_id: str, bill: Bill, reason: str) -> list[Fact]:
    """What Billing is told when a bill is taken back: nothing yet of a draft."""
    return [] if bill.billing_id is None else [withdrawal(dealer_id, bill_id, bill, bill.billing_id, reason)]


def withdrawal(dealer_id: str, bill_id: str, bill: Bill, billing_id: str, reason: str) -> WithdrawBill:
    return WithdrawBill(
        call_id=call_id_of(dealer_id, bill.account, "withdrawal", bill_id),
        dealer_id=dealer_id,
        account=bill.account,
        bill_id=bill_id,
        billing_id=billing_id,
        reason=reason,
    )


def common_of(bill: Bill) -> Money:
    return Money(amount_minor=bill.common_minor, currency=bill.currency)


def call_id_of(dealer_id: str, account: AccountType, wanted: str, bill_id: str) -> str:
    return f"{dealer_id}/{account}/{wanted}/{bill_id}"
