"""How long Billing has been let alone, by a clock that nobody sets."""

import time
from datetime import UTC, datetime, timedelta

from pybreaker import STATE_CLOSED, CircuitMemoryStorage


class Rest(CircuitMemoryStorage):
    """What a breaker knows. It looks at the clock of the day: set back by an hour, that made a rest an hour longer."""

    def __init__(self) -> None:
        super().__init__(STATE_CLOSED)
        self._began: float | None = None

    @property
    def opened_at(self) -> datetime | None:
        """When the rest began, as the clock of the day now says it."""
        return None if self._began is None else datetime.now(UTC) - timedelta(seconds=time.monotonic() - self._began)

    @opened_at.setter
    def opened_at(self, _: datetime) -> None:
        self._began = time.monotonic()

    def is_over(self, rest_s: float) -> bool:
        """Whether a call may try again; a breaker says that it is open until one has."""
        return self._began is None or time.monotonic() - self._began > rest_s
