"""Rows of a dealer's book as analysts and the dealer's queries see them (DLR-06, DLR-07, DLR-10). Pure."""

from schemas.dealer_billing import AccountType
from schemas.dealer_projections import ProjectedAccount, ProjectedBill, ProjectedDealer, ProjectedSuspense
from streams.dealer_billing.accounts import dealer_of
from streams.dealer_billing.bill_row import Bill
from streams.dealer_billing.payment_row import Payment
from streams.dealer_billing.registration import Account, Registered


def project_dealer(key: str, row: Registered) -> ProjectedDealer:
    """A registered dealer; the key is his book."""
    return ProjectedDealer(
        id=key,
        dealer_id=dealer_of(key),
        cme_client_id=row.cme_dealer_id,
        requisite=row.requisites.model_dump_json(exclude_none=True).encode(),
        version=row.version,
    )


def project_account(key: str, row: Account) -> ProjectedAccount:
    """An account with Billing; the key is `book|ACCOUNT`."""
    book, _, account = key.partition("|")
    return ProjectedAccount(
        id=key,
        dealer_id=dealer_of(book),
        account_type=AccountType(account),
        state=row.state,
        client_id=row.client_id,
        payer_id=row.payer_id,
        contract_id=row.contract_id,
    )


def project_bill(key: str, row: Bill) -> ProjectedBill:
    """A bill; the key is `book|bill_id`."""
    book, _, bill_id = key.partition("|")
    return ProjectedBill(
        id=key,
        bill_id=bill_id,
        dealer_id=dealer_of(book),
        account_type=row.account,
        common_sum_minor=row.common_minor,
        paid_sum_minor=row.paid_minor,
        currency=row.currency,
        state=row.state,
        url=row.url,
        successor=row.successor,
    )


def project_suspense(key: str, row: Payment) -> ProjectedSuspense | None:
    """A payment that waits in suspense; the key is `book|payment_id`. None where it does not wait."""
    if row.waits_for is None:
        return None
    return ProjectedSuspense(
        id=key,
        payment_id=row.payment_id,
        dealer_id=dealer_of(key.partition("|")[0]),
        bill_id=row.waits_for,
        named=row.named,
        amount_minor=row.amount.amount_minor,
        currency=row.amount.currency,
    )
