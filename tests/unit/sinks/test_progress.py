"""A word now and then from what takes long (BEY-02)."""

import pytest

from sinks.progress import telling

pytestmark = pytest.mark.requirement("BEY-02")


def test_what_takes_long_is_counted_aloud_every_few_seconds_and_nothing_of_it_is_lost() -> None:
    said = list[str]()
    seconds = iter([0.0, 1.0, 5.0, 5.0, 6.0, 11.0, 11.0])

    done = list(telling("abcd", "files of adi", said.append, every_s=5, clock=lambda: next(seconds)))

    assert done == list("abcd")
    assert said == ["1 files of adi so far", "3 files of adi so far"]


def test_what_is_done_at_once_says_nothing() -> None:
    said = list[str]()
    assert list(telling(range(1_000), "files", said.append, clock=lambda: 0.0)) == list(range(1_000))
    assert said == []
