"""Processes that outlive us: started in a session of their own, recognised again, and ended with their children.

A process is known by its pid, its start time and the boot it belongs to, so that a re-used pid is never taken for
ours. Signals go through a pidfd, which stays with the process it was opened on. Linux only.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_ORPHAN_GRACE_S = 1.0  # for children to notice by themselves that their parent is gone
_KILL_WAIT_S = 10.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")

# Children of this very Python process by pid. Held, so that they are reaped when they end instead of staying zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class ProcessId:
    """One process among all that ever had this pid."""

    pid: int
    start_ticks: int  # clock ticks after boot, field 22 of /proc/<pid>/stat
    boot_id: str


@dataclass(frozen=True)
class Account:
    """The user a process runs as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class _Stat:
    state: str
    parent_pid: int
    start_ticks: int


def _read_stat(pid: int) -> _Stat | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, field 2, stands in brackets and may hold spaces and brackets itself.
    fields = stat.rpartition(")")[2].split()
    return _Stat(state=fields[0], parent_pid=int(fields[1]), start_ticks=int(fields[19]))


def _boot_id() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def identify(pid: int) -> ProcessId | None:
    """Who has this pid now; None when nobody has, or only a zombie."""
    stat = _read_stat(pid)
    if stat is None or stat.state in "ZX":
        return None
    return ProcessId(pid, stat.start_ticks, _boot_id())


def is_alive(process: ProcessId) -> bool:
    """Whether this very process still runs."""
    child = _children.get(process.pid)
    if child is not None and child.poll() is not None:
        _children.pop(process.pid, None)
    return identify(process.pid) == process


def uptime_s(process: ProcessId) -> float:
    """Seconds since the process started."""
    since_boot_s = float((_PROC / "uptime").read_text().split()[0])
    return since_boot_s - process.start_ticks / _TICKS_PER_S


def memory_bytes(process: ProcessId) -> int:
    """Resident memory of the process and its descendants, shared memory left out."""
    return sum(_resident_bytes(member.pid) for member in (process, *descendants(process)))


def _resident_bytes(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "RssFile:")))


def descendants(process: ProcessId) -> list[ProcessId]:
    """The children of the process, their children, and so on; none when the process is gone."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (stat := _read_stat(int(entry.name))) is not None:
            children.setdefault(stat.parent_pid, []).append(int(entry.name))
    found: list[ProcessId] = []
    unseen = children.get(process.pid, [])
    while unseen:
        pid = unseen.pop()
        unseen.extend(children.get(pid, []))
        if (member := identify(pid)) is not None:
            found.append(member)
    # Still alive after the look: so it was these children's parent, not a stranger who has its pid now.
    return found if is_alive(process) else []


def spawn(
    command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str], account: Account | None
) -> ProcessId:
    """Start a process in a session of its own, with nothing in its environment but what is given.

    Raises OSError when it cannot be started.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[account.gid] if account else None,
        )
    stat = _read_stat(child.pid)
    assert stat is not None  # Our own child: even when it has ended already, its entry waits until it is reaped.
    _children[child.pid] = child
    return ProcessId(child.pid, stat.start_ticks, _boot_id())


@contextmanager
def _held(process: ProcessId) -> Iterator[int | None]:
    """A pidfd of the process, or None when it is gone."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        # Looked at after the handle was taken: from here on the pid cannot pass to another process unnoticed.
        yield handle if is_alive(process) else None
    finally:
        os.close(handle)


def send(process: ProcessId, signal_number: signal.Signals) -> None:
    """Signal this very process; nothing happens when it is gone."""
    with _held(process) as handle:
        if handle is not None:
            _signal(handle, signal_number)


def _signal(handle: int, signal_number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(handle, signal_number)
    except ProcessLookupError:
        return  # It ended in this moment.


def end(process: ProcessId, signal_number: signal.Signals, grace_s: float) -> None:
    """End the process and its descendants: the signal, SIGKILL when the grace is over; wait until all are gone."""
    members = [process, *descendants(process)]
    with _held(process) as handle:
        if handle is not None:
            _signal(handle, signal_number)
            _signal(handle, signal.SIGCONT)  # A stopped process would not hear it.
            _wait(handle, grace_s)
    deadline_s = time.monotonic() + _ORPHAN_GRACE_S
    for member in members:
        with _held(member) as handle:
            if handle is not None and not _wait(handle, max(0.0, deadline_s - time.monotonic())):
                _signal(handle, signal.SIGKILL)
                _wait(handle, _KILL_WAIT_S)
        is_alive(member)  # Reaps it, when it was our own child.


def _wait(handle: int, timeout_s: float) -> bool:
    """Whether the process ended within the time."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))
