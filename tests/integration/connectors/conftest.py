"""One deployment of the connectors for the session, and fresh databases for tests of the database alone."""

import os
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from connectors_place import Place, drop_database, drop_topics, make_database, make_topics, projection_codec

from connectors import connect
from connectors.configuration import Deployment
from connectors.database import migrate
from schemas.settings import Settings
from stack import api
from stack.api import PortPlan, ServerName
from tests.conftest import docker_answers

SEED = """
INSERT INTO reference.msps VALUES ('swift', 'Swift');
INSERT INTO reference.vehicle_models VALUES ('swift', 's1', 'scooter', 'S1'), ('swift', 's2', 'scooter', 'S2');
INSERT INTO reference.fee_schedules VALUES ('standard', 'swift', 'Standard');
INSERT INTO reference.fee_schedule_models VALUES ('swift', 's1', 'standard');
INSERT INTO reference.fee_schedule_versions (schedule_id, currency, unlock_minor, per_minute_minor, vat_rate)
VALUES ('standard', 'EUR', 100, 19.5, 0.25);
INSERT INTO reference.sharing_groups VALUES ('g1', 'One'), ('g2', 'Two');
INSERT INTO reference.prisons VALUES ('LEI', 'Leeds', '1210');
"""

BEFORE_THE_CONNECTORS = """
INSERT INTO reference.vehicles VALUES ('early', 'swift', 's1');
INSERT INTO reference.group_members VALUES ('early', 'g1');
INSERT INTO reference.dealers VALUES ('early', 'cme-early', 'Early Ltd', 'never to be published');
INSERT INTO reference.prisoners VALUES ('early', 'LEI');
INSERT INTO reference.suppliers VALUES ('early', 'Early', '2617');
INSERT INTO reference.prisons VALUES ('early', 'Early', '1210', 5000, 500, 7, '{arrival,transfer}');
INSERT INTO reference.officers VALUES ('early', 'early', true, false);
INSERT INTO reference.gl_accounts VALUES ('spends', '2102', '2617');
INSERT INTO reference.deposit_tiers VALUES ('early', 'small', 'EUR', 100);
INSERT INTO reference.commission_rates VALUES ('early', 1, 0.05, 7);
INSERT INTO reference.commission_policies VALUES ('commission', 'Europe/Moscow', 1);
"""


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Settings:
    """Those that MILLRACE_KAFKA and the others name where they are given, else fresh ones."""
    if "MILLRACE_KAFKA" in os.environ:
        return Settings()
    given: Settings = request.getfixturevalue("settings")
    if not docker_answers():
        api.up(request.getfixturevalue("shared_instance"), ports=PortPlan.FREE, only=[ServerName.CONNECT])
    return given


@pytest.fixture(scope="module")
def database(servers: Settings) -> Iterator[Settings]:
    """Settings of a migrated database with an operator, its models and a schedule over one of them."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    settings = make_database(servers, name)
    try:
        migrate(settings.postgres)
        with psycopg.connect(settings.postgres) as connection:
            connection.execute(SEED)
        yield settings
    finally:
        drop_database(servers, name)


@pytest.fixture(scope="session")
def place(servers: Settings) -> Iterator[Place]:
    """Connectors that run, on a database that had rows before them."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    settings, deployment = make_database(servers, name), Deployment(name, f"{name}.")
    try:
        migrate(settings.postgres)
        made = Place(settings, deployment, projection_codec(settings))
        made.sql(SEED + BEFORE_THE_CONNECTORS)
        make_topics(settings, deployment)
        connect.apply(settings, deployment)
        yield made
    finally:
        connect.remove(settings, deployment)
        drop_topics(settings, deployment)
        drop_database(servers, name)
