"""The command line: `python -m streams COMMAND`. What cannot be done says why in one sentence and exits with 2."""

import importlib
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from schemas.codec import Codec
from schemas.registry import ConfluentRegistry, RegistryUnavailable, UnknownSchema
from schemas.settings import WrongSetting, settings
from streams import topics as topic_setup

CANNOT = 2


ELSEWHERE = {
    "audit": "streams.audit.command:audit",
    "book": "streams.views.commands:book",
    "connectors": "connectors.cli:connectors",
    "dealer": "streams.views.commands:dealer",
    "deadletters": "streams.letters.command:deadletters",
    "demo": "streams.demo.command:demo",
    "repartition": "streams.repartition.command:repartition",
    "simulate": "streams.simulator.command:simulate",
    "statement": "streams.views.commands:statement",
}
"""Commands that stand with what they command; each is imported when it is asked for."""


class Millrace(click.Group):
    """A group whose commands end with one sentence where a server is missing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, name = ELSEWHERE[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except UnknownSchema as error:
            raise _sentence(f"{error}; run `python -m streams topics` first") from error
        except (RegistryUnavailable, WrongSetting, topic_setup.ServerDown) as error:
            raise _sentence(str(error)) from error


def _sentence(text: str) -> click.ClickException:
    problem = click.ClickException(text)
    problem.exit_code = CANNOT
    return problem


@click.group(cls=Millrace, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Millrace: the Kafka pipeline that keeps money right."""


@main.command()
@click.option("--name", default="0", show_default=True, help="stable over restarts, unique in the group")
@click.option("--port", default=6066, show_default=True, help="of /metrics, /health and /ready, on 127.0.0.1")
@click.option("--loglevel", default="INFO", show_default=True)
def worker(name: str, port: int, loglevel: str) -> None:
    """Run a worker: all rooms, for the partitions that the group gives it."""
    from streams.worker import run  # Faust takes a second to import; other commands need not wait for it

    run(settings(), name, port, loglevel)


@main.command()
@click.option("--check", is_flag=True, help="change nothing; report drift and exit with 1 if there is any")
@click.option("--replication", default=1, show_default=True)
def topics(check: bool, replication: int) -> None:  # noqa: FBT001
    """Create the topics and register the schemas that are declared, and report what differs."""
    console = Console()
    if not check:
        for name in topic_setup.apply(settings(), replication):
            console.print(f"created {name}")
    drifts = topic_setup.drift(settings())
    if not drifts:
        console.print("Kafka and the registry are as declared.")
        return
    table = Table("where", "what", "declared", "found")
    for each in drifts:
        table.add_row(*each)
    console.print(table)
    sys.exit(1)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def publish(file: Path) -> None:
    """Publish upstream events, written as CloudEvents in JSON, a line each."""
    from schemas import publishing
    from streams import publish as reading

    codec = Codec(ConfluentRegistry(settings().registry))
    try:
        with file.open("rb") as lines:
            events = list(reading.read(lines))
    except reading.BadLine as error:
        raise _sentence(f"{file}: {error}; nothing was published") from error
    try:
        count = publishing.publish(settings(), codec, events)
    except publishing.NotPublished as error:
        raise _sentence(str(error)) from error
    Console().print(f"published {count} events; a running worker decides them (python -m streams worker)")
