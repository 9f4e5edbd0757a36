"""Laws that hold for every sequence of movements, found out by Hypothesis.

`LAWS_EXAMPLES=2000` searches longer than `make check` does. `HYPOTHESIS_SEED=7` makes a search repeatable; with `CI`
set, every search is.
"""

import os
from collections.abc import Callable
from typing import TypeVar

import hypothesis

Law = TypeVar("Law", bound=Callable[..., None] | type)


def searched(examples: int, steps: int = 50) -> Callable[[Law], Law]:
    """Search for a breach of this law in so many examples, of at most so many steps."""
    examples = int(os.environ.get("LAWS_EXAMPLES", examples))
    settings = hypothesis.settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=bool(os.environ.get("CI")),
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )

    def decorate(law: Law) -> Law:
        if seed := os.environ.get("HYPOTHESIS_SEED"):
            law = hypothesis.seed(int(seed))(law)
        if isinstance(law, type):
            law.TestCase.settings = settings  # type: ignore[attr-defined]
            return law
        return settings(law)

    return decorate
