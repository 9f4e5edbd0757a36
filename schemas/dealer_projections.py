"""Dealer billing as Postgres has it: a message for every row of the tables of dealers, accounts, bills (DLR-10), and of
payments in suspense (DLR-06).

Field for column. What the columns are in the source, and why some have other names, says docs/reference-database.md.
"""

from typing import Annotated

from msgspec import Meta

from schemas.dealer_billing import AccountType
from schemas.dealer_bills import BillState
from schemas.fields import Count, CurrencyCode, Fact, Identifier, NonNegativeMinor, PositiveMinor, Text


class ProjectedDealer(Fact, frozen=True, kw_only=True):
    """A registered dealer, with his newest requisites. Compacted: the last one counts."""

    id: Annotated[str, Meta(description="the dealer's book, the record's key")]
    dealer_id: Identifier
    cme_client_id: Annotated[Identifier, Meta(description="the dealer in CME")]
    requisite: Annotated[bytes, Meta(description="legal and bank details, as JSON: personal data")]
    version: Annotated[Count, Meta(description="of the requisites")]

    def __repr__(self) -> str:
        """Without the requisites, which are in no log."""
        return f"ProjectedDealer(id={self.id!r}, cme_client_id={self.cme_client_id!r}, version={self.version})"


class ProjectedAccount(Fact, frozen=True, kw_only=True):
    """A dealer's account with Billing. Compacted. Its current balance is a `ledger.balance.projection.v1`."""

    id: Annotated[str, Meta(description="book|account type, the record's key")]
    dealer_id: Identifier
    account_type: AccountType
    state: Annotated[str, Meta(description="client, payer, contract: asked of Billing; stopped; open")]
    client_id: Text | None
    payer_id: Text | None
    contract_id: Text | None


class ProjectedBill(Fact, frozen=True, kw_only=True):
    """A bill, and how much of it is paid. Compacted: the last one counts."""

    id: Annotated[str, Meta(description="book|bill, the record's key")]
    bill_id: Identifier
    dealer_id: Identifier
    account_type: AccountType
    common_sum_minor: PositiveMinor
    paid_sum_minor: NonNegativeMinor
    currency: CurrencyCode
    state: BillState
    url: Annotated[Text | None, Meta(description="where Billing keeps the bill's PDF")]
    successor: Annotated[Identifier | None, Meta(description="the bill that stands in its place")]


class ProjectedSuspense(Fact, frozen=True, kw_only=True):
    """A payment while it is in suspense. Compacted: a tombstone says that it waits no more, or never did."""

    id: Annotated[str, Meta(description="book|payment, the record's key")]
    payment_id: Text
    dealer_id: Identifier
    bill_id: Annotated[Identifier, Meta(description="what it waits for: the named bill, or its successor")]
    named: Annotated[Identifier, Meta(description="the bill that Billing named")]
    amount_minor: PositiveMinor
    currency: CurrencyCode
