"""The rule, on a state that is changed in place: the model's, and that of contestants whose state may be a dict."""

from typing import Any

REMEMBERED = 16
"""Ids of an owner's last commands, by which a duplicate is known."""

Owner = dict[str, Any]
"""{"balance": n, "held": n, "holds": {hold id: n}, "recent": [command id]}, amounts in minor units."""


def new_owner() -> Owner:
    """An owner without money."""
    return {"balance": 0, "held": 0, "holds": {}, "recent": []}


def decide(owner: Owner, command: dict[str, Any]) -> str:
    """Apply `command` to `owner`: "ok", "rejected" (no such hold, or not enough money) or "duplicate"."""
    recent = owner["recent"]
    if command["id"] in recent:
        return "duplicate"
    recent.append(command["id"])
    if len(recent) > REMEMBERED:
        del recent[0]
    kind = command["type"]
    if kind == "deposit":
        owner["balance"] += command["amount"]
        return "ok"
    if kind == "hold":
        return _hold(owner, command)
    amount = owner["holds"].pop(command["hold_id"], None)
    if amount is None:
        return "rejected"
    owner["held"] -= amount
    if kind == "capture":
        owner["balance"] -= amount
    return "ok"


def _hold(owner: Owner, command: dict[str, Any]) -> str:
    if owner["balance"] - owner["held"] < command["amount"]:
        return "rejected"
    owner["held"] += command["amount"]
    owner["holds"][command["hold_id"]] = command["amount"]
    return "ok"


def outcome(command: dict[str, Any], result: str, owner: Owner) -> dict[str, Any]:
    """What is written of a decision."""
    return {
        "id": command["id"],
        "owner": command["owner"],
        "result": result,
        "balance": owner["balance"],
        "held": owner["held"],
    }
