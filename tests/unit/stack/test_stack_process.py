"""Processes are known by more than their pid, and are ended with their children."""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stack import process
from stack.process import ProcessId

Start = Callable[[str], ProcessId]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a shell script as the supervisor would; whatever is left is ended after the test."""
    started: list[ProcessId] = []

    def run(script: str) -> ProcessId:
        identity = process.spawn(
            ["/bin/sh", "-c", script],
            folder=tmp_path,
            log=tmp_path / "log",
            environment={"PATH": "/usr/bin:/bin"},
            account=None,
        )
        started.append(identity)
        return identity

    yield run
    for identity in started:
        process.end(identity, signal.SIGKILL, grace_s=1.0)


def wait_until(condition: Callable[[], object], timeout_s: float = 5.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_a_process_we_started_is_recognised(start: Start) -> None:
    ours = start("exec sleep 60")

    assert process.is_alive(ours)
    assert process.identify(ours.pid) == ours


@pytest.mark.parametrize(
    "former", [{"start_ticks": 1}, {"boot_id": "another boot"}], ids=["started earlier", "before the reboot"]
)
def test_a_reused_pid_is_not_taken_for_our_server(start: Start, former: dict[str, int | str]) -> None:
    stranger = start("sleep 60 & wait")
    wait_until(lambda: process.descendants(stranger))
    children = process.descendants(stranger)
    ours_long_ago = replace(stranger, **former)  # type: ignore[arg-type]

    assert not process.is_alive(ours_long_ago)
    process.send(ours_long_ago, signal.SIGKILL)
    process.end(ours_long_ago, signal.SIGKILL, grace_s=1.0)

    assert process.is_alive(stranger)
    assert all(process.is_alive(child) for child in children)


def test_a_process_that_ended_is_not_alive_although_nobody_reaped_it(start: Start) -> None:
    ours = start("exit 0")

    wait_until(lambda: process.identify(ours.pid) is None)
    assert not process.is_alive(ours)


def test_a_process_that_ignores_the_signal_is_killed_when_its_grace_is_over(start: Start, tmp_path: Path) -> None:
    ours = start("trap '' TERM; echo ready; while :; do sleep 0.1; done")
    wait_until(lambda: "ready" in (tmp_path / "log").read_text())

    process.end(ours, signal.SIGTERM, grace_s=0.2)

    assert not process.is_alive(ours)


def test_a_stopped_process_hears_the_signal(start: Start) -> None:
    ours = start("exec sleep 60")
    process.send(ours, signal.SIGSTOP)

    began_s = time.monotonic()
    process.end(ours, signal.SIGTERM, grace_s=10.0)

    assert not process.is_alive(ours)
    assert time.monotonic() - began_s < 5.0


def test_children_end_with_their_parent_even_in_sessions_of_their_own(start: Start) -> None:
    ours = start("setsid sleep 60 & sleep 60 & wait")
    wait_until(lambda: len(process.descendants(ours)) == 2)
    children = process.descendants(ours)

    process.end(ours, signal.SIGKILL, grace_s=5.0)

    assert not any(process.is_alive(child) for child in children)


def test_a_server_inherits_nothing_of_our_environment(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "of ours")

    start("env")

    wait_until(lambda: "PATH=" in (tmp_path / "log").read_text())
    assert "A_SECRET" not in (tmp_path / "log").read_text()
