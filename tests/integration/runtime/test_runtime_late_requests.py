"""A request of one transaction that reaches the broker inside a later one (KIP-890): only the guard keeps it whole.

Each test runs the same worker twice: as it is, and with `Doubt` switched off by `apps/unguarded_ledger.py`.
"""

import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from late_proxy import LateProxy, Request
from runtime_auditor import audit
from runtime_pipeline import Pipeline, Worker, commands, wait_until

from stack import api, instance
from stack.api import Network, ServerName

pytestmark = pytest.mark.requirement("PIPE-03")

GUARDED, UNGUARDED = "ledger", "unguarded_ledger"
TRANSACTION_S = 3
BRIEF = {"MILLRACE_TRANSACTION_TIMEOUT_S": str(TRANSACTION_S), "MILLRACE_SESSION_TIMEOUT_S": "2"}


class Behind:
    """A pipeline whose first worker sits behind the proxy."""

    def __init__(self, pipeline: Pipeline, proxy: LateProxy, through: str) -> None:
        self.pipeline, self.proxy, self.through = pipeline, proxy, through

    def start(self, app: str, kept: Request) -> Worker:
        """A worker that has worked on 200 commands, with one request of a transaction among them kept back."""
        worker = self.pipeline.start(app, worker="0", KAFKA=self.through, **BRIEF).wait_ready()
        self.pipeline.put(commands(100))
        self.pipeline.wait_outcomes(100)
        self.proxy.keep(kept)
        self.pipeline.put(commands(100, seed=2, first=100))
        assert self.proxy.kept.wait(20), f"no {kept.name} came"
        self.pipeline.wait_outcomes(200)
        return worker

    def kill_in_the_next_transaction(self, worker: Worker, when: Request, *, drop: bool) -> None:
        """Let the late request go when the next transaction is that far; then kill the worker, and start a new one."""
        self.proxy.ambush(when, lambda: worker.send(signal.SIGKILL), drop=drop)
        self.pipeline.put(commands(100, seed=3, first=200))
        assert self.proxy.let_go.wait(20), f"no {when.name} came"
        assert worker.end() == -signal.SIGKILL
        self.pipeline.start(worker="0", **BRIEF).wait_ready()
        self.pipeline.wait_outcomes(300)


@pytest.fixture(scope="module")
def proxied(worker_id: str) -> Iterator[instance.Instance]:
    name = f"late-{worker_id}"
    with api.while_up(name, only=[ServerName.KAFKA], network=Network.PROXIED):
        yield instance.load(name)


@pytest.fixture
def behind(proxied: instance.Instance, tmp_path: Path) -> Iterator[Behind]:
    proxy = LateProxy(proxied.ports.proxy, proxied.ports.proxied)
    pipeline = Pipeline(proxied.bootstrap(), f"late-{uuid.uuid4().hex[:8]}", tmp_path, partitions=1)
    pipeline.create_topics()
    try:
        yield Behind(pipeline, proxy, proxied.bootstrap("proxy"))
    finally:
        pipeline.close()
        proxy.close()


@pytest.mark.parametrize("app", [GUARDED, UNGUARDED])
def test_a_late_commit_does_not_tear_the_next_transaction(behind: Behind, app: str) -> None:
    """It comes when the next outcomes are written and their offsets are not."""
    worker = behind.start(app, Request.END_TXN)
    behind.kill_in_the_next_transaction(worker, Request.TXN_OFFSET_COMMIT, drop=True)
    _judge(behind.pipeline, app)


@pytest.mark.parametrize("app", [GUARDED, UNGUARDED])
def test_late_offsets_do_not_take_the_group_back(behind: Behind, app: str) -> None:
    """They come after the next transaction's own offsets, and would be the ones that it commits."""
    worker = behind.start(app, Request.TXN_OFFSET_COMMIT)
    behind.kill_in_the_next_transaction(worker, Request.END_TXN, drop=False)
    _judge(behind.pipeline, app)


@pytest.mark.parametrize("app", [GUARDED, UNGUARDED])
def test_a_late_beginning_does_not_open_a_transaction_that_ends_the_worker(behind: Behind, app: str) -> None:
    """It comes while nothing is written; the broker gives that transaction up and fences its producer."""
    worker = behind.start(app, Request.ADD_OFFSETS_TO_TXN)
    behind.proxy.release()
    time.sleep(TRANSACTION_S + 3)
    behind.pipeline.put(commands(100, seed=3, first=200))
    if app == UNGUARDED:
        assert worker.end() == 70
        behind.pipeline.start(worker="0").wait_ready()
    behind.pipeline.wait_outcomes(300)
    audit(behind.pipeline)


def test_late_records_are_known_to_the_broker_by_their_sequence(behind: Behind) -> None:
    """Even without the guard: the broker takes a batch once."""
    worker = behind.start(UNGUARDED, Request.PRODUCE)
    behind.kill_in_the_next_transaction(worker, Request.TXN_OFFSET_COMMIT, drop=True)
    audit(behind.pipeline)


def _judge(pipeline: Pipeline, app: str) -> None:
    wait_until(lambda: pipeline.workers[-1].ready(), 20)
    time.sleep(1.0)  # for outcomes that come a second time
    if app == GUARDED:
        audit(pipeline)
    else:
        with pytest.raises(AssertionError, match="commands with more than one outcome"):
            audit(pipeline)
