"""What every worker of the sinks does: turn after turn over one connection to Postgres, until it is told to stop."""

import logging
import signal
import time
from collections.abc import Callable
from typing import Any

import psycopg

from sinks import metrics
from sinks.backoff import pause_s
from sinks.database import Connection, connect, reconnect

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
"""Before the second loss in a row is mended, and after many: a Postgres whose disk is full lets everybody in."""


def nothing_to_take_up() -> None:
    """What a worker does on a new connection whose every step is committed by itself."""


class Loop:
    """It ends on SIGTERM, on SIGINT, or when no turn was busy for `until_idle_s`.

    After a loss `connection` is another one: nobody keeps it beyond a turn. An alert stands on a turn of five minutes:
    one that may last longer, and be well, says at each of its steps that it `metrics.goes_on`. Raises
    `PostgresUnavailable`.
    """

    def __init__(self, name: str, postgres: str, until_idle_s: float | None) -> None:
        self._name, self._postgres, self._until_idle_s = name, postgres, until_idle_s
        self._busy_at = time.monotonic()
        self.connection: Connection = connect(postgres)
        self.stopping = False
        self._losses = 0

    def run(self, turn: Callable[[], bool], take_up: Callable[[], None] = nothing_to_take_up) -> None:
        """Take turns; each says whether it was busy. `take_up` comes first on every connection.

        Raises `SinkError`; what was not committed is done by the next start.
        """
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._stop)
        try:
            self._take_up(take_up)
            while not self.stopping and not self._is_idle():
                metrics.goes_on(self._name)
                try:
                    if turn():
                        self._busy_at = time.monotonic()
                    self._losses = 0
                except psycopg.OperationalError as error:
                    self._reconnect(error)
                    self._take_up(take_up)
        finally:
            self.connection.close()

    def _take_up(self, take_up: Callable[[], None]) -> None:
        metrics.goes_on(self._name)
        take_up()
        self._busy_at = time.monotonic()

    def _reconnect(self, error: psycopg.OperationalError) -> None:
        """Whether the last transaction was committed is not known: `take_up` finds out."""
        log.warning("%s: lost Postgres: %s", self._name, error)
        metrics.RECONNECTS.labels(self._name).inc()
        self.connection.close()
        time.sleep(pause_s(self._losses, FIRST_PAUSE_S, LONGEST_PAUSE_S))
        self._losses += 1
        self.connection = reconnect(self._postgres)

    def _stop(self, *_: Any) -> None:
        self.stopping = True

    def _is_idle(self) -> bool:
        return self._until_idle_s is not None and time.monotonic() - self._busy_at > self._until_idle_s
