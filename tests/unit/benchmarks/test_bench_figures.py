"""Figures, their spread, and the report made of them."""

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.attempt import AttemptError, check_exact
from benchmarks.contest import Plan, Results, Spread, spreads
from benchmarks.contestants import BARE_LOOP, MILLRACE, STOCK_FAUST
from benchmarks.report import Whole
from benchmarks.speed import Sample, Speed, measured
from benchmarks.task import Start, Task
from benchmarks.work import Outcome


def speed(events_per_s: float) -> Speed:
    return Speed(events_per_s, events_per_s * 2, 20.0, 10.0, 100.0, 0.1, 0.5)


def test_the_median_stands_between_least_and_greatest() -> None:
    found = spreads([speed(30.0), speed(10.0), speed(20.0)])
    assert found["events_per_s"] == Spread(10.0, 20.0, 30.0)
    assert found["second_half_events_per_s"] == Spread(20.0, 40.0, 60.0)


def test_the_median_of_two_rounds_is_their_middle() -> None:
    assert spreads([speed(10.0), speed(20.0)])["events_per_s"].median == 15.0


def test_speed_counts_from_the_first_command_to_the_last_outcome_without_markers() -> None:
    # Four markers among 1,004 offsets; the first half took 6 s, the second 2 s.
    samples = [
        Sample(at=10.0, ends=(0, 0), cpu_s=1.0, broker_cpu_s=5.0, busy_s=100.0),
        Sample(at=16.0, ends=(251, 251), cpu_s=3.0, broker_cpu_s=6.0, busy_s=109.0),
        Sample(at=18.0, ends=(502, 502), cpu_s=4.0, broker_cpu_s=7.0, busy_s=117.0),
    ]
    found = measured(samples[0], samples, count=1_000, rss_mb=64.0, load_1min=0.25)
    assert found.events_per_s == 125.0
    assert found.second_half_events_per_s == 250.0
    assert found.cpu_s_per_million == 3_000.0
    assert found.broker_cpu_s_per_million == 2_000.0
    assert found.other_cores == 1.5


def results() -> Results:
    plan = Plan([MILLRACE, STOCK_FAUST, BARE_LOOP], commands=300_000, rounds=1, seed=1)
    return Results(
        plan, {"millrace": [speed(50_000.0)], "stock_faust": [speed(1_250.0)], "bare_loop": [speed(80_000.0)]}
    )


def test_ratios_are_of_the_medians() -> None:
    assert report.ratios(results()) == {"millrace / stock_faust": 40.0, "millrace / bare_loop": 0.62}


def test_the_report_names_every_contestant_with_its_figures(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.json"
    report.write(path, Whole(report.machine(), ledger=results()))
    written = json.loads(path.read_text())
    assert written["ledger"]["millrace"]["events_per_s"] == 50_000
    assert written["ledger"]["stock_faust"]["commands"] == 60_000
    assert {"cpu_s_per_million", "rss_mb", "spread"} <= written["ledger"]["bare_loop"].keys()
    assert len(written["machine"]["load_average_at_start"]) == 3
    assert written["profile"] is None


def test_a_contestant_that_doubles_one_outcome_and_loses_another_fails_by_name(tmp_path: Path) -> None:
    one, other = Outcome(1, "o1", "ok", 100, 0), Outcome(2, "o1", "ok", 200, 0)
    with pytest.raises(AttemptError, match="bare_loop is not exact: 1 outcomes missing, 1 too many"):
        check_exact(BARE_LOOP, Counter([one, other]), Counter([one, one]), tmp_path / "log")


def test_a_task_goes_through_the_environment_and_its_first_record_marks_the_start(tmp_path: Path) -> None:
    task = Task("127.0.0.1:1", "run", "commands", "outcomes", str(tmp_path))
    assert Task.from_environment(task.environment()) == task
    start = Start(task)
    assert not task.mark.exists()
    start()
    moment = task.mark.read_text()
    start()
    assert task.mark.read_text() == moment
