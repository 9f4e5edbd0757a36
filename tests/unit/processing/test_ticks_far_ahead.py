"""A tick of a worker whose clock is years ahead, in a log that says when it was written (PIPE-13)."""

from collections.abc import Iterator

import pytest

from schemas.fields import Money
from schemas.mobility import DepositBudget
from schemas.publishing import upstream
from schemas.topics import DEPOSITS
from streams.simulator.faults import MACHINES
from streams.simulator.run import studio
from streams.simulator.script import BEGIN_S, Script, Send, send_of, ticks
from streams.simulator.world import Berth, World
from tests.rooms import DAY

pytestmark = pytest.mark.requirement("PIPE-13", "MOB-09")

NOW = int(BEGIN_S * 1_000_000)
YEAR = 365 * DAY


def sends() -> Iterator[Send]:
    """A deposit for a year; a right tick, one that is ten years ahead, and a right one."""
    encode = studio().contracts.codec.encode
    deposit = DepositBudget(
        deposit_id="d1", group_id="g1", amount=Money(amount_minor=5_000, currency="EUR"), expires_at=NOW + YEAR
    )
    event = upstream(DEPOSITS, deposit, event_id="e-1", source="budgets", time_us=NOW, actor="ann")
    yield send_of(10.0, event, encode)
    for at_s, now in ((15.0, NOW), (20.0, NOW + 10 * YEAR), (25.0, NOW)):
        yield from ticks(now, at_s, encode)


def test_money_does_not_expire_by_a_clock_that_is_ten_years_ahead_of_kafkas() -> None:
    world = World(Script(1, tuple(sends()), (), ()), studio().contracts, [Berth(MACHINES[0], 50, is_wanted=True)])
    world.run()

    worker = world.machines[0].worker
    assert worker is not None
    table = next(table for table in worker.tables if table.name == "balances")
    rows = {key: row.posted for number in worker.partitions for key, row in table.peek(number).items()}
    assert rows["group:g1|wallet|EUR"] == 5_000
