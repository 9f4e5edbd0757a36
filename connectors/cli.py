"""`connectors apply | status | watch | remove | migrate`, as a group of commands for `python -m streams`."""

import signal
from collections.abc import Callable
from functools import wraps
from threading import Event
from typing import ParamSpec, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors import connect, database
from connectors.configuration import Unreadable
from connectors.errors import ConnectorsError
from connectors.watch import EVERY_S, Watch
from schemas.settings import settings

P = ParamSpec("P")
R = TypeVar("R")


def _explained(command: Callable[P, R]) -> Callable[P, R]:
    """An error of ours is one sentence on stderr and the exit code 2."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except ConnectorsError as error:
            failure = click.ClickException(str(error))
            failure.exit_code = 2
            raise failure from error

    return run


@click.group()
def connectors() -> None:
    """Debezium's source of reference data, the sinks of projections, and the database of both."""


@connectors.command()
@_explained
def migrate() -> None:
    """Bring the database to the state that connectors/migrations describes."""
    done = database.migrate(settings().postgres)
    click.echo("\n".join(done) or "nothing to do")


@connectors.command()
@click.option("--unreadable", default=Unreadable.STOP.value, show_default=True, type=click.Choice(list(Unreadable)),
              help="What sinks do at a record that they cannot read; buried ones are dead letters.")  # fmt: skip
@_explained
def apply(unreadable: str) -> None:
    """Bring every connector to its file's configuration, and wait until all run."""
    for connector, action in connect.apply(settings(), unreadable=Unreadable(unreadable)):
        click.echo(f"{connector}  {action}")


@connectors.command()
@click.option("--every", "every_s", default=EVERY_S, show_default=True, type=click.FloatRange(min=0.1),
              help="Seconds between two looks.")  # fmt: skip
@_explained
def watch(every_s: float) -> None:
    """Start again what has failed, until SIGTERM: Connect leaves it lying after a restart of Postgres."""
    over = Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: over.set())
    Watch(settings(), click.echo).keep(over, every_s)


@connectors.command()
@_explained
def status() -> None:
    """Show how each connector is, and where Connect has it otherwise than its file."""
    table = Table("connector", "state", "tasks", "differs in", "trouble")
    for state, differing in connect.status(settings()):
        cells = (state.connector, state.state, " ".join(state.tasks), " ".join(differing), state.trouble)
        table.add_row(*map(Text, cells))  # Connect's words: their brackets are no markup of ours
    Console().print(table)


@connectors.command()
@click.confirmation_option(prompt="Forget offsets and replication slot, so that the next apply takes a new snapshot?")
@_explained
def remove() -> None:
    """Take the connectors away with their offsets and the replication slot."""
    connect.remove(settings())
