"""A dealer's bill, from its draft through Billing to its payment, or to its end (DLR-05, DLR-06).

    state       Billing has it        Billing refuses it    money for it          VoidBill    CorrectBill
    (none)      .                     .                     waits in suspense     refused     refused
    DRAFT       owed, and paid at     told -> VOIDED        waits in suspense     -> VOIDED   -> CORRECTED
                once by what waits,
                then by the current
                balance -> SENT or
                further
    SENT        .                     .                     -> PART_PAID, PAID,   -> VOIDED   -> CORRECTED
                                                            OVERPAID
    PART_PAID   .                     .                     the same              -> VOIDED   -> CORRECTED
    PAID        .                     .                     -> OVERPAID           -> VOIDED   -> CORRECTED
    OVERPAID    .                     .                     OVERPAID              -> VOIDED   -> CORRECTED
    VOIDED      is told to void it    .                     current balance       refused     refused
    CORRECTED   is told to void it    .                     to its successor      refused     refused

CreateBill makes a draft: nothing is owed before Billing has the bill. Taking a bill back reverses what was owed: what
is not paid is owed no more, what is paid becomes the account's current balance, and pays the next bill first. Billing
is told to void what it has; a draft of which it is told too late is voided there when its answer comes. CorrectBill
drafts the successor in the same decision. `payment.py` says what becomes of money. Bills are kept for ever, some 3,000
in a year for all dealers.
"""

from collections.abc import Sequence

from schemas.billing import BillingDone, BillingRefused, CallRefused
from schemas.dealer_billing import AccountType, Dealer, Operation
from schemas.dealer_bills import BillDrafted, BillSent, CorrectBill, CreateBill, VoidBill
from schemas.fields import LONGEST_TEXT, Fact
from schemas.refusals import Reason
from streams.dealer_billing.bill_row import Bill, Life
from streams.dealer_billing.owing import call_id_of, common_of, draft_bill, replace_bill, send, take_back, withdrawal
from streams.dealer_billing.payment_row import Meant, Payment
from streams.dealer_billing.registration import Account
from streams.ledger.draft import Draft, Refused, refused

ACCOUNT_OF = {Operation.GET_REWARD: AccountType.COMMISSION, Operation.GET_SETTLEMENT: AccountType.SETTLEMENT}
OPERATION_ON = {account: operation for operation, account in ACCOUNT_OF.items()}

# ---- decide


def create(
    dealer: Dealer | None, account: Account | None, bill: Bill | None, command: CreateBill
) -> list[Fact] | Refused:
    """Draft the bill, and ask Billing to issue it. Refuses UNKNOWN_DEALER, ALREADY_EXISTS, ACCOUNT_NOT_OPEN."""
    if dealer is None:
        return refused(Reason.UNKNOWN_DEALER, dealer=command.dealer_id)
    if bill is not None:
        return _exists(command.bill_id, bill)
    drafted = BillDrafted(
        bill_id=command.bill_id,
        dealer_id=command.dealer_id,
        account=ACCOUNT_OF[command.operation],
        operation=command.operation,
        common=command.amount,
        text=command.text,
    )
    return draft_bill(account, drafted)


def hear_done(draft: Draft, meant: Meant, waiting: Sequence[Payment], answer: BillingDone) -> list[Fact] | Refused:
    """The bill is owed now that Billing has it; one that was taken back meanwhile is voided there.

    Refuses AMOUNT_TOO_LARGE.
    """
    bill_id, bill = meant.bill_id, meant.bill
    if bill is None or bill.billing_id is not None:
        return []
    if answer.call_id != call_id_of(answer.dealer_id, bill.account, "bill", bill_id):
        return []
    if bill.life is not Life.DRAFT:
        return [withdrawal(answer.dealer_id, bill_id, bill, answer.billing_id, "taken back before it was issued")]
    sent = BillSent(
        bill_id=bill_id,
        dealer_id=answer.dealer_id,
        account=bill.account,
        common=common_of(bill),
        billing_id=answer.billing_id,
        url=answer.url,
    )
    return send(draft, meant, waiting, sent)


def hear_refused(
    draft: Draft, meant: Meant, waiting: Sequence[Payment], answer: BillingRefused
) -> list[Fact] | Refused:
    """A draft that Billing refuses is voided; what waits for it becomes the current balance.

    Refuses AMOUNT_TOO_LARGE.
    """
    bill_id, bill = meant.bill_id, meant.bill
    if bill is None:
        return []
    if bill.life is Life.DRAFT and answer.call_id == call_id_of(answer.dealer_id, bill.account, "bill", bill_id):
        return take_back(draft, meant, waiting, answer.dealer_id, f"{answer.code}: {answer.text}"[:LONGEST_TEXT])
    if answer.call_id != call_id_of(answer.dealer_id, bill.account, "withdrawal", bill_id):
        return []
    return [
        CallRefused(
            dealer_id=answer.dealer_id,
            call_id=answer.call_id,
            account=bill.account,
            code=answer.code,
            text=answer.text,
            bill_id=bill_id,
        )
    ]


def void(draft: Draft, meant: Meant, waiting: Sequence[Payment], command: VoidBill) -> list[Fact] | Refused:
    """Take the bill back. Refuses NOT_FOUND, WRONG_STATE, AMOUNT_TOO_LARGE."""
    if refusal := _not_standing(command.bill_id, meant.bill):
        return refusal
    return take_back(draft, meant, waiting, command.dealer_id, command.reason)


def correct(
    draft: Draft,
    account: Account | None,
    meant: Meant,
    successor: Bill | None,
    waiting: Sequence[Payment],
    command: CorrectBill,
) -> list[Fact] | Refused:
    """Take the bill back, and draft the one that stands in its place.

    Refuses CURRENCY_MISMATCH, NOT_FOUND, ALREADY_EXISTS, WRONG_STATE, ACCOUNT_NOT_OPEN, AMOUNT_TOO_LARGE.
    """
    bill = meant.bill
    if bill is not None and bill.currency != command.amount.currency:
        return refused(
            Reason.CURRENCY_MISMATCH, bill=command.bill_id, currency=bill.currency, wanted=command.amount.currency
        )
    if refusal := _not_standing(command.bill_id, bill):
        return refusal
    assert bill is not None
    if successor is not None:
        return _exists(command.successor_id, successor)
    drafted = BillDrafted(
        bill_id=command.successor_id,
        dealer_id=command.dealer_id,
        account=bill.account,
        operation=OPERATION_ON[bill.account],
        common=command.amount,
        text=command.reason,
        corrects=command.bill_id,
    )
    return replace_bill(draft, account, meant, waiting, drafted)


# ---- inside


def _not_standing(bill_id: str, bill: Bill | None) -> Refused | None:
    if bill is None:
        return refused(Reason.NOT_FOUND, bill=bill_id)
    if bill.life in (Life.VOIDED, Life.CORRECTED):
        return refused(Reason.WRONG_STATE, bill=bill_id, state=bill.state)
    return None


def _exists(bill_id: str, bill: Bill) -> Refused:
    return refused(
        Reason.ALREADY_EXISTS,
        bill=bill_id,
        state=bill.state,
        common=bill.common_minor,
        paid=bill.paid_minor,
        currency=bill.currency,
    )
