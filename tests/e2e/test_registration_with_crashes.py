"""Registration with the real worker, the real sink and a Billing over HTTP, each step in the life of another process.

While the dealer's book decides there is no sink, and while the sink calls Billing there is no worker: both are killed
between each pair of steps. In each step the sink dies before that at least once, each time somewhere else.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from schemas.billing import CreateClient, CreateContract, CreatePayer
from schemas.dealer_accounts import AccountOpened
from schemas.dealer_billing import AccountType
from schemas.topics import BILLING_ANSWERS, BILLING_CALLS, PARTITIONS
from stack import billing as double
from stack.billing import Billing
from streams.dealer_billing.registration import AT_REGISTRATION, FOR_FAST_BUYOUT
from streams.demo.processes import Process
from tests.e2e.dealer import DealerStory
from tests.e2e.world import WAIT_S, World
from tests.integration.sinks.mortal_carrier import DEATHS

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 1
STEPS = (CreateClient, CreatePayer, CreateContract)
ROUNDS = 6
"""Three steps at registration, and three of two accounts at once for fast buyout."""


@pytest.mark.timeout(600)
@pytest.mark.requirement("DLR-01", "DLR-02")
def test_though_worker_and_sink_are_killed_between_all_steps_billing_has_one_of_each_for_each_account(
    world: World,
) -> None:
    story = DealerStory(world)
    deaths = iter([list(DEATHS)[number::ROUNDS] for number in range(ROUNDS)])
    with double.serving() as billing, sink_beside(world, billing) as sink:
        story.register()
        open_accounts(world, sink, story, AT_REGISTRATION, deaths)
        story.add_fast_buyout()
        open_accounts(world, sink, story, FOR_FAST_BUYOUT, deaths)
        opened = [world.told(AccountOpened, dealer_id=story.dealer_id, account=account) for account in AccountType]

    assert billing.counts == {
        f"{story.dealer_id}/{account}/{step}/1": 1
        for account in AccountType
        for step in ("client", "payer", "contract")
    }
    for kind in ("client", "payer", "contract"):
        assert sorted(getattr(account, f"{kind}_id") for account in opened) == sorted(billing.of_kind(kind))
    for account in opened:
        assert billing.things[account.client_id]["reference"] == f"{story.dealer_id}/{account.account}"
        assert billing.things[account.payer_id]["of"] == (account.client_id,)
        assert billing.things[account.contract_id]["of"] == (account.client_id, account.payer_id)
    audited = world.command("streams", "audit", "--wait", "60")
    assert audited.returncode == 0, audited.stdout


class Sink:
    """The billing sink as a process, whose Billing is the test's; it begins at the end of what was ever asked."""

    def __init__(self, world: World, billing: Billing) -> None:
        self._world = world
        self._environment = {
            **world.environment,
            "MILLRACE_BILLING": billing.address,
            "MILLRACE_BILLING_TIMEOUT_S": str(PATIENCE_S),
            "MILLRACE_SESSION_TIMEOUT_S": "2",
        }
        self.process = Process("billing", ["sinks", "billing"], world.folder / "billing.log", self._environment)

    def die(self, step: str) -> None:
        """Work until a step at which it kills itself."""
        topics = {"CALLS": BILLING_CALLS.name, "ANSWERS": BILLING_ANSWERS.name}
        died = subprocess.run(
            [sys.executable, "-m", "tests.integration.sinks.mortal_carrier"],
            cwd=REPOSITORY, env={"PATH": "/usr/bin:/bin", **self._environment, **topics, "DIES": step, "IDLE_S": "30"},
            capture_output=True, text=True, timeout=WAIT_S, check=False,
        )  # fmt: skip
        assert died.returncode == -signal.SIGKILL, f"{step}: {died.stderr[-3_000:]}"

    def answer(self, call_ids: Sequence[str]) -> None:
        """Carry these out, and be killed when Kafka has the answers."""
        self.process.start()
        deadline = time.monotonic() + WAIT_S
        while self._world.sql(
            "SELECT count(*) FROM sink.billing_call WHERE call_id = ANY(%s) AND published_at IS NOT NULL", [*call_ids]
        ) != [(len(call_ids),)]:
            self.process.check()
            assert time.monotonic() < deadline, f"no answers within {WAIT_S} s"
            time.sleep(0.1)
        self.process.kill()


@contextmanager
def sink_beside(world: World, billing: Billing) -> Iterator[Sink]:
    """Not started yet, and ended when the test is over."""
    billing.client_patience_s = PATIENCE_S
    skip_earlier_calls(world)
    sink = Sink(world, billing)
    try:
        yield sink
    finally:
        sink.process.stop()


def skip_earlier_calls(world: World) -> None:
    """Other stories answer theirs by themselves."""
    kafka = Consumer(world.settings.client(group_id="registration"))
    for partition in range(PARTITIONS):
        _, end = kafka.get_watermark_offsets(TopicPartition(BILLING_CALLS.name, partition), timeout=10)
        world.sql("INSERT INTO sink.position VALUES ('billing', %s, %s, %s)", BILLING_CALLS.name, partition, end)
    kafka.close()


def open_accounts(
    world: World, sink: Sink, story: DealerStory, accounts: Sequence[AccountType], deaths: Iterator[list[str]]
) -> None:
    """Step by step, and each process only as long as its part of a step takes."""
    for kind in STEPS:
        calls = [world.told(kind, dealer_id=story.dealer_id, account=account) for account in accounts]
        world.worker.kill()
        try:
            for step in next(deaths):
                sink.die(step)
            sink.answer([call.call_id for call in calls])
        finally:
            world.worker.start()
