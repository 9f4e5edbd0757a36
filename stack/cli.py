"""`python -m stack up | down | status | doctor | logs`.

Exit codes: 0 all is well; 1 not all servers run; 2 something is missing or wrong, with one sentence that says what.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from stack import api, instance, jars, system
from stack.api import Data
from stack.errors import BadRequest, StackError
from stack.instance import CHECKOUT, USUAL, PortPlan, ServerName
from stack.jars import JarSet
from stack.status import ServerStatus, State, all_ready

_NOT_ALL_RUNNING = 1
_MISSING = 2

_out = Console(highlight=False, soft_wrap=True)
_err = Console(highlight=False, soft_wrap=True, stderr=True)

_COLOURS = {State.READY: "green", State.UNREADY: "yellow", State.DIED: "red", State.STOPPED: "dim"}


class _Group(click.Group):
    """Turns a StackError of any command into its sentence and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StackError as error:
            _err.print(f"[bold red]stack:[/] {error}", markup=True)
            sys.exit(_MISSING)


def _report(line: str) -> None:
    _err.print(line, markup=False)


def _instance_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--instance", "name", default=api.DEFAULT_INSTANCE, show_default=True, help="A folder of its own under .stack/."
    )(command)


def _running_option(command: Callable[..., None]) -> Callable[..., None]:
    """As `--instance`, for commands that only look: by default at what the last `up` or `make demo` has started."""
    return click.option(
        "--instance",
        "name",
        default=lambda: instance.at_default_ports() or api.DEFAULT_INSTANCE,
        show_default="the last one with default ports",
        help="A folder of its own under .stack/.",
    )(command)


def _parse_servers(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[ServerName]:
    if value is None:
        return list(USUAL)
    try:
        return [ServerName(word.strip()) for word in value.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"{error}; the servers are {', '.join(ServerName)}") from None


@click.group(cls=_Group)
def cli() -> None:
    """The local servers of Millrace: Kafka, PostgreSQL, schema registry, Kafka Connect, Prometheus."""


@cli.command()
@_instance_option
@click.option("--fresh", is_flag=True, help="Delete its data first.")
@click.option("--free-ports", is_flag=True, help="Any free ports, kept for this instance.")
@click.option("--only", callback=_parse_servers, metavar="SERVER,...", help="Start these servers only.")
@click.option("--brokers", type=click.Choice(["1", "3"]), help="How many, when the instance is made; one by default.")
def up(*, name: str, fresh: bool, free_ports: bool, only: list[ServerName], brokers: str | None) -> None:
    """Start what does not run, and return when all is ready."""
    data = Data.FRESH if fresh else Data.KEPT
    ports = PortPlan.FREE if free_ports else PortPlan.DEFAULT
    count = None if brokers is None else int(brokers)
    api.up(name, data=data, ports=ports, only=only, brokers=count, report=_report)
    _report(f"{name} is ready; its addresses are in {_shown(instance.load(name).folder / 'env')}")


@cli.command()
@_instance_option
@click.option("--wipe", is_flag=True, help="Then delete all that is kept of it.")
def down(*, name: str, wipe: bool) -> None:
    """Stop all servers in reverse order."""
    finish = api.remove if wipe else api.down
    finish(name, report=_report)
    _report(f"{name} is down")


@cli.command()
@_running_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(*, name: str, as_json: bool) -> None:
    """What each server is doing. Exits 1 unless all that were started are ready."""
    statuses = api.status(name)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in statuses], indent=1))
    else:
        _out.print(_status_table(name, statuses))
    sys.exit(0 if all_ready(statuses) else _NOT_ALL_RUNNING)


def _status_table(name: str, statuses: list[ServerStatus]) -> Table:
    table = Table(title=f"instance {name}", title_justify="left")
    for heading in ("server", "address", "pid", "state", "uptime", "memory"):
        table.add_column(heading, justify="right" if heading in {"pid", "uptime", "memory"} else "left")
    for each in statuses:
        state = f"[{_COLOURS[each.state]}]{each.state}[/]"
        uptime = "" if each.uptime_s is None else str(timedelta(seconds=round(each.uptime_s)))
        memory = "" if each.memory_bytes is None else f"{each.memory_bytes / 2**20:.0f} MiB"
        table.add_row(each.server, each.address, str(each.pid or ""), state, uptime, memory)
    return table


@cli.command()
def doctor() -> None:
    """What this machine has and lacks for the stack. Exits 2 when something is missing that `up` cannot bring."""
    table = Table(title="what the servers need", title_justify="left")
    for heading in ("needed", "for", "found"):
        table.add_column(heading, overflow="fold")
    for need in system.REQUIREMENTS:
        found = need.found()
        table.add_row(need.program, ", ".join(sorted(need.needed_by)), str(found) if found else "[red]missing[/]")
    for jar_set in JarSet:
        fetched = jar_set not in jars.missing({jar_set})
        table.add_row(f"{jar_set} jars", "", _shown(jars.folder(jar_set)) if fetched else "fetched at first use")
    _out.print(table)
    needs = system.missing(set(USUAL))
    if needs:
        _err.print(
            f"`python -m stack up`, as root on Debian, installs what is missing: {system.install_command(needs)}"
        )
        sys.exit(_MISSING)


@cli.command()
@_running_option
@click.argument("server", type=click.Choice(list(ServerName)), required=False)
@click.option("--lines", default=20, show_default=True, type=click.IntRange(min=1), help="How many of the last lines.")
@click.option("--follow", is_flag=True, help="And all to come.")
def logs(*, name: str, server: str | None, lines: int, follow: bool) -> None:
    """The last lines that a server printed; of all servers when none is named."""
    chosen = instance.load(name)
    paths = [chosen.log(each) for each in ([ServerName(server)] if server else ServerName)]
    existing = [str(path) for path in paths if path.exists()]
    if not existing:
        raise BadRequest(f"instance {name} has no log of {server or 'any server'} in {_shown(chosen.folder / 'logs')}")
    sys.stdout.flush()
    os.execvp("tail", ["tail", f"--lines={lines}", *(["-F"] if follow else []), *existing])


def _shown(path: Path) -> str:
    """The path as a person in the checkout would type it."""
    return str(path.relative_to(CHECKOUT)) if path.is_relative_to(CHECKOUT) else str(path)
