"""Every metric of a sink, declared in one place, and how Prometheus learns of this process (PIPE-11)."""

import os
import socket
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
TURN_AT = Gauge(
    "millrace_sink_turn_timestamp_seconds", "When this process last began a turn, or a step of a long one", ["sink"]
)
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

UPLOADS = Counter("millrace_sink_uploads", "Files sent to the general ledger, each time that they were")
ANSWERS = Counter("millrace_sink_upload_answers", "Final answers of the general ledger to files", ["outcome"])
UPLOADS_OPEN = Gauge("millrace_sink_uploads_open", "Files that the general ledger has not answered yet", ["state"])
REFUSED_LINES = Gauge("millrace_sink_refused_lines", "Lines that the general ledger refused and nothing corrected yet")
OLDEST_OPEN_DAY = Gauge(
    "millrace_sink_oldest_open_day_seconds",
    "Since the end of the oldest accounting day with a line that the general ledger has not answered; 0: none",
)
ACKNOWLEDGEMENTS = Counter("millrace_sink_acknowledgements", "Acknowledgements that Kafka has taken")
ACKNOWLEDGEMENTS_WAITING = Gauge("millrace_sink_acknowledgements_waiting", "Acknowledgements that Kafka may not have")
RECEIPTS = Counter("millrace_sink_receipts", "Receipts handed to the mail server, by what it said", ["outcome"])
RECEIPTS_WAITING = Gauge("millrace_sink_receipts_waiting", "Receipts that the mail server has not taken yet")

BILLING_CALLS = Counter("millrace_sink_billing_calls", "Calls sent to Billing, each time that they were", ["kind"])
BILLING_OUTCOMES = Counter("millrace_sink_billing_outcomes", "Final answers of Billing", ["kind", "outcome"])
BILLING_CALLS_OPEN = Gauge("millrace_sink_billing_calls_open", "Calls that Billing has not answered yet", ["state"])
BILLING_OLDEST_CALL = Gauge("millrace_sink_billing_oldest_call_seconds", "Since the oldest of them came; 0: none")
BILLING_LET_ALONE = Gauge(
    "millrace_sink_billing_let_alone",
    "1 while this process asks Billing nothing, as it has failed too often in a row, and has its rest or a call waits",
)
BILLING_ANSWERS_PUBLISHED = Counter("millrace_sink_billing_answers", "Answers of Billing that Kafka has taken")
BILLING_ANSWERS_WAITING = Gauge("millrace_sink_billing_answers_waiting", "Answers of Billing that Kafka may not have")


def goes_on(sink: str) -> None:
    """The loop has come so far. Another thread answers Prometheus, and would do so while the loop hangs."""
    TURN_AT.labels(sink).set_to_current_time()


def target(sink: str, host: str, pid: int) -> str:
    """What Prometheus calls a process. In containers every one of them is process 1, each on a host of its own."""
    return f"sink-{sink}-{host}-{pid}"


@contextmanager
def served(sink: str, host: str, port: int, announce_in: Path | None) -> Iterator[int]:
    """Serve `/metrics` (port 0: a free one), and name it to Prometheus by a file in `announce_in` while it lasts."""
    server, thread = start_http_server(port, host)
    try:
        name = target(sink, socket.gethostname(), os.getpid())
        with announced(announce_in, name, host, server.server_port):
            yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
