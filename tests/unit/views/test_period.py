"""A statement's period on the command line."""

import pytest
from click.testing import CliRunner

from streams.views.commands import CANNOT, statement

pytestmark = pytest.mark.requirement("PIPE-10")


@pytest.mark.parametrize(
    ("begins", "ends"),
    [("2026-03-02", "2026-03-01"), ("2026-03-01", "2026-03-01"), ("2026-03-01", "2026-03-01T02:00+03:00")],
)
def test_a_period_that_ends_before_it_begins_is_refused_and_no_server_is_asked(begins: str, ends: str) -> None:
    said = CliRunner().invoke(statement, ["group:g1", "--from", begins, "--to", ends])
    assert said.exit_code == CANNOT
    assert "--from must be before --to" in said.output
