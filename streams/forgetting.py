"""When the ids of messages may be forgotten (PIPE-05)."""

HOUR_US = 3600 * 1_000_000
BACKLOG_US = 24 * HOUR_US
"""What comes so long after Kafka took it is backlog: upstream went on while no worker did."""
SETTLED_US = HOUR_US // 6
"""So long nothing but news has come: then no topic has a backlog left."""
UNSEEN_US = HOUR_US
"""After so long without a tick, another worker may have had the partition, or none."""


class Forgetting:
    """Tells for one partition up to which moment ids may be forgotten. It must hear of every message and every tick.

    The ids of a backlog are past their time when they come, and their repetitions may lie seconds behind them. So
    nothing is forgotten before the backlog is worked off, and then what is a day older than it need be: so far behind
    may be what still comes. All of it is kept in memory: after a start it waits until it has seen for itself. All
    moments are UTC microseconds.
    """

    def __init__(self) -> None:
        self._now: int | None = None
        self._settled_since: int | None = None

    def hear(self, recorded_at: int) -> None:
        """A message came that Kafka took at `recorded_at`."""
        if self._now is not None and recorded_at < self._now - BACKLOG_US:
            self._settled_since = None

    def until(self, now: int) -> int | None:
        """It is `now`: ids whose time was over by the moment returned may be forgotten; None is for no id at all."""
        if self._settled_since is None or self._now is None or now > self._now + UNSEEN_US:
            self._settled_since = now
        self._now = now if self._now is None else max(now, self._now)
        return now - BACKLOG_US if now >= self._settled_since + SETTLED_US else None
