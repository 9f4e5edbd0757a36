"""Workers and sinks as processes of their own, and the watch that starts again whatever ends, as Kubernetes would."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

CHECKOUT = Path(__file__).parents[2]
WRONG_CLOCK = Path(__file__).parent / "wrong_clock"
WATCH_S = 0.2
BACK_OFF_S = 1.0
STOP_S = 40.0


class Member:
    """One process of the system under its name: wanted or not, running or not."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name, self.log = name, log
        self.clock = log.with_suffix(".clock")
        """If it exists, the number of seconds by which this process's wall clock is off."""
        self.wanted = False
        self.starts = 0
        self.started_at = 0.0
        self._command = [sys.executable, "-m", *command]
        path = f"{CHECKOUT}{os.pathsep}{WRONG_CLOCK}"
        self._environment = {**os.environ, "PYTHONPATH": path, "TORTURE_CLOCK": str(self.clock), **environment}
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process while it runs."""
        return self._running.pid if self._running is not None and self._running.poll() is None else None

    def start(self) -> None:
        """Start it; what it says goes to a log of this start, by a pipe: a limit of its files is none of that."""
        self.wanted = True
        self.started_at = time.monotonic()
        self.starts += 1
        self._running = subprocess.Popen(
            self._command, env=self._environment, cwd=self.log.parent,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
        )  # fmt: skip
        said = self._running.stdout, self.log.with_suffix(f".{self.starts}.log")
        threading.Thread(target=_keep, args=said, name=f"log of {self.name}", daemon=True).start()

    def send(self, what: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self.pid is not None and self._running is not None:
            self._running.send_signal(what)

    def ended(self) -> int | None:
        """The exit code of a process that was started and has ended."""
        return None if self._running is None else self._running.poll()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that is not heard; it is not wanted any more."""
        self.wanted = False
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)
        self.reap(STOP_S)

    def reap(self, patience_s: float) -> None:
        """Wait for the end, and force it after a time."""
        if self._running is None:
            return
        try:
            self._running.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()


def _keep(said: IO[bytes], log: Path) -> None:
    with said, log.open("ab", buffering=0) as kept:
        shutil.copyfileobj(said, kept)


class Crew:
    """All members. While `watched`, whatever has ended and is wanted is started again; exit codes are counted."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self.members: dict[str, Member] = {}
        self.exits: Counter[tuple[str, int]] = Counter()
        self._report = report
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._watch_all, name="watch", daemon=True)

    def add(self, member: Member) -> Member:
        """Take a member in; it is not started."""
        with self._lock:
            self.members[member.name] = member
        return member

    def like(self, prefix: str, *, wanted: bool = True) -> list[Member]:
        """Members whose name begins so."""
        return [
            each for name, each in sorted(self.members.items()) if name.startswith(prefix) and each.wanted == wanted
        ]

    def watch(self) -> None:
        """Begin to start again what ends."""
        self._watch.start()

    def close(self) -> None:
        """Stop everything."""
        self._over.set()
        if self._watch.is_alive():
            self._watch.join()
        running = [each for each in self.members.values() if each.wanted]
        for each in running:
            each.wanted = False
            each.send(signal.SIGTERM)
            each.send(signal.SIGCONT)
        for each in running:
            each.reap(STOP_S)

    def _watch_all(self) -> None:
        while not self._over.wait(WATCH_S):
            with self._lock:
                members = list(self.members.values())
            for member in members:
                if member.wanted and (code := member.ended()) is not None:
                    self._revive(member, code)

    def _revive(self, member: Member, code: int) -> None:
        if time.monotonic() - member.started_at < BACK_OFF_S:
            return
        kind = member.name.rstrip("0123456789")
        self.exits[kind, code] += 1
        self._report(f"{member.name} ended with {code}; starting it again")
        member.start()
