"""The processes of `teller`, as the harness starts, watches and ends them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from benchmarks.attempt import CHECKOUT, AttemptError
from benchmarks.task import Task

LIMIT_S = 120.0
POLL_S = 0.02


class Teller:
    """One worker process, from its start."""

    def __init__(self, task: Task, name: str, **settings: str) -> None:
        self.name = name
        self.log = Path(task.folder) / f"{name}.log"
        self._port = _free_port()
        environment = {
            **os.environ, **task.environment(), "PYTHONPATH": str(CHECKOUT), "WEB_PORT": str(self._port),
            "MILLRACE_WORKER": name, **settings,
        }  # fmt: skip
        command = [sys.executable, "-m", "benchmarks.teller"]
        self.started_at = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, cwd=task.folder, stdout=log, stderr=log)
        self._seen = psutil.Process(self._process.pid)

    def phase(self) -> tuple[str, frozenset[int]]:
        """Phase of its assignment and the partitions it owns; ("", none) while it does not answer."""
        body = json.loads(self._page("/ready") or "{}")
        return body.get("phase", ""), frozenset(int(name.rpartition("/")[2]) for name in body.get("partitions", ()))

    def ready(self) -> bool:
        """Records flow. Raises AttemptError if it has ended."""
        if self._process.poll() is not None:
            raise AttemptError(f"a teller ended with {self._process.returncode}; log {self.log}")
        return self.phase()[0] == "flowing"

    def wait_ready(self) -> float:
        """Seconds from its start until records flow."""
        while not self.ready():
            if time.monotonic() - self.started_at > LIMIT_S:
                raise AttemptError(f"a teller was not ready in {LIMIT_S:.0f} s; log {self.log}")
            time.sleep(POLL_S)
        return time.monotonic() - self.started_at

    def metric(self, name: str) -> float:
        """Sum of a metric over its labels."""
        lines = self._page("/metrics").splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))

    def memory_mb(self) -> tuple[float, float]:
        """Resident memory now, and at most so far."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        return self._seen.memory_info().rss / 2**20, peak_kb / 2**10

    def cpu_s(self) -> float:
        """CPU time used so far."""
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    def stop(self) -> float:
        """SIGTERM; seconds until its end."""
        started = time.monotonic()
        self._process.terminate()
        self._process.wait(LIMIT_S)
        return time.monotonic() - started

    def kill(self) -> float:
        """SIGKILL; the moment of it, on the monotonic clock."""
        self._process.send_signal(signal.SIGKILL)
        moment = time.monotonic()
        self._process.wait(LIMIT_S)
        return moment

    def end(self) -> None:
        """Be gone, whatever state it is in."""
        if self._process.poll() is None:
            self.kill()

    def _page(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=2.0) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
