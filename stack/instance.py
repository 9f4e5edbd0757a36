"""An instance: a named folder under .stack/ with the configuration, data, logs and ports of its servers."""

import fcntl
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from stack import ports
from stack.errors import BadRequest
from stack.ports import HOST, Ports
from stack.process import ProcessId, is_alive

CHECKOUT = Path(__file__).resolve().parent.parent
HOME = CHECKOUT / ".stack"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_RESERVED = {"bin", "contestants", "env", "jars"}


class ServerName(StrEnum):
    """The servers, in the order in which they are shown; they are stopped in reverse."""

    TOXIPROXY = "toxiproxy"
    KAFKA = "kafka"
    KAFKA_2 = "kafka-2"
    KAFKA_3 = "kafka-3"
    POSTGRES = "postgres"
    REGISTRY = "registry"
    CONNECT = "connect"
    PROMETHEUS = "prometheus"


BROKERS = (ServerName.KAFKA, ServerName.KAFKA_2, ServerName.KAFKA_3)
USUAL = tuple(each for each in ServerName if each not in (*BROKERS[1:], ServerName.TOXIPROXY))
"""What `up` starts unless it is told otherwise; a cluster's other brokers come with the first."""


class Network(StrEnum):
    """DIRECT: clients reach the brokers. PROXIED: a second listener of each broker can be reached through a proxy."""

    DIRECT = "direct"
    PROXIED = "proxied"


class PortPlan(StrEnum):
    """DEFAULT: the ports of the documents. FREE: any free ones, remembered for the instance (for tests)."""

    DEFAULT = "default"
    FREE = "free"


