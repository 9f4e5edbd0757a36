"""The database of reference data and projections: `migrate` brings it to the state that `migrations/` describes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.exceptions import BadMigration

from connectors.errors import DatabaseUnavailable, MigrationFailed
from schemas.postgres import address, first_line, not_let_in

MIGRATIONS = Path(__file__).parent / "migrations"
HISTORY_TABLE = "applied_migrations"
TURN = 0x6D696C6C72616365
"""The advisory lock that migrations take turns by. It ends with its session, so a killed migration blocks nobody."""

TURN_TIMEOUT_S = 60
CONNECT_TIMEOUT_S = 10

_one_thread = threading.Lock()  # yoyo keeps what it has read in one list of the process


def migrate(postgres_url: str) -> tuple[str, ...]:
    """Apply the migrations that are not yet applied, each in a transaction of its own, and name them.

    Raises `DatabaseUnavailable`, `MigrationFailed`.
    """
    with _one_thread, _turn(postgres_url), _backend(postgres_url) as backend:
        due = backend.to_apply(read_migrations(str(MIGRATIONS)))
        for migration in due:
            with _explained(migration.id, postgres_url):
                backend.apply_one(migration)
        return tuple(migration.id for migration in due)


def roll_back(postgres_url: str) -> tuple[str, ...]:
    """Undo every applied migration, the last one first, with all the data in the tables; name them."""
    with _one_thread, _turn(postgres_url), _backend(postgres_url) as backend:
        applied = backend.to_rollback(read_migrations(str(MIGRATIONS)))
        for migration in applied:
            with _explained(migration.id, postgres_url):
                backend.rollback_one(migration)
        return tuple(migration.id for migration in applied)


def drop_slot(postgres_url: str, slot: str) -> bool:
    """Drop a replication slot that nobody reads; whether it is gone. While it stands, Postgres keeps its log for it."""
    with connected(postgres_url) as connection:
        connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND NOT active",
            [slot],
        )
        left = connection.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", [slot])
        return left.fetchone() is None


@contextmanager
def connected(postgres_url: str) -> Iterator[psycopg.Connection]:
    """A connection in autocommit mode. Raises `DatabaseUnavailable`."""
    try:
        connection = psycopg.connect(postgres_url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
    except psycopg.Error as error:
        raise DatabaseUnavailable(not_let_in(postgres_url, error)) from error
    with connection:
        yield connection


@contextmanager
def _turn(postgres_url: str) -> Iterator[None]:
    with connected(postgres_url) as connection:
        connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(f"{TURN_TIMEOUT_S}s")))
        try:
            connection.execute("SELECT pg_advisory_lock(%s)", [TURN])
        except psycopg.errors.LockNotAvailable as error:
            raise MigrationFailed(
                f"another migration of {address(postgres_url)} has been under way for {TURN_TIMEOUT_S} s: "
                "look for it in pg_stat_activity"
            ) from error
        yield


@contextmanager
def _backend(postgres_url: str) -> Iterator[PostgresqlPsycopgBackend]:
    parts = {name: str(value) for name, value in conninfo_to_dict(postgres_url).items() if value is not None}
    uri = DatabaseURI(
        scheme="postgresql+psycopg",
        username=parts.pop("user", None),
        password=parts.pop("password", None),
        hostname=parts.pop("host", None),
        port=parts.pop("port", None),
        database=parts.pop("dbname", None),
        args=parts,
    )
    backend = PostgresqlPsycopgBackend(uri, HISTORY_TABLE)
    try:
        backend.init_database()
        yield backend
    finally:
        backend.connection.close()


@contextmanager
def _explained(migration: str, postgres_url: str) -> Iterator[None]:
    try:
        yield
    except (psycopg.Error, BadMigration) as error:
        raise MigrationFailed(
            f"migration {migration} of {address(postgres_url)} was refused and undone: {first_line(error)}"
        ) from error
