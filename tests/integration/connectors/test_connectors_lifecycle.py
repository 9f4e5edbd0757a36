"""`apply`, `status` and `remove` against Connect itself."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from connectors_place import Place, drop_database, eventually, make_database

from connectors import connect, rest
from connectors.configuration import Deployment, configurations
from connectors.connect import Action
from connectors.errors import BadConfiguration, ConnectorFailed, ConnectUnavailable
from schemas.ledger import OpenLock
from schemas.settings import Settings
from schemas.topics import OPEN_LOCKS

LOCK = OpenLock(
    id="failed", book="b", lock_id="l", debit="a", credit="c", amount_minor=1, currency="EUR", deadline=None
)


@pytest.fixture
def sink(place: Place) -> str:
    return f"{place.deployment.name}-open-locks"


def test_what_runs_as_its_file_says_is_left_alone(place: Place) -> None:
    done = connect.apply(place.settings, place.deployment)
    assert {applied.action for applied in done} == {Action.UNCHANGED}
    rows = connect.status(place.settings, place.deployment)
    wanted = len(configurations(place.settings, place.deployment))
    assert [(row.state.state, row.state.tasks, row.differing) for row in rows] == [
        ("RUNNING", ("RUNNING",), ())
    ] * wanted


def test_a_configuration_changed_by_hand_is_shown_and_put_right(place: Place, sink: str) -> None:
    with rest.Connect(place.settings.connect) as connect_rest:
        present = connect_rest.configuration(sink)
        assert present is not None
        connect_rest.put(sink, present | {"batch.size": "7"})
    shown = {row.state.connector: row.differing for row in connect.status(place.settings, place.deployment)}
    assert shown[sink] == ("batch.size",)
    done = {applied.connector: applied.action for applied in connect.apply(place.settings, place.deployment)}
    assert done.pop(sink) is Action.CHANGED
    assert set(done.values()) == {Action.UNCHANGED}


def test_a_sink_that_failed_is_shown_and_started_again_by_apply(place: Place, sink: str) -> None:
    place.sql("ALTER TABLE projection.open_locks RENAME TO hidden")
    try:
        place.put(OPEN_LOCKS, LOCK.id, place.codec.encode(LOCK))
        (failed,) = eventually(
            lambda: [row.state for row in connect.status(place.settings, place.deployment) if row.state.failed],
            "failure",
        )
        assert (failed.connector, failed.tasks) == (sink, ("FAILED",))
        assert "Exception" in failed.trouble
    finally:
        place.sql("ALTER TABLE projection.hidden RENAME TO open_locks")
    done = {applied.connector: applied.action for applied in connect.apply(place.settings, place.deployment)}
    assert done[sink] is Action.RESTARTED
    place.until("SELECT 1 FROM projection.open_locks WHERE id = %s", LOCK.id)


def test_apply_on_a_database_without_migrations_says_what_failed(servers: Settings, second: Deployment) -> None:
    settings = make_database(servers, second.name)
    try:
        with pytest.raises(ConnectorFailed, match=rf"{second.name}-reference failed: .*Exception"):
            connect.apply(settings, second)
        connect.remove(settings, second)
    finally:
        drop_database(servers, second.name)


def test_a_configuration_that_connect_refuses_says_why(place: Place) -> None:
    nowhere = place.settings.model_copy(update={"postgres": "postgresql://nobody@127.0.0.1:1/nowhere"})
    with pytest.raises(BadConfiguration, match=r"refuses PUT /connectors/.*-reference/config: .*127\.0\.0\.1:1"):
        connect.apply(nowhere, Deployment(f"refused_{uuid.uuid4().hex[:8]}"))


def test_connect_that_is_down_is_named(place: Place) -> None:
    down = place.settings.model_copy(update={"connect": "http://127.0.0.1:1"})
    for ask in (connect.apply, connect.status, connect.remove):
        with pytest.raises(ConnectUnavailable, match=r"Connect at http://127\.0\.0\.1:1 does not answer .*MILLRACE_CO"):
            ask(down, place.deployment)


@pytest.fixture
def second(place: Place) -> Iterator[Deployment]:
    deployment = Deployment(f"second_{uuid.uuid4().hex[:8]}", place.deployment.topic_prefix)
    try:
        yield deployment
    finally:
        connect.remove(place.settings, deployment)


def test_what_is_removed_leaves_no_connector_and_no_slot(place: Place, second: Deployment) -> None:
    done = connect.apply(place.settings, second)
    assert {applied.action for applied in done} == {Action.CREATED}
    connect.remove(place.settings, second)
    assert {row.state.state for row in connect.status(place.settings, second)} == {rest.ABSENT}
    with psycopg.connect(place.settings.postgres) as connection:
        slots = connection.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", [second.slot])
        assert slots.fetchall() == []
    connect.remove(place.settings, second)
