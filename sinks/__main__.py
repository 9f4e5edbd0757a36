"""`python -m sinks invoices | adi | general-ledger | receipts | billing`: the workers.

`python -m sinks verify | parked | retry | refused | day | calls | purchase`: what they left behind.

Exit codes: see `sinks.errors.Exit`.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from typing import NoReturn

import click
import orjson
import psycopg
from confluent_kafka import KafkaException
from rich.console import Console

from schemas.codec import Codec
from schemas.registry import ConfluentRegistry, RegistryUnavailable, UnknownSchema
from schemas.settings import WrongSetting, settings
from schemas.topics import BILLING_ANSWERS, GL_ACKNOWLEDGEMENTS, GL_LINES, Topic
from sinks import metrics, parked
from sinks import retry as retrying
from sinks import verify as proving
from sinks.adi.sink import AdiSink
from sinks.billing import calls as calling
from sinks.billing import proof as billed
from sinks.billing.carrier import Carrier
from sinks.billing.http import HttpBilling
from sinks.billing.sink import BillingSink
from sinks.database import Connection, connect
from sinks.errors import Exit, SinkError
from sinks.general_ledger import day as reconciling
from sinks.general_ledger import proof as answering
from sinks.general_ledger import refused as refusing
from sinks.general_ledger import show
from sinks.general_ledger import worker as uploading
from sinks.general_ledger.http import HttpGeneralLedger
from sinks.invoices.sink import InvoiceSink
from sinks.log import Log
from sinks.receipts.outbox import Outbox
from sinks.receipts.sink import ReceiptSink
from sinks.receipts.smtp import MailServer
from sinks.sink import Sink
from sinks.storage import Storage
from sinks.story import evidence, telling
from sinks.story import reading as story
from sinks.story import show as story_view
from sinks.worker import Worker, nothing_to_deliver

until_idle = click.option(
    "--until-idle", "until_idle_s", type=float, metavar="SECONDS", help="End after so long with nothing to do."
)
_RETRIED = (InvoiceSink.name, AdiSink.name, ReceiptSink.name, BillingSink.name)
metrics_port = click.option("--metrics-port", default=0, show_default="any free port")


@click.group()
def cli() -> None:
    """What leaves the pipeline: invoices, files for the general ledger and their upload, receipts, calls to Billing."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with refusals(Exit.REFUSED):
        settings()  # a wrong one is said here, before any command


@cli.command()
@until_idle
@metrics_port
def invoices(until_idle_s: float | None, metrics_port: int) -> None:
    """Write an invoice for every settled trip."""
    _work(InvoiceSink, until_idle_s, metrics_port)


@cli.command()
@until_idle
@metrics_port
def adi(until_idle_s: float | None, metrics_port: int) -> None:
    """Write the journal files of every closed accounting day."""
    _work(_adi_sink, until_idle_s, metrics_port)


@cli.command("general-ledger")
@until_idle
@metrics_port
def general_ledger(until_idle_s: float | None, metrics_port: int) -> None:
    """Upload journal files to the general ledger, and tell Kafka what it answered."""
    here = settings()
    with refusals(Exit.REFUSED):
        ledger = HttpGeneralLedger(here.general_ledger, here.general_ledger_timeout_s, here.general_ledger_token)
        codec = _codec(GL_ACKNOWLEDGEMENTS)
        uploader = uploading.Uploader(ledger, codec, Storage(here.blob), here, until_idle_s=until_idle_s)
    announced = metrics.served(uploading.NAME, here.web_host, metrics_port, here.scrape_targets)
    with refusals(Exit.FATAL), announced:
        uploader.run()


@cli.command()
@until_idle
@metrics_port
def receipts(until_idle_s: float | None, metrics_port: int) -> None:
    """E-mail a receipt for every purchase that asks for one."""
    here = settings()
    outbox = Outbox(MailServer(here.smtp, here.smtp_user, here.smtp_password), here.mail_from)
    _work(_receipt_sink, until_idle_s, metrics_port, outbox.deliver)


