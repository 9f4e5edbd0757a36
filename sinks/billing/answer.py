"""What Billing answers, and what a dealer's book is told of it (DLR-01, DLR-03, DLR-05). Pure."""

import re
from typing import Annotated, Final, Literal, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from schemas.fields import Text
from sinks.billing.call import Event
from sinks.billing.content import Wanted, requisites
from sinks.remote import one_line

SHORTEST_SECRET: Final = 3
"""Shorter values are in too many words to be taken out of them."""


def _usable(id_: str) -> str:
    """An id is part of an address: what is blank there, or leads elsewhere, names nothing."""
    if not id_.strip().strip("."):
        raise ValueError("an id that names nothing")
    return id_


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True)

    key: str = Field(description="the call's id")


class Done(_Said):
    """Billing has done what the call asks, now or before."""

    outcome: Literal["done"]
    id: Annotated[Text, AfterValidator(_usable)]
    url: Text | None = None


class Refused(_Said):
    """Billing will not do it, and has done nothing of it. `fit_to_tell` makes its words ours."""

    outcome: Literal["refused"]
    code: str
    text: str


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


def fit_to_tell(refused: Refused, wanted: Wanted) -> Refused:
    """The refusal in words that may be told."""
    code, text = words(refused.code, wanted), words(refused.text, wanted)
    return Refused(key=refused.key, outcome="refused", code=code, text=text)


def words(said: str, wanted: Wanted) -> str:
    """What Billing says in a line, without the requisites that it may repeat, in any case: they are for nobody to read.

    They are taken out first, as what is left of one that was cut is none any more, and yet tells.
    """
    for secret in _secrets(wanted):
        said = re.sub(re.escape(secret), "<requisites>", said, flags=re.IGNORECASE)
    return one_line(said)


def _secrets(wanted: Wanted) -> list[str]:
    """The longest first, since one may be a part of another."""
    details = requisites(wanted)
    values = () if details is None else details.model_dump(exclude_none=True).values()
    return sorted((str(each) for each in values if len(str(each)) >= SHORTEST_SECRET), key=len, reverse=True)


def event_id(call_id: str) -> str:
    """A call has one answer, so no outcome is in it."""
    return str(uuid5(NAMESPACE_URL, f"millrace:billing-answer|{call_id}"))
