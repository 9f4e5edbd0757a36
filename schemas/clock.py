"""Time, as a message (PIPE-13)."""

from schemas.fields import Message, UtcMicros


class Tick(Message):
    """It is now `now` or later. Deadlines and expiries fall due by ticks alone."""

    now: UtcMicros
