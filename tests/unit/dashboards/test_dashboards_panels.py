"""The dashboard shows what the code declares: no more, and all of it (PIPE-11)."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from dashboards_promql import DECLARED_IN, declared, metrics_in
from prometheus_client import Counter, Gauge, Histogram

from dashboards import Query, generate, queries
from dashboards.__main__ import main
from dashboards.panels import ROWS
from stack.instance import CHECKOUT

pytestmark = pytest.mark.requirement("PIPE-11")

OF_PROMETHEUS = {"up"}  # made by Prometheus itself for each target
RULES = sorted((CHECKOUT / "stack" / "config" / "rules").glob("*.yml"))
PANELS = [panel for panels in ROWS.values() for panel in panels]


def known() -> set[str]:
    return OF_PROMETHEUS.union(*declared().values())


def rules() -> list[dict[str, Any]]:
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in RULES]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def test_the_metrics_of_a_query_are_found_among_its_functions_labels_and_windows() -> None:
    promql = (
        'histogram_quantile(0.99, sum by (le, a) (rate(b_bucket{c="d"}[1m]))) / on (e) group_left () f offset 1h > 1'
    )
    assert metrics_in(promql) == {"b_bucket", "f"}


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.title)
def test_every_metric_of_a_query_is_declared(query: Query) -> None:
    assert metrics_in(query.promql)
    assert metrics_in(query.promql) <= known()


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_metric_of_an_alert_is_declared(rule: dict[str, Any]) -> None:
    assert metrics_in(rule["expr"])
    assert metrics_in(rule["expr"]) <= known()


def test_every_metric_that_is_declared_is_shown() -> None:
    ours = {name: series for name, series in declared().items() if name.startswith("millrace_")}
    shown = set().union(*(metrics_in(query.promql) for query in queries()))
    assert [name for name, series in ours.items() if not series & shown] == []


def test_no_metric_hides_behind_another_name() -> None:
    values = [value for module in DECLARED_IN for value in vars(module).values()]
    families = {value._name for value in values if isinstance(value, (Counter, Gauge, Histogram))}
    assert families == {name for name in declared() if name.startswith("millrace_")}


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_panel_says_in_one_sentence_what_a_bad_value_means(panel: Any) -> None:
    assert panel.meaning.endswith(".")
    assert ". " not in panel.meaning


def test_queries_are_told_apart_by_their_titles() -> None:
    assert len({query.title for query in queries()}) == len(queries())


def test_no_query_keeps_a_variable_of_grafana() -> None:
    assert [query for query in queries() if "$" in query.promql] == []


# ---- the generated file


def test_the_generated_dashboard_is_current() -> None:
    assert generate.is_current(), "run: python -m dashboards"


def test_a_check_finds_a_file_that_is_missing_or_differs_and_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "millrace.json"
    monkeypatch.setattr(generate, "FILE", file)
    monkeypatch.setattr(generate.is_current, "__defaults__", (file,))
    monkeypatch.setattr(generate.write, "__defaults__", (file,))

    assert main(["--check"]) == 1
    assert not file.exists()
    assert main([]) == 0
    assert main(["--check"]) == 0
    file.write_text("{}")
    assert main(["--check"]) == 1
    assert file.read_text() == "{}"
    assert "run python -m dashboards" in capsys.readouterr().out


def test_an_unknown_argument_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--chekc"]) == 2
    assert "python -m dashboards [--check]" in capsys.readouterr().err


def test_no_panel_lies_over_another_and_every_line_is_full() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in json.loads(generate.content())["panels"]:
        at = panel["gridPos"]
        covered = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not covered & cells, panel["title"]
        cells |= covered
    assert len(cells) == generate.GRID_WIDTH * (1 + max(y for _, y in cells))


def test_grafana_is_given_the_generated_folder_and_the_source_that_the_panels_name() -> None:
    compose = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8"))
    grafana = CHECKOUT / "stack" / "config" / "grafana"
    mounts = dict(volume.split(":")[:2] for volume in compose["services"]["grafana"]["volumes"])
    (provider,) = yaml.safe_load((grafana / "dashboards.yml").read_text(encoding="utf-8"))["providers"]
    (source,) = yaml.safe_load((grafana / "datasources.yml").read_text(encoding="utf-8"))["datasources"]

    assert mounts[f"./{generate.FILE.parent.relative_to(CHECKOUT)}"] == provider["options"]["path"]
    assert source["uid"] == generate.SOURCE_UID
