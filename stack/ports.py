"""Ports of 127.0.0.1: which are free, and who holds one that is not."""

import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

HOST = "127.0.0.1"

# Below the ephemeral range, so that no outgoing connection takes a port between the choice and its use.
_FREE_RANGE = range(20_000, 32_000)


@dataclass(frozen=True)
class Ports:
    """One port for each listener; the defaults are those of the documents."""

    kafka: int = 19092
    controller: int = 19093
    postgres: int = 15432
    registry: int = 18081
    connect: int = 18083
    prometheus: int = 19090
    kafka_2: int = 19094
    controller_2: int = 19095
    kafka_3: int = 19096
    controller_3: int = 19097
    proxied: int = 19192
    """Where a broker listens for what comes through a proxy; `proxy` is where clients are told to find it."""
    proxied_2: int = 19194
    proxied_3: int = 19196
    proxy: int = 19292
    proxy_2: int = 19294
    proxy_3: int = 19296
    toxiproxy: int = 18474


@dataclass(frozen=True)
class Holder:
    """A process that listens on a port."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid})"


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # As servers do: TIME_WAIT does not count.
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def pick() -> Ports:
    """Free ports, different from one another."""
    chosen: dict[str, int] = {}
    for field in fields(Ports):
        chosen[field.name] = next(
            port for port in random.sample(_FREE_RANGE, 500) if port not in chosen.values() and is_free(port)
        )
    return Ports(**chosen)


def holder(port: int) -> Holder | None:
    """The process that listens on the port; None when it belongs to a user whose processes we may not look into."""
    inodes = _listening_inodes(port)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and not inodes.isdisjoint(_open_files(entry)):
            with suppress(OSError):  # It has ended since.
                return Holder(int(entry.name), (entry / "comm").read_text().strip())
    return None


def _open_files(process: Path) -> Iterator[str]:
    """What the descriptors of a process point at; nothing when it ended, or belongs to another user."""
    with suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):  # Closed since it was listed.
                yield str(descriptor.readlink())


def _listening_inodes(port: int) -> set[str]:
    """The sockets that listen on the port, as /proc/<pid>/fd shows them."""
    inodes: set[str] = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            columns = line.split()
            local_port = int(columns[1].rpartition(":")[2], 16)
            if columns[3] == "0A" and local_port == port:
                inodes.add(f"socket:[{columns[9]}]")
    return inodes
