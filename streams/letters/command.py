"""The command line of dead letters: list, show, replay."""

import base64
from collections.abc import Iterable
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Column, Table

from schemas.fields import iso
from schemas.settings import settings
from streams.letters import letters
from streams.letters.letters import DeadLetter

as_json = click.option("--json", "as_json", is_flag=True, help="for programs, a line each")


@click.group()
def deadletters() -> None:
    """Records that are no messages: see them, send them again."""


@deadletters.command("list")
@as_json
def list_(*, as_json: bool) -> None:
    """All dead letters, a line each; `show` tells what was wrong with one."""
    whole = (Column(name, no_wrap=True) for name in ("id", "reason", "field", "replayed"))
    table = Table(*whole, Column("from", overflow="fold"), show_edge=False, pad_edge=False)
    for letter in letters.read(settings()):
        if as_json:
            click.echo(orjson.dumps(_plain(letter)))
        place = f"{letter.topic}/{letter.partition}@{letter.offset}"
        table.add_row(letter.id, letter.reason, letter.field, _replayed(letter)[:10], place)
    if not as_json:
        Console().print(table if table.row_count else "There are no dead letters.")


@deadletters.command()
@click.argument("letter_id", metavar="ID")
@as_json
def show(letter_id: str, *, as_json: bool) -> None:
    """One dead letter whole: where it came from, why, its headers and bytes."""
    letter = _found(letter_id)
    if as_json:
        click.echo(orjson.dumps(_plain(letter)))
        return
    console = Console(highlight=False)
    for name, value in _plain(letter).items():
        console.print(f"[bold]{name:12}[/] ", end="")
        console.print(str(value), markup=False)
    console.print(f"[bold]{'bytes':12}[/] {(letter.value or b'')[:256].hex(' ')}")


@deadletters.command()
@click.argument("letter_ids", metavar="ID...", nargs=-1)
@click.option("--reason", help="all letters of this reason that were not replayed yet")
@click.option("--again", is_flag=True, help="also those that were replayed before")
def replay(letter_ids: tuple[str, ...], reason: str | None, *, again: bool) -> None:
    """Publish letters again to the topics they came from."""
    if bool(letter_ids) == bool(reason):
        raise click.UsageError("name the letters by their ids, or all of one kind by --reason")

    def choose(all_letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        if reason is not None:
            return _of_reason(all_letters, reason, again=again)
        return _named(all_letters, letter_ids, again=again)

    try:
        click.echo(f"replayed {letters.replay(settings(), choose)}")
    except letters.NotReplayed as error:
        raise click.ClickException(str(error)) from error


def _named(all_letters: Iterable[DeadLetter], letter_ids: tuple[str, ...], *, again: bool) -> list[DeadLetter]:
    chosen = [letter for letter in all_letters if letter.id in letter_ids]
    if missing := set(letter_ids) - {letter.id for letter in chosen}:
        raise click.UsageError(f"there is no dead letter {', '.join(sorted(missing))}; nothing was replayed")
    for letter in chosen:
        if letter.replayed_at is not None and not again:
            when = iso(letter.replayed_at)
            raise click.UsageError(f"dead letter {letter.id} was replayed at {when}; --again sends it once more")
        if letter.is_cut:
            place = f"{letter.topic}/{letter.partition}@{letter.offset}"
            raise click.UsageError(f"dead letter {letter.id} does not hold all of its record, which lies at {place}")
    return chosen


def _of_reason(all_letters: Iterable[DeadLetter], reason: str, *, again: bool) -> list[DeadLetter]:
    found = [letter for letter in all_letters if letter.reason == reason]
    wanted = [letter for letter in found if again or letter.replayed_at is None]
    chosen = [letter for letter in wanted if not letter.is_cut]
    for letter in wanted:
        if letter.is_cut:
            click.echo(f"left out: dead letter {letter.id} does not hold all of its record", err=True)
    if not chosen:
        problem = f"there is no dead letter of reason {reason} to replay"
        if before := len(found) - len(wanted):
            problem += f"; of those replayed before, --again sends {before} once more"
        raise click.UsageError(problem)
    return chosen


def _found(letter_id: str) -> DeadLetter:
    try:
        return letters.find(settings(), letter_id)
    except letters.NoSuchLetter as error:
        raise click.UsageError(str(error)) from error


def _replayed(letter: DeadLetter) -> str:
    return "" if letter.replayed_at is None else iso(letter.replayed_at)


def _plain(letter: DeadLetter) -> dict[str, Any]:
    """A letter as JSON has it: bytes in base64, headers as text."""
    fields = letter._asdict()
    fields["key"] = None if letter.key is None else letter.key.decode(errors="replace")
    fields["value"] = None if letter.value is None else base64.b64encode(letter.value).decode()
    fields["replayed_at"] = _replayed(letter) or None
    fields["headers"] = {name: value.decode(errors="replace") for name, value in letter.headers}
    return fields
