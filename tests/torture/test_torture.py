"""The short form of `make torture`, with a fixed seed, and the seeds that once failed."""

from pathlib import Path

import pytest

from tests.torture.run import report, run
from tests.torture.system import System

SECONDS, RATE = 25.0, 120.0
BRIEF = {"MILLRACE_SESSION_TIMEOUT_S": "4", "MILLRACE_TRANSACTION_TIMEOUT_S": "4"}
SEEDS = [232]
"""A seed under which a figure was wrong stays here for ever."""


@pytest.mark.timeout(900)
@pytest.mark.requirement("PIPE-03", "PIPE-08", "PIPE-09", "BEY-06")
@pytest.mark.parametrize("seed", SEEDS)
def test_no_penny_is_wrong_under_any_fault(seed: int, worker_id: str, tmp_path: Path) -> None:
    system = System(f"torture-{worker_id}", tmp_path, seed, print, timing=BRIEF)
    try:
        system.start()
        result = run(system, seed, SECONDS, RATE)
    finally:
        system.close()
    print(report(result))
    assert not result.differences, report(result)
    assert result.survived.total() >= 3
