"""A server as the supervisor sees it: how it is prepared, started, and known to be ready."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stack.errors import NotInstalled
from stack.instance import ServerName
from stack.ports import HOST
from stack.process import Account

# What the Java servers print, with the time of the event.
JAVA_LOGGING = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
)

# For Java programs that are started often and asked seldom: the quick compiler only, and the smallest collector.
JAVA_QUICK_START = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


@dataclass(frozen=True)
class Program:
    """One server of one instance. Its functions are called when they are needed, so that looking costs nothing."""

    name: ServerName
    ports: tuple[int, ...]  # every port of 127.0.0.1 it listens on; clients use the first
    folder: Path  # its working directory
    prepare: Callable[[], None]  # writes configuration, makes the data folder; repeatable
    command: Callable[[], Sequence[str]]
    lacking: Callable[[], str]  # what it still lacks to be ready; empty when it is ready
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    ready_within_s: float = 180.0  # a machine busy with tests starts Java slowly

    @property
    def address(self) -> str:
        """Where clients reach it."""
        return f"{HOST}:{self.ports[0]}"


def executable(name: str) -> str:
    """The path of a program of the operating system. Raises NotInstalled."""
    path = shutil.which(name)
    if path is None:
        raise NotInstalled(f"the program {name!r} is not on the PATH: run `python -m stack doctor`")
    return path


def properties(settings: Mapping[str, object]) -> str:
    """The text of a Java properties file. Values hold no line breaks and no backslashes."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())
