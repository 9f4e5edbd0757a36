"""What the external Billing is asked to do for a dealer's book, and what it answers (ADR 7).

A call's id is derived from what is wanted, as `dealer/COMMISSION/client/1`: asking again is the same call. An answer
names its call, and repeats of it what the call is about; the sink writes each under one event id.
"""

from typing import Annotated

from msgspec import Meta
from pydantic import Field

from schemas.dealer_accounts import Requisites, RequisitesVersion
from schemas.dealer_billing import AccountType
from schemas.fields import CurrencyCode, Fact, Identifier, Message, Money, NonNegativeMinor, Text

CallId = Annotated[Text, Meta(description="what Billing gets as the idempotency key, and finds the result by")]

LotVersion = Annotated[int, Field(ge=1, le=10**9), Meta(ge=1, le=10**9)]
"""Counts what was said of a lot: 1, 2, 3, …"""

# ---- calls, from a dealer's book to the sink


class CreateClient(Fact, frozen=True, kw_only=True):
    """Make a client of the account; done: the client's id."""

    call_id: CallId
    dealer_id: Identifier
    account: AccountType
    requisites: Requisites


class CreatePayer(Fact, frozen=True, kw_only=True):
    """Make the client's payer; done: the payer's id."""

    call_id: CallId
    dealer_id: Identifier
    account: AccountType
    client_id: Text
    requisites: Requisites


class CreateContract(Fact, frozen=True, kw_only=True):
    """Make the contract with client and payer; done: the contract's id."""

    call_id: CallId
    dealer_id: Identifier
    account: AccountType
    client_id: Text
    payer_id: Text


class ChangePayer(Fact, frozen=True, kw_only=True):
    """Change the payer's requisites. Billing keeps the highest version that it was told; done: the payer's id."""

    call_id: CallId
    dealer_id: Identifier
    account: AccountType
    client_id: Text
    payer_id: Text
    version: RequisitesVersion
    requisites: Requisites


class IssueBill(Fact, frozen=True, kw_only=True):
    """Issue a bill under the contract; done: the bill's id in Billing, and the url of its PDF."""

    call_id: CallId
    dealer_id: Identifier
    account: AccountType
    contract_id: Text
    bill_id: Identifier
    amount: Money
    text: Text


class WithdrawBill(Fact, frozen=True, kw_only=True):
    """Void a bill that was issued; done: the bill's id in Billing."""

    call_id: CallId
    dealer_id: Identifier
    account: AccountType
    bill_id: Identifier
    billing_id: Text
    reason: Text


class ReportCommission(Fact, frozen=True, kw_only=True):
    """What a deal's commission comes to, also nothing; done: the report's id (DLR-04)."""

    call_id: CallId
    dealer_id: Identifier
    account: AccountType
    contract_id: Text
    lot_id: Identifier
    version: Annotated[
        LotVersion, Meta(description="counts what is said of it: Billing keeps the highest that it was told")
    ]
    commission_minor: NonNegativeMinor
    currency: CurrencyCode


# ---- answers, from the sink to the dealer's book


class BillingDone(Message):
    """Billing has done what a call asked, now or at an earlier attempt."""

    call_id: Text
    dealer_id: Identifier
    account: AccountType
    billing_id: Text = Field(description="of what Billing has made or changed")
    url: Text | None = Field(None, description="of a bill's PDF")
    bill_id: Identifier | None = Field(None, description="of the bill that the call is about")
    lot_id: Identifier | None = Field(None, description="of the lot that the call is about")


class BillingRefused(Message):
    """Billing will not do what a call asked, and has done nothing of it; the same call will not be sent again."""

    call_id: Text
    dealer_id: Identifier
    account: AccountType
    code: Text
    text: Text
    bill_id: Identifier | None = Field(None, description="of the bill that the call is about")
    lot_id: Identifier | None = Field(None, description="of the lot that the call is about")


# ---- what a dealer's book says


class CallRefused(Fact, frozen=True, kw_only=True):
    """Billing refused what our books go on without, as to withdraw a bill: somebody has to see to it there."""

    dealer_id: Identifier
    call_id: Text
    account: AccountType
    code: Text
    text: Text
    bill_id: Identifier | None = None
    lot_id: Identifier | None = None
