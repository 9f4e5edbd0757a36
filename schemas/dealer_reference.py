"""What dealer billing goes by, from Postgres by CDC: commission rates and the policy of billing them."""

from functools import cache
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from schemas.fields import Identifier, Message, Rate, Text, UtcMicros

COMMISSION = "commission"
"""The id of the one policy."""


class CommissionRate(Message):
    """A version of our percentage, never changed. A deal has the latest that was valid when it was concluded."""

    rate_id: Identifier
    version: int = Field(ge=1)
    share: Rate = Field(
        lt=1, description="of the price: 0.05 is five per cent; the commission is rounded half up, once"
    )
    valid_from: UtcMicros


class CommissionPolicy(Message):
    """In whose zone a month ends, and how long after it commission is billed. A tombstone stops billing."""

    policy_id: Identifier = Field(description=f"{COMMISSION}: there is one row")
    zone: Text = Field(description="of the IANA database, as Europe/Moscow")
    bill_after_days: int = Field(ge=0, le=31, description="whole days from a month's end to its bill")

    @field_validator("zone")
    @classmethod
    def _is_known(cls, zone: str) -> str:
        if zone not in _zones():
            raise ValueError(f"{zone} is no zone of the IANA database")
        return zone


@cache
def _zones() -> set[str]:
    return available_timezones()
