"""Waiting for a server to come to a state that it reaches by itself."""

import time
from collections.abc import Callable

INTERVAL_S = 0.25


def wait_until(reached: Callable[[], bool], within_s: float) -> bool:
    """Ask until it is so, or the time is over; whether it is so."""
    deadline = time.monotonic() + within_s
    while not reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(INTERVAL_S)
    return True
