"""`python -m sinks invoices | adi | verify | parked | retry`. Exit codes: see `sinks.errors.Exit`."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import click
import psycopg
from confluent_kafka import KafkaException

from schemas.codec import Codec
from schemas.registry import ConfluentRegistry, RegistryUnavailable, UnknownSchema
from schemas.settings import settings
from schemas.topics import GL_LINES, Topic
from sinks import metrics, parked
from sinks import retry as retrying
from sinks import verify as proving
from sinks.adi.sink import AdiSink
from sinks.database import connect
from sinks.errors import Exit, SinkError
from sinks.invoices.sink import InvoiceSink
from sinks.log import Log
from sinks.sink import Sink
from sinks.storage import Storage
from sinks.worker import Worker

until_idle = click.option(
    "--until-idle", "until_idle_s", type=float, metavar="SECONDS", help="End after so long without a record."
)
metrics_port = click.option("--metrics-port", default=0, show_default="any free port")


@click.group()
def cli() -> None:
    """Invoices and general-ledger files, written exactly once."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)


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


@cli.command()
def verify() -> None:
    """Recompute every file and print what differs."""
    found = 0
    with refusals(Exit.REFUSED), connect(settings().postgres) as connection:
        storage = Storage(settings().blob)
        for sink in (InvoiceSink(), _adi_sink()):
            click.echo(f"recomputing the files of {sink.name} ...", err=True)
            codec = _codec(sink.topic)
            for difference in proving.differences(sink, codec, connection, settings().kafka, storage):
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
def retry() -> None:
    """Try again what is parked, in the order of the log; what is still parked is printed."""
    left = 0
    with refusals(Exit.REFUSED), connect(settings().postgres) as connection:
        storage = Storage(settings().blob)
        for sink in (InvoiceSink(), _adi_sink()):
            left += retrying.retry(sink, _codec(sink.topic), connection, settings().kafka, storage, click.echo)
    click.echo(f"{left} still parked" if left else "nothing is parked", err=True)
    sys.exit(Exit.DIFFERENCES if left else Exit.DONE)


def _work(make: Callable[[], Sink], until_idle_s: float | None, port: int) -> None:
    here = settings()
    with refusals(Exit.REFUSED):
        sink = make()
        worker = Worker(
            sink, _codec(sink.topic), Storage(here.blob),
            kafka=here.kafka, postgres=here.postgres, until_idle_s=until_idle_s,
        )  # fmt: skip
    with refusals(Exit.FATAL), metrics.served(sink.name, here.web_host, port, here.scrape_targets):
        worker.run()


def _adi_sink() -> AdiSink:
    log = Log(settings().kafka, GL_LINES.name)
    try:
        return AdiSink(log.partitions)
    finally:
        log.close()


def _codec(topic: Topic) -> Codec:
    return Codec(ConfluentRegistry(settings().registry), [topic])


@contextmanager
def refusals(code: Exit) -> Iterator[None]:
    """What people can mend is said in one sentence; everything else is a bug, and shows its traceback."""
    try:
        yield
    except UnknownSchema as error:
        _refuse(code, f"{error}: register the schemas with `python -m streams topics`")
    except (SinkError, RegistryUnavailable, psycopg.OperationalError, KafkaException) as error:
        _refuse(code, str(error))


def _refuse(code: Exit, sentence: str) -> NoReturn:
    click.echo(f"millrace sinks: {sentence}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    cli()
