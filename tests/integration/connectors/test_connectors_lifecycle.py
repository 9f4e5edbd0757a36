"""`apply`, `status` and `remove` against Connect itself."""

import uuid
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from connectors_place import Place, eventually

from connectors import connect, rest
from connectors.configuration import Deployment
from connectors.connect import Action
from connectors.errors import BadConfiguration, ConnectorFailed, ConnectUnavailable


@pytest.fixture
def sink(place: Place) -> str:
    return f"{place.deployment.name}-open-locks"


def test_what_runs_as_its_file_says_is_left_alone(place: Place) -> None:
    done = connect.apply(place.settings, place.deployment)
    assert {applied.action for applied in done} == {Action.UNCHANGED}
    rows = connect.status(place.settings, place.deployment)
    assert [(row.state.state, row.state.tasks, row.differing) for row in rows] == [("RUNNING", ("RUNNING",), ())] * 4


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


def test_a_connector_that_fails_is_reported_and_started_again_by_apply(place: Place, sink: str) -> None:
    place.sql("ALTER TABLE projection.open_locks RENAME TO hidden")
    try:
        httpx.post(f"{place.settings.connect}/connectors/{sink}/tasks/0/restart").raise_for_status()
        _fail(place, sink)
        with pytest.raises(ConnectorFailed, match=rf"{sink} failed: .*Exception"):
            connect.apply(place.settings, place.deployment)
    finally:
        place.sql("ALTER TABLE projection.hidden RENAME TO open_locks")
    done = {applied.connector: applied.action for applied in connect.apply(place.settings, place.deployment)}
    assert done[sink] is Action.RESTARTED


def _fail(place: Place, sink: str) -> None:
    """Give the sink a record that it cannot land, and wait until its task has failed."""
    from schemas.ledger import OpenLock
    from schemas.topics import OPEN_LOCKS

    lock = OpenLock(id="f", book="b", lock_id="f", debit="a", credit="b", amount_minor=1, currency="EUR", deadline=None)
    place.put(OPEN_LOCKS, "f", place.codec.encode(lock))
    with rest.Connect(place.settings.connect) as connect_rest:
        eventually(lambda: [1] if connect_rest.state(sink).failed else [], "failure")


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
        slots = connection.execute("SELECT FROM pg_replication_slots WHERE slot_name = %s", [second.slot])
        assert slots.fetchall() == []
    connect.remove(place.settings, second)