@cli.command()
@until_idle
@metrics_port
def billing(until_idle_s: float | None, metrics_port: int) -> None:
    """Carry out what dealers' books ask of the external Billing, and tell Kafka what it answered."""
    here = settings()
    with refusals(Exit.REFUSED):
        codec = _codec(BILLING_ANSWERS)
    with Carrier(HttpBilling(here.billing, here.billing_timeout_s, here.billing_token), codec, here) as carrier:
        _work(BillingSink, until_idle_s, metrics_port, carrier.deliver)


@cli.command()
def verify() -> None:
    """Recompute every file, compare receipts, calls and answers with Kafka, and print what differs."""
    found = 0
    with refusals(Exit.REFUSED), connect(settings().postgres) as connection:
        storage = Storage(settings().blob)
        for sink in _sinks():
            click.echo(f"recomputing what {sink.name} made ...", err=True)
            codec = _codec(sink.topic)
            for difference in proving.differences(sink, codec, connection, settings().kafka, storage, _aside):
                found += 1
                click.echo(difference)
        click.echo(f"comparing what {uploading.NAME} was answered ...", err=True)
        codec = _codec(GL_ACKNOWLEDGEMENTS)
        untold = answering.untold(connection, codec, settings().kafka, GL_ACKNOWLEDGEMENTS, _aside)
        click.echo(f"comparing what {BillingSink.name} was answered ...", err=True)
        answers = _codec(BILLING_ANSWERS)
        unheard = billed.untold(connection, answers, settings().kafka, BILLING_ANSWERS, _aside)
        for difference in chain(answering.differences(connection), untold, unheard):
            found += 1
            click.echo(difference)
    click.echo(f"{found} differences" if found else "every file is what it was made of")
    sys.exit(Exit.DIFFERENCES if found else Exit.DONE)


@cli.command(name="parked")
def parked_() -> None:
    """List what could not be carried out."""
    with refusals(Exit.REFUSED), connect(settings().postgres) as connection:
        items = parked.waiting(connection)
    for item in items:
        click.echo(str(item))
    click.echo(f"{len(items)} parked" if items else "nothing is parked", err=True)


@cli.command()
@click.option("--sink", "name", type=click.Choice(_RETRIED), help="What is parked of one sink only.")
@click.option("--subject", metavar="TEXT", help="One record, account or prison only, as `parked` names it.")
def retry(name: str | None, subject: str | None) -> None:
    """Try again what is parked, in the order of the log; what is still parked is printed."""
    done = retrying.Retried([], [])
    with refusals(Exit.REFUSED), connect(settings().postgres) as connection:
        storage = Storage(settings().blob)
        for sink in (each for each in _sinks() if name in (None, each.name)):
            one = retrying.retry(sink, _codec(sink.topic), connection, settings().kafka, storage, subject)
            done = retrying.Retried(done.let_go + one.let_go, done.left + one.left)
    for item in done.let_go:
        click.echo(f"let go: {item.what}", err=True)
    for item in done.left:
        click.echo(str(item))
    nothing = "nothing is parked" if name is None and subject is None else "nothing of it is parked"
    click.echo(f"{len(done.let_go)} let go, {len(done.left)} still parked" if any(done) else nothing, err=True)
    sys.exit(Exit.DIFFERENCES if done.left else Exit.DONE)


@cli.command()
def refused() -> None:
    """List the lines that the general ledger refused, and what to do about each."""
    with refusals(Exit.REFUSED), connect(settings().postgres) as connection:
        lines = refusing.refused_lines(connection)
    if lines:
        Console(highlight=False).print(refusing.render(lines))
    click.echo(f"{len(lines)} lines refused" if lines else "no line is refused", err=True)


