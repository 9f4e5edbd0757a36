"""A process that has every metric of a worker and of a sink, with sample values under every label, until it is ended.

python every_metric.py TARGETS_FOLDER
"""

import itertools
import sys
import time
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

import sinks.metrics
import streams.metrics
import streams.runtime.metrics
from schemas.ledger import Outcome, Step
from schemas.refusals import Reason
from schemas.scrape import announced
from schemas.topics import TOPICS

SAMPLES: dict[str, list[str]] = {
    "room": ["mobility", "prison_finance"],
    "outcome": [*Outcome],
    "reason": [*Reason][:2],
    "step": [*Step],
    "debit": ["available", "trips"],
    "credit": ["deposits"],
    "currency": ["EUR", "JPY", "BHD"],
    "topic": [topic.name for topic in TOPICS[:2]],
    "partition": ["0", "1"],
    "table": ["locks", "balances"],
    "sink": ["invoices", "adi"],
    "kind": ["pdf", "csv"],
    "state": ["waiting", "in doubt"],
}
EVERY_S = 0.2


def metrics() -> list[Counter | Gauge | Histogram]:
    """All that are declared, with a child for each set of labels."""
    modules = (sinks.metrics, streams.metrics, streams.runtime.metrics)
    declared = [value for module in modules for value in vars(module).values()]
    found: list[Counter | Gauge | Histogram] = []
    for metric in declared:
        if isinstance(metric, Counter | Gauge | Histogram):
            samples: list[list[str]] = [SAMPLES[label] for label in metric._labelnames]
            found += [metric.labels(*labels) for labels in itertools.product(*samples)] if samples else [metric]
    return found


def work_on(metrics: list[Counter | Gauge | Histogram]) -> None:
    """Give each a value, as a process at work does."""
    for metric in metrics:
        match metric:
            case Counter():
                metric.inc()
            case Gauge():
                metric.set(1)
            case Histogram():
                metric.observe(0.02)


def main(targets: Path) -> None:
    """Serve them, announced as a worker announces itself."""
    sampled = metrics()
    with (
        sinks.metrics.served("all", "127.0.0.1", 0, announce_in=None) as port,
        announced(targets, "worker-all", "127.0.0.1", port),
    ):
        while True:
            work_on(sampled)
            time.sleep(EVERY_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
