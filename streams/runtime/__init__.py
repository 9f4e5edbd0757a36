"""A transactional micro-batch runtime under Faust: tables, outputs and offsets change together or not at all (PIPE-03).

    app = faust.App("id", broker="kafka+txn://host:port", **SEAMS)

keeps Faust's programming model (agents, tables, topics, pages, worker) and replaces what lies beneath. It knows nothing
of money. Read in this order: `model`, `rows`, `tables`, `cycle`, `transaction`, `assignment`, `restore`, `snapshots`.
"""

import tempfile
from pathlib import Path
from typing import Any

from streams.runtime import driver, health
from streams.runtime.clock import Clock
from streams.runtime.dead_letters import DeadLetters
from streams.runtime.fatal import RefusedError, UnsupportedError
from streams.runtime.model import BatchStream, FatalAgent, OutboxTopic, RawSchema
from streams.runtime.outbox import Outbox, OutRecord
from streams.runtime.rows import Rows
from streams.runtime.settings import Settings
from streams.runtime.tables import PartitionedTable, RestoredTables
from streams.runtime.worker import NoGlobalTable, NoLeader, NoRouter, NoSetTable, Worker

__all__ = [
    "SEAMS",
    "Clock",
    "DeadLetters",
    "OutRecord",
    "Outbox",
    "RefusedError",
    "Rows",
    "Settings",
    "UnsupportedError",
]

driver.register()
health.register()

SEAMS: dict[str, Any] = {
    "Agent": FatalAgent,
    "Schema": RawSchema,
    "Stream": BatchStream,
    "Table": PartitionedTable,
    "TableManager": RestoredTables,
    "Topic": OutboxTopic,
    "Worker": Worker,
    "GlobalTable": NoGlobalTable,
    "SetTable": NoSetTable,
    "SetGlobalTable": NoSetTable,
    "LeaderAssignor": NoLeader,
    "Router": NoRouter,
    "topic_disable_leader": True,
    "web": f"{health.WEB_SCHEME}://",
    "web_bind": "127.0.0.1",  # the environment's WEB_BIND comes first
    "datadir": str(Path(tempfile.gettempdir()) / "millrace"),  # Faust makes it; nothing is kept in it
}
"""Keyword arguments that put this runtime under a `faust.App`."""
