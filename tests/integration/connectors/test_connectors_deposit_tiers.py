"""Deposit tiers are few, however many people type them in at one moment (DLR-08)."""

import threading

import psycopg
import pytest
from psycopg import errors

from schemas.settings import Settings

pytestmark = pytest.mark.requirement("DLR-08")


def test_two_insertions_of_deposit_tiers_at_one_moment_do_not_pass_the_bound_together(database: Settings) -> None:
    many = (
        "INSERT INTO reference.deposit_tiers SELECT '{0}-' || n, '{0}-' || n, 'EUR', n FROM generate_series(1, 60) AS n"
    )
    with psycopg.connect(database.postgres) as first, psycopg.connect(database.postgres) as second:
        first.execute(many.format("a"))
        refusals: list[str] = []
        waits = threading.Thread(target=_insert, args=(second, many.format("b"), refusals))
        waits.start()
        waits.join(0.3)
        assert waits.is_alive(), "the second insertion did not wait for its turn"
        first.commit()
        waits.join()
        assert refusals == ["there are 100 deposit tiers: delete one first"]
        first.execute("DELETE FROM reference.deposit_tiers")


def test_deposit_tiers_are_not_inserted_under_repeatable_read(database: Settings) -> None:
    with psycopg.connect(database.postgres) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with pytest.raises(errors.ActiveSqlTransaction, match="READ COMMITTED or SERIALIZABLE"):
            connection.execute("INSERT INTO reference.deposit_tiers VALUES ('t', 's', 'EUR', 1)")


def _insert(connection: psycopg.Connection, statement: str, refusals: list[str]) -> None:
    try:
        connection.execute(statement)
    except errors.RestrictViolation as refusal:
        refusals.append(str(refusal.diag.message_primary))
