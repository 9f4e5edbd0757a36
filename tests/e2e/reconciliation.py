"""What follows a day: files go up to the general ledger, its answers come back, receipts go out, days are compared.

reconcile(folder, environment)      # after `python -m streams demo`, on servers that still run
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import psycopg

from schemas.topics import GL_ACKNOWLEDGEMENTS
from streams.audit.servers import APP_ID
from streams.demo.processes import Process
from tests.integration.sinks import general_ledger, mail
from tests.torture import kafka

IDLE_S = 5
LIMIT_S = 240


class Reconciled(NamedTuple):
    """What the general ledger has, what was told of it, and what was mailed."""

    days: int
    uploads: int
    lines: int
    processed: int
    receipts: int


def servers_of(environment: Mapping[str, str]) -> dict[str, str]:
    """The addresses that an instance's file names, as `MILLRACE_…`."""
    lines = Path(environment["MILLRACE_ENV_FILE"]).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def reconcile(folder: Path, environment: Mapping[str, str], limit_s: float = LIMIT_S) -> Reconciled:
    """Upload and mail everything, and fail where a day, a file or the books then differ."""
    servers = servers_of(environment)
    with general_ledger.serving() as ledger, mail.serving() as mailbox:
        here = {
            **environment,
            "MILLRACE_GENERAL_LEDGER": ledger.address,
            "MILLRACE_SMTP": mailbox.address,
            "MILLRACE_CLOCK": "outside",
        }
        worker = Process("worker", ["streams", "worker", "--port", "0"], folder / "acknowledged.log", here)
        worker.start()
        try:
            for sink in ("general-ledger", "receipts"):
                run(folder, here, "sinks", sink, "--until-idle", str(IDLE_S), limit_s=limit_s)
            acknowledged = [GL_ACKNOWLEDGEMENTS.name]
            kafka.await_consumed(servers["MILLRACE_KAFKA"], APP_ID, acknowledged, limit_s, worker.check)
        finally:
            worker.stop()
        with psycopg.connect(servers["MILLRACE_POSTGRES"]) as connection:
            days = connection.execute("SELECT DISTINCT accounting_date FROM sink.adi_line ORDER BY 1").fetchall()
            statuses = dict(connection.execute("SELECT status, count(*) FROM sink.adi_line GROUP BY 1").fetchall())
        for (day,) in days:
            run(folder, here, "sinks", "day", f"{day}")
        run(folder, here, "sinks", "verify", limit_s=limit_s)
        run(folder, here, "streams", "audit", limit_s=limit_s)
        assert max(ledger.written.values()) == 1, "a line was written twice"
        assert sum(statuses.values()) == statuses["processed"] == len(ledger.written), statuses
        return Reconciled(
            len(days), len(ledger.uploads), len(ledger.written), statuses["processed"], len(mailbox.taken)
        )


def story(folder: Path, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """The steps of one purchase that was refunded, as `python -m sinks purchase` tells them."""
    with psycopg.connect(servers_of(environment)["MILLRACE_POSTGRES"]) as connection:
        found = connection.execute(
            "SELECT prisoner_id, reverses FROM sink.adi_line JOIN sink.receipt ON purchase_id = reverses"
            " WHERE sent_at IS NOT NULL ORDER BY 1, 2 LIMIT 1"
        ).fetchone()
    assert found is not None, "no purchase was refunded"
    told = orjson.loads(run(folder, environment, "sinks", "purchase", *found, "--json"))
    steps: list[dict[str, Any]] = told["steps"]
    return steps


def run(folder: Path, environment: Mapping[str, str], *command: str, limit_s: float = LIMIT_S) -> str:
    """What `python -m …` prints. Fails where it does not end with 0."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=limit_s, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.stdout[-3_000:]}{done.stderr[-3_000:]}"
    return done.stdout
