"""Time, as a message (PIPE-13)."""

from schemas.fields import Fact, UtcMicros


class Tick(Fact, frozen=True, kw_only=True):
    """It is now `now` or later. Deadlines and expiries fall due by ticks alone."""

    now: UtcMicros
