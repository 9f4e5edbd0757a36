"""`python -m tests.e2e.dealer_decade`: ten years of the source's load, 10,000 dealers and 30,000 bills, on servers.

Run by hand, on servers of its own, which are removed at the end. Each year dealers register with Billing over HTTP,
bills are issued there, and payments come. Then the books are audited, every dealer is asked what he has to pay, and
that is compared with what upstream said. After the first, the fifth and the last year the query is timed. Exits with 1
if a penny, a row or a call differs.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import psycopg

from connectors import connect
from connectors.database import migrate
from schemas.codec import Codec
from schemas.publishing import publish, upstream
from schemas.registry import ConfluentRegistry
from schemas.settings import Settings
from schemas.topics import BILLING_ANSWERS, BILLING_PAYMENTS, BILLS, DEALERS, TOPICS
from stack import api
from stack.billing import Billing, serving
from streams import topics
from streams.audit.servers import APP_ID
from streams.demo.processes import Process
from streams.views.dealer import ToPay, bills_by_dealer
from streams.views.projection import reading
from tests.e2e.dealer_years import CURRENCY, YEARS, Owed, Told, Year, cme_id, years
from tests.e2e.reconciliation import run
from tests.torture import kafka
from tests.torture.run import folder_of

INSTANCE = "decade"
CHECKOUT = Path(__file__).parents[2]
STEP_S = 3_600
TIMED = (1, YEARS // 2, YEARS)
"""Years after which the query is timed."""
ASKED = 500
"""Dealers that are asked for it."""
TOPIC_OF = {message: topic for topic in TOPICS for message in topic.messages}


class Latency(NamedTuple):
    """Of the query, in milliseconds, when there were so many bills."""

    bills: int
    median_ms: float
    worst_of_a_hundred_ms: float


class Decade:
    """Servers, a worker, the sink of Billing, and a Billing."""

    def __init__(self, folder: Path, environment: dict[str, str], billing: Billing) -> None:
        self.settings = Settings(_env_file=environment["MILLRACE_ENV_FILE"])
        self.billing, self._folder, self._environment = billing, folder, environment
        topics.apply(self.settings)
        migrate(self.settings.postgres)
        connect.apply(self.settings)
        self._codec = Codec(ConfluentRegistry(self.settings.registry))
        here = {**environment, "MILLRACE_BILLING": billing.address}
        worker = ["streams", "worker", "--name", "decade", "--port", "0", "--loglevel", "WARN"]
        self._processes = [
            Process("worker", worker, folder / "worker.log", here),
            Process("billing", ["sinks", "billing"], folder / "billing.log", here),
        ]

    @contextmanager
    def running(self) -> Iterator[None]:
        """With both processes, stopped at the end."""
        for process in self._processes:
            process.start()
        try:
            yield
        finally:
            for process in self._processes:
                process.stop()

    # ---- a year

    def live(self, year: Year, owed: Owed) -> None:
        """All of a year, and what follows from it."""
        began, before = time.monotonic(), len(self.billing.sent)
        with psycopg.connect(self.settings.postgres) as connection, connection.cursor() as cursor:
            rows = [(each, cme_id(each)) for each in year.dealers]
            cursor.executemany("INSERT INTO reference.dealers VALUES (%s, %s, 'Motors')", rows)
        known = year.number * len(year.dealers)
        self._until(lambda: sum(1 for _ in kafka.read(self.settings.kafka, DEALERS.name)) >= known)
        kafka.await_decided(self.settings.kafka, APP_ID, [DEALERS.name], STEP_S)
        self._say(year.registrations)
        self._landed("SELECT count(*) FROM projection.accounts WHERE state = 'open'", 3 * known)
        registered_s, registered = time.monotonic() - began, len(self.billing.sent)
        self._say(year.bills)
        bills = sum(owed.cases.values())
        self._landed("SELECT count(*) FROM projection.bill WHERE url IS NOT NULL", bills)
        issued_s, issued = time.monotonic() - began, len(self.billing.sent)
        self._say((*year.payments, *year.voids))
        self._consumed(BILLING_PAYMENTS.name)
        self._landed("SELECT count(*) FROM projection.bill WHERE state = 'voided'", owed.voided)
        click.echo(
            f"year {year.number}: {registered - before:,} calls in {registered_s:.0f} s to register,"
            f" {issued - registered:,} in {issued_s - registered_s:.0f} s to issue bills;"
            f" {len(year.payments):,} payments; {time.monotonic() - began:.0f} s"
        )

    def _say(self, told: Iterable[Told]) -> None:
        now = time.time_ns() // 1_000
        publish(
            self.settings,
            self._codec,
            (
                upstream(
                    TOPIC_OF[type(each.message)],
                    each.message,
                    event_id=each.event_id,
                    source="decade",
                    time_us=now,
                    actor="decade",
                )
                for each in told
            ),
        )

    # ---- waiting

    def _consumed(self, *names: str) -> None:
        kafka.await_consumed(self.settings.kafka, APP_ID, names, STEP_S, self._check)

    def _landed(self, query: str, expected: int) -> None:
        with psycopg.connect(self.settings.postgres, autocommit=True) as connection:
            self._until(lambda: connection.execute(query).fetchone() == (expected,))

    def _until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + STEP_S
        while not done():
            self._check()
            assert time.monotonic() < deadline, f"no end after {STEP_S} s; see the logs in {self._folder}"
            time.sleep(0.5)

    def _check(self) -> None:
        for process in self._processes:
            process.check()

    def rest(self) -> None:
        """Until Billing has been asked everything, and the worker has heard every answer."""
        self._consumed(BILLS.name)
        waiting = "SELECT count(*) FROM sink.billing_call WHERE answered_at IS NULL OR published_at IS NULL"
        self._landed(waiting, 0)
        self._consumed(BILLING_ANSWERS.name)

    # ---- the query

    def time(self, dealers: list[str]) -> Latency:
        """How long it takes to answer about some of the dealers, on a connection that is open."""
        took, step = list[float](), max(1, len(dealers) // ASKED)
        with reading(self.settings.postgres) as connection:
            bills_by_dealer(connection, cme_id(dealers[0]))
            for dealer_id in dealers[::step]:
                began = time.perf_counter()
                bills_by_dealer(connection, cme_id(dealer_id))
                took.append(1_000 * (time.perf_counter() - began))
            row = connection.execute("SELECT count(*) FROM projection.bill").fetchone()
        assert row is not None
        return Latency(row[0], statistics.median(took), statistics.quantiles(took, n=100)[98])

    def differences(self, dealers: Iterable[str], owed: Owed) -> Iterator[str]:
        """What the query says of each dealer, where it is not what upstream said."""
        with reading(self.settings.postgres) as connection:
            for dealer_id in dealers:
                found = net_of(bills_by_dealer(connection, cme_id(dealer_id)))
                if found != owed.net[dealer_id]:
                    yield f"{dealer_id}: {found} owed by the query, {owed.net[dealer_id]} by what was billed and paid"
        for key, count in self.billing.counts.items():
            if count != 1:
                yield f"Billing has done {key} {count} times"


def net_of(answer: ToPay) -> int:
    """What is owed less what was paid beyond bills; each bill's own sums must agree, and it must have its PDF."""
    for bill in answer.bills:
        assert bill.owed_minor == bill.common_minor - bill.paid_minor > 0, bill
        assert bill.url, bill
    return answer.owed.get(CURRENCY, 0) - sum(each.balance_minor for each in answer.balances)


