"""The reference database refuses what may not be, and keeps every vehicle's price."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import errors

from schemas.settings import Settings

PUBLISH = """
INSERT INTO reference.fee_schedule_versions (schedule_id, currency, unlock_minor, per_minute_minor, vat_rate)
VALUES (%s, 'EUR', %s, 19.5, 0.25)
"""


@pytest.fixture
def reference(database: Settings) -> Iterator[psycopg.Connection]:
    """A transaction of which nothing is kept."""
    with psycopg.connect(database.postgres) as connection, connection.transaction(force_rollback=True):
        yield connection


def refused(
    reference: psycopg.Connection, statement: str, refusal: type[psycopg.Error], words: str | None = None
) -> None:
    """Assert that the database refuses the statement, in these words."""
    with pytest.raises(refusal, match=words), reference.transaction():
        reference.execute(statement)


def price(connection: psycopg.Connection, vehicle: str) -> tuple[str, int, int] | None:
    """Schedule, version and unlock fee of a vehicle now."""
    return connection.execute(
        "SELECT schedule_id, version, unlock_minor FROM reference.vehicle_prices WHERE vehicle_id = %s", [vehicle]
    ).fetchone()


@pytest.mark.requirement("MOB-02")
def test_a_model_in_two_fee_schedules_of_its_operator_is_refused(reference: psycopg.Connection) -> None:
    reference.execute("INSERT INTO reference.fee_schedules VALUES ('night', 'swift', 'Night')")
    overlap = "INSERT INTO reference.fee_schedule_models VALUES ('swift', 's1', 'night')"
    refused(reference, overlap, errors.UniqueViolation, "a_model_is_in_one_fee_schedule")


@pytest.mark.requirement("MOB-02")
def test_two_operators_models_of_one_name_are_two_models(reference: psycopg.Connection) -> None:
    reference.execute("INSERT INTO reference.msps VALUES ('zoom', 'Zoom')")
    reference.execute("INSERT INTO reference.vehicle_models VALUES ('zoom', 's1', 'bike', 'S1')")
    reference.execute("INSERT INTO reference.fee_schedules VALUES ('zoom-all', 'zoom', 'All')")
    reference.execute("INSERT INTO reference.fee_schedule_models VALUES ('zoom', 's1', 'zoom-all')")
    foreign = "INSERT INTO reference.fee_schedule_models VALUES ('swift', 's2', 'zoom-all')"
    refused(reference, foreign, errors.ForeignKeyViolation)


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
    refused(reference, statement, errors.RestrictViolation, "immutable: insert a new version")


@pytest.mark.requirement("MOB-03")
def test_versions_are_numbered_without_gaps(reference: psycopg.Connection) -> None:
    reference.execute(PUBLISH, ["standard", 120])
    gap = "INSERT INTO reference.fee_schedule_versions VALUES ('standard', 7, 'EUR', 1, 1, 0.25)"
    refused(reference, gap, errors.CheckViolation, "next version of fee schedule standard is 3, not 7")
    numbers = reference.execute("SELECT version FROM reference.fee_schedule_versions ORDER BY version").fetchall()
    assert numbers == [(1,), (2,)]


@pytest.mark.requirement("MOB-03")
def test_a_vat_rate_in_per_cent_is_refused(reference: psycopg.Connection) -> None:
    percent = "INSERT INTO reference.fee_schedule_versions VALUES ('standard', 2, 'EUR', 1, 1, 25)"
    refused(reference, percent, errors.CheckViolation, "vat_rate_is_a_share_and_25_percent_is_0_25")


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
        publishing.execute("INSERT INTO reference.fee_schedules VALUES ('turns', 'swift', 'Turns')")
        publishing.execute("INSERT INTO reference.fee_schedule_models VALUES ('swift', 's2', 'turns')")
        publishing.execute(PUBLISH, ["turns", 100])
        publishing.commit()
        onboarding.execute("INSERT INTO reference.vehicles VALUES ('turns', 'swift', 's2')")
        publisher = threading.Thread(target=publishing.execute, args=(PUBLISH, ["turns", 120]))
        publisher.start()
        publisher.join(0.3)
        assert publisher.is_alive(), "the publisher did not wait for its turn"
        onboarding.commit()
        publisher.join()
        publishing.commit()
        assert price(onboarding, "turns") == ("turns", 2, 120)
        onboarding.execute("DELETE FROM reference.fee_schedule_models WHERE schedule_id = 'turns'")


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
        "TRUNCATE reference.officers",
        "TRUNCATE reference.gl_accounts",
        "TRUNCATE reference.deposit_tiers",
        "TRUNCATE reference.commission_policies",
    ],
)
def test_what_the_agents_would_not_learn_of_is_refused(reference: psycopg.Connection, statement: str) -> None:
    refused(reference, statement, errors.RestrictViolation)


@pytest.mark.requirement("MOB-11")
def test_a_rider_is_in_one_group_at_a_time(reference: psycopg.Connection) -> None:
    reference.execute("INSERT INTO reference.group_members VALUES ('r', 'g1')")
    second = "INSERT INTO reference.group_members VALUES ('r', 'g2')"
    refused(reference, second, errors.UniqueViolation, "a_rider_is_in_one_group")


@pytest.mark.requirement("PRI-10")
def test_a_prisoners_cost_centre_is_the_prisons(reference: psycopg.Connection) -> None:
    reference.execute("INSERT INTO reference.prisoners (prisoner_id, prison_id, cost_centre) VALUES ('A1', 'LEI', 'x')")
    reference.execute("UPDATE reference.prisons SET cost_centre = '9999' WHERE prison_id = 'LEI'")
    assert reference.execute("SELECT cost_centre FROM reference.prisoners").fetchall() == [("9999",)]
    refused(reference, "UPDATE reference.prisoners SET cost_centre = 'y'", errors.ForeignKeyViolation)
    stray = "INSERT INTO reference.prisoners (prisoner_id, prison_id) VALUES ('A2', 'MDI')"
    refused(reference, stray, errors.ForeignKeyViolation, "prisoner A2 is in prison MDI, which is not in")


@pytest.mark.requirement("PRI-05")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("advance_allowed_minor = 100", "an_advance_policy_is_whole"),
        ("advance_allowed_minor = 1, advance_instalment_minor = 0, advance_every_days = 1", "advance_instalment_minor"),
        ("automatic_circumstances = '{arrival,a b}'", "circumstances_are_identifiers"),
        ("automatic_circumstances = '{NULL}'", "circumstances_are_identifiers"),
    ],
)
def test_a_policy_that_no_message_could_tell_is_refused(reference: psycopg.Connection, change: str, words: str) -> None:
    refused(reference, f"UPDATE reference.prisons SET {change}", errors.CheckViolation, words)


@pytest.mark.requirement("PRI-04")
def test_a_governors_permission_is_typed_in_as_a_moment(reference: psycopg.Connection) -> None:
    reference.execute(
        "INSERT INTO reference.prisoners (prisoner_id, prison_id, cash_permission_until)"
        " VALUES ('A3', 'LEI', reference.micros('2030-03-31 02:00:00.000001+01'))"
    )
    (until,) = (
        reference.execute("SELECT cash_permission_until FROM reference.prisoners WHERE prisoner_id = 'A3'").fetchone()
        or ()
    )
    assert until == 1_901_149_200_000_001


@pytest.mark.requirement("DLR-08")
def test_a_segment_has_one_tier_in_a_currency_and_a_tier_is_of_something(reference: psycopg.Connection) -> None:
    reference.execute("INSERT INTO reference.deposit_tiers VALUES ('t1', 's', 'EUR', 1), ('t2', 's', 'USD', 1)")
    second = "INSERT INTO reference.deposit_tiers VALUES ('t3', 's', 'EUR', 2)"
    refused(reference, second, errors.UniqueViolation, "a_segment_has_one_tier_in_a_currency")
    nothing = "INSERT INTO reference.deposit_tiers VALUES ('t3', 'r', 'EUR', 0)"
    refused(reference, nothing, errors.CheckViolation)


@pytest.mark.requirement("DLR-08")
def test_there_are_no_more_deposit_tiers_than_a_deposit_can_be_judged_by(reference: psycopg.Connection) -> None:
    many = "INSERT INTO reference.deposit_tiers SELECT 't-' || n, 's-' || n, 'EUR', n FROM generate_series(1, {}) AS n"
    refused(reference, many.format(101), errors.RestrictViolation, "there are 100 deposit tiers")
    reference.execute(many.format(100))


@pytest.mark.requirement("DLR-04")
def test_a_commission_rate_changes_neither_the_past_nor_what_was_said_of_it(reference: psycopg.Connection) -> None:
    rate = "INSERT INTO reference.commission_rates VALUES ('r{0}', {0}, 0.05, {1})"
    later = "reference.micros(now() + interval '{}')"
    refused(reference, rate.format(2, 0), errors.CheckViolation, "the next version of the commission rate is 1, not 2")
    reference.execute(rate.format(1, 7))
    for soon in (0, later.format("59 minutes")):
        refused(reference, rate.format(2, soon), errors.CheckViolation, "an hour after it is typed in at the earliest")
    reference.execute(rate.format(2, later.format("2 days")))
    sooner = rate.format(3, later.format("1 day"))
    refused(reference, sooner, errors.CheckViolation, "a commission rate is valid after the one before it")
    for statement in (
        "UPDATE reference.commission_rates SET share = 0",
        "DELETE FROM reference.commission_rates",
        "TRUNCATE reference.commission_rates",
    ):
        refused(reference, statement, errors.RestrictViolation, "commission rates are immutable")


@pytest.mark.requirement("DLR-04")
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("'another', 'Europe/Moscow', 1", "there_is_one_policy"),
        ("'commission', 'Europe/Moskau', 1", "Europe/Moskau is no zone of the IANA database"),
        ("'commission', 'Europe/Moscow', 32", "bill_after_days"),
    ],
)
def test_a_commission_policy_is_one_and_of_a_zone_that_there_is(
    reference: psycopg.Connection, values: str, words: str
) -> None:
    refused(reference, f"INSERT INTO reference.commission_policies VALUES ({values})", errors.CheckViolation, words)


@pytest.mark.requirement("DLR-04")
def test_a_commission_is_less_than_the_price(reference: psycopg.Connection) -> None:
    whole = "INSERT INTO reference.commission_rates VALUES ('r1', 1, 1, 0)"
    refused(reference, whole, errors.CheckViolation, "five_per_cent_is_0_05")


@pytest.mark.requirement("PIPE-06")
@pytest.mark.parametrize("vehicle_id", ["''", "'a|b'", "'-a'", "'a/b'", "E'a\\n'", "repeat('a', 97)"])
def test_an_id_that_no_message_may_have_is_refused(reference: psycopg.Connection, vehicle_id: str) -> None:
    insertion = f"INSERT INTO reference.vehicles VALUES ({vehicle_id}, 'swift', 's1')"
    refused(reference, insertion, errors.CheckViolation, "identifier_check")


@pytest.mark.requirement("PIPE-06")
@pytest.mark.parametrize("name", ["''", "E'two\\nlines'", "repeat('a', 241)"])
def test_a_name_that_no_message_may_have_is_refused(reference: psycopg.Connection, name: str) -> None:
    insertion = f"INSERT INTO reference.suppliers VALUES ('s', {name}, '2617')"
    refused(reference, insertion, errors.CheckViolation, "label_check")
