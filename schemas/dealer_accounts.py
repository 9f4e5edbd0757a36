"""Dealer billing: who a dealer is to us, and his accounts with the external Billing. The book is the dealer."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta
from pydantic import Field

from schemas.dealer_billing import AccountType
from schemas.fields import Count, EmailAddress, Fact, Identifier, Message, Record, Text


class Requisites(Record):
    """A dealer's legal and bank details, as Billing wants them of a payer. Never in a log: their repr says nothing."""

    legal_name: Text = Field(repr=False)
    tax_number: Identifier = Field(repr=False)
    legal_address: Text = Field(repr=False)
    bank_code: Identifier = Field(repr=False, description="of the dealer's bank: BIC")
    bank_account: Identifier = Field(repr=False)
    email: EmailAddress | None = Field(None, repr=False)
    phone: Text | None = Field(None, repr=False)


# ---- upstream: our own API


class RegisterDealer(Message):
    """A dealer accepted the offer: open his COMMISSION account (DLR-01)."""

    dealer_id: Identifier
    cme_dealer_id: Identifier = Field(description="as reference data knows the dealer under dealer_id")
    requisites: Requisites


class AddFastBuyout(Message):
    """A registered dealer takes part in fast buyout: open his DEPOSIT and SETTLEMENT accounts (DLR-02)."""

    dealer_id: Identifier


class UpdateRequisites(Message):
    """Change a registered dealer's requisites, here and in Billing for every account (DLR-03)."""

    dealer_id: Identifier
    requisites: Requisites


# ---- what this room says


class OpeningStep(StrEnum):
    """What Billing is asked for, one after another, to open an account."""

    CLIENT = "client"
    PAYER = "payer"
    CONTRACT = "contract"


RequisitesVersion = Annotated[Count, Meta(description="1 at registration, one more with every change")]


class DealerRegistered(Fact, frozen=True, kw_only=True):
    """The dealer's book is open."""

    dealer_id: Identifier
    cme_dealer_id: Identifier
    requisites: Requisites
    version: RequisitesVersion


class RequisitesChanged(Fact, frozen=True, kw_only=True):
    """These are the dealer's requisites from now on; Billing hears of them for each account."""

    dealer_id: Identifier
    requisites: Requisites
    version: RequisitesVersion


class AccountOpening(Fact, frozen=True, kw_only=True):
    """A step towards an account is asked of Billing. The ids are those that Billing has given in earlier steps."""

    dealer_id: Identifier
    account: AccountType
    step: OpeningStep
    version: RequisitesVersion
    client_id: Text | None = None
    payer_id: Text | None = None


class AccountOpened(Fact, frozen=True, kw_only=True):
    """Billing has client, payer and contract of the account; bills may be created on it."""

    dealer_id: Identifier
    account: AccountType
    version: Annotated[Count, Meta(description="of the requisites that Billing has")]
    client_id: Text
    payer_id: Text
    contract_id: Text


class AccountStopped(Fact, frozen=True, kw_only=True):
    """Billing refused a step. The next change of requisites tries it again."""

    dealer_id: Identifier
    account: AccountType
    step: OpeningStep
    version: RequisitesVersion
    code: Text
    text: Text


class RequisitesSent(Fact, frozen=True, kw_only=True):
    """An open account's newest requisites are on their way to Billing."""

    dealer_id: Identifier
    account: AccountType
    version: RequisitesVersion


class RequisitesTaken(Fact, frozen=True, kw_only=True):
    """Billing has these requisites for an account."""

    dealer_id: Identifier
    account: AccountType
    version: RequisitesVersion


class RequisitesRefused(Fact, frozen=True, kw_only=True):
    """Billing refused these requisites for an account, which stays open with those it had."""

    dealer_id: Identifier
    account: AccountType
    version: RequisitesVersion
    code: Text
    text: Text
