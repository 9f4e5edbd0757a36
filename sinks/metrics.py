"""Every metric of a sink, declared in one place, and how Prometheus learns of this process (PIPE-11)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from schemas.scrape import announced

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

RECORDS = Counter("millrace_sink_records", "Records whose position was moved", ["sink"])
FILES = Counter("millrace_sink_files", "Files registered", ["sink", "kind"])
FILE_BYTES = Counter("millrace_sink_file_bytes", "Bytes of the files registered", ["sink", "kind"])
PARKED = Counter("millrace_sink_parked", "Records and parts of files parked, by reason", ["sink", "reason"])
WAITING = Gauge("millrace_sink_parked_waiting", "What is parked now, of all workers of this sink", ["sink"])
STALE = Counter("millrace_sink_stale", "Transactions refused since another worker had moved the position", ["sink"])
RECONNECTS = Counter("millrace_sink_reconnects", "Connections to Postgres that were lost", ["sink"])
LAG = Gauge(
    "millrace_sink_lag_records",
    "Offsets between this sink and the end of the partition; at rest it may count one transaction marker",
    ["sink", "partition"],
)
TRANSACTION_SECONDS = Histogram(
    "millrace_sink_transaction_seconds", "One Postgres transaction, with the making of its files", ["sink"],
    buckets=_SECONDS,
)  # fmt: skip
PUT_SECONDS = Histogram("millrace_sink_put_seconds", "Storing the files of one transaction", ["sink"], buckets=_SECONDS)


@contextmanager
def served(sink: str, host: str, port: int, announce_in: Path | None) -> Iterator[int]:
    """Serve `/metrics` (port 0: a free one), and name it to Prometheus by a file in `announce_in` while it lasts."""
    server, thread = start_http_server(port, host)
    try:
        with announced(announce_in, f"sink-{sink}-{os.getpid()}", host, server.server_port):
            yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
