"""The reference database refuses what may not be, and keeps every vehicle's price."""

import threading
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import errors

from connectors.database import MIGRATIONS, migrate, roll_back
from connectors.errors import DatabaseUnavailable, MigrationFailed
from schemas.settings import Settings

PUBLISH = """
INSERT INTO reference.fee_schedule_versions (schedule_id, currency, unlock_minor, per_minute_minor, vat_rate)
VALUES (%s, 'EUR', %s, 19.5, 0.25)
"""


@pytest.fixture
def reference(database: Settings) -> psycopg.Connection:
    with psycopg.connect(database.postgres, autocommit=True) as connection:
        yield connection


def price(reference: psycopg.Connection, vehicle: str) -> tuple[str, int, int] | None:
    """Schedule, version and unlock fee of a vehicle now."""
    return reference.execute(
        "SELECT schedule_id, version, unlock_minor FROM reference.vehicle_prices WHERE vehicle_id = %s", [vehicle]
    ).fetchone()


@pytest.mark.requirement("MOB-02")
def test_a_model_in_two_fee_schedules_of_its_operator_is_refused(reference: psycopg.Connection) -> None:
    reference.execute("INSERT INTO reference.fee_schedules VALUES ('night', 'swift', 'Night')")
    with pytest.raises(errors.UniqueViolation, match="a_model_is_in_one_fee_schedule"):
        reference.execute("INSERT INTO reference.fee_schedule_models VALUES ('swift', 's1', 'night')")


@pytest.mark.requirement("MOB-02")
def test_a_schedule_over_another_operators_model_is_refused(reference: psycopg.Connection) -> None:
    reference.execute("INSERT INTO reference.msps VALUES ('zoom', 'Zoom')")
    reference.execute("INSERT INTO reference.fee_schedules VALUES ('zoom-all', 'zoom', 'All')")
    with pytest.raises(errors.ForeignKeyViolation):
        reference.execute("INSERT INTO reference.fee_schedule_models VALUES ('zoom', 's2', 'zoom-all')")


@pytest.mark.requirement("MOB-03")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reference.fee_schedule_versions SET unlock_minor = 1",
        "DELETE FROM reference.fee_schedule_versions",
        "TRUNCATE reference.fee_schedule_versions",
    ],
)
def test_a_version_cannot_be_changed_or_taken_away(reference: psycopg.Connection, statement: str) -> None:
    with pytest.raises(errors.RestrictViolation, match="immutable: insert a new version"):
        reference.execute(statement)


@pytest.mark.requirement("MOB-03")
def test_versions_are_numbered_without_gaps(reference: psycopg.Connection) -> None:
    reference.execute(PUBLISH, ["standard", 120])
    with pytest.raises(errors.CheckViolation, match="next version of fee schedule standard is 3, not 7"):
        reference.execute("INSERT INTO reference.fee_schedule_versions VALUES ('standard', 7, 'EUR', 1, 1, 0.25)")
    numbers = reference.execute("SELECT version FROM reference.fee_schedule_versions ORDER BY version").fetchall()
    assert numbers == [(1,), (2,)]


@pytest.mark.requirement("MOB-01", "MOB-03")
def test_a_price_follows_its_version_its_schedule_and_its_vehicle(reference: psycopg.Connection) -> None:
    reference.execute("INSERT INTO reference.vehicles VALUES ('v', 'swift', 's2')")
    assert price(reference, "v") is None
    reference.execute("INSERT INTO reference.fee_schedule_models VALUES ('swift', 's2', 'standard')")
    assert price(reference, "v") == ("standard", 1, 100)
    reference.execute(PUBLISH, ["standard", 120])
    assert price(reference, "v") == ("standard", 2, 120)
    reference.execute("INSERT INTO reference.fee_schedules VALUES ('night', 'swift', 'Night')")
    reference.execute("UPDATE reference.fee_schedule_models SET schedule_id = 'night' WHERE model_id = 's2'")
    assert price(reference, "v") is None
    reference.execute(PUBLISH, ["night", 50])
    assert price(reference, "v") == ("night", 1, 50)
    reference.execute("UPDATE reference.vehicles SET model_id = 's1' WHERE vehicle_id = 'v'")
    assert price(reference, "v") == ("standard", 2, 120)
    reference.execute("DELETE FROM reference.vehicles WHERE vehicle_id = 'v'")
    assert price(reference, "v") is None


@pytest.mark.requirement("MOB-03")
def test_a_price_is_known_for_any_past_time(reference: psycopg.Connection) -> None:
    reference.execute("INSERT INTO reference.vehicles VALUES ('v', 'swift', 's1')")
    moments = [datetime(2020, 1, 1, tzinfo=UTC)]
    for unlock in (120, 140):
        moments += reference.execute("SELECT clock_timestamp()").fetchone() or ()
        reference.execute(PUBLISH, ["standard", unlock])
    moments += reference.execute("SELECT clock_timestamp()").fetchone() or ()
    then = [
        reference.execute("SELECT version, unlock_minor FROM reference.price_at('v', %s)", [moment]).fetchall()
        for moment in moments
    ]
    assert then == [[], [(1, 100)], [(2, 120)], [(3, 140)]]


