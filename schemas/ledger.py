"""The journal and its projections: what every room writes about money, in one form."""

from enum import StrEnum

from pydantic import Field

from schemas.fields import Count, CurrencyCode, Message, MinorUnits, PositiveMinor, Record, Text, UtcMicros


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DUPLICATE = "duplicate"


class Step(StrEnum):
    """What a journal line does to the money: move it, or one step in the life of a lock."""

    POSTED = "posted"
    LOCKED = "locked"
    SETTLED = "settled"
    VOIDED = "voided"
    EXPIRED = "expired"


class Side(StrEnum):
    """The side on which an account's balance grows."""

    DEBIT = "debit"
    CREDIT = "credit"


class LotPart(Record):
    """A part of one lot that a line takes from its debit account or gives to its credit account."""

    lot_id: str
    amount_minor: PositiveMinor
    expires_at: UtcMicros | None = Field(None, description="null: never")
    restriction: str = Field("", description="what the lot may be spent on; empty: anything")


class JournalLine(Record):
    """One transfer of double entry: the same amount leaves the debit account and reaches the credit account.

    `settled` and `voided` lines name the lock that they end, in whole or in part.
    """

    step: Step
    debit: str
    credit: str
    amount_minor: PositiveMinor
    currency: CurrencyCode
    lock_id: str | None = None
    deadline: UtcMicros | None = Field(None, description="when a locked line expires; null: never")
    text: str = ""
    spent: tuple[LotPart, ...] = Field((), description="lots of the debit account that this line uses")
    opened: LotPart | None = Field(None, description="the lot that this line opens in the credit account")


class Decided(Message):
    """One decision on one input: its outcome, its reason, and every movement of money that it made (PIPE-09, PIPE-10).

    Each upstream record has exactly one. A decision that time alone caused has the tick as its cause.
    """

    decision_id: str
    book: str
    room: str
    outcome: Outcome
    reason: str | None = Field(None, description="one of schemas.refusals.Reason where refused")
    figures: dict[str, str] = Field({}, description="the figures that explain a refusal")
    lines: tuple[JournalLine, ...] = ()
    cause_type: str
    cause_id: str
    cause_topic: str
    cause_partition: Count
    cause_offset: Count
    correlation_id: str
    actor: str
    effective_at: UtcMicros = Field(description="when it happened upstream")
    recorded_at: UtcMicros = Field(description="when its record reached Kafka")


class AccountBalance(Message):
    """What stands on one account of one book. Compacted: the last one counts."""

    id: str = Field(description="book|account|currency, the record's key")
    book: str
    account: str
    currency: CurrencyCode
    side: Side
    debits_posted: MinorUnits
    credits_posted: MinorUnits
    debits_pending: MinorUnits
    credits_pending: MinorUnits
    balance_minor: MinorUnits = Field(description="posted, on the account's own side")
    available_minor: MinorUnits = Field(description="balance less what is locked")
    entries: Count
    lots: Count = Field(description="number of open lots")


class OpenLock(Message):
    """Money reserved and not yet moved. Compacted: a tombstone follows when the lock ends."""

    id: str = Field(description="book|lock_id, the record's key")
    book: str
    lock_id: str
    debit: str
    credit: str
    amount_minor: PositiveMinor
    currency: CurrencyCode
    deadline: UtcMicros | None


class StatementLine(Message):
    """One posted movement on one account, with the balance after it, numbered without gaps per account (PIPE-10)."""

    id: str = Field(description="book|account|currency|number, the record's key")
    book: str
    account: str
    currency: CurrencyCode
    number: Count
    amount_minor: MinorUnits = Field(description="positive: the balance grew")
    balance_minor: MinorUnits = Field(description="after this line")
    counter_account: str
    text: Text
    decision_id: str
    correlation_id: str
    actor: str
    effective_at: UtcMicros
    recorded_at: UtcMicros
