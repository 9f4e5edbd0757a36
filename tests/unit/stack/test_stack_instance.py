"""What is remembered of an instance, and where its addresses are written."""

import os
import socket
from dataclasses import astuple
from pathlib import Path

import pytest

from stack import instance, kafka, ports, servers
from stack.errors import BadRequest
from stack.instance import Instance, Network, PortPlan, ServerName
from stack.ports import HOST, Ports
from stack.process import identify


def make(home: Path, name: str = "one", plan: PortPlan = PortPlan.DEFAULT) -> Instance:
    created = instance.create(name, plan, home)
    created.save(wanted=[ServerName.KAFKA])
    return created


def test_an_instance_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    created = make(tmp_path, plan=PortPlan.FREE)

    loaded = instance.load("one", tmp_path)

    assert loaded.ports == created.ports
    assert loaded.port_plan is PortPlan.FREE
    assert loaded.wanted == {ServerName.KAFKA}


def test_the_env_file_says_where_every_server_answers(tmp_path: Path) -> None:
    make(tmp_path).publish()

    lines = dict(line.split("=", 1) for line in (tmp_path / "one" / "env").read_text().splitlines())

    assert lines == {
        "MILLRACE_KAFKA": "127.0.0.1:19092",
        "MILLRACE_POSTGRES": "postgresql://millrace@127.0.0.1:15432/millrace",
        "MILLRACE_REGISTRY": "http://127.0.0.1:18081/apis/ccompat/v7",
        "MILLRACE_CONNECT": "http://127.0.0.1:18083",
        "MILLRACE_PROMETHEUS": "http://127.0.0.1:19090",
        "MILLRACE_SCRAPE_TARGETS": str(tmp_path / "one" / "prometheus" / "targets"),
        "MILLRACE_CONVERTER_REGISTRY": "http://127.0.0.1:18081/apis/registry/v2",
    }


def test_the_link_points_at_the_last_instance_with_default_ports(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make(tmp_path, name).publish()
    make(tmp_path, "three", PortPlan.FREE).publish()

    assert (tmp_path / "env").readlink() == Path("two/env")


@pytest.mark.parametrize("name", ["jars", "bin", "contestants", "env", "", "..", "a/b", "Upper", "a" * 41])
def test_a_name_that_is_no_folder_of_ours_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRequest, match="cannot name an instance"):
        instance.create(name, PortPlan.DEFAULT, tmp_path)


def test_an_instance_that_was_never_started_is_named_in_the_refusal(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"instance 'nobody' does not exist .* up --instance nobody"):
        instance.load("nobody", tmp_path)


def test_a_recorded_process_is_running_only_while_it_lives(tmp_path: Path) -> None:
    one = make(tmp_path)
    ourselves = identify(os.getpid())
    assert ourselves is not None

    assert one.running(ServerName.KAFKA) is None
    one.remember(ServerName.KAFKA, ourselves)
    assert one.running(ServerName.KAFKA) == ourselves
    assert instance.running_beside(make(tmp_path, "two"), os.getpid()) == "one"
    one.forget(ServerName.KAFKA)
    assert one.process(ServerName.KAFKA) is None


def test_free_ports_differ_from_each_other_and_from_the_defaults() -> None:
    picked = astuple(ports.pick())

    assert len(set(picked)) == len(picked)
    assert not set(picked) & set(astuple(Ports()))


def test_who_listens_on_a_port_is_named() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        held_by = ports.holder(port)

        assert not ports.is_free(port)
        assert held_by is not None
        assert held_by.pid == os.getpid()
    assert ports.is_free(port)
    assert ports.holder(port) is None


def test_a_cluster_of_three_is_remembered_and_all_its_brokers_are_named(tmp_path: Path) -> None:
    instance.create("three", PortPlan.FREE, tmp_path, brokers=3).save(wanted=[])

    loaded = instance.load("three", tmp_path)

    ports = [loaded.ports.kafka, loaded.ports.kafka_2, loaded.ports.kafka_3]
    assert loaded.endpoints().kafka == ",".join(f"{HOST}:{port}" for port in ports)
    assert loaded.broker_names == (ServerName.KAFKA, ServerName.KAFKA_2, ServerName.KAFKA_3)


def test_a_lone_broker_has_no_others_and_no_proxy_beside_it(tmp_path: Path) -> None:
    one = make(tmp_path)

    assert not {ServerName.KAFKA_2, ServerName.KAFKA_3, ServerName.TOXIPROXY} & set(one.servers)
    assert len(one.servers) == 5


def test_a_cluster_of_two_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="one broker or three, not 2"):
        instance.create("two", PortPlan.FREE, tmp_path, brokers=2)


def test_asking_for_one_broker_or_for_connect_brings_the_whole_cluster(tmp_path: Path) -> None:
    three = instance.create("three", PortPlan.FREE, tmp_path, brokers=3)

    for asked in (ServerName.KAFKA, ServerName.CONNECT):
        assert set(three.broker_names) <= set(servers.in_order([asked], three.broker_names))


def test_each_broker_of_a_cluster_tells_clients_behind_the_proxy_to_come_by_it(tmp_path: Path) -> None:
    three = instance.create("three", PortPlan.FREE, tmp_path, brokers=3, network=Network.PROXIED)

    settings = kafka.settings(three, ServerName.KAFKA_2)

    assert settings["node.id"] == 2
    assert f"PROXIED://{HOST}:{three.ports.proxied_2}" in str(settings["listeners"])
    assert f"PROXIED://{HOST}:{three.ports.proxy_2}" in str(settings["advertised.listeners"])
    assert settings["min.insync.replicas"] == settings["transaction.state.log.min.isr"] == 2
