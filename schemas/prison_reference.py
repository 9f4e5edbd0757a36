"""What prison finance goes by, from Postgres by CDC: prisoners, prisons, officers, suppliers, ledger accounts."""

from enum import StrEnum
from typing import Annotated, NamedTuple

from msgspec import Meta
from pydantic import Field

from schemas.fields import Identifier, Message, MinorUnits, PositiveMinor, Text, UtcMicros

Days = Annotated[int, Field(gt=0, le=366), Meta(gt=0, le=366)]
"""Whole days from one instalment to the next."""


class Prisoner(Message):
    """Where a prisoner is, and so which cost centre bears his lines; a tombstone ends it."""

    prisoner_id: Identifier
    prison_id: Identifier
    cost_centre: Identifier
    daily_limit_minor: MinorUnits | None = Field(
        None, ge=0, description="most that may be spent on purchases in one Europe/London day, in pence; null: no limit"
    )
    cash_permission_until: UtcMicros | None = Field(
        None, description="until then the governor permits private cash beside spends; null: never (PRI-04)"
    )
    cash_permission_most_minor: MinorUnits | None = Field(
        None, ge=0, description="most private cash that the permission gives one purchase, in pence; null: no bound"
    )


class AdvancePolicy(NamedTuple):
    """What a prison allows of advances, in pence, and how they are repaid."""

    allowed_minor: int
    instalment_minor: int
    every_days: int
    automatic: tuple[str, ...]


class Prison(Message):
    """A prison's cost centre and its policy on advances (PRI-05, PRI-12); a tombstone ends it."""

    prison_id: Identifier
    cost_centre: Identifier
    advance_allowed_minor: MinorUnits | None = Field(
        None, ge=0, description="most that a prisoner's advances may come to, in pence; null: no advances"
    )
    advance_instalment_minor: PositiveMinor | None = Field(None, description="how much falls due at a time, in pence")
    advance_every_days: Days | None = Field(None, description="days from one instalment to the next")
    automatic_circumstances: tuple[Identifier, ...] = Field(
        (), description="circumstances in which no officer need approve an advance"
    )

    @property
    def policy(self) -> AdvancePolicy | None:
        """None where the prison gives no advances."""
        allowed, instalment, days = (
            self.advance_allowed_minor,
            self.advance_instalment_minor,
            self.advance_every_days,
        )
        if allowed is None or instalment is None or days is None:
            return None
        return AdvancePolicy(allowed, instalment, days, self.automatic_circumstances)


class Officer(Message):
    """Who may decide on advances in one prison: its governor, or whom he has named; a tombstone ends it."""

    officer_id: Identifier
    prison_id: Identifier
    may_approve_advances: bool
    may_write_off: bool


class Supplier(Message):
    """A supplier and the general-ledger account that its purchases are credited to; a tombstone ends it."""

    supplier_id: Identifier
    name: Text
    gl_account: Identifier


class GlPurpose(StrEnum):
    """What an account of the general ledger is for: the accounts of a prisoner's book, by name."""

    SPENDS = "spends"
    CASH = "cash"
    SAVINGS = "savings"
    ADVANCE = "advance"
    OWED = "owed"
    WRITTEN_OFF = "written_off"


class GlAccount(Message):
    """The general ledger's code for one purpose; a tombstone ends it."""

    purpose: GlPurpose
    nomis_code: Identifier = Field(description="as the prisons' own system has it, 2102 for spends; for people")
    sop_account: Identifier = Field(description="as lines carry it to the Single Operating Platform")