@click.command()
@click.option("--scale", default=1.0, show_default=True, help="1 is 10,000 dealers and 30,000 bills")
@click.option("--seed", default=7, show_default=True)
def decade(scale: float, seed: int) -> None:
    """Generate, run, audit, ask; print the figures."""
    folder, began = folder_of(INSTANCE), time.monotonic()
    environment = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "MILLRACE_ENV_FILE": str(CHECKOUT / ".stack" / INSTANCE / "env"),
    }
    with api.while_up(INSTANCE), serving() as billing:
        billing.honours_keys = True
        lived, dealers, owed, latencies = Decade(folder, environment, billing), list[str](), Owed(), list[Latency]()
        with lived.running():
            for year in years(seed, scale, owed):
                dealers += year.dealers
                lived.live(year, owed)
                if year.number in TIMED:
                    latencies.append(lived.time(dealers))
            lived.rest()
        worked_s = time.monotonic() - began
        run(folder, environment, "streams", "audit", "--wait", "300", limit_s=STEP_S)
        run(folder, environment, "sinks", "verify", limit_s=STEP_S)
        differences = list(lived.differences(dealers, owed))
        click.echo(run(folder, environment, "streams", "dealer", "bills", cme_id(dealers[0])))
    for latency in latencies:
        click.echo(
            f"{latency.bills:,} bills: the query takes {latency.median_ms:.2f} ms,"
            f" in one of a hundred cases more than {latency.worst_of_a_hundred_ms:.2f} ms"
        )
    cases = ", ".join(f"{count:,} {case}" for case, count in sorted(owed.cases.items()))
    click.echo(
        f"{len(dealers):,} dealers, {3 * len(dealers):,} accounts, {sum(owed.cases.values()):,} bills ({cases});"
        f" {len(billing.sent):,} calls to Billing; audit clean; decade {worked_s:.0f} s,"
        f" audited after {time.monotonic() - began:.0f} s"
    )
    for difference in differences[:20]:
        click.echo(difference, err=True)
    click.echo(f"{len(differences)} differences" if differences else "no difference")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    decade()