@pytest.mark.requirement("MOB-03")
def test_a_vehicle_onboarded_while_a_version_is_published_gets_that_version(database: Settings) -> None:
    """Neither transaction sees the other's rows: without turns, the vehicle would keep the old price for ever."""
    with psycopg.connect(database.postgres) as onboarding, psycopg.connect(database.postgres) as publishing:
        onboarding.execute("INSERT INTO reference.vehicles VALUES ('v', 'swift', 's1')")
        publisher = threading.Thread(target=publishing.execute, args=(PUBLISH, ["standard", 120]))
        publisher.start()
        publisher.join(0.3)
        assert publisher.is_alive(), "the publisher did not wait for its turn"
        onboarding.commit()
        publisher.join()
        publishing.commit()
        assert price(onboarding, "v") == ("standard", 2, 120)


@pytest.mark.requirement("MOB-03")
def test_prices_are_not_edited_under_repeatable_read(database: Settings) -> None:
    with psycopg.connect(database.postgres) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with pytest.raises(errors.ActiveSqlTransaction, match="READ COMMITTED or SERIALIZABLE"):
            connection.execute("INSERT INTO reference.vehicles VALUES ('v', 'swift', 's1')")


@pytest.mark.requirement("PIPE-06")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reference.vehicle_prices SET unlock_minor = 0",
        "DELETE FROM reference.vehicle_prices",
        "TRUNCATE reference.vehicles",
        "TRUNCATE reference.group_members",
        "TRUNCATE reference.dealers",
        "TRUNCATE reference.prisoners",
        "TRUNCATE reference.suppliers",
    ],
)
def test_what_the_agents_would_not_learn_of_is_refused(reference: psycopg.Connection, statement: str) -> None:
    with pytest.raises(errors.RestrictViolation):
        reference.execute(statement)


@pytest.mark.requirement("MOB-11")
def test_a_rider_is_in_one_group_at_a_time(reference: psycopg.Connection) -> None:
    reference.execute("INSERT INTO reference.group_members VALUES ('r', 'g1')")
    with pytest.raises(errors.UniqueViolation, match="a_rider_is_in_one_group"):
        reference.execute("INSERT INTO reference.group_members VALUES ('r', 'g2')")


@pytest.mark.requirement("PRI-10")
def test_a_prisoners_cost_centre_is_the_prisons(reference: psycopg.Connection) -> None:
    reference.execute("INSERT INTO reference.prisoners (prisoner_id, prison_id, cost_centre) VALUES ('A1', 'LEI', 'x')")
    reference.execute("UPDATE reference.prisons SET cost_centre = '9999' WHERE prison_id = 'LEI'")
    assert reference.execute("SELECT cost_centre FROM reference.prisoners").fetchall() == [("9999",)]
    with pytest.raises(errors.ForeignKeyViolation, match="prisoner A2 is in prison MDI, which is not in"):
        reference.execute("INSERT INTO reference.prisoners (prisoner_id, prison_id) VALUES ('A2', 'MDI')")
    with pytest.raises(errors.ForeignKeyViolation):
        reference.execute("UPDATE reference.prisoners SET cost_centre = 'y'")


@pytest.mark.requirement("PIPE-06")
@pytest.mark.parametrize(
    "values",
    ["('a|b', 'swift', 's1')", "('', 'swift', 's1')", "('-a', 'swift', 's1')", "(repeat('a', 97), 'swift', 's1')"],
)
def test_an_id_that_no_message_may_have_is_refused(reference: psycopg.Connection, values: str) -> None:
    with pytest.raises(errors.CheckViolation):
        reference.execute(f"INSERT INTO reference.vehicles VALUES {values}")


def test_migrating_again_does_nothing_and_all_can_be_undone(database: Settings) -> None:
    assert migrate(database.postgres) == ()
    undone = roll_back(database.postgres)
    assert undone[-1] == "0001_reference_types"
    with psycopg.connect(database.postgres) as connection:
        left = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information|public)'")
        assert left.fetchall() == []
        assert connection.execute("SELECT pubname FROM pg_publication").fetchall() == []
    assert migrate(database.postgres) == tuple(reversed(undone))


def test_every_migration_can_be_undone() -> None:
    steps = {path.name.removesuffix(".sql") for path in MIGRATIONS.glob("*.sql")}
    forward = {step for step in steps if not step.endswith(".rollback")}
    assert {f"{step}.rollback" for step in forward} == steps - forward


def test_a_refused_migration_leaves_nothing_and_says_which(database: Settings) -> None:
    roll_back(database.postgres)
    with psycopg.connect(database.postgres, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA projection")
        with pytest.raises(
            MigrationFailed, match=r'0010_projection of .* refused .* schema "projection" already exists'
        ):
            migrate(database.postgres)
        connection.execute("DROP SCHEMA projection")
    assert migrate(database.postgres)[0] == "0010_projection"


def test_migrations_take_turns(database: Settings) -> None:
    roll_back(database.postgres)
    done: list[tuple[str, ...]] = []
    threads = [threading.Thread(target=lambda: done.append(migrate(database.postgres))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, done))[:2] == [0, 0]
    assert len(done) == 3


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:1/nowhere .*MILLRACE_POSTGRES") as raised:
        migrate("postgresql://someone:secret@127.0.0.1:1/nowhere")
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
