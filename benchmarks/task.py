"""What a contestant is told, through its environment, and the one thing it tells back."""

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

_PREFIX = "TASK_"


@dataclass(frozen=True)
class Task:
    """Read every record of `commands`, write one of `outcomes` for each, until SIGTERM.

    Both topics exist and have `work.PARTITIONS` partitions. Names of whatever else is made begin with `run`.
    """

    kafka: str  # host:port
    run: str  # consumer group, application id
    commands: str
    outcomes: str
    folder: str  # for files; the working directory
    process: str = "0"  # number among the equal processes that share this task

    def environment(self) -> dict[str, str]:
        """This task as variables TASK_KAFKA, TASK_RUN …"""
        return {_PREFIX + name.upper(): value for name, value in asdict(self).items()}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Task":
        """The task of this process."""
        return cls(**{name: environment[_PREFIX + name.upper()] for name in cls.__dataclass_fields__})

    @property
    def mark(self) -> Path:
        """Appears with the first record, and holds the moment."""
        return Path(self.folder) / f"started-{self.process}"


class Start:
    """`start()` with every batch or record: the clock of a run starts with the first."""

    def __init__(self, task: Task) -> None:
        self._mark = task.mark
        self._made = False

    def __call__(self) -> None:
        if not self._made:
            self._made = True
            unseen = self._mark.with_suffix(".tmp")
            unseen.write_text(repr(time.monotonic()))  # on Linux one clock for all processes
            unseen.rename(self._mark)
