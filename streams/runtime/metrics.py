"""Every metric of a worker process, declared in one place (PIPE-11). Exposed by `health.py` at `/metrics`."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000)

UP = Gauge("millrace_up", "1 while the cycle makes progress")
READY = Gauge("millrace_ready", "1 while partitions are assigned (be it none) and their tables restored")
ASSIGNED = Gauge("millrace_assigned_partitions", "Source partitions this worker owns")
REBALANCES = Counter("millrace_rebalances", "Assignments taken up")

CONSUMED = Counter("millrace_records_consumed", "Records whose offsets were committed", ["topic"])
LAG = Gauge(
    "millrace_lag_records",
    "Offsets between this worker and the end of the partition; 0 once the end was seen, be it a transaction marker",
    ["topic", "partition"],
)
CYCLE_RECORDS = Histogram("millrace_cycle_records", "Records in one cycle", buckets=_RECORDS)
PROCESS_SECONDS = Histogram("millrace_process_seconds", "The agents' time for one cycle", buckets=_SECONDS)
COMMIT_SECONDS = Histogram("millrace_commit_seconds", "One transaction, from begin to committed", buckets=_SECONDS)

OUTPUTS = Counter("millrace_outputs", "Records written besides the tables", ["topic"])
ROWS_CHANGED = Counter("millrace_rows_changed", "Changed rows written to changelogs", ["table"])
TABLE_ROWS = Gauge("millrace_table_rows", "Rows in the owned partitions", ["table"])
DEAD_LETTERS = Counter("millrace_dead_letters", "Records buried, by source topic and reason", ["topic", "reason"])
TICKS = Counter("millrace_ticks", "Ticks written by this worker's clock", ["topic"])

RESTORE_SECONDS = Histogram("millrace_restore_seconds", "One restore of newly assigned partitions", buckets=_SECONDS)
RESTORED_RECORDS = Counter("millrace_restored_records", "Keys read back from changelogs", ["table"])
SNAPSHOTS_WRITTEN = Counter("millrace_snapshots_written", "Snapshots of table partitions written", ["table"])
SNAPSHOT_PROBLEMS = Counter(
    "millrace_snapshot_problems", "Snapshots that no restore may start from, or that could not be written", ["reason"]
)
SNAPSHOT_ROWS_READ = Counter("millrace_snapshot_rows_read", "Rows that restores took from snapshots", ["table"])
SNAPSHOT_STALL_SECONDS = Histogram(
    "millrace_snapshot_stall_seconds", "Time that a cycle waited for the image of a table partition", buckets=_SECONDS
)
PRODUCER_REPLACEMENTS = Counter(
    "millrace_producer_replacements", "Producers replaced after a doubtful transaction", ["reason"]
)
