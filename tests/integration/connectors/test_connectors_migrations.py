"""Migrations apply in order and once, are undone, take turns, and say what is wrong."""

import threading
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from connectors_place import drop_database, make_database

from connectors.database import MIGRATIONS, migrate, roll_back
from connectors.errors import DatabaseUnavailable, MigrationFailed
from schemas.settings import Settings


@pytest.fixture
def empty(servers: Settings) -> Iterator[str]:
    """The address of an empty database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield make_database(servers, name).postgres
    drop_database(servers, name)


def test_every_migration_can_be_undone_and_none_is_applied_twice(empty: str) -> None:
    applied = migrate(empty)
    assert list(applied) == sorted(path.stem for path in MIGRATIONS.glob("*.sql") if ".rollback" not in path.name)
    assert migrate(empty) == ()
    assert roll_back(empty) == tuple(reversed(applied))
    with psycopg.connect(empty) as connection:
        left = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_|public)'")
        assert left.fetchall() == []
        assert connection.execute("SELECT pubname FROM pg_publication").fetchall() == []
    assert migrate(empty) == applied


def test_a_refused_migration_leaves_nothing_and_says_which(empty: str) -> None:
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA analysis")
        with pytest.raises(MigrationFailed, match=r'0011_analysis of .* undone: schema "analysis" already exists'):
            migrate(empty)
        connection.execute("DROP SCHEMA analysis")
    assert migrate(empty)[0] == "0011_analysis"


def test_migrations_take_turns(empty: str) -> None:
    done: list[tuple[str, ...]] = []
    threads = [threading.Thread(target=lambda: done.append(migrate(empty))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [bool(applied) for applied in sorted(done)] == [False, False, True]


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:1/nowhere .*MILLRACE_POSTGRES") as raised:
        migrate("postgresql://someone:secret@127.0.0.1:1/nowhere")
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
