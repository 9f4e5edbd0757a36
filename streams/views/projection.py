"""The projection, asked of Postgres: that of one book, and how any of it is read.

CannotShow
 ├── PostgresDown     Postgres does not answer, or has no projection
 ├── NoSuchBook       no account of this book was ever touched
 ├── NoSuchAccount    the book has no statement of this account
 ├── TooManyLines     the period has more lines than one statement shows
 ├── NoSuchDealer     nobody is registered as this dealer of CME
 ├── TooManyBills     a dealer has more bills to pay than one answer shows
 └── TooManyPayments  more payments wait in suspense than one answer shows
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from schemas.postgres import address, not_let_in

CONNECT_TIMEOUT_S = 10
MAX_LINES = 10_000
"""Lines that one statement shows at most."""

FOREVER = 2**62
"""Later than any moment, in UTC microseconds."""


class CannotShow(LookupError):
    """The root of the errors above: each says in one sentence what is missing and what to do."""


class PostgresDown(CannotShow):
    """Postgres does not answer, or has no projection."""


class NoSuchBook(CannotShow):
    """No account of this book was ever touched."""


class NoSuchAccount(CannotShow):
    """The book has no statement of this account."""


class TooManyLines(CannotShow):
    """The period has more lines than one statement shows."""


class NoSuchDealer(CannotShow):
    """Nobody is registered as this dealer of CME."""


class TooManyBills(CannotShow):
    """A dealer has more bills to pay than one answer shows."""


class TooManyPayments(CannotShow):
    """More payments wait in suspense than one answer shows."""


class Balance(NamedTuple):
    """What stands on one account, in minor units. What is locked is posted and not available."""

    account: str
    currency: str
    side: str
    balance_minor: int
    available_minor: int
    entries: int
    lots: int


class OpenLock(NamedTuple):
    """Money reserved between two accounts. The deadline is in UTC microseconds; None never expires."""

    lock_id: str
    debit: str
    credit: str
    amount_minor: int
    currency: str
    deadline: int | None


class PriceSegment(NamedTuple):
    """A price segment in which the dealer may bid, by his deposit in this currency."""

    currency: str
    segment: str


class PastBalance(NamedTuple):
    """What was posted on one account up to a moment."""

    account: str
    currency: str
    balance_minor: int
    entries: int


class Line(NamedTuple):
    """One statement line. `balance_minor` is the balance when it was recorded; moments are UTC microseconds."""

    account: str
    currency: str
    number: int
    amount_minor: int
    balance_minor: int
    counter_account: str
    text: str
    decision_id: str
    correlation_id: str
    actor: str
    effective_at: int
    recorded_at: int


class Total(NamedTuple):
    """Lines of one account that are not shown: what they add up to, and how many they are."""

    account: str
    currency: str
    amount_minor: int
    lines: int


class Period(NamedTuple):
    """From one effective moment up to but without another, as known at a moment of recording; UTC microseconds."""

    begins: int = 0
    ends: int = FOREVER
    known_at: int = FOREVER


class Projection:
    """Asks about one book that exists."""

    def __init__(self, connection: psycopg.Connection, book: str) -> None:
        self._connection = connection
        self._book = book

    def balances(self) -> list[Balance]:
        """What stands on every account now."""
        query = (
            f"SELECT {', '.join(Balance._fields)} FROM projection.balances WHERE book = %s ORDER BY account, currency"
        )
        with self._connection.cursor(row_factory=class_row(Balance)) as cursor:
            return cursor.execute(query, [self._book]).fetchall()

    def locks(self) -> list[OpenLock]:
        """The open locks, the earliest deadline first."""
        query = (
            f"SELECT {', '.join(OpenLock._fields)} FROM projection.open_locks WHERE book = %s "
            "ORDER BY deadline NULLS LAST, lock_id"
        )
        with self._connection.cursor(row_factory=class_row(OpenLock)) as cursor:
            return cursor.execute(query, [self._book]).fetchall()

    def price_segments(self) -> list[PriceSegment]:
        """The price segments that the book's deposits open: those of a dealer (DLR-08)."""
        query = "SELECT currency, segment FROM analysis.price_segments WHERE book = %s ORDER BY currency, segment"
        with self._connection.cursor(row_factory=class_row(PriceSegment)) as cursor:
            return cursor.execute(query, [self._book]).fetchall()

    def balances_at(self, at: int) -> list[PastBalance]:
        """What was posted up to and with an effective moment, on the accounts that have statements."""
        query = """
            SELECT account, currency,
                   coalesce(sum(amount_minor) FILTER (WHERE effective_at <= %(at)s), 0)::bigint AS balance_minor,
                   count(*) FILTER (WHERE effective_at <= %(at)s) AS entries
              FROM projection.statement_lines
             WHERE book = %(book)s GROUP BY account, currency ORDER BY account, currency
        """
        with self._connection.cursor(row_factory=class_row(PastBalance)) as cursor:
            return cursor.execute(query, {"book": self._book, "at": at}).fetchall()

    def accounts_with_statements(self) -> list[tuple[str, str]]:
        """Account and currency of every statement of the book."""
        query = "SELECT DISTINCT account, currency FROM projection.statement_lines WHERE book = %s ORDER BY 1, 2"
        return [(account, currency) for account, currency in self._connection.execute(query, [self._book])]

    def lines(self, period: Period) -> list[Line]:
        """The lines of a period by the time of their events. Raises `TooManyLines`."""
        query = f"""
            SELECT {", ".join(Line._fields)} FROM projection.statement_lines
             WHERE book = %(book)s AND effective_at >= %(begins)s AND effective_at < %(ends)s
               AND recorded_at <= %(known_at)s
             ORDER BY account, currency, effective_at, number LIMIT {MAX_LINES + 1}
        """
        with self._connection.cursor(row_factory=class_row(Line)) as cursor:
            lines = cursor.execute(query, self._named(period)).fetchall()
        if len(lines) > MAX_LINES:
            raise TooManyLines(f"{self._book} has more than {MAX_LINES:,} lines then: narrow it with --from and --to")
        return lines

    def before(self, period: Period) -> list[Total]:
        """What was posted before a period, as known then, by account."""
        return self._totals("effective_at < %(begins)s AND recorded_at <= %(known_at)s", period)

    def learned_since(self, period: Period) -> list[Total]:
        """What belongs to a period or before it but was not known then, by account."""
        return self._totals("effective_at < %(ends)s AND recorded_at > %(known_at)s", period)

    def _totals(self, condition: str, period: Period) -> list[Total]:
        query = f"""
            SELECT account, currency, sum(amount_minor)::bigint AS amount_minor, count(*) AS lines
              FROM projection.statement_lines WHERE book = %(book)s AND {condition} GROUP BY account, currency
        """
        with self._connection.cursor(row_factory=class_row(Total)) as cursor:
            return cursor.execute(query, self._named(period)).fetchall()

    def _named(self, period: Period) -> dict[str, int | str]:
        return {"book": self._book, **period._asdict()}


@contextmanager
def opened(url: str, book: str) -> Iterator[Projection]:
    """The projection of a book, in one transaction that reads. Raises `CannotShow`."""
    with reading(url) as connection:
        _check_exists(connection, book)
        yield Projection(connection, book)


@contextmanager
def reading(url: str) -> Iterator[psycopg.Connection]:
    """One transaction that reads the projection. Raises `PostgresDown`."""
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            yield connection
    except psycopg.OperationalError as error:
        raise PostgresDown(not_let_in(url, error)) from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        raise PostgresDown(
            f"Postgres at {address(url)} has no projection: run `python -m streams connectors migrate`"
        ) from error


def _check_exists(connection: psycopg.Connection, book: str) -> None:
    if connection.execute("SELECT 1 FROM projection.balances WHERE book = %s LIMIT 1", [book]).fetchone():
        return
    query = "SELECT DISTINCT book FROM projection.balances WHERE split_part(book, ':', 2) = %s ORDER BY 1 LIMIT 3"
    alike = [name for (name,) in connection.execute(query, [book.rpartition(":")[2]])]
    raise NoSuchBook(f"no book {book!r} has any money" + (f"; did you mean {' or '.join(alike)}?" if alike else ""))
