"""Prison finance: batches of purchases of several people. The book is the batch; each purchase is its prisoner's."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field
from pydantic import Field, field_validator

from schemas.fields import Fact, FactPart, Identifier, Message, UtcMicros
from schemas.prison_finance import SubmitPurchase

MAX_PURCHASES = 2_000
"""In one batch: more than the people of the largest prison here, and far below what one record can hold."""

# ---- upstream: the shop


class SubmitBatch(Message):
    """Purchases of several people, one for each of them (PRI-08, PRI-09); each is decided in its prisoner's book."""

    batch_id: Identifier
    purchases: tuple[SubmitPurchase, ...] = Field(min_length=1, max_length=MAX_PURCHASES)

    @field_validator("purchases")
    @classmethod
    def _are_of_different_people(cls, purchases: tuple[SubmitPurchase, ...]) -> tuple[SubmitPurchase, ...]:
        for field_name in ("purchase_id", "prisoner_id"):
            seen: set[str] = set()
            for number, purchase in enumerate(purchases):
                value = getattr(purchase, field_name)
                if value in seen:
                    raise ValueError(f"{number}.{field_name}: {value} is in the batch already")
                seen.add(value)
        return purchases


class AuthoriseBatch(Message):
    """The orders are confirmed: every purchase of the batch that is pending is authorised."""

    batch_id: Identifier


class CancelBatch(Message):
    """The orders are off: every purchase of the batch that is pending is cancelled."""

    batch_id: Identifier
    reason: Identifier


# ---- from the batch to each prisoner


class BatchedSubmit(Fact, frozen=True, kw_only=True):
    """Submit one purchase of a batch."""

    batch_id: Identifier
    prisoner_id: Identifier
    purchase: SubmitPurchase


class BatchedAuthorise(Fact, frozen=True, kw_only=True):
    """Authorise one purchase of a batch."""

    batch_id: Identifier
    prisoner_id: Identifier
    purchase_id: Identifier


class BatchedCancel(Fact, frozen=True, kw_only=True):
    """Cancel one purchase of a batch; one that was never made is as good as cancelled."""

    batch_id: Identifier
    prisoner_id: Identifier
    purchase_id: Identifier
    reason: Identifier


# ---- from each prisoner to the batch


class Answer(StrEnum):
    """What has become of a person's purchase."""

    PENDING = "pending"
    REFUSED = "refused"
    AUTHORISED = "authorised"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


class BatchAnswer(Fact, frozen=True, kw_only=True):
    """What a prisoner's book says of a purchase of a batch; also where it ended by time, or by a command of its own."""

    batch_id: Identifier
    prisoner_id: Identifier
    purchase_id: Identifier
    answer: Answer
    reason: Annotated[str | None, Meta(description="why it is refused")] = None
    figures: dict[str, str] = field(default_factory=dict)


# ---- what a batch says


class MemberState(StrEnum):
    """Where a person's purchase stands, as the batch knows."""

    SUBMITTING = "submitting"
    PENDING = "pending"
    AUTHORISING = "authorising"
    CANCELLING = "cancelling"
    REFUSED = "refused"
    AUTHORISED = "authorised"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


class BatchStep(StrEnum):
    """What a batch asks its people's books for."""

    SUBMIT = "submit"
    AUTHORISE = "authorise"
    CANCEL = "cancel"


class BatchMember(FactPart, frozen=True, kw_only=True):
    """One person of a batch."""

    purchase_id: Identifier
    prisoner_id: Identifier
    state: MemberState
    reason: Annotated[str | None, Meta(description="why it is refused")] = None


class BatchAsked(Fact, frozen=True, kw_only=True):
    """A step is on its way to these people's books."""

    batch_id: Identifier
    step: BatchStep
    members: tuple[BatchMember, ...]
    at: UtcMicros


class BatchDeadlineSet(Fact, frozen=True, kw_only=True):
    """The time has begun that people's books have for their answers to a step; who has not answered then is late."""

    batch_id: Identifier
    step: BatchStep
    deadline: UtcMicros


class BatchMemberAnswered(Fact, frozen=True, kw_only=True):
    """A person's book has answered."""

    batch_id: Identifier
    member: BatchMember
    figures: dict[str, str] = field(default_factory=dict)


class BatchAnswered(Fact, frozen=True, kw_only=True):
    """A step is done, or its deadline has passed: what it came to for each person."""

    batch_id: Identifier
    step: BatchStep
    complete: Annotated[bool, Meta(description="false: some have not answered in time")]
    members: tuple[BatchMember, ...]
    at: UtcMicros


class BatchRefused(Fact, frozen=True, kw_only=True):
    """A command about a batch was refused; nothing was sent to anybody."""

    batch_id: Identifier
    reason: str
    figures: dict[str, str] = field(default_factory=dict)
