"""Speed beside the peers, on the same work, in one run: `python -m benchmarks`. See docs/performance.md.

Read in this order: `work` and `rule` (what is done), `task`, `contestants` and `install` (who does it), `broker`,
`attempt`, `speed`, `latency` and `profiling` (how it is measured), `contest`; then `trips` (the real app) and
`flatness`; `report`, `tables` and `picture` (what is told).
"""