@dataclass(frozen=True)
class Endpoints:
    """Where the servers of an instance answer; the names in the `env` file stand beside them."""

    kafka: str  # MILLRACE_KAFKA, host:port of each broker, comma separated
    postgres: str  # MILLRACE_POSTGRES, a libpq URL
    registry: str  # MILLRACE_REGISTRY, the Confluent-compatible API
    connect: str  # MILLRACE_CONNECT
    prometheus: str  # MILLRACE_PROMETHEUS
    scrape_targets: str  # MILLRACE_SCRAPE_TARGETS, a folder of file_sd JSON files
    converter_registry: str  # MILLRACE_CONVERTER_REGISTRY, Apicurio's own API, for the Avro converter in Connect

    def environment(self) -> dict[str, str]:
        """The endpoints as MILLRACE_* variables."""
        return {f"MILLRACE_{name.upper()}": value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Instance:
    """What is remembered of an instance between commands (`instance.json`)."""

    folder: Path
    ports: Ports
    port_plan: PortPlan
    wanted: frozenset[ServerName]  # every server that an `up` asked for since the last `down`
    brokers: int = 1  # one, or a cluster of three
    network: Network = Network.DIRECT

    @property
    def name(self) -> str:
        """The name given with --instance."""
        return self.folder.name

    @property
    def broker_names(self) -> tuple[ServerName, ...]:
        """The brokers of its cluster."""
        return BROKERS[: self.brokers]

    @property
    def servers(self) -> tuple[ServerName, ...]:
        """The servers that it may have."""
        extra = {*BROKERS[self.brokers :], *([ServerName.TOXIPROXY] if self.network is Network.DIRECT else [])}
        return tuple(each for each in ServerName if each not in extra)

    def port(self, listener: str, broker: ServerName) -> int:
        """A broker's port of `kafka`, `controller`, `proxied` or `proxy`."""
        number = BROKERS.index(broker) + 1
        return int(getattr(self.ports, listener if number == 1 else f"{listener}_{number}"))

    def bootstrap(self, listener: str = "kafka") -> str:
        """host:port of every broker, comma separated; by `proxy`, as clients behind the proxy see them."""
        return ",".join(f"{HOST}:{self.port(listener, broker)}" for broker in self.broker_names)

    def home(self, server: ServerName) -> Path:
        """The folder of one server: its generated configuration, and its data in `data/`."""
        return self.folder / server

    def log(self, server: ServerName) -> Path:
        """What the server printed since it was last started."""
        return self.folder / "logs" / f"{server}.log"

    def endpoints(self) -> Endpoints:
        """Where its servers answer, whether they run or not."""
        return Endpoints(
            kafka=self.bootstrap(),
            postgres=f"postgresql://millrace@{HOST}:{self.ports.postgres}/millrace",
            registry=f"http://{HOST}:{self.ports.registry}/apis/ccompat/v7",
            connect=f"http://{HOST}:{self.ports.connect}",
            prometheus=f"http://{HOST}:{self.ports.prometheus}",
            scrape_targets=str(self.home(ServerName.PROMETHEUS) / "targets"),
            converter_registry=f"http://{HOST}:{self.ports.registry}/apis/registry/v2",
        )

    def process(self, server: ServerName) -> ProcessId | None:
        """The process last started for the server, dead or alive; None when there is none, or it was stopped."""
        try:
            return ProcessId(**json.loads(self._record(server).read_text()))
        except FileNotFoundError:
            return None

    def running(self, server: ServerName) -> ProcessId | None:
        """The server's process when it is alive."""
        process = self.process(server)
        return process if process is not None and is_alive(process) else None

    def remember(self, server: ServerName, process: ProcessId) -> None:
        """Record the process of a server that was just started."""
        _write(self._record(server), json.dumps(asdict(process)))

    def forget(self, server: ServerName) -> None:
        """The server was stopped."""
        self._record(server).unlink(missing_ok=True)

    def _record(self, server: ServerName) -> Path:
        return self.folder / "run" / f"{server}.json"

    def save(self, wanted: Iterable[ServerName]) -> None:
        """Write `instance.json`, with these servers wanted."""
        remembered = {
            "ports": asdict(self.ports),
            "port_plan": self.port_plan,
            "wanted": sorted(wanted),
            "brokers": self.brokers,
            "network": self.network,
        }
        _write(self.folder / "instance.json", json.dumps(remembered, indent=1))

    def publish(self) -> None:
        """Write the `env` file; `.stack/env` points at that of the last instance with default ports."""
        lines = [f"{name}={value}\n" for name, value in self.endpoints().environment().items()]
        _write(self.folder / "env", "".join(lines))
        if self.port_plan is PortPlan.DEFAULT:
            link = self.folder.parent / "env.new"
            link.unlink(missing_ok=True)
            link.symlink_to(Path(self.name) / "env")
            link.replace(self.folder.parent / "env")


def at_default_ports(home: Path = HOME) -> str | None:
    """The last instance that was started with default ports; None before the first."""
    link = home / "env"
    return link.readlink().parent.name if link.is_symlink() else None


def load(name: str, home: Path = HOME) -> Instance:
    """The instance of this name. Raises BadRequest when it was never started, or the name is not allowed."""
    folder = _folder(name, home)
    try:
        remembered = json.loads((folder / "instance.json").read_text())
    except FileNotFoundError:
        raise BadRequest(
            f"instance {name!r} does not exist in {home}: start it with `python -m stack up --instance {name}`"
        ) from None
    return Instance(
        folder=folder,
        ports=Ports(**remembered["ports"]),
        port_plan=PortPlan(remembered["port_plan"]),
        wanted=frozenset(ServerName(server) for server in remembered["wanted"]),
        brokers=remembered.get("brokers", 1),
        network=Network(remembered.get("network", Network.DIRECT)),
    )


def create(
    name: str, plan: PortPlan, home: Path = HOME, brokers: int = 1, network: Network = Network.DIRECT
) -> Instance:
    """A new instance, not yet written anywhere. Raises BadRequest for a cluster of other than one or three."""
    if brokers not in (1, len(BROKERS)):
        raise BadRequest(f"an instance has one broker or three, not {brokers}")
    chosen = ports.pick() if plan is PortPlan.FREE else Ports()
    return Instance(_folder(name, home), chosen, plan, frozenset(), brokers, network)


def exists(name: str, home: Path = HOME) -> bool:
    """Whether the instance was started before and is remembered."""
    return (_folder(name, home) / "instance.json").exists()


def running_beside(instance: Instance, pid: int) -> str | None:
    """The name of the instance of the same home that runs this process."""
    for record in instance.folder.parent.glob("*/run/*.json"):
        recorded = ProcessId(**json.loads(record.read_text()))
        if recorded.pid == pid and is_alive(recorded):
            return record.parent.parent.name
    return None


def _folder(name: str, home: Path) -> Path:
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise BadRequest(
            f"{name!r} cannot name an instance: use lower-case letters, digits and hyphens, "
            f"and none of {', '.join(sorted(_RESERVED))}"
        )
    return home / name


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One holder of the lock file at a time; the others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def locked_instance(name: str, home: Path) -> AbstractContextManager[None]:
    """Nobody else starts, stops or removes the instance meanwhile."""
    return locked(home / f".{_folder(name, home).name}.lock")  # Beside the folder, which may be removed.


def wipe(folder: Path) -> None:
    """Delete a folder and all in it; nothing happens when there is none."""
    if folder.exists():
        shutil.rmtree(folder)


def _write(path: Path, text: str) -> None:
    """Replace the file in one step, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    fresh.replace(path)
