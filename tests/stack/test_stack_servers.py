"""The real servers. Kafka and PostgreSQL run once for this file, on free ports, in a folder of their own."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from stack import api, instance
from stack.api import Data, PortPlan, Server, ServerName, State
from stack.instance import CHECKOUT, Instance
from stack.ports import HOST

SOME = [ServerName.KAFKA, ServerName.POSTGRES]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with one running instance, `it`, of Kafka and PostgreSQL."""
    folder = tmp_path_factory.mktemp("stack")
    with api.while_up("it", only=SOME, home=folder):
        yield folder


@pytest.fixture
def it(home: Path) -> Instance:
    return instance.load("it", home)


def server(it: Instance, name: ServerName) -> Server:
    return api.server(it.name, name, home=it.folder.parent)


def topics(it: Instance) -> set[str]:
    return set(AdminClient({"bootstrap.servers": it.endpoints().kafka}).list_topics(timeout=10).topics)


def make_topic(it: Instance, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": it.endpoints().kafka})
    admin.create_topics([NewTopic(name, 1)])[name].result(timeout=10)


def test_up_twice_starts_nothing_new(it: Instance) -> None:
    before = [it.running(name) for name in SOME]

    again = api.up("it", ports=PortPlan.FREE, only=SOME, home=it.folder.parent)

    assert None not in before
    assert [it.running(name) for name in SOME] == before
    assert again == it.endpoints()


def test_every_server_listens_on_this_machine_only(it: Instance) -> None:
    for name in SOME:
        running = it.running(name)
        assert running is not None
        listening = [each.laddr for each in psutil.Process(running.pid).net_connections() if each.status == "LISTEN"]
        assert {address.ip.removeprefix("::ffff:") for address in listening} == {HOST}


def test_kafka_makes_no_topic_because_somebody_asked_for_it(it: Instance) -> None:
    admin = AdminClient({"bootstrap.servers": it.endpoints().kafka, "allow.auto.create.topics": True})

    admin.list_topics("a-misspelt-name", timeout=10)

    assert "a-misspelt-name" not in topics(it)


def test_postgres_decodes_logically_and_does_not_run_as_root(it: Instance) -> None:
    with psycopg.connect(it.endpoints().postgres) as connection:
        level = connection.execute("SHOW wal_level").fetchone()

    running = it.running(ServerName.POSTGRES)
    assert level == ("logical",)
    assert running is not None
    assert psutil.Process(running.pid).uids().real != 0


@pytest.mark.requirement("PIPE-03")
def test_a_killed_broker_comes_back_with_its_topics(it: Instance) -> None:
    make_topic(it, "kept")
    kafka = server(it, ServerName.KAFKA)

    kafka.kill()
    assert it.running(ServerName.KAFKA) is None
    assert {each.server: each.state for each in api.status("it", home=it.folder.parent)}[ServerName.KAFKA] is State.DIED
    kafka.start()

    assert "kept" in topics(it)


@pytest.mark.parametrize("how", [signal.SIGKILL, None], ids=["kill -9", "in good order"])
def test_postgres_comes_back_with_its_rows_while_a_client_holds_a_connection(
    it: Instance, how: signal.Signals | None
) -> None:
    table = f"kept_{uuid.uuid4().hex}"
    with psycopg.connect(it.endpoints().postgres, autocommit=True) as client:
        client.execute(f"CREATE TABLE {table} AS SELECT 42 AS answer")

        api.restart("it", ServerName.POSTGRES, how=how, home=it.folder.parent)

    with psycopg.connect(it.endpoints().postgres) as connection:
        assert connection.execute(f"SELECT answer FROM {table}").fetchone() == (42,)


def test_a_paused_server_is_shown_as_not_answering(it: Instance) -> None:
    postgres = server(it, ServerName.POSTGRES)

    postgres.pause()
    paused = {each.server: each.state for each in api.status("it", home=it.folder.parent)}
    postgres.resume()
    resumed = {each.server: each.state for each in api.status("it", home=it.folder.parent)}

    assert paused[ServerName.POSTGRES] is State.UNREADY
    assert resumed[ServerName.POSTGRES] is State.READY


def test_down_leaves_no_process_and_keeps_the_data_and_fresh_deletes_it(home: Path) -> None:
    only = [ServerName.POSTGRES]
    url = api.up("other", ports=PortPlan.FREE, only=only, home=home).postgres
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept ()")
    running = instance.load("other", home).running(ServerName.POSTGRES)
    assert running is not None
    family = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]

    api.down("other", home=home)

    assert not [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    assert api.up("other", ports=PortPlan.FREE, only=only, home=home).postgres == url
    assert tables(url) == {"kept"}
    assert api.up("other", data=Data.FRESH, ports=PortPlan.FREE, only=only, home=home).postgres == url
    assert tables(url) == set()
    api.remove("other", home=home)
    assert not (home / "other").exists()


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def stack(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stack", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False)


def test_the_commands_end_with_the_codes_that_scripts_rely_on() -> None:
    name = f"test-{uuid.uuid4().hex[:8]}"
    assert stack("status", "--instance", name).returncode == 2
    try:
        assert stack("up", "--instance", name, "--free-ports", "--only", "postgres").returncode == 0
        assert stack("status", "--instance", name).returncode == 0
        api.server(name, ServerName.POSTGRES).kill()
        died = stack("status", "--json", "--instance", name)
        assert died.returncode == 1
        assert '"state": "died"' in died.stdout
        assert "database system is ready" in stack("logs", "postgres", "--instance", name).stdout
    finally:
        assert stack("down", "--wipe", "--instance", name).returncode == 0
    assert not (instance.HOME / name).exists()
    assert stack("up", "--only", "mysql").returncode == 2
