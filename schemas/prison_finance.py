"""Prison finance: a prisoner's sub-accounts, purchases out of them, general-ledger lines. The book is the prisoner."""

from enum import StrEnum

from pydantic import Field

from schemas.fields import Count, Identifier, IsoDate, Message, MinorUnits, Money, Text, UtcMicros


class SubAccount(StrEnum):
    """A prisoner's sub-accounts (PRI-01)."""

    CASH = "cash"
    SPENDS = "spends"
    SAVINGS = "savings"


# ---- upstream: the prison and its shop


class CreditPrisoner(Message):
    """Money came in for a prisoner."""

    credit_id: Identifier
    prisoner_id: Identifier
    sub_account: SubAccount
    amount: Money
    description: Text


class MoveBetweenSubAccounts(Message):
    """Move money between two sub-accounts of one prisoner."""

    transfer_id: Identifier
    prisoner_id: Identifier
    source: SubAccount
    target: SubAccount
    amount: Money
    description: Text


class SubmitPurchase(Message):
    """A PaymentIntent within available spends: what it costs is locked until it is authorised (PRI-02)."""

    purchase_id: Identifier
    prisoner_id: Identifier
    supplier_id: Identifier
    amount: Money
    description: Text


class AuthorisePurchase(Message):
    """The order is confirmed: the locked money goes to the supplier, and the general ledger gets its lines."""

    purchase_id: Identifier
    prisoner_id: Identifier


class CancelPurchase(Message):
    """The order is off: the locked money is free again."""

    purchase_id: Identifier
    prisoner_id: Identifier
    reason: Identifier


# ---- reference data, from Postgres by CDC


class Prisoner(Message):
    """Where a prisoner is, and so which cost centre bears his lines; a tombstone ends it."""

    prisoner_id: Identifier
    prison_id: Identifier
    cost_centre: Identifier


class Supplier(Message):
    """A supplier and the general-ledger account that its purchases are credited to; a tombstone ends it."""

    supplier_id: Identifier
    name: Text
    gl_account: Identifier


# ---- what this room says


class PrisonerCredited(Message):
    """The money stands on the sub-account."""

    credit_id: Identifier
    prisoner_id: Identifier
    sub_account: SubAccount
    amount: Money


class MovedBetweenSubAccounts(Message):
    """The money stands on the other sub-account."""

    transfer_id: Identifier
    prisoner_id: Identifier
    source: SubAccount
    target: SubAccount
    amount: Money


class PurchasePending(Message):
    """The purchase's money is locked on the spends sub-account until the deadline."""

    purchase_id: Identifier
    prisoner_id: Identifier
    supplier_id: Identifier
    amount: Money
    description: Text
    deadline: UtcMicros


class PurchaseAuthorised(Message):
    """The purchase is paid."""

    purchase_id: Identifier
    prisoner_id: Identifier
    supplier_id: Identifier
    amount: Money


class VoidCause(StrEnum):
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


class PurchaseVoided(Message):
    """The purchase will not take place; its money is free again."""

    purchase_id: Identifier
    prisoner_id: Identifier
    cause: VoidCause
    amount: Money


class Refused(Message):
    """A command was refused; nothing moved."""

    prisoner_id: Identifier
    refused_id: Identifier
    reason: str
    figures: dict[str, str] = Field({})


class LedgerSide(StrEnum):
    DEBIT = "debit"
    CREDIT = "credit"


class GeneralLedgerLine(Message):
    """One line for the SOP general ledger; the lines of one transaction balance (PRI-10)."""

    line_id: Identifier
    transaction_id: Identifier
    prisoner_id: Identifier
    prison_id: Identifier
    accounting_date: IsoDate = Field(description="in Europe/London")
    cost_centre: Identifier
    gl_account: Identifier
    side: LedgerSide
    amount: Money
    description: Text


class AccountingDayClosed(Message):
    """No line of this day follows in this partition. When all partitions have said so, the day's files are cut."""

    accounting_date: IsoDate
    lines: Count
    debit_minor: MinorUnits
    credit_minor: MinorUnits
