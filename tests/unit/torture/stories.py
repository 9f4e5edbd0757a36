"""Events as the load tells them, without end, from a seed."""

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TypeAlias

from tests.torture.events import Event
from tests.torture.load import again, other_content

Tellers: TypeAlias = Sequence[tuple[int, Callable[[], Event]]]
"""What tells an event, with how often it does."""


def numbered() -> Callable[[str], str]:
    """Makes new ids."""
    ids = count()
    return lambda prefix: f"{prefix}-{next(ids)}"


def stories(dice: random.Random, tellers: Tellers, repeated: float = 0.1) -> Iterator[Event]:
    """Of some there is a repetition, or the same id comes again with something else: this share of each two."""
    weights, told = zip(*tellers, strict=True)
    recent: deque[Event] = deque(maxlen=50)
    while True:
        recent.append(dice.choices(told, weights)[0]())
        yield recent[-1]
        if dice.random() < repeated:
            before = again(dice.choice(recent), dice)
            yield before if dice.random() < 0.5 else other_content(before)
