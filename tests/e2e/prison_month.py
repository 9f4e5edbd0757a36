"""`python -m tests.e2e.prison_month`: four weeks of three prisons with 1,200 people each, to the last processed line.

Run by hand, on servers of its own, which are removed at the end; some ten minutes on two quiet cores. Exits with 1 if
a penny, a line or a day differs.
"""

import os
import time
from pathlib import Path

import click
import orjson

from stack import api
from tests.e2e.reconciliation import reconcile, run
from tests.torture.run import folder_of

INSTANCE = "month"
CHECKOUT = Path(__file__).parents[2]
LIMIT_S = 1_800


@click.command()
@click.option("--scale", default=1.0, show_default=True, help="1 is 1,200 people in each prison")
def month(scale: float) -> None:
    """Generate, run, reconcile; print the figures."""
    folder, began = folder_of(INSTANCE), time.monotonic()
    environment = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "MILLRACE_ENV_FILE": str(CHECKOUT / ".stack" / INSTANCE / "env"),
    }
    with api.while_up(INSTANCE):
        click.echo(run(folder, environment, "streams", "demo", "--month", "--scale", str(scale), limit_s=LIMIT_S))
        worked_s = time.monotonic() - began
        reconciled = reconcile(folder, environment, limit_s=LIMIT_S)
    report = orjson.loads((folder / "build/demo/report.json").read_bytes())
    click.echo(
        f"{report['inputs']:,} inputs, {report['decisions']:,} decisions, {report['postings']:,} postings;"
        f" {len(report['adi_files']) // 2} journals; {reconciled.lines:,} lines written once, {reconciled.processed:,}"
        f" processed, over {reconciled.days} days; {reconciled.receipts:,} receipts; no difference;"
        f" month {worked_s:.0f} s, reconciled after {time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    month()
