"""The commands, and what must come of them."""

from collections import Counter

import orjson
import pytest

from benchmarks import work
from benchmarks.contestants import millrace
from benchmarks.work import Command, Outcome
from streams.runtime import Rows


def command(number: int, kind: str, *, hold: str = "", owner: str = "o1", amount: int = 100) -> tuple[int, Command]:
    return 1, {"id": number, "type": kind, "owner": owner, "amount": amount, "ccy": "EUR", "hold_id": hold}


def test_equal_seeds_give_equal_commands_and_other_seeds_others() -> None:
    assert list(work.commands(1_000)) == list(work.commands(1_000))
    assert list(work.commands(1_000)) != list(work.commands(1_000, seed=8))


def test_the_commands_are_those_that_earlier_figures_were_measured_with() -> None:
    last = {"id": 1_000, "type": "deposit", "owner": "o4546", "amount": 100, "ccy": "EUR", "hold_id": ""}
    assert list(work.commands(1_000))[-1] == (2, last)


def test_a_shorter_work_is_the_beginning_of_a_longer_one() -> None:
    assert list(work.commands(500)) == list(work.commands(1_000))[:500]


def test_one_command_in_a_hundred_is_a_duplicate_of_its_owners_last() -> None:
    last: dict[str, Command] = {}
    repeated = 0
    for _, each in work.commands(100_000):
        repeated += each is last.get(each["owner"])
        last[each["owner"]] = each
    assert repeated == pytest.approx(1_000, rel=0.1)


def test_an_owner_is_always_in_one_partition() -> None:
    where = {(each["owner"], partition) for partition, each in work.commands(50_000)}
    assert len(where) == work.OWNERS
    assert {partition for _, partition in where} == set(range(work.PARTITIONS))


LIFE = [
    command(1, "hold", hold="a"),
    command(2, "deposit"),
    command(3, "deposit"),
    command(4, "hold", hold="b"),
    command(5, "hold", hold="c"),
    command(6, "hold", hold="d"),
    command(7, "capture", hold="b"),
    command(7, "capture", hold="b"),
    command(8, "capture", hold="b"),
    command(9, "release", hold="c"),
    command(10, "deposit", owner="o2", amount=7),
]
OUTCOMES = [
    Outcome(1, "o1", "rejected", 0, 0),
    Outcome(2, "o1", "ok", 100, 0),
    Outcome(3, "o1", "ok", 200, 0),
    Outcome(4, "o1", "ok", 200, 100),
    Outcome(5, "o1", "ok", 200, 200),
    Outcome(6, "o1", "rejected", 200, 200),
    Outcome(7, "o1", "ok", 100, 100),
    Outcome(7, "o1", "duplicate", 100, 100),
    Outcome(8, "o1", "rejected", 100, 100),
    Outcome(9, "o1", "ok", 100, 0),
    Outcome(10, "o2", "ok", 7, 0),
]


def test_the_model_is_exact_on_a_small_life() -> None:
    assert work.model(LIFE) == Counter(OUTCOMES)


def test_the_seventeenth_command_back_is_forgotten() -> None:
    life = [command(number, "deposit") for number in (*range(1, 18), 2, 1)]
    results = [each.result for each in sorted(work.model(life).elements())]
    assert results.count("duplicate") == 1
    assert sum(work.model(life).values()) == 19


def decided_by_millrace(life: list[tuple[int, Command]]) -> Counter[Outcome]:
    rows: Rows[millrace.Owner] = Rows(millrace.Owner)
    outcomes: Counter[Outcome] = Counter()
    for _, each in life:
        known = millrace.decode(orjson.dumps(each))
        owner, result = millrace.step(rows, known)
        outcomes[Outcome(**orjson.loads(millrace.answer(known, owner, result)))] += 1
    return outcomes


@pytest.mark.parametrize("life", [LIFE, list(work.commands(20_000, owners=50))], ids=["small life", "20,000 commands"])
def test_the_frozen_rule_of_millrace_is_the_rule_of_the_model(life: list[tuple[int, Command]]) -> None:
    assert decided_by_millrace(life) == work.model(life)
