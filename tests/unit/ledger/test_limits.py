"""Limits: what may be used in a window; a new window begins at zero, an old one is never reopened (PIPE-13)."""

import pytest

from schemas.refusals import Reason
from streams.ledger import limits
from streams.ledger.draft import Draft, Ledger, refused
from streams.ledger.limits import Usage

pytestmark = pytest.mark.requirement("PIPE-13")

SAT, SUN, MON = "2026-03-28", "2026-03-29", "2026-03-30"


def draft(used: dict[str, Usage] | None = None) -> Draft:
    """A draft on customer 7, over these rows of the limits table."""
    return Draft("customer:7", 0, Ledger({}, {}, {} if used is None else used))


@pytest.mark.parametrize(
    ("usage", "window", "used_minor"),
    [(None, SUN, 0), (Usage(SUN, 40), SUN, 40), (Usage(SUN, 40), MON, 0), (Usage(SUN, 40), SAT, 0)],
)
def test_a_window_counts_only_its_own_use(usage: Usage | None, window: str, used_minor: int) -> None:
    assert limits.usage_in(usage, window) == used_minor


@pytest.mark.parametrize(
    ("usage", "window", "after"),
    [
        (None, SUN, Usage(SUN, 5)),
        (Usage(SUN, 40), SUN, Usage(SUN, 45)),
        (Usage(SUN, 40), MON, Usage(MON, 5)),  # a new window begins at zero
        (Usage(SUN, 40), SAT, Usage(SUN, 45)),  # a late message counts in the newest one
    ],
)
def test_use_counts_in_its_window_or_in_a_newer_one_that_already_runs(
    usage: Usage | None, window: str, after: Usage
) -> None:
    assert limits.reserve(usage, window, 5) == after
    assert limits.counted_in(usage, window) == after.window


@pytest.mark.parametrize(
    ("usage", "window", "after"),
    [
        (None, SUN, None),
        (Usage(SUN, 40), SUN, Usage(SUN, 35)),
        (Usage(SUN, 5), SUN, Usage(SUN, 0)),
        (Usage(SUN, 4), SUN, Usage(SUN, 0)),  # never below zero
        (Usage(SUN, 40), SAT, Usage(SUN, 40)),  # its window is over: nothing to give back
        (Usage(SUN, 40), MON, Usage(SUN, 40)),  # nothing was used there yet
    ],
)
def test_use_is_given_back_only_in_its_own_window(usage: Usage | None, window: str, after: Usage | None) -> None:
    assert limits.release(usage, window, 5) == after


def test_a_limit_can_be_used_to_the_last_penny_and_no_further() -> None:
    given = draft()
    assert given.use_limit("daily", SUN, 100, 60) is None
    assert given.use_limit("daily", SUN, 100, 41) == refused(
        Reason.OVER_LIMIT, limit="daily", allowed=100, left=40, wanted=41
    )
    assert given.use_limit("daily", SUN, 100, 40) is None
    assert given.use_limit("daily", SUN, 100, 1) == refused(
        Reason.OVER_LIMIT, limit="daily", allowed=100, left=0, wanted=1
    )
    assert given.use_limit("daily", MON, 100, 100) is None


def test_a_limit_lowered_below_what_was_used_has_nothing_left() -> None:
    given = draft()
    given.use_limit("daily", SUN, 100, 60)
    assert given.use_limit("daily", SUN, 50, 1) == refused(
        Reason.OVER_LIMIT, limit="daily", allowed=50, left=0, wanted=1
    )


def test_a_late_message_cannot_use_what_the_newest_window_has_not_left() -> None:
    given = draft()
    given.use_limit("daily", SUN, 100, 60)
    assert given.use_limit("daily", SAT, 100, 41) == refused(
        Reason.OVER_LIMIT, limit="daily", allowed=100, left=40, wanted=41
    )


def test_what_a_late_message_used_can_be_given_back_in_the_window_that_it_counted_in() -> None:
    given = draft()
    given.use_limit("daily", SUN, 100, 60)
    window = given.limit_window("daily", SAT)
    assert window == SUN
    given.use_limit("daily", SAT, 100, 40)
    given.free_limit("daily", window, 40)
    assert given.use_limit("daily", SUN, 100, 40) is None
    assert given.limit_window("daily", MON) == MON
    assert given.limit_window("monthly", SAT) == SAT


def test_limits_of_two_names_or_two_books_are_apart() -> None:
    used: dict[str, Usage] = {}
    given = draft(used)
    given.use_limit("daily", SUN, 100, 100)
    given.commit()
    assert draft(used).use_limit("monthly", SUN, 100, 100) is None
    assert Draft("customer:8", 0, Ledger({}, {}, used)).use_limit("daily", SUN, 100, 100) is None
    assert draft(used).use_limit("daily", SUN, 100, 1) is not None


def test_use_lasts_only_if_its_draft_is_committed() -> None:
    used: dict[str, Usage] = {}
    draft(used).use_limit("daily", SUN, 100, 100)
    assert used == {}
    given = draft(used)
    given.use_limit("daily", SUN, 100, 100)
    given.commit()
    assert used == {"customer:7|daily": Usage(SUN, 100)}
    given = draft(used)
    given.free_limit("daily", SUN, 30)
    given.commit()
    assert used == {"customer:7|daily": Usage(SUN, 70)}


def test_giving_back_what_was_never_used_leaves_no_row() -> None:
    used: dict[str, Usage] = {}
    given = draft(used)
    given.free_limit("daily", SUN, 30)
    given.commit()
    assert used == {}


def test_nothing_can_be_used_and_given_back() -> None:
    given = draft()
    given.use_limit("daily", SUN, 100, 100)
    assert given.use_limit("daily", SUN, 100, 0) is None
    given.free_limit("daily", SUN, 0)
    assert given.use_limit("daily", SUN, 100, 1) is not None


def test_less_than_nothing_cannot_be_used_or_given_back() -> None:
    """A use below zero would raise the limit."""
    with pytest.raises(AssertionError):
        draft().use_limit("daily", SUN, 100, -1)
    with pytest.raises(AssertionError):
        draft().free_limit("daily", SUN, -1)
