"""Connections to Postgres, with sentences for people when there is none."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

from sinks.errors import PostgresUnavailable

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
Cursor: TypeAlias = psycopg.Cursor[tuple[Any, ...]]

log = logging.getLogger(__name__)

RECONNECTS = 8
"""Attempts after a lost connection, at 0.1 s, 0.2 s, 0.4 s, ...: 25 s in all."""

_OPTIONS = (
    "-c lock_timeout=60s -c idle_in_transaction_session_timeout=45s"
    " -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 -c tcp_user_timeout=60s"
)
"""A worker that was stopped inside a transaction loses its session, and with it its locks, before others give up. So
does one whose host is gone: by itself Postgres would keep for two hours what it had the right to."""

_LATEST = "select from pg_attribute where attrelid = to_regclass('sink.billing_call') and attname = 'useless'"
"""What the latest migration has made."""


def connect(postgres: str) -> Connection:
    """A connection in autocommit, so that each transaction is a `with` block. Raises `PostgresUnavailable`."""
    try:
        connection = psycopg.connect(
            postgres, autocommit=True, connect_timeout=5, application_name="millrace-sinks", options=_OPTIONS
        )
    except psycopg.OperationalError as error:
        raise PostgresUnavailable(
            f"Postgres at {place(postgres)} does not answer ({_first_line(error)}): "
            "start it with `python -m stack up`, or set MILLRACE_POSTGRES"
        ) from error
    if connection.execute(_LATEST).fetchone() is None:
        connection.close()
        raise PostgresUnavailable(
            f"Postgres at {place(postgres)} lacks tables of the sinks: make them with"
            " `python -m streams connectors migrate`"
        )
    return connection


def reconnect(postgres: str) -> Connection:
    """`connect` after a loss, a bounded number of times. Raises `PostgresUnavailable`."""
    for attempt in range(RECONNECTS):
        try:
            return connect(postgres)
        except PostgresUnavailable as error:
            log.warning("%s", error)
            time.sleep(0.1 * 2**attempt)
    return connect(postgres)


@contextmanager
def alone_with(connection: Connection, what: str) -> Iterator[bool]:
    """Whether this worker is the one that may work on it; the right ends with the block, or with the session."""
    key = f"millrace {what}"
    row = connection.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", (key,)).fetchone()
    mine = row == (True,)
    try:
        yield mine
    finally:
        if mine and not connection.closed:
            connection.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", (key,))


def place(postgres: str) -> str:
    """Host, port and database of a connection string: what may be shown."""
    parts = conninfo_to_dict(postgres)
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
