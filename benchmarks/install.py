"""Programs that are not of this project's environment: built or installed once, under .stack/contestants/.

A changed version or source changes the folder's name, so that an old one is never mixed with a new one.
"""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from stack.instance import HOME, locked, wipe

CONTESTANTS = Path(__file__).parent / "contestants"
POM = CONTESTANTS / "kafka_streams" / "pom.xml"
QUIX_REQUIREMENTS = CONTESTANTS / "quix_requirements.txt"


class InstallError(Exception):
    """A program could not be had; the message names it and the log."""


class Installed(StrEnum):
    """What has to be made before a contestant can start."""

    KAFKA_STREAMS = "kafka_streams"  # a folder of jars
    QUIX = "quix"  # a virtual environment


def folder(what: Installed) -> Path:
    """Where it is, or will be."""
    digest = hashlib.sha256()
    for source in _sources(what):
        digest.update(source.read_bytes())
    return HOME / "contestants" / f"{what}-{digest.hexdigest()[:12]}"


def ensure(what: Installed, say: Callable[[str], None]) -> None:
    """Make it unless it is there. Raises InstallError."""
    with locked(HOME / "contestants" / "lock"):
        if folder(what).is_dir():
            return
        say(f"installing {what} (once)")
        partial = folder(what).with_suffix(".partial")
        wipe(partial)
        partial.mkdir(parents=True)
        for command in _commands(what, partial):
            _run(what, command)
        partial.rename(folder(what))


def _sources(what: Installed) -> list[Path]:
    match what:
        case Installed.KAFKA_STREAMS:
            return [POM, *sorted(POM.parent.rglob("*.java"))]
        case Installed.QUIX:
            return [QUIX_REQUIREMENTS]
        case _:
            assert_never(what)


def _commands(what: Installed, into: Path) -> list[list[str]]:
    match what:
        case Installed.KAFKA_STREAMS:
            return [["mvn", "-q", "-B", "-ntp", "-f", str(POM), "package", f"-Dbuilt={into}"]]
        case Installed.QUIX:
            # Its own interpreter is called as a module, so that the folder may be renamed afterwards.
            install = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(QUIX_REQUIREMENTS)]
            return [[sys.executable, "-m", "venv", str(into)], [str(into / "bin" / "python"), *install]]
        case _:
            assert_never(what)


def _run(what: Installed, command: list[str]) -> None:
    output = HOME / "contestants" / f"{what}.log"
    with output.open("wb") as log:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise InstallError(f"{what} could not be installed: {command[0]} ended with {done.returncode}; log {output}")
