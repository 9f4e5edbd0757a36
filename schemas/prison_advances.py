"""Advances: money that a prison lends a prisoner for one purchase, and gets back out of what comes in (PRI-05, PRI-12).

An advance has the id of its purchase, and its own life: pending, active, then repaid or written off.
"""

from typing import Annotated

from msgspec import Meta

from schemas.fields import Fact, Identifier, IsoDate, Message, MinorUnits, Money, PositiveMinor, Text, UtcMicros
from schemas.prison_finance import AdvanceApproval, PinnedCode, VoidCause
from schemas.prison_reference import Days, Prisoner

# ---- upstream: the prison


class WriteOffAdvance(Message):
    """An officer gives up what is still owed of an advance."""

    advance_id: Identifier
    prisoner_id: Identifier
    written_off_by: Identifier
    reason: Text


# ---- what this room says


class AdvancePending(Fact, frozen=True, kw_only=True):
    """Two transfers are locked with the purchase: prison to advance account, advance account to prisoner.

    The prison, its terms and the ledger's codes are pinned as they are now, for repayments to come.
    """

    advance_id: Annotated[Identifier, Meta(description="the purchase's id")]
    prisoner_id: Identifier
    prisoner: Prisoner
    amount: Money
    approval: AdvanceApproval
    instalment_minor: PositiveMinor
    every_days: Days
    gl_accounts: tuple[PinnedCode, ...]
    deadline: UtcMicros


class AdvanceActive(Fact, frozen=True, kw_only=True):
    """The prisoner has had the money and owes it: an instalment falls due every so many days."""

    advance_id: Identifier
    prisoner_id: Identifier
    amount: Money
    since: Annotated[IsoDate, Meta(description="instalments are counted from this day, in Europe/London")]
    at: UtcMicros


class AdvanceVoided(Fact, frozen=True, kw_only=True):
    """Its purchase will not take place, nor will the advance."""

    advance_id: Identifier
    prisoner_id: Identifier
    cause: VoidCause
    amount: Money
    at: UtcMicros


class AdvanceRepaid(Fact, frozen=True, kw_only=True):
    """Some of what is owed was repaid: out of a credit, or by a refund. With nothing outstanding the advance ends."""

    advance_id: Identifier
    prisoner_id: Identifier
    transaction_id: Annotated[Text, Meta(description="of the general-ledger lines: repayment/… or refund/…")]
    amount: Money
    outstanding_minor: MinorUnits
    at: UtcMicros


class AdvanceWrittenOff(Fact, frozen=True, kw_only=True):
    """What was still owed is given up; the advance ends."""

    advance_id: Identifier
    prisoner_id: Identifier
    amount: Money
    written_off_by: Identifier
    reason: Text
    at: UtcMicros
