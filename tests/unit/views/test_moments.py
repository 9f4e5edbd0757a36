"""Moments as people type them."""

import click
import pytest

from streams.views.moments import Moment, show

DAY_US = 86_400_000_000


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("2026-03-29", "2026-03-29 00:00:00"),
        ("2026-03-29T08:00:00Z", "2026-03-29 08:00:00"),
        ("2026-03-29T08:00:00+02:00", "2026-03-29 06:00:00"),
        ("2026-03-29 08:00", "2026-03-29 08:00:00"),
    ],
)
def test_a_date_or_time_is_read_as_utc_unless_it_has_an_offset(typed: str, shown: str) -> None:
    assert show(Moment().convert(typed, None, None)) == shown


@pytest.mark.parametrize("typed", ["yesterday", "29.03.2026", ""])
def test_what_is_no_moment_is_refused_in_one_sentence(typed: str) -> None:
    with pytest.raises(click.BadParameter, match="no ISO 8601 date or time"):
        Moment().convert(typed, None, None)
