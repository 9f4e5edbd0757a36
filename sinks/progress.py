"""A word now and then from what may take long, so that people know that it works, and on what."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

EVERY_S: Final = 5.0

Item = TypeVar("Item")
Say = Callable[[str], None]


def unheard(sentence: str) -> None:
    """For callers that nobody watches."""


def telling(
    items: Iterable[Item], what: str, say: Say, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic
) -> Iterator[Item]:
    """The items; every few seconds it is said how many of them there were so far."""
    said_at = clock()
    for number, item in enumerate(items):
        if clock() - said_at >= every_s:
            say(f"{number:,} {what} so far")
            said_at = clock()
        yield item
