"""`connectors apply | status | remove | migrate`, as a group of commands for `python -m streams`."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click
from rich.console import Console
from rich.table import Table

from connectors import connect, database
from connectors.errors import ConnectorsError
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
@_explained
def apply() -> None:
    """Bring every connector to its file's configuration, and wait until all run."""
    for connector, action in connect.apply(settings()):
        click.echo(f"{connector}  {action}")


@connectors.command()
@_explained
def status() -> None:
    """Show how each connector is, and where Connect has it otherwise than its file."""
    table = Table("connector", "state", "tasks", "differs in", "trouble")
    for state, differing in connect.status(settings()):
        table.add_row(state.connector, state.state, " ".join(state.tasks), " ".join(differing), state.trouble)
    Console().print(table)


@connectors.command()
@click.confirmation_option(prompt="Forget offsets and replication slot, so that the next apply takes a new snapshot?")
@_explained
def remove() -> None:
    """Take the connectors away with their offsets and the replication slot."""
    connect.remove(settings())
