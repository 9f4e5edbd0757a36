"""Faust's worker, and its features that a worker of this runtime has not."""

# mypy: allow-subclassing-any

import logging
from typing import Any

import faust
from faust.types.assignor import LeaderAssignorT
from mode import Service

from streams.runtime.fatal import UnsupportedError
from streams.runtime.model import refused


class Worker(faust.Worker):
    """Faust's worker without its spinner.

    The spinner sets the root logger to DEBUG, so that every log call of every library builds its record only to drop
    it: 12 % of the run time of stock Faust.
    """

    def on_setup_root_logger(self, logger: logging.Logger, level: int) -> None:
        """Keep the root logger at INFO or above, whatever `--loglevel` says."""
        self.spinner = None
        logger.setLevel(max(level, logging.INFO))


class NoLeader(Service, LeaderAssignorT):
    """There is no leader: what must happen once, happens in a partition."""

    def __init__(self, app: Any, **options: Any) -> None:
        Service.__init__(self, **options)

    is_leader = refused("on_leader=True", "let a tick of one partition trigger it")


class Refused:
    """Takes the place of a class of Faust that would not be exactly once."""

    feature, instead = "", ""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise UnsupportedError(self.feature, self.instead)


class NoRouter(Refused):
    """`app.table_route`, `app.topic_route`."""

    feature, instead = "table_route", "read a projection; rows in work are not committed yet"


class NoGlobalTable(Refused):
    """`app.GlobalTable`."""

    feature, instead = "GlobalTable", "carry the value in the message, or keep it in a table of each partition"


class NoSetTable(Refused):
    """`app.SetTable`, `app.SetGlobalTable`."""

    feature, instead = "SetTable", "use app.Table with a frozenset in the row"
