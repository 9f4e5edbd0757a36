"""The pause before the next try: doubled with each failure, up to a bound. Pure."""

from typing import Final

MOST_DOUBLINGS: Final = 20
"""By then every bound is reached; without end a float would overflow."""


def pause_s(failures: int, first_s: float, longest_s: float) -> float:
    """How long to wait after so many failures in a row; after none, not at all."""
    if failures == 0:
        return 0.0
    return min(first_s * 2.0 ** min(failures - 1, MOST_DOUBLINGS), longest_s)
