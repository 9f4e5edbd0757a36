"""Lots: versions one after another, and what dealers' books are told of each, by DLR-04 and DLR-09."""

import json
from collections.abc import Iterator

from tests.torture.verifier.model import ACCEPTED, Fields, Input, Model, Rule, Sent, Verdict, refused

MOST_AHEAD = 100
ANOTHER_BUYER = "another dealer buys the car"
CHANGES = ("dealer_id", "kind", "price", "concluded_at")


def sent(name: str, fields: Fields) -> Sent:
    """What a lot and a dealer tell each other, but for the figures of an answer."""
    match name:
        case "ChargeDeal":
            said = json.dumps(fields["terms"], sort_keys=True)
        case "LotAnswer":
            said = f"{fields['answer']} {fields['reason']}"
        case _:
            said = fields["reason"]
    return Sent(name, fields["dealer_id"], fields["lot_id"], str(fields["version"]), said)


def hear(model: Model, given: Input) -> Verdict:
    """A version of Lotus: it waits until it is the next one, and then those follow that have waited for it."""
    fields, version = given.fields, given.fields["version"]
    lot = model.lots.get(given.book) or {"version": 0, "dealer": None, "terms": None, "ahead": {}, "answer": None}
    change = {name: fields.get(name) for name in CHANGES}
    if (change["concluded_at"] or 0) > given.at:
        return refused("concluded_in_the_future")
    if version <= lot["version"] or version in lot["ahead"]:
        return refused("already_exists")
    if version == 1 and change["kind"] is None:
        return refused("wrong_state")
    if version > lot["version"] + 1 and len(lot["ahead"]) >= MOST_AHEAD:
        return refused("too_many_waiting")
    model.lots[given.book] = lot
    lot["ahead"][version] = change
    told: list[Sent] = []
    while following := lot["ahead"].pop(lot["version"] + 1, None):
        told += _take(lot, fields["lot_id"], following)
    return Verdict(ACCEPTED, sent=tuple(told))


def _take(lot: Fields, lot_id: str, change: Fields) -> Iterator[Sent]:
    before = lot["dealer"]
    terms = {name: change[name] if change[name] is not None else (lot["terms"] or {})[name] for name in CHANGES[1:]}
    dealer = change["dealer_id"] or before
    lot |= {"version": lot["version"] + 1, "dealer": dealer, "terms": terms, "answer": None}
    about = {"lot_id": lot_id, "version": lot["version"]}
    if before not in (None, dealer):
        yield sent("TakeBackDeal", {**about, "dealer_id": before, "reason": ANOTHER_BUYER})
    yield sent("ChargeDeal", {**about, "dealer_id": dealer, "terms": terms})


def hear_answer(model: Model, given: Input) -> Verdict:
    """Only what the buyer's book says of the newest version is kept."""
    lot, fields = model.lots.get(given.book), given.fields
    if lot and (fields["version"], fields["dealer_id"]) == (lot["version"], lot["dealer"]):
        lot["answer"] = fields["answer"]
    return Verdict(ACCEPTED)


RULES: dict[str, Rule] = {
    "DealConcluded": hear, "LotPriceChanged": hear, "LotWinnerChanged": hear, "LotAnswer": hear_answer,
}  # fmt: skip
