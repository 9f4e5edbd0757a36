"""Starts the servers side by side, waits until each is ready, and stops them in reverse order."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stack import process
from stack.errors import NotReady, PortTaken
from stack.instance import Instance, ServerName, running_beside
from stack.ports import HOST, holder, is_free
from stack.process import ProcessId
from stack.program import Program

Report = Callable[[str], None]

STOP_GRACE_S = 20.0
_POLL_S = 0.1

# PostgreSQL's fast shutdown; at SIGTERM it would wait for every client to leave.
_STOP_SIGNALS = {ServerName.POSTGRES: signal.SIGINT}

# Servers inherit nothing of our environment: no proxy, no credential, no locale.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}


def quiet(_line: str) -> None:
    """Report to nobody."""


def start(instance: Instance, programs: Sequence[Program], report: Report) -> None:
    """Start what does not run, all at once, and return when all are ready.

    Raises the first error in the order of the programs; what did start stays up, for `status` and `down`.
    """
    given_up = threading.Event()
    with ThreadPoolExecutor(max_workers=len(programs) or 1) as pool:
        starts = [pool.submit(_start_one, instance, program, given_up, report) for program in programs]
        try:
            errors = [error for started in starts if (error := started.exception()) is not None]
        except KeyboardInterrupt:
            given_up.set()
            raise
    for error in errors:
        raise error


def stop_signal(server: ServerName) -> signal.Signals:
    """The signal at which the server leaves in good order."""
    return _STOP_SIGNALS.get(server, signal.SIGTERM)


def stop(instance: Instance, servers: Sequence[ServerName], report: Report) -> None:
    """Stop the servers in reverse order, each with its children. Those that do not run are forgotten."""
    for server in reversed(servers):
        running = instance.running(server)
        if running is not None:
            began_s = time.monotonic()
            process.end(running, stop_signal(server), STOP_GRACE_S)
            report(f"{server} stopped after {time.monotonic() - began_s:.1f} s")
        instance.forget(server)


def check_ports(instance: Instance, programs: Sequence[Program]) -> None:
    """Raises PortTaken when a program that does not run would find one of its ports taken."""
    for program in programs:
        if instance.running(program.name) is None:
            _check_ports(instance, program)


def _check_ports(instance: Instance, program: Program) -> None:
    for port in program.ports:
        if is_free(port):
            continue
        stranger = holder(port)
        neighbour = running_beside(instance, stranger.pid) if stranger else None
        if neighbour is not None:
            taken_by = f"instance {neighbour!r}: run `python -m stack down --instance {neighbour}`"
        else:
            taken_by = f"{stranger or 'a process of another user'}: stop it"
        raise PortTaken(
            f"{program.name} cannot listen on {HOST}:{port}, which is taken by {taken_by}, "
            "or start another instance with --free-ports"
        )


def _start_one(instance: Instance, program: Program, given_up: threading.Event, report: Report) -> None:
    began_s = time.monotonic()
    running = instance.running(program.name)
    if running is not None and not program.lacking():
        report(f"{program.name} is already up at {program.address}")
        return
    _wait_until_ready(instance, program, running or _spawn(instance, program), given_up)
    report(f"{program.name} is up at {program.address} after {time.monotonic() - began_s:.1f} s")


def _spawn(instance: Instance, program: Program) -> ProcessId:
    program.prepare()
    log = instance.log(program.name)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".1.log"))
    environment = {**_ENVIRONMENT, **program.environment}
    try:
        started = process.spawn(
            program.command(), folder=program.folder, log=log, environment=environment, account=program.account
        )
    except OSError as error:
        raise NotReady(f"{program.name} could not be started: {error}") from error
    instance.remember(program.name, started)
    return started


def _wait_until_ready(instance: Instance, program: Program, started: ProcessId, given_up: threading.Event) -> None:
    deadline_s = time.monotonic() + program.ready_within_s
    log = instance.log(program.name)
    while lacking := program.lacking():
        if not process.is_alive(started):
            raise NotReady(f"{program.name} ended while it was starting, read {log}: {_last_line(log)}")
        if time.monotonic() > deadline_s:
            raise NotReady(
                f"{program.name} at {program.address} runs, but after {program.ready_within_s:.0f} s "
                f"it still lacks its {lacking}: read {log}"
            )
        if given_up.wait(_POLL_S):
            raise NotReady(f"{program.name} was still starting when you interrupted: see `python -m stack status`")


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it printed nothing"
