"""Which metrics a query reads, and which of them the code declares."""

import re

from prometheus_client import REGISTRY

import sinks.metrics
import streams.metrics
import streams.runtime.metrics

DECLARED_IN = (sinks.metrics, streams.metrics, streams.runtime.metrics)

_SAMPLES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
_KEYWORDS = {"and", "or", "unless", "offset", "bool"}
_NOT_METRICS = (
    r'"[^"]*"',  # the value of a label
    r"\{[^}]*\}",  # selectors
    r"\[[^]]*\]",  # windows
    r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)",  # names of labels
    r"\b\d\w*(\.\d+)?",  # numbers and durations
    r"\w+(?=\s*\()",  # functions
)


def metrics_in(promql: str) -> set[str]:
    """The names of the series that a query reads."""
    for pattern in _NOT_METRICS:
        promql = re.sub(pattern, " ", promql)
    return set(re.findall(r"[a-zA-Z_:][\w:]*", promql)) - _KEYWORDS


def declared() -> dict[str, set[str]]:
    """Every metric family of this process, with the names of its series."""
    return {
        family.name: {family.name + ending for ending in _SAMPLES[family.type]}
        for family in REGISTRY.collect()
        if family.type in _SAMPLES
    }
