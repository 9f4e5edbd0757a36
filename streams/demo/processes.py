"""What the demo starts, and ends, as processes of their own: workers, sinks, and a Billing for them to call."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STOP_TIMEOUT_S = 30
BILLS = "https://billing.example"
"""Where the Billing of the demo says that its bills lie."""


class Process:
    """A `python -m …` that can be killed and started again."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: dict[str, str]) -> None:
        self.name = name
        self._command = [sys.executable, "-m", *command]
        self._log = log
        self._environment = {**os.environ, **environment}
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; what it says goes to its log."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)

    def kill(self) -> None:
        """`kill -9`: nothing is finished, nothing is said."""
        assert self._running is not None
        self._running.kill()
        self._running.wait()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that is not heard."""
        if self._running is None or self._running.poll() is not None:
            return
        self._running.send_signal(signal.SIGTERM)
        try:
            self._running.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def check(self) -> None:
        """Raises `RuntimeError` with the end of its log if it has ended."""
        if self._running is not None and (code := self._running.poll()) is not None:
            said = "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
            raise RuntimeError(f"{self.name} ended with {code}; the end of {self._log}:\n{said}")


@contextmanager
def billing(log: Path) -> Iterator[str]:
    """The address of an external Billing's double, on a free port; it knows nothing any more when it ends.

    Raises `RuntimeError` if it does not start.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "stack.billing", "0", BILLS]
    with log.open("ab") as said, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as double:
        try:
            assert double.stdout is not None
            if not (address := double.stdout.readline().strip()):
                raise RuntimeError(f"the Billing to call has not started; see {log}")
            yield address
        finally:
            double.terminate()
