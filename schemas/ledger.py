"""The journal and its projections: what every room writes about money, in one form."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field

from schemas.fields import Count, CurrencyCode, Fact, FactPart, MinorUnits, PositiveMinor, Text, UtcMicros


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


class LotPart(FactPart, frozen=True, kw_only=True, omit_defaults=True):
    """A part of one lot that a line takes from its debit account or gives to its credit account."""

    lot_id: str
    amount_minor: PositiveMinor
    expires_at: Annotated[UtcMicros | None, Meta(description="null: never")] = None
    restriction: Annotated[str, Meta(description="what the lot may be spent on; empty: anything")] = ""


class JournalLine(FactPart, frozen=True, kw_only=True):
    """One transfer of double entry: the same amount leaves the debit account and reaches the credit account.

    `settled` and `voided` lines name the lock that they end, in whole or in part.
    """

    step: Step
    debit: str
    credit: str
    amount_minor: PositiveMinor
    currency: CurrencyCode
    lock_id: str | None = None
    deadline: Annotated[UtcMicros | None, Meta(description="when a locked line expires; null: never")] = None
    text: str = ""
    spent: Annotated[tuple[LotPart, ...], Meta(description="lots of the debit account that this line uses")] = ()
    opened: Annotated[LotPart | None, Meta(description="the lot that this line opens in the credit account")] = None


class Decided(Fact, frozen=True, kw_only=True):
    """One decision on one input: its outcome, its reason, and every movement of money that it made (PIPE-09, PIPE-10).

    Each upstream record has exactly one. A decision that time alone caused has the tick as its cause.
    """

    decision_id: str
    book: str
    room: str
    outcome: Outcome
    reason: Annotated[str | None, Meta(description="one of schemas.refusals.Reason where refused")] = None
    figures: Annotated[dict[str, str], Meta(description="the figures that explain a refusal")] = field(
        default_factory=dict
    )
    lines: tuple[JournalLine, ...] = ()
    events: Annotated[Count, Meta(description="events that this decision told, numbered from 0 in their ids")] = 0
    cause_type: str
    cause_id: str
    cause_topic: str
    cause_partition: Count
    cause_offset: Count
    correlation_id: str
    actor: str
    effective_at: Annotated[UtcMicros, Meta(description="when it happened upstream")]
    recorded_at: Annotated[UtcMicros, Meta(description="when its record reached Kafka")]


class AccountBalance(Fact, frozen=True, kw_only=True):
    """What stands on one account of one book. Compacted: the last one counts."""

    id: Annotated[str, Meta(description="book|account|currency, the record's key")]
    book: str
    account: str
    currency: CurrencyCode
    side: Side
    debits_posted: MinorUnits
    credits_posted: MinorUnits
    debits_pending: MinorUnits
    credits_pending: MinorUnits
    balance_minor: Annotated[MinorUnits, Meta(description="posted, on the account's own side")]
    available_minor: Annotated[MinorUnits, Meta(description="balance less what is locked")]
    entries: Count
    lots: Annotated[Count, Meta(description="number of open lots")]


class OpenLock(Fact, frozen=True, kw_only=True):
    """Money reserved and not yet moved. Compacted: a tombstone follows when the lock ends."""

    id: Annotated[str, Meta(description="book|lock_id, the record's key")]
    book: str
    lock_id: str
    debit: str
    credit: str
    amount_minor: PositiveMinor
    currency: CurrencyCode
    deadline: UtcMicros | None


class StatementLine(Fact, frozen=True, kw_only=True):
    """One posted movement on one account, with the balance after it, numbered without gaps per account (PIPE-10)."""

    id: Annotated[str, Meta(description="book|account|currency|number, the record's key")]
    book: str
    account: str
    currency: CurrencyCode
    number: Count
    amount_minor: Annotated[MinorUnits, Meta(description="positive: the balance grew")]
    balance_minor: Annotated[MinorUnits, Meta(description="after this line")]
    counter_account: str
    text: Text
    decision_id: str
    correlation_id: str
    actor: str
    effective_at: UtcMicros
    recorded_at: UtcMicros
