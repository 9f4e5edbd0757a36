"""One contestant's process at work on one task, and the proof that its outcomes are exact."""

import os
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.broker import Broker
from benchmarks.contestants import Contestant
from benchmarks.task import Task
from benchmarks.work import Outcome

CHECKOUT = Path(__file__).parents[1]
BUILD = CHECKOUT / "build" / "bench"
STOP_S = 20.0


class AttemptError(Exception):
    """A contestant did not do the work; the message says who, how, and where its log is."""


class Attempt:
    """A contestant's process. Raises AttemptError from any use once it has ended by itself."""

    def __init__(self, contestant: Contestant, task: Task, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.contestant, self.task, self.log = contestant, task, log
        self._process = process
        self._seen = psutil.Process(process.pid)

    def cpu_s(self) -> float:
        """CPU time used so far."""
        self._check()
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    def rss_mb(self) -> float:
        """Resident memory now."""
        self._check()
        return float(self._seen.memory_info().rss / 2**20)

    def started_at(self) -> float:
        """When it began with the first command, on the monotonic clock."""
        return float(self.task.mark.read_text())

    def stop(self) -> None:
        """SIGTERM, and wait for the end; SIGKILL if it does not come."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _check(self) -> None:
        code = self._process.poll()
        if code is not None:
            raise AttemptError(f"{self.contestant.name} ended with {code}; log {self.log}")


def check_exact(contestant: Contestant, wanted: Counter[Outcome], seen: Counter[Outcome], log: Path) -> None:
    """Raises AttemptError unless the outcomes are the model's, each as often as there."""
    if wanted != seen:
        missing, extra = wanted - seen, seen - wanted
        example = next(iter(missing or extra))
        raise AttemptError(
            f"{contestant.name} is not exact: {missing.total()} outcomes missing, {extra.total()} too many; "
            f"for example {example}; log {log}"
        )


@contextmanager
def started(contestant: Contestant, task: Task, more: Mapping[str, str] | None = None) -> Iterator[Attempt]:
    """Start a contestant on its task, with `more` in its environment; at the end it is stopped.

    Its log stays, as `log` in the task's folder.
    """
    folder = Path(task.folder)
    folder.mkdir(parents=True)
    environment = {**os.environ, **task.environment(), "PYTHONPATH": str(CHECKOUT), **(more or {})}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(contestant.command, env=environment, cwd=folder, stdout=log, stderr=log)
    running = Attempt(contestant, task, process, folder / "log")
    try:
        yield running
    finally:
        if process.poll() is None:
            running.stop()


@contextmanager
def attempt(contestant: Contestant, broker: Broker, commands: str) -> Iterator[Attempt]:
    """Start a contestant on a topic of commands; at the end it is stopped, and what it made is removed."""
    run = f"{contestant.name}-{uuid.uuid4().hex[:6]}"
    task = Task(broker.servers, run, commands, f"{run}-outcomes", str(BUILD / run))
    broker.create(task.outcomes)
    try:
        with started(contestant, task) as running:
            yield running
    finally:
        broker.delete(run)
        time.sleep(1.0)  # the broker removes the files
