"""One call of each kind, as dealers' books write them."""

from schemas.billing import (
    ChangePayer,
    CreateClient,
    CreateContract,
    CreatePayer,
    IssueBill,
    ReportCommission,
    WithdrawBill,
)
from schemas.dealer_accounts import Requisites
from schemas.dealer_billing import AccountType
from schemas.fields import Money
from sinks.billing.content import Wanted

REQUISITES = Requisites(
    legal_name="Avtodom Sever OOO", tax_number="7707083893", legal_address="Moscow, Tverskaya 1",
    bank_code="SABRRUMM", bank_account="40702810900000012345", email="office@avtodom.example",
)  # fmt: skip


def create_client() -> CreateClient:
    return CreateClient(
        call_id="d-1/COMMISSION/client/1", dealer_id="d-1", account=AccountType.COMMISSION, requisites=REQUISITES
    )


def issue_bill() -> IssueBill:
    return IssueBill(
        call_id="d-1/COMMISSION/bill/bill-1", dealer_id="d-1", account=AccountType.COMMISSION, contract_id="k-3",
        bill_id="bill-1", amount=Money(amount_minor=125_000, currency="RUB"), text="June",
    )  # fmt: skip


def commission() -> ReportCommission:
    return ReportCommission(
        call_id="d-1/COMMISSION/commission/lot-1/2", dealer_id="d-1", account=AccountType.COMMISSION,
        contract_id="k-3", lot_id="lot-1", version=2, commission_minor=0, currency="RUB",
    )  # fmt: skip


CALLS: tuple[Wanted, ...] = (
    create_client(),
    CreatePayer(
        call_id="d-1/COMMISSION/payer/1", dealer_id="d-1", account=AccountType.COMMISSION, client_id="c/1",
        requisites=REQUISITES,
    ),
    CreateContract(
        call_id="d-1/COMMISSION/contract/1", dealer_id="d-1", account=AccountType.COMMISSION, client_id="c/1",
        payer_id="p 2",
    ),
    ChangePayer(
        call_id="d-1/COMMISSION/requisites/7", dealer_id="d-1", account=AccountType.COMMISSION, client_id="c/1",
        payer_id="p 2", version=7, requisites=REQUISITES,
    ),
    issue_bill(),
    WithdrawBill(
        call_id="d-1/COMMISSION/withdrawal/bill-1", dealer_id="d-1", account=AccountType.COMMISSION,
        bill_id="bill-1", billing_id="b-4", reason="the winner has changed",
    ),
    commission(),
)  # fmt: skip
