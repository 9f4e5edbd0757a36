"""`python -m streams book`, `statement` and `dealer`. What cannot be shown is one sentence and exit code 2."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import orjson
from rich.console import Console, RenderableType

from schemas.dealer_billing import Refused
from schemas.publishing import NotPublished
from schemas.settings import settings
from streams import matching
from streams.asking import NotAnswered
from streams.views import book as book_view
from streams.views import dealer as dealer_view
from streams.views import statement as statement_view
from streams.views import suspense as suspense_view
from streams.views.moments import Moment
from streams.views.projection import FOREVER, CannotShow, Period, Projection, opened, reading

REFUSED, CANNOT = 1, 2
PROGRAMS = "programs"

Answer = TypeVar("Answer")

_json_option = click.option("--json", "readers", flag_value=PROGRAMS, help="For programs.")


def _moment_option(flag: str, name: str, default: int | None, help_: str) -> Callable[..., Any]:
    return click.option(flag, name, type=Moment(), default=default, metavar="ISO", help=help_)


@click.command()
@click.argument("book_id", metavar="ID")
@_moment_option("--as-of", "at", None, "What stood on it then, by the time of the events; UTC if no offset is given.")
@_json_option
def book(book_id: str, at: int | None, readers: str | None) -> None:
    """What stands on the accounts of a book, such as group:riverside, and what is locked."""
    with _projection(book_id) as projection:
        if readers == PROGRAMS:
            answer = (
                book_view.now_json(book_id, projection) if at is None else book_view.past_json(book_id, at, projection)
            )
            _tell_programs(answer)
        else:
            _tell_people(book_view.now(book_id, projection) if at is None else book_view.past(book_id, at, projection))


@click.command()
@click.argument("book_id", metavar="ID")
@click.option("--account", default=None, metavar="NAME", help="This account only.")
@_moment_option("--from", "begins", 0, "Events from this moment on; UTC if no offset is given.")
@_moment_option("--to", "ends", FOREVER, "Events before this moment.")
@_moment_option("--known-at", "known_at", FOREVER, "As it was known then: without what was recorded later.")
@_json_option
def statement(book_id: str, account: str | None, begins: int, ends: int, known_at: int, readers: str | None) -> None:
    """The statements of a book: opening balance, lines in the order of events, closing balance."""
    if begins >= ends:
        raise click.UsageError("--from must be before --to")
    with _projection(book_id) as projection:
        period = Period(begins, ends, known_at)
        answer = statement_view.statements(book_id, account, period, projection)
    if readers == PROGRAMS:
        _tell_programs([statement_view.as_json(each) for each in answer])
        return
    for each in answer:
        _tell_people(statement_view.render(each))


@click.group()
def dealer() -> None:
    """What concerns a dealer, by the id that CME gave him."""


@dealer.command()
@click.argument("cme_dealer_id", metavar="[CME_ID]", required=False)
@_json_option
def suspense(cme_dealer_id: str | None, readers: str | None) -> None:
    """The payments that wait in suspense, of all dealers or of one, and the bills that they wait for."""
    with _explained(), reading(settings().postgres) as connection:
        answer = suspense_view.in_suspense(connection, cme_dealer_id)
    _tell(readers, answer, suspense_view.as_json, suspense_view.render)


@dealer.command()
@click.argument("cme_dealer_id", metavar="CME_ID")
@_json_option
def bills(cme_dealer_id: str, readers: str | None) -> None:
    """The bills that a dealer still has to pay, with their PDFs' addresses, and his current balances."""
    with _explained(), reading(settings().postgres) as connection:
        answer = dealer_view.bills_by_dealer(connection, cme_dealer_id)
    _tell(readers, answer, dealer_view.as_json, dealer_view.render)


@dealer.command()
@click.argument("payment_id", metavar="PAYMENT_ID")
@click.argument("bill_id", metavar="BILL_ID")
@click.option("--dealer", "dealer_id", metavar="OUR_ID", help="Whose payment, where several have this id.")
@click.option("--bill-dealer", "bill_dealer_id", metavar="OUR_ID", help="Whose bill, where several have this id.")
@click.option("--wait", "wait_s", type=click.FloatRange(min=0), default=15.0, show_default=True, metavar="SECONDS",
              help="How long for the answer.")  # fmt: skip
def match(payment_id: str, bill_id: str, dealer_id: str | None, bill_dealer_id: str | None, wait_s: float) -> None:
    """Say for which bill a payment in suspense is. Exits 0 when it is taken, 1 when the book refuses, 2 if neither."""
    with _explained():
        with reading(settings().postgres) as connection:
            meant = matching.find(connection, payment_id, bill_id, dealer_id, bill_dealer_id)
        answer = matching.match(settings(), meant, wait_s)
    click.echo(matching.in_words(answer))
    sys.exit(REFUSED if isinstance(answer, Refused) else 0)


@contextmanager
def _projection(book_id: str) -> Iterator[Projection]:
    with _explained(), opened(settings().postgres, book_id) as projection:
        yield projection


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (CannotShow, NotAnswered, NotPublished) as error:
        problem = click.ClickException(str(error))
        problem.exit_code = CANNOT
        raise problem from error


def _tell(
    readers: str | None, answer: Answer, as_json: Callable[[Answer], Any], render: Callable[[Answer], RenderableType]
) -> None:
    if readers == PROGRAMS:
        _tell_programs(as_json(answer))
    else:
        _tell_people(render(answer))


def _tell_programs(answer: Any) -> None:
    click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2))


def _tell_people(answer: RenderableType) -> None:
    console = Console(highlight=False)
    console.print()
    console.print(answer)