@cli.command()
@click.argument("day", metavar="YYYY-MM-DD", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--prison", "prison_id", metavar="ID", help="One prison only.")
def day(day: datetime, prison_id: str | None) -> None:
    """An accounting day as ledger, files and general ledger say it; exit 1 while they differ."""
    with refusals(Exit.REFUSED), connect(settings().postgres) as connection:
        report = reconciling.report(connection, GL_LINES.name, day.date(), prison_id)
    found = reconciling.differences(report)
    Console(highlight=False).print(show.render(report, found))
    sys.exit(Exit.DIFFERENCES if found else Exit.DONE)


@cli.command()
@click.option("--open", "which", flag_value="open", help="Those without an answer, parked ones too.")
@click.option("--refused", "which", flag_value="refused", help="Those that Billing refused.")
@click.option("--parked", "which", flag_value="parked", help="Those that wait for a person.")
@click.option("--dealer", "dealer_id", metavar="DEALER_ID", help="One dealer only.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
@click.option("--json", "readers", flag_value="programs", help="For programs.")
def calls(which: str | None, dealer_id: str | None, limit: int, readers: str | None) -> None:
    """List calls of dealers' books to Billing, newest last, and how each of them stands."""
    chosen = calling.Which(which or calling.Which.ALL)
    with refusals(Exit.REFUSED), connect(settings().postgres) as connection:
        listed = calling.listing(connection, chosen, dealer_id, limit)
    if readers:
        click.echo(orjson.dumps(calling.as_json(listed), option=orjson.OPT_INDENT_2))
        return
    if listed.calls:
        Console(highlight=False).print(calling.render(listed.calls))
    click.echo(calling.summary(listed, chosen), err=True)


@cli.command()
@click.argument("prisoner_id", metavar="PRISONER")
@click.argument("purchase_id", metavar="PURCHASE")
@click.option("--json", "readers", flag_value="programs", help="For programs.")
def purchase(prisoner_id: str, purchase_id: str, readers: str | None) -> None:
    """All that happened to one purchase, in order: asked, decided, written, filed, uploaded, answered, mailed."""
    with refusals(Exit.REFUSED), connect(settings().postgres) as connection:
        codec = Codec(ConfluentRegistry(settings().registry), evidence.TOPICS)
        book = story.book(codec, settings().kafka, prisoner_id, purchase_id, _aside)
        steps = telling.steps(book, story.sunk(connection, book), purchase_id)
    if readers:
        click.echo(orjson.dumps(story_view.as_json(prisoner_id, purchase_id, steps), option=orjson.OPT_INDENT_2))
    else:
        Console(highlight=False).print(story_view.render(prisoner_id, purchase_id, steps))


def _aside(sentence: str) -> None:
    click.echo(sentence, err=True)


def _work(
    make: Callable[[], Sink],
    until_idle_s: float | None,
    port: int,
    deliver: Callable[[Connection], int] = nothing_to_deliver,
) -> None:
    here = settings()
    with refusals(Exit.REFUSED):
        sink = make()
        worker = Worker(
            sink, _codec(sink.topic), Storage(here.blob),
            kafka=here.kafka, postgres=here.postgres, until_idle_s=until_idle_s, deliver=deliver,
        )  # fmt: skip
    with refusals(Exit.FATAL), metrics.served(sink.name, here.web_host, port, here.scrape_targets):
        worker.run()


def _adi_sink() -> AdiSink:
    log = Log(settings().kafka, GL_LINES.name)
    try:
        return AdiSink(log.partitions)
    finally:
        log.close()


def _receipt_sink() -> ReceiptSink:
    return ReceiptSink(settings().mail_from)


def _sinks() -> tuple[Sink, ...]:
    return InvoiceSink(), _adi_sink(), _receipt_sink(), BillingSink()


def _codec(topic: Topic) -> Codec:
    return Codec(ConfluentRegistry(settings().registry), [topic])


@contextmanager
def refusals(code: Exit) -> Iterator[None]:
    """What people can mend is said in one sentence; everything else is a bug, and shows its traceback."""
    try:
        yield
    except UnknownSchema as error:
        _refuse(code, f"{error}: register the schemas with `python -m streams topics`")
    except (SinkError, WrongSetting, RegistryUnavailable, psycopg.OperationalError, KafkaException) as error:
        _refuse(code, str(error))


def _refuse(code: Exit, sentence: str) -> NoReturn:
    click.echo(f"millrace sinks: {sentence}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    cli()
