"""Every query of the dashboard, asked of a real Prometheus that scrapes every metric there is (PIPE-11)."""

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboards import Query, queries
from stack import api
from stack.api import Endpoints, ServerName
from stack.instance import CHECKOUT

pytestmark = pytest.mark.requirement("PIPE-11")

NAME = "dashboards"
PROCESS = Path(__file__).with_name("every_metric.py")
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A Prometheus of its own, and a process for it to scrape."""
    home = tmp_path_factory.mktemp("stack")
    with api.while_up(NAME, only=[ServerName.PROMETHEUS], home=home) as started:
        process = subprocess.Popen(
            [sys.executable, str(PROCESS), started.scrape_targets],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )
        try:
            wait_for_scrapes(started, process)
            yield started
        finally:
            process.kill()
            process.wait()


def wait_for_scrapes(endpoints: Endpoints, process: subprocess.Popen[bytes]) -> None:
    """A rate needs two values, and a third scrape proves that every metric has grown between the first and the last."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s and process.poll() is None:
        if series(endpoints, "changes(millrace_rebalances_total[1m]) >= 2"):
            return
        time.sleep(0.2)
    pytest.fail(f"Prometheus has not scraped {PROCESS.name} in {PATIENCE_S:.0f} s (it ended: {process.poll()})")


def series(endpoints: Endpoints, promql: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{endpoints.prometheus}/api/v1/query", params={"query": promql}, timeout=20.0).json()
    assert answer["status"] == "success", answer
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.title)
def test_a_query_of_the_dashboard_has_an_answer(endpoints: Endpoints, query: Query) -> None:
    found = series(endpoints, query.promql)

    assert found
    assert [each["metric"] for each in found if math.isnan(float(each["value"][1]))] == []


def test_a_process_is_named_as_it_announced_itself(endpoints: Endpoints) -> None:
    (process,) = series(endpoints, "millrace_up")
    assert process["metric"]["worker"] == "worker-all"


def test_prometheus_can_evaluate_every_alert(endpoints: Endpoints) -> None:
    def health() -> dict[str, str]:
        groups = httpx.get(f"{endpoints.prometheus}/api/v1/rules", timeout=20.0).json()["data"]["groups"]
        return {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}

    wait_until(lambda: "unknown" not in health().values())
    assert {"WorkerDown", "SinkParked"} <= health().keys()
    assert set(health().values()) == {"ok"}


def test_what_is_parked_raises_an_alert(endpoints: Endpoints) -> None:
    def sinks_told_of() -> set[str]:
        alerts = httpx.get(f"{endpoints.prometheus}/api/v1/alerts", timeout=20.0).json()["data"]["alerts"]
        return {each["labels"]["sink"] for each in alerts if each["labels"]["alertname"] == "SinkParked"}

    wait_until(lambda: sinks_told_of() == {"invoices", "adi"})


def wait_until(seen: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < deadline_s
        time.sleep(0.2)
