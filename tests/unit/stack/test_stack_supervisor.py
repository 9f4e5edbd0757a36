"""The supervisor, over servers of a few lines: what is started, what is said when that fails, and in which order."""

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import instance, process, readiness, servers, supervisor
from stack.errors import NotReady, PortTaken
from stack.instance import Instance, PortPlan, ServerName
from stack.ports import HOST
from stack.program import Program
from stack.status import State, all_ready, observe
from stack.supervisor import quiet


@pytest.fixture
def chosen(tmp_path: Path) -> Iterator[Instance]:
    created = instance.create("one", PortPlan.FREE, tmp_path)
    created.save(wanted=[])
    yield created
    supervisor.stop(created, list(ServerName), quiet)


def web_server(chosen: Instance, name: ServerName, port: int, script: str = "") -> Program:
    """A server that answers HTTP, or runs the script instead."""
    serve = ["-m", "http.server", "--bind", HOST, str(port)]
    return Program(
        name=name,
        ports=(port,),
        folder=chosen.folder,
        prepare=lambda: None,
        command=lambda: [sys.executable, *(["-c", script] if script else serve)],
        lacking=lambda: readiness.lacking(f"http://{HOST}:{port}/"),
        ready_within_s=1.0 if script else 30.0,
    )


@pytest.fixture
def two(chosen: Instance) -> list[Program]:
    return [
        web_server(chosen, ServerName.KAFKA, chosen.ports.kafka),
        web_server(chosen, ServerName.REGISTRY, chosen.ports.registry),
    ]


def test_up_twice_starts_nothing_new(chosen: Instance, two: list[Program]) -> None:
    supervisor.start(chosen, two, quiet)
    before = [chosen.running(program.name) for program in two]
    lines: list[str] = []

    supervisor.check_ports(chosen, two)
    supervisor.start(chosen, two, lines.append)

    assert None not in before
    assert [chosen.running(program.name) for program in two] == before
    assert sorted(lines) == sorted(f"{program.name} is already up at {program.address}" for program in two)


def test_a_server_that_died_is_started_again_and_its_neighbour_is_not(chosen: Instance, two: list[Program]) -> None:
    supervisor.start(chosen, two, quiet)
    died, neighbour = (chosen.running(program.name) for program in two)
    assert died is not None
    process.end(died, signal.SIGKILL, grace_s=5.0)

    supervisor.start(chosen, two, quiet)

    assert chosen.running(ServerName.KAFKA) not in (None, died)
    assert chosen.running(ServerName.REGISTRY) == neighbour


def test_servers_stop_in_reverse_order_and_are_forgotten(chosen: Instance, two: list[Program]) -> None:
    supervisor.start(chosen, two, quiet)
    lines: list[str] = []

    supervisor.stop(chosen, list(ServerName), lines.append)

    assert [line.split()[0] for line in lines] == ["registry", "kafka"]
    assert [chosen.process(program.name) for program in two] == [None, None]


def test_a_taken_port_is_named(chosen: Instance, two: list[Program]) -> None:
    with socket.create_server((HOST, chosen.ports.registry)), pytest.raises(PortTaken) as refusal:
        supervisor.check_ports(chosen, two)

    said = str(refusal.value)
    assert f"registry cannot listen on 127.0.0.1:{chosen.ports.registry}" in said
    assert "pid" in said


def test_a_port_taken_by_another_instance_says_which(chosen: Instance, two: list[Program]) -> None:
    supervisor.start(chosen, two, quiet)
    other = instance.create("two", PortPlan.DEFAULT, chosen.folder.parent)

    with pytest.raises(PortTaken, match=r"taken by instance 'one': run `python -m stack down --instance one`"):
        supervisor.check_ports(other, two)


def test_a_server_that_ends_while_it_starts_is_reported_with_its_last_line(chosen: Instance) -> None:
    ends = web_server(chosen, ServerName.KAFKA, chosen.ports.kafka, "import sys; sys.exit('no such configuration')")

    with pytest.raises(NotReady, match=r"kafka ended while it was starting, read .*kafka.log: no such configuration"):
        supervisor.start(chosen, [ends], quiet)


def test_a_server_that_does_not_answer_is_reported_with_what_it_lacks(chosen: Instance) -> None:
    mute = web_server(chosen, ServerName.KAFKA, chosen.ports.kafka, "import time; time.sleep(60)")

    with pytest.raises(NotReady, match=r"after 1 s it still lacks its answer of http://.*: read .*kafka.log"):
        supervisor.start(chosen, [mute], quiet)


def test_one_failure_does_not_stop_the_neighbour(chosen: Instance, two: list[Program]) -> None:
    ends = web_server(chosen, ServerName.KAFKA, chosen.ports.kafka, "raise SystemExit(3)")

    with pytest.raises(NotReady, match="kafka ended"):
        supervisor.start(chosen, [ends, two[1]], quiet)

    assert chosen.running(ServerName.REGISTRY) is not None


def test_what_a_server_printed_before_is_kept_beside_what_it_prints_now(chosen: Instance, two: list[Program]) -> None:
    for _ in range(2):
        supervisor.start(chosen, two, quiet)
        supervisor.stop(chosen, list(ServerName), quiet)

    assert sorted(path.name for path in chosen.log(ServerName.KAFKA).parent.glob("kafka*")) == [
        "kafka.1.log",
        "kafka.log",
    ]


def test_two_ups_of_one_instance_take_turns(tmp_path: Path) -> None:
    inside = threading.Event()
    with instance.locked_instance("one", tmp_path):
        waiting = threading.Thread(target=lambda: _enter(tmp_path, inside))
        waiting.start()
        assert not inside.wait(0.2)
    waiting.join(timeout=5.0)
    assert inside.is_set()


def _enter(home: Path, inside: threading.Event) -> None:
    with instance.locked_instance("one", home):
        inside.set()


def test_a_server_that_should_run_but_does_not_is_shown_as_died(chosen: Instance) -> None:
    chosen.save(wanted=[ServerName.PROMETHEUS])
    states = {status.server: status.state for status in observe(instance.load("one", chosen.folder.parent))}

    assert states.pop(ServerName.PROMETHEUS) is State.DIED
    assert set(states.values()) == {State.STOPPED}


def test_an_instance_of_which_nothing_was_asked_is_not_ready(chosen: Instance) -> None:
    assert not all_ready(observe(chosen))


def test_connect_brings_kafka() -> None:
    assert servers.in_order([ServerName.PROMETHEUS, ServerName.CONNECT]) == [
        ServerName.KAFKA,
        ServerName.CONNECT,
        ServerName.PROMETHEUS,
    ]
