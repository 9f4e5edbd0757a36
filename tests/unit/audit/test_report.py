"""What people and programs are told."""

import io

import orjson
import pytest
from rich.console import Console

from streams.audit.evidence import Place
from streams.audit.examine import examine
from streams.audit.findings import MEANING, Kind
from streams.audit.render import SHOWN, render
from streams.audit.report import Report
from tests.unit.audit.world import DEPOSIT, LOCK, UPSTREAM, World

pytestmark = pytest.mark.requirement("PIPE-09")


def report_of(world: World) -> Report:
    return examine(world, UPSTREAM, whole=("journal",))


def text_of(report: Report) -> str:
    out = io.StringIO()
    Console(file=out, width=100, highlight=False).print(render(report))
    return out.getvalue()


def test_a_clean_report_shows_counts_sums_and_the_verdict() -> None:
    text = text_of(report_of(World()))
    assert "4 accepted, 1 duplicate, 1 refused" in text
    assert "EUR pending          30.00 EUR    30.00 EUR" in text
    assert text.splitlines()[-1].startswith("clean:")


def test_findings_are_shown_with_where_expected_and_found() -> None:
    world = World()
    world.tables["locks"][LOCK]["amount_minor"] = 29_99
    text = text_of(report_of(world))
    assert "table_differs  1  a table's changelog is not the fold of the journal" in text
    assert "table locks group:riverside|trip:t-2, amount_minor   3000       2999" in text
    assert text.splitlines()[-1] == "1 difference of 1 kind"


def test_of_many_findings_the_first_are_shown() -> None:
    world = World()
    world.letters += [Place(DEPOSIT, 2)] * 99
    assert f"two_outcomes  99, {SHOWN} of them here" in text_of(report_of(world))


def test_a_report_for_programs_is_json() -> None:
    world = World()
    world.tables["locks"][LOCK]["amount_minor"] = 29_99
    answer = orjson.loads(orjson.dumps(report_of(world).as_json()))
    assert answer["clean"] is False
    assert answer["decisions"] == 6
    assert answer["finding_counts"] == {"table_differs": 1}
    where = "table locks group:riverside|trip:t-2, amount_minor"
    assert answer["findings"] == [{"kind": "table_differs", "where": where, "expected": "3000", "found": "2999"}]


def test_every_kind_of_finding_has_its_meaning_in_words() -> None:
    assert MEANING.keys() == set(Kind)
