"""One contestant's process at work on one task, and the proof that its outcomes are exact."""

import os
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
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


Processes = Sequence["subprocess.Popen[bytes]"]


class Attempt:
    """A contestant's processes. Raises AttemptError from any use once one has ended by itself."""

    def __init__(self, contestant: Contestant, task: Task, processes: Processes, log: Path) -> None:
        self.contestant, self.task, self.log = contestant, task, log
        self._processes = processes
        self._seen = [psutil.Process(process.pid) for process in processes]

    def cpu_s(self) -> float:
        """CPU time used so far."""
        self._check()
        times = [seen.cpu_times() for seen in self._seen]
        return float(sum(each.user + each.system for each in times))

    def rss_mb(self) -> float:
        """Resident memory now."""
        self._check()
        return float(sum(seen.memory_info().rss for seen in self._seen) / 2**20)

    def started_at(self) -> float:
        """When the first process began with the first command, on the monotonic clock."""
        marks = (replace(self.task, process=str(number)).mark for number in range(len(self._processes)))
        return min(float(mark.read_text()) for mark in marks if mark.exists())

    def stop(self) -> None:
        """SIGTERM, and wait for the end; SIGKILL if it does not come."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _check(self) -> None:
        for process in self._processes:
            code = process.poll()
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
    processes = []
    with (folder / "log").open("wb") as log:
        for number in range(contestant.processes):
            own = {"MILLRACE_WORKER": str(number), **replace(task, process=str(number)).environment()}
            environment = {**os.environ, **own, "PYTHONPATH": str(CHECKOUT), **(more or {})}
            processes.append(subprocess.Popen(contestant.command, env=environment, cwd=folder, stdout=log, stderr=log))
    running = Attempt(contestant, task, processes, folder / "log")
    try:
        yield running
    finally:
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
