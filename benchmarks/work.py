"""The ledger work: deterministic commands, and the outcomes that every contestant must give."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from benchmarks import rule

OWNERS = 5_000
PARTITIONS = 4
SEED = 7
DUPLICATES = 0.01
AMOUNT_MINOR = 100

Command = dict[str, Any]
"""{"id": n, "type": "deposit"|"hold"|"capture"|"release", "owner": o, "amount": n, "ccy": c, "hold_id": h}; the amount
of a capture or release is the hold's, whatever the command says."""


class Outcome(NamedTuple):
    """What every command gives: as JSON, an object of these fields. Amounts are minor units."""

    id: int
    owner: str
    result: str
    balance: int
    held: int


def commands(
    count: int, *, seed: int = SEED, owners: int = OWNERS, duplicates: float = DUPLICATES
) -> Iterator[tuple[int, Command]]:
    """`count` commands, each with its partition; equal arguments give equal commands.

    Of 100 commands 40 are deposits, 25 holds, 25 captures and 10 releases; the latter two name an open hold of their
    owner, or where there is none one that never was. A duplicate is its owner's last command again.
    """
    dice = random.Random(seed)
    open_holds: dict[int, list[int]] = {}
    last: dict[int, Command] = {}
    next_id = 0
    for _ in range(count):
        if last and dice.random() < duplicates:
            owner = dice.choice(range(owners))
            if owner in last:
                yield owner % PARTITIONS, last[owner]
                continue
        owner = dice.randrange(owners)
        next_id += 1
        last[owner] = _command(dice, next_id, owner, open_holds.setdefault(owner, []))
        yield owner % PARTITIONS, last[owner]


def _command(dice: random.Random, number: int, owner: int, open_holds: list[int]) -> Command:
    x = dice.random()
    kind = "deposit" if x < 0.40 else "hold" if x < 0.65 else "capture" if x < 0.90 else "release"
    hold_id = ""
    if kind == "hold":
        hold_id = f"h{number}"
        open_holds.append(number)
    elif kind != "deposit":
        hold_id = f"h{open_holds.pop(dice.randrange(len(open_holds)))}" if open_holds else f"h{number}x"
    return {
        "id": number,
        "type": kind,
        "owner": f"o{owner}",
        "amount": AMOUNT_MINOR,
        "ccy": "EUR",
        "hold_id": hold_id,
    }


def model(work: Iterable[tuple[int, Command]]) -> Counter[Outcome]:
    """How often each outcome must be seen, decided in memory. A repeated duplicate repeats its outcome."""
    state: dict[str, rule.Owner] = {}
    outcomes: Counter[Outcome] = Counter()
    for _, command in work:
        owner = state.setdefault(command["owner"], rule.new_owner())
        result = rule.decide(owner, command)
        outcomes[Outcome(**rule.outcome(command, result, owner))] += 1
    return outcomes
