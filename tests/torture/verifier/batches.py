"""Batches of purchases: whom they ask, and what they make of the answers, by PRI-08 to PRI-10.

A batch's book and its people's are on different partitions. What one sends the other is a record like those of
upstream: here is what must be sent, and `check` compares it with what lies in the topics between the books.
"""

import json
from typing import Any

from tests.torture.verifier.model import ACCEPTED, Fields, Input, Model, Rule, Sent, Verdict, refused

ANSWER_US = 5 * 60_000_000
REMEMBERED_US = 90 * 24 * 3_600_000_000
ASKED = {"submit": "submitting", "authorise": "authorising", "cancel": "cancelling"}
WAITING = frozenset(ASKED.values())
UNENDED = WAITING | {"pending"}


def sent(name: str, fields: Fields) -> Sent:
    """What a record between books says, but for the figures of a refusal."""
    purchase_id = fields["purchase"]["purchase_id"] if "purchase" in fields else fields["purchase_id"]
    match name:
        case "BatchedSubmit":
            said = json.dumps(fields["purchase"], sort_keys=True)
        case "BatchAnswer":
            said = f"{fields['answer']} {fields['reason']}"
        case _:
            said = fields.get("reason", "")
    return Sent(name, fields["batch_id"], fields["prisoner_id"], purchase_id, said)


def submit(model: Model, given: Input) -> Verdict:
    batch_id, purchases = given.fields["batch_id"], given.fields["purchases"]
    if given.book in model.batches:
        return refused("already_exists")
    members = {each["purchase_id"]: Member(each["prisoner_id"]) for each in purchases}
    model.batches[given.book] = {"id": batch_id, "members": dict(sorted(members.items()))}
    _ask(model.batches[given.book], "submit", list(members), given.at)
    asked = ({"batch_id": batch_id, "prisoner_id": each["prisoner_id"], "purchase": each} for each in purchases)
    return Verdict(ACCEPTED, sent=tuple(sent("BatchedSubmit", each) for each in asked))


def authorise(model: Model, given: Input) -> Verdict:
    return _step(model, given, "authorise", "BatchedAuthorise", "")


def cancel(model: Model, given: Input) -> Verdict:
    return _step(model, given, "cancel", "BatchedCancel", given.fields["reason"])


def hear(model: Model, given: Input) -> Verdict:
    """A person's book has answered: the last one that was asked, or the last that had not ended, closes the step."""
    batch, answer = model.batches.get(given.book), given.fields["answer"]
    member = None if batch is None else batch["members"].get(given.fields["purchase_id"])
    if batch is None or member is None or member.state not in UNENDED:
        return Verdict(ACCEPTED)
    if answer == "pending" and member.state != "submitting":
        return Verdict(ACCEPTED)
    was_asked = waiting(batch)
    member.state, member.reason = answer, given.fields["reason"] if answer == "refused" else None
    if (was_asked and not waiting(batch)) or not unended(batch):
        batch |= {"is_open": False, "deadline": None}
    return Verdict(ACCEPTED)


def set_deadline(model: Model, book: str, now: int) -> Verdict | None:
    """The first tick after asking; None if there is nothing to set."""
    batch = model.batches.get(book)
    if batch is None or not batch["is_open"] or batch["deadline"] is not None:
        return None
    batch["deadline"] = now + ANSWER_US
    return Verdict(ACCEPTED)


def time_out(model: Model, book: str, now: int) -> Verdict | None:
    """The deadline of a step passes: who is not submitted yet is to be cancelled; None if it may not."""
    batch = model.batches.get(book)
    if batch is None or not batch["is_open"] or batch["deadline"] is None or batch["deadline"] > now:
        return None
    batch |= {"is_open": False, "deadline": None}
    late = [purchase_id for purchase_id, member in batch["members"].items() if member.state == "submitting"]
    return Verdict(ACCEPTED, sent=_to_each(batch, late, "BatchedCancel", "late", "cancelling"))


def waiting(batch: Fields) -> int:
    """How many books have not answered yet."""
    return sum(member.state in WAITING for member in batch["members"].values())


def unended(batch: Fields) -> int:
    """How many purchases may still change."""
    return sum(member.state in UNENDED for member in batch["members"].values())


class Member:
    """One person of a batch, and what is known of his purchase."""

    def __init__(self, prisoner_id: str) -> None:
        self.prisoner_id, self.state = prisoner_id, "submitting"
        self.reason: Any = None


def _step(model: Model, given: Input, step: str, name: str, reason: str) -> Verdict:
    """Ask those who are pending, once nobody is being asked any more."""
    batch = model.batches.get(given.book)
    if batch is None:
        return refused("not_found")
    pending = [purchase_id for purchase_id, member in batch["members"].items() if member.state == "pending"]
    if waiting(batch) or not pending:
        return refused("wrong_state")
    _ask(batch, step, pending, given.at)
    return Verdict(ACCEPTED, sent=_to_each(batch, pending, name, reason, ASKED[step]))


def _ask(batch: Fields, step: str, purchase_ids: list[str], at: int) -> None:
    batch |= {"step": step, "is_open": True, "deadline": None, "forget_at": at + REMEMBERED_US}
    for purchase_id in purchase_ids:
        batch["members"][purchase_id].state = ASKED[step]


def _to_each(batch: Fields, purchase_ids: list[str], name: str, reason: str, state: str) -> tuple[Sent, ...]:
    members = batch["members"]
    for purchase_id in purchase_ids:
        members[purchase_id].state = state
    return tuple(Sent(name, batch["id"], members[each].prisoner_id, each, reason) for each in purchase_ids)


RULES: dict[str, Rule] = {
    "SubmitBatch": submit,
    "AuthoriseBatch": authorise,
    "CancelBatch": cancel,
    "BatchAnswer": hear,
}
