"""What the servers of an instance are doing now."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from stack import process, servers
from stack.instance import Instance, ServerName
from stack.supervisor import quiet


class State(StrEnum):
    """READY answers; UNREADY runs but does not answer; DIED should run but does not; STOPPED was not asked for."""

    READY = "ready"
    UNREADY = "unready"
    DIED = "died"
    STOPPED = "stopped"


@dataclass(frozen=True)
class ServerStatus:
    """One row of `python -m stack status`."""

    server: ServerName
    address: str
    state: State
    pid: int | None = None
    uptime_s: float | None = None
    memory_bytes: int | None = None


def observe(instance: Instance) -> list[ServerStatus]:
    """The status of every server that it may have, in the order of ServerName; they are asked at the same time."""
    with ThreadPoolExecutor(max_workers=len(instance.servers)) as pool:
        return list(pool.map(lambda server: _observe_one(instance, server), instance.servers))


def all_ready(statuses: list[ServerStatus]) -> bool:
    """Whether something was asked for, and all of it answers."""
    asked_for = [status.state for status in statuses if status.state is not State.STOPPED]
    return bool(asked_for) and all(state is State.READY for state in asked_for)


def _observe_one(instance: Instance, server: ServerName) -> ServerStatus:
    program = servers.program(instance, server, quiet)
    running = instance.running(server)
    if running is None:
        state = State.DIED if server in instance.wanted else State.STOPPED
        return ServerStatus(server, program.address, state)
    return ServerStatus(
        server=server,
        address=program.address,
        state=State.UNREADY if program.lacking() else State.READY,
        pid=running.pid,
        uptime_s=round(process.uptime_s(running), 2),
        memory_bytes=process.memory_bytes(running),
    )
