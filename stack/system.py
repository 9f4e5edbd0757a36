"""The programs of the operating system: what is missing, and how to install it on Debian without starting anything."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack import postgres
from stack.errors import NotInstalled
from stack.instance import HOME, ServerName, locked

_POLICY = Path("/usr/sbin/policy-rc.d")
_CREATE_CLUSTER = Path("/etc/postgresql-common/createcluster.d/millrace.conf")
_SYSTEMD = Path("/run/systemd/system")


@dataclass(frozen=True)
class Requirement:
    """A program that must be on this machine, and Debian's package of it."""

    program: str
    package: str
    needed_by: frozenset[ServerName]

    def found(self) -> Path | None:
        """Where it is; None when it is missing."""
        if self.program == "initdb":
            folder = postgres.find_binaries()
            return folder / "initdb" if folder else None
        path = shutil.which(self.program)
        return Path(path) if path else None


_JAVA_SERVERS = frozenset({ServerName.KAFKA, ServerName.REGISTRY, ServerName.CONNECT})

REQUIREMENTS = (
    Requirement("java", "openjdk-17-jre-headless", _JAVA_SERVERS),
    Requirement("mvn", "maven", _JAVA_SERVERS),
    Requirement("initdb", "postgresql", frozenset({ServerName.POSTGRES})),
    Requirement("prometheus", "prometheus", frozenset({ServerName.PROMETHEUS})),
    Requirement("promtool", "prometheus", frozenset({ServerName.PROMETHEUS})),
)


def missing(servers: Set[ServerName]) -> list[Requirement]:
    """What these servers need and this machine lacks."""
    return [need for need in REQUIREMENTS if need.needed_by & servers and need.found() is None]


def install_command(needs: list[Requirement]) -> str:
    """The command that brings what is missing."""
    return f"apt-get install --no-install-recommends {' '.join(_packages(needs))}"


def install(needs: list[Requirement], report: Callable[[str], None]) -> None:
    """Install the missing packages, as root on Debian. Raises NotInstalled with the command that would help.

    Of several that call at once, one installs and the others wait for it.
    """
    if not needs:
        return
    with locked(HOME / "install.lock"):
        _install([need for need in needs if need.found() is None], report)


def _install(needs: list[Requirement], report: Callable[[str], None]) -> None:
    if not needs:
        return
    programs = ", ".join(need.program for need in needs)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NotInstalled(f"missing on this machine: {programs}; run as root: {install_command(needs)}")
    packages = _packages(needs)
    report(f"installing {' '.join(packages)} with apt-get (once)")
    _run("apt-get", "-q", "update")
    with _no_service_starts():
        keep_settings = ("-o", "Dpkg::Options::=--force-confold")
        _run("apt-get", "-q", "install", "--yes", "--no-install-recommends", *keep_settings, *packages)
    if _SYSTEMD.exists() and "prometheus" in packages:
        _run("systemctl", "disable", "prometheus.service")  # The package enables it for the next boot.
    still = [need.program for need in needs if need.found() is None]
    if still:
        raise NotInstalled(f"apt-get brought {' '.join(packages)}, but {', '.join(still)} is still not to be found")


def _packages(needs: list[Requirement]) -> list[str]:
    return sorted({need.package for need in needs})


def _run(*command: str) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = " ".join(done.stderr.strip().splitlines()[-2:])
        raise NotInstalled(f"`{' '.join(command)}` failed: {reason}")


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """While packages are installed, no database cluster of Debian's own is made, and no service is started."""
    if not _CREATE_CLUSTER.exists():
        _CREATE_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
        _CREATE_CLUSTER.write_text("create_main_cluster = false\n")
    if _POLICY.exists():  # Somebody's own policy, as container images have one; it stays in force.
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
