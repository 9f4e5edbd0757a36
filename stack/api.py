"""The stack for tests and the demo.

    endpoints = api.up("mine", ports=PortPlan.FREE, only=[ServerName.KAFKA])
    kafka = api.server("mine", ServerName.KAFKA)
    kafka.kill()
    kafka.start()
    api.remove("mine")

    with api.while_up("mine") as endpoints:
        ...

Every function takes `home`, the folder of the instances, for tests that keep theirs in a temporary folder. All raise
StackError: one sentence that says which server, where, and what to do.
"""

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from stack import instance, jars, postgres, process, servers, supervisor, system, toxiproxy
from stack.errors import BadRequest, StackError
from stack.instance import HOME, USUAL, Endpoints, Instance, Network, PortPlan, ServerName, locked_instance
from stack.status import ServerStatus, State, observe
from stack.supervisor import STOP_GRACE_S, Report, quiet

__all__ = [
    "Data",
    "Endpoints",
    "Network",
    "PortPlan",
    "Server",
    "ServerName",
    "ServerStatus",
    "StackError",
    "State",
    "down",
    "remove",
    "restart",
    "server",
    "status",
    "up",
    "while_up",
]

DEFAULT_INSTANCE = "local"


class Data(StrEnum):
    """What becomes of an instance's earlier data at `up`."""

    KEPT = "kept"
    FRESH = "fresh"


def up(
    name: str = DEFAULT_INSTANCE,
    *,
    data: Data = Data.KEPT,
    ports: PortPlan = PortPlan.DEFAULT,
    only: Iterable[ServerName] = USUAL,
    brokers: int | None = None,
    network: Network | None = None,
    home: Path = HOME,
    report: Report = quiet,
) -> Endpoints:
    """Start the servers that do not run and return when all are ready; a second call starts nothing new.

    Missing programs and jars are installed first. An instance keeps the ports, the number of its brokers (one unless
    told otherwise, or three) and the network of its first start until it is removed.
    """
    with locked_instance(name, home):
        chosen = _load_or_create(name, ports, home, brokers, network)
        wanted = servers.in_order(only, chosen.broker_names)
        _install(wanted, report)
        if data is Data.FRESH:
            _wipe(chosen, report)
        programs = [servers.program(chosen, each, report) for each in wanted]
        supervisor.check_ports(chosen, programs)
        chosen.save(chosen.wanted.union(wanted))
        supervisor.start(chosen, programs, report)
        chosen.publish()
    return chosen.endpoints()


def down(name: str = DEFAULT_INSTANCE, *, home: Path = HOME, report: Report = quiet) -> None:
    """Stop every server of the instance, and keep its data."""
    with locked_instance(name, home):
        chosen = instance.load(name, home)
        supervisor.stop(chosen, list(ServerName), report)
        chosen.save(wanted=())


def remove(name: str, *, home: Path = HOME, report: Report = quiet) -> None:
    """Stop every server of the instance, and delete all that is kept of it."""
    with locked_instance(name, home):
        _wipe(instance.load(name, home), report)


@contextmanager
def while_up(
    name: str,
    *,
    ports: PortPlan = PortPlan.FREE,
    only: Iterable[ServerName] = USUAL,
    brokers: int | None = None,
    network: Network | None = None,
    home: Path = HOME,
) -> Iterator[Endpoints]:
    """A fresh instance that is removed afterwards, also when it does not come up."""
    try:
        yield up(name, data=Data.FRESH, ports=ports, only=only, brokers=brokers, network=network, home=home)
    finally:
        remove(name, home=home)


def status(name: str = DEFAULT_INSTANCE, *, home: Path = HOME) -> list[ServerStatus]:
    """What each server is doing now."""
    return observe(instance.load(name, home))


@dataclass(frozen=True)
class Server:
    """One server of an instance, for tests that break it. Each call returns when its effect is seen."""

    instance: Instance
    name: ServerName

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End the server by this signal and wait until it is gone with its children (SIGKILL after 20 s)."""
        running = self.instance.running(self.name)
        if running is not None:
            process.end(running, how, STOP_GRACE_S)

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections, but answers nobody."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT, after `pause`."""
        self._send(signal.SIGCONT)

    def start(self) -> None:
        """Start the server again on its data and ports, and wait until it is ready."""
        with locked_instance(self.instance.name, self.instance.folder.parent):
            program = servers.program(self.instance, self.name, quiet)
            supervisor.check_ports(self.instance, [program])
            supervisor.start(self.instance, [program], quiet)

    def _send(self, signal_number: signal.Signals) -> None:
        running = self.instance.running(self.name)
        if running is None:
            raise BadRequest(f"{self.name} of instance {self.instance.name!r} does not run, so it hears no signal")
        process.send(running, signal_number)


def server(name: str, which: ServerName, *, home: Path = HOME) -> Server:
    """A handle on one server of an instance."""
    return Server(instance.load(name, home), which)


def restart(name: str, which: ServerName, *, how: signal.Signals | None = None, home: Path = HOME) -> None:
    """End a server by the signal, else as `down` does, and start it again on its data and ports."""
    handle = server(name, which, home=home)
    handle.kill(how or supervisor.stop_signal(which))
    handle.start()


def _load_or_create(name: str, plan: PortPlan, home: Path, brokers: int | None, network: Network | None) -> Instance:
    if not instance.exists(name, home):
        return instance.create(name, plan, home, brokers or 1, network or Network.DIRECT)
    known = instance.load(name, home)
    if brokers not in (None, known.brokers) or network not in (None, known.network):
        raise BadRequest(
            f"instance {name!r} was made with {known.brokers} broker(s), {known.network}: "
            f"remove it with `python -m stack down --wipe --instance {name}`, or name another one"
        )
    if plan is PortPlan.FREE and known.port_plan is PortPlan.DEFAULT:
        raise BadRequest(
            f"instance {name!r} already has the default ports: "
            f"remove it with `python -m stack down --wipe --instance {name}`, or name another one"
        )
    return known


def _wipe(chosen: Instance, report: Report) -> None:
    if chosen.brokers > 1:  # the last of a cluster cannot leave in good order, and need not
        for broker in chosen.broker_names:
            Server(chosen, broker).kill()
    supervisor.stop(chosen, list(ServerName), report)
    postgres.wipe_data(chosen)
    instance.wipe(chosen.folder)


def _install(wanted: list[ServerName], report: Report) -> None:
    jar_sets = servers.jars_of(wanted)
    needs = system.missing(set(wanted))
    if not jars.missing(jar_sets):
        needs = [need for need in needs if need.program != "mvn"]  # Maven has done its work.
    system.install(needs, report)
    jars.fetch(jar_sets, report)
    if ServerName.TOXIPROXY in wanted:
        toxiproxy.install(report)
