"""What Grafana shows of Millrace: panels as data (`panels.py`), made into a dashboard by `generate.py` (PIPE-11)."""

from dashboards.panels import Query, queries

__all__ = ["Query", "queries"]
