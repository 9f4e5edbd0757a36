"""What the ledger app ought to have done, worked out again from its input with plain dicts; shares no code with it."""

import json
from collections import Counter
from typing import Any

from runtime_pipeline import Pipeline


def audit(pipeline: Pipeline) -> None:
    """Every command answered once, rightly, in order; tables and projection as the input demands."""
    expected, accounts, locks = _replay(pipeline)
    answers = [(record.partition(), json.loads(record.value())) for record in pipeline.read_own("out")]
    counts = Counter(answer["id"] for _, answer in answers)
    missing = sorted(command for command in expected if command not in counts)
    doubled = sorted(command for command, count in counts.items() if count > 1)
    assert not missing, f"{len(missing)} commands without outcome: {missing[:10]}"
    assert not doubled, f"{len(doubled)} commands with more than one outcome: {doubled[:10]}"
    for _, answer in answers:
        assert (answer["ok"], answer["balance"]) == expected[answer["id"]][1:], f"wrong outcome {answer}"
    for partition in range(pipeline.partitions):
        given = [command for command, (number, *_) in expected.items() if number == partition]
        assert [answer["id"] for number, answer in answers if number == partition] == given, "out of order"
    assert {key: row["balance"] for key, row in pipeline.table("accounts").items()} == accounts
    assert {key: (row["account"], row["amount"]) for key, row in pipeline.table("locks").items()} == locks
    projected = {record.key().decode(): int(record.value()) for record in pipeline.read_own("balances")}
    assert projected == accounts


def _replay(pipeline: Pipeline) -> tuple[dict[int, tuple[int, bool, int]], dict[str, int], dict[str, Any]]:
    expected, accounts, locks = dict[int, tuple[int, bool, int]](), dict[str, int](), dict[str, Any]()
    for record in pipeline.read_own("in"):
        try:
            command = json.loads(record.value())
        except ValueError:
            continue
        account, amount, held = command["account"], command["amount"], command["lock"]
        balance = accounts.get(account, 0)
        ok = False
        if command["op"] == "pay":
            ok, balance = True, balance + amount
            accounts[account] = balance
        elif command["op"] == "lock" and balance >= amount:
            ok, balance = True, balance - amount
            accounts[account], locks[held] = balance, (account, amount)
        elif command["op"] == "settle" and held in locks:
            ok = True
            del locks[held]
        expected[command["id"]] = (record.partition(), ok, balance)
    return expected, accounts, locks
