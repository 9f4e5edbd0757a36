"""The projection as Postgres has it, read in one transaction, and read again while its sink may be behind."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from psycopg.rows import dict_row

from schemas.postgres import address, not_let_in
from streams.audit.dealers import TABLES
from streams.audit.errors import CannotAudit
from streams.audit.evidence import Projection, Row

CONNECT_TIMEOUT_S = 10
PAUSE_S = 1.0
ROWS_AT_A_TIME = 10_000

BALANCES = "SELECT * FROM projection.balances"
LOCKS = "SELECT * FROM projection.open_locks"
OF_DEALERS = {table: f"SELECT * FROM projection.{table}" for table in TABLES}
LINES = "SELECT * FROM projection.statement_lines ORDER BY book, account, currency, number"


def landings(url: str, wait_s: float) -> Iterator[Projection]:
    """The projection tables, read again and again for at least `wait_s` seconds; use one reading before the next.

    Raises `CannotAudit` where Postgres or a table is missing.
    """
    deadline = time.monotonic() + wait_s
    try:
        while True:
            with psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_S, row_factory=dict_row) as connection:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                balances, locks = _by_id(connection, BALANCES), _by_id(connection, LOCKS)
                dealers = {table: _by_id(connection, query) for table, query in OF_DEALERS.items()}
                yield Projection("Postgres", balances, locks, _lines(connection), dealers=dealers)
            if time.monotonic() >= deadline:
                return
            time.sleep(PAUSE_S)
    except psycopg.OperationalError as error:
        raise CannotAudit(not_let_in(url, error)) from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        raise CannotAudit(
            f"Postgres at {address(url)} has no projection tables: run `python -m streams connectors migrate`"
        ) from error


def _by_id(connection: psycopg.Connection[dict[str, Any]], query: str) -> Mapping[str, Row]:
    return {row["id"]: row for row in connection.execute(query)}


def _lines(connection: psycopg.Connection[dict[str, Any]]) -> Iterator[Row]:
    with connection.cursor("lines") as cursor:  # a name: the lines stay at the server until they are asked for
        cursor.itersize = ROWS_AT_A_TIME
        yield from cursor.execute(LINES)
