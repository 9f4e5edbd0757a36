"""Runs with faults: nothing is lost, nothing doubled, and a seed gives the same run for ever."""

import hashlib
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from schemas.dealer_bills import BillState
from schemas.topics import BATCH_ANSWERS, BATCHED_PURCHASES
from streams.demo.month import MONTH, make_month
from streams.demo.world import Scale
from streams.simulator.day import run_day
from streams.simulator.faults import Blow, Trap
from streams.simulator.many import run_seed, run_seeds
from streams.simulator.run import Outcome, run, script_of, studio
from streams.simulator.script import Script
from streams.simulator.shrink import shrink
from streams.simulator.world import World

pytestmark = pytest.mark.timeout(280)

REPOSITORY = Path(__file__).parents[2]
BLOCK = 60
SEEDS = (Path(__file__).parent / "seeds.txt").read_text().splitlines()
KEPT = [int(line.split()[0]) for line in SEEDS if not line.startswith("#")]


def problems(outcomes: Iterable[Outcome]) -> dict[int, list[str]]:
    return {outcome.seed: outcome.problems for outcome in outcomes if outcome.problems}


@pytest.mark.requirement("BEY-06", "PIPE-02", "PIPE-03", "PIPE-05", "PIPE-09", "PIPE-13", "XFR-07")
@pytest.mark.parametrize("first", range(0, 240, BLOCK))
def test_whatever_goes_wrong_the_books_are_right(first: int) -> None:
    assert not problems(run_seeds(range(first, first + BLOCK), 1))


@pytest.mark.requirement("BEY-06")
@pytest.mark.parametrize("seed", KEPT)
def test_what_failed_once_fails_no_more(seed: int) -> None:
    assert not run_seed(seed).problems


@pytest.mark.requirement("BEY-06")
def test_the_seeds_meet_every_kind_of_fault() -> None:
    met = sum((run_seed(seed).survived for seed in range(300, 340)), start=run_seed(340).survived)
    assert {name.partition(" at ")[0] for name in met} >= {*(blow.value for blow in Blow), "freeze", "sleep", "compact"}


DIGEST = "from tests.simulation.test_seeds import digest; print(digest(11))"


def digest(seed: int) -> str:
    """Of everything that a run has left on its broker."""
    world = World(script_of(seed), studio().contracts)
    world.run()
    hashed = hashlib.sha256()
    for place, log in world.broker.logs.items():
        for record in log.read(0, log.end, committed=False).records:
            hashed.update(repr((place, record.offset(), record.key(), record.value(), record.timestamp())).encode())
    return hashed.hexdigest()


@pytest.mark.requirement("BEY-06", "PIPE-13")
def test_a_seed_gives_the_same_run_in_every_process() -> None:
    found = set()
    for hash_seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(
            [sys.executable, "-c", DIGEST], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
        )
        found.add(done.stdout)
    assert found == {digest(11) + "\n"}


@pytest.mark.requirement("BEY-06", "DLR-01", "DLR-02", "DLR-05")
def test_the_demos_day_needs_no_server() -> None:
    result, balances = run_day(7, Scale().times(0.05), lambda *_: None)
    tally = result.watch
    assert result.audit.clean
    assert result.inputs == tally.answered
    assert {each.book for each in balances} == {"group", "dealer", "prisoner"}
    assert tally.answers == tally.calls > 0, "Billing has answered all that was asked of it"
    assert BillState.PAID in {each.state for each in tally.bills.by_state()}


# ---- shrinking


def fails_where_a_crash_meets_a_deposit(script: Script) -> Outcome:
    """As a bug would that needs one kind of fault and one command."""
    crash = any(isinstance(fault, Trap) and fault.blow is Blow.CRASH for fault in script.faults)
    deposit = any("DepositBudget" in send.text for send in script.sends)
    told = ["lost: a deposit"] if crash and deposit else []
    return run(script._replace(sends=(), faults=()))._replace(problems=told)


@pytest.mark.requirement("PRI-08", "PRI-09", "PRI-12", "PRI-13", "BEY-06")
def test_four_weeks_of_prisons_leave_no_purchase_of_a_batch_undecided() -> None:
    result, balances = run_day(7, MONTH.times(0.02), lambda *_: None, make_month)
    tally = result.watch
    assert result.audit.clean, result.audit.findings.kept
    assert tally.answered == tally.outcomes.total() == result.inputs
    asked, answered = (tally.written[topic.name] for topic in (BATCHED_PURCHASES, BATCH_ANSWERS))
    assert 0 < asked == answered
    prison = {(each.book, each.account): each for each in balances}
    assert prison["prisoner", "advance"].balance_minor == 0
    assert all(each.balance_minor == each.available_minor for each in balances), "money is locked at the end"


@pytest.mark.requirement("BEY-06")
def test_a_failure_shrinks_to_what_it_needs() -> None:
    script = next(
        script for seed in range(100)
        if fails_where_a_crash_meets_a_deposit(script := script_of(seed)).problems and len(script.faults) > 4
    )  # fmt: skip
    smaller = shrink(script, fails_where_a_crash_meets_a_deposit(script), fails_where_a_crash_meets_a_deposit)
    assert (len(smaller.script.faults), len(smaller.script.sends)) == (1, 1)
    assert smaller.outcome.problems == ["lost: a deposit"]
