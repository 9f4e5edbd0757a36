"""What Billing answers, and what a dealer's book is told of it (DLR-01, DLR-03, DLR-05). Pure."""

from typing import Annotated, Final, Literal, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from schemas.fields import Text
from sinks.billing.call import Event
from sinks.billing.content import Wanted, requisites
from sinks.remote import Words

SHORTEST_SECRET: Final = 3
"""Shorter values are in too many words to be taken out of them."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True)

    key: str = Field(description="the call's id")


class Done(_Said):
    """Billing has done what the call asks, now or before."""

    outcome: Literal["done"]
    id: Text
    url: Text | None = None


class Refused(_Said):
    """Billing will not do it, and has done nothing of it."""

    outcome: Literal["refused"]
    code: Words
    text: Words


class AtWork(_Said):
    """It has the call, and no answer yet."""

    outcome: Literal["at work"]


class Unknown(_Said):
    """Nothing came of a call with this key."""

    outcome: Literal["unknown"]


Answer: TypeAlias = Done | Refused | AtWork
ANSWERS: Final[TypeAdapter[Answer | Unknown]] = TypeAdapter(
    Annotated[Done | Refused | AtWork | Unknown, Field(discriminator="outcome")]
)
EVENTS: Final = {"done": Event.DONE, "refused": Event.REFUSED}


def without_requisites(refused: Refused, wanted: Wanted) -> Refused:
    """The refusal, where it repeats what it does not like: a person's or a bank's details are nobody's to read."""
    details = requisites(wanted)
    if details is None:
        return refused
    code, text = refused.code, refused.text
    values = (str(value) for value in details.model_dump().values() if value is not None)
    for value in sorted((each for each in values if len(each) >= SHORTEST_SECRET), key=len, reverse=True):
        code, text = code.replace(value, "<requisites>"), text.replace(value, "<requisites>")
    return Refused(key=refused.key, outcome="refused", code=code, text=text)


def event_id(call_id: str) -> str:
    """A call has one answer, so no outcome is in it."""
    return str(uuid5(NAMESPACE_URL, f"millrace:billing-answer|{call_id}"))
