"""What alerts and queries say of made-up series, by Prometheus' own promtool (PIPE-11)."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dashboards import queries
from stack import prometheus, system
from stack.instance import CHECKOUT

pytestmark = pytest.mark.requirement("PIPE-11")

ALERTS = Path(__file__).with_name("alerts.yml")


@pytest.fixture(scope="session")
def promtool() -> Path:
    (need,) = (need for need in system.REQUIREMENTS if need.program == "promtool")
    system.install([need], print)
    found = need.found()
    assert found is not None
    return found


def run(*command: object) -> tuple[int, str]:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_rules_are_valid(promtool: Path) -> None:
    code, said = run(promtool, "check", "rules", *sorted((CHECKOUT / "stack" / "config" / "rules").glob("*.yml")))
    assert code == 0, said


def test_prometheus_accepts_its_configuration(promtool: Path) -> None:
    code, said = run(promtool, "check", "config", prometheus.CONFIGURATION)
    assert code == 0, said


def test_every_alert_speaks_when_it_should_and_else_is_quiet(promtool: Path) -> None:
    code, said = run(promtool, "test", "rules", ALERTS)
    assert code == 0, said


def test_every_alert_is_tried() -> None:
    rules = "".join(path.read_text() for path in (CHECKOUT / "stack" / "config" / "rules").glob("*.yml"))
    alerts = {line.rpartition(" ")[2] for line in rules.splitlines() if "alert:" in line}
    assert alerts
    assert {alert for alert in alerts if f"alertname: {alert}\n" not in ALERTS.read_text()} == set()


def promql(title: str) -> str:
    (found,) = (query.promql for query in queries() if title in query.title)
    return found


def series(name: str, values: str) -> dict[str, str]:
    return {"series": name, "values": values}


def expected(query: str, at: str, samples: dict[str, float]) -> dict[str, Any]:
    return {"expr": query, "eval_time": at, "exp_samples": [{"labels": k, "value": v} for k, v in samples.items()]}


def check(promtool: Path, folder: Path, inputs: list[dict[str, str]], answers: list[dict[str, Any]]) -> None:
    """Fail unless the queries have these answers on these series, a value each minute."""
    file = folder / "queries.json"  # JSON is YAML
    file.write_text(json.dumps({"tests": [{"interval": "1m", "input_series": inputs, "promql_expr_test": answers}]}))
    code, said = run(promtool, "test", "rules", file)
    assert code == 0, said


def test_a_rare_event_is_shown_for_an_hour_be_it_the_first_of_its_kind_or_the_last_before_a_crash(
    promtool: Path, tmp_path: Path
) -> None:
    letters, labels = promql("Dead letters in the last hour"), '{reason="not_avro", topic="trips"}'
    first = series('millrace_dead_letters_total{topic="trips", reason="not_avro", instance="a"}', "_x120 1+0x5 _x300")

    wanted: dict[str, dict[str, float]] = {"119m": {}, "121m": {labels: 1}, "170m": {labels: 1}, "190m": {}}
    check(promtool, tmp_path, [first], [expected(letters, at, samples) for at, samples in wanted.items()])


def test_what_happened_long_ago_is_not_shown_and_a_restart_does_not_hide_what_follows(
    promtool: Path, tmp_path: Path
) -> None:
    letters, labels = promql("Dead letters in the last hour"), '{reason="not_avro", topic="trips"}'
    # 7 long ago; the process starts again at 200 minutes, and buries two at 210.
    counted = series('millrace_dead_letters_total{topic="trips", reason="not_avro"}', "7+0x200 0+0x8 2+0x100")

    check(promtool, tmp_path, [counted], [expected(letters, "190m", {labels: 0})])
    check(promtool, tmp_path, [counted], [expected(f"round({letters})", "230m", {labels: 2})])


def test_money_is_shown_in_whole_units_by_the_decimals_of_its_currency(promtool: Path, tmp_path: Path) -> None:
    wanted = {"EUR": 123.45, "JPY": 12345, "BHD": 12.345}
    labels = 'room="r", step="posted", debit="a", credit="b"'
    moved = [series(f'millrace_money_minor_total{{{labels}, currency="{code}"}}', "12345") for code in wanted]
    by_step = {f'{{currency="{code}", room="r", step="posted"}}': value for code, value in wanted.items()}
    by_class = {f'{{currency="{code}", step="posted", debit="a", credit="b"}}': value for code, value in wanted.items()}

    answers = [expected(promql("by step"), "1m", by_step), expected(promql("by class of account"), "1m", by_class)]
    check(promtool, tmp_path, moved, answers)


def test_only_the_locks_table_is_counted_as_open_locks(promtool: Path, tmp_path: Path) -> None:
    rows = [series(f'millrace_table_rows{{table="{table}"}}', "3") for table in ("locks", "balances")]
    rows.append(series('millrace_table_rows{table="locks", instance="other"}', "4"))

    check(promtool, tmp_path, rows, [expected(promql("Open locks"), "0m", {"{}": 7})])
