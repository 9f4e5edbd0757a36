"""Speed beside the peers, on the same work, in one run: `python -m benchmarks`. See docs/performance.md.

Read in this order: `work` and `rule` (what is done), `task` and `contestants` (who does it), `broker`, `run`, `latency`
and `profiling` (how it is measured), `contest` and `report`.
"""
