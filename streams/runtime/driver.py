"""Adapters that Faust finds by the URL scheme of its broker, `kafka+txn://host:port`.

Faust's `Consumer` and `Producer` remain as the shells it talks to; records and offsets go through `Cycle`.
"""

# mypy: allow-subclassing-any, allow-untyped-decorators

import logging
from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaException
from faust.transport import base
from faust.transport.consumer import Consumer
from faust.transport.drivers import TRANSPORTS
from faust.transport.producer import Producer
from faust.types import TP
from mode import Service

from streams.runtime.cycle import Cycle
from streams.runtime.fatal import RefusedError, UnsupportedError, refuse
from streams.runtime.model import refused
from streams.runtime.outbox import outbox_of
from streams.runtime.settings import Settings
from streams.runtime.topics import ensure_topics
from streams.runtime.transaction import Transactions

log = logging.getLogger(__name__)

SCHEME = "kafka+txn"
STATISTICS_EVERY_MS = 1_000
RETRY_BACKOFF_MS = 5
"""The next transaction is refused while markers of the last are written; the default of 100 ms shows as latency."""


class ConsumerShell(Consumer):
    """What Faust expects of a consumer. `ack` ends a batch; everything else is the cycle's."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.owned: set[TP] = set()

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group and start the cycle. Called once, when all agents are up."""
        cycle = self.app._fetcher
        await cycle.in_thread(cycle.source.subscribe, sorted(topics))
        await cycle.maybe_start()

    def ack(self, message: Any) -> bool:
        """All agents of the batch have come back for more."""
        self.app._fetcher.finished()
        return True

    def assignment(self) -> set[TP]:
        """Source partitions, as told to Faust."""
        return self.owned

    async def on_stop(self) -> None:
        """Stop the cycle."""
        await self.app._fetcher.stop()

    async def commit(self, *_: Any, **__: Any) -> bool:
        """Nothing: offsets are committed in the cycle's transaction."""
        return False

    async def wait_empty(self) -> None:
        """Nothing: a cycle that is not finished is dropped."""

    async def create_topic(self, *_: Any, **__: Any) -> None:
        """Nothing: the driver checks topics once, at start."""

    def close(self) -> None:
        """Nothing: the cycle leaves the group."""

    def topic_partitions(self, topic: str) -> int | None:
        """Unknown here; the driver has checked."""
        return None

    @Service.task
    async def _commit_handler(self) -> None: ...

    @Service.task
    async def _commit_livelock_detector(self) -> None: ...

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    _commit = _to_message = _getmany = _seek = refused("Faust's own fetching", "records come from the cycle")
    seek_to_committed = seek_wait = position = refused("seeking", "stop the worker and set the group's offsets")
    earliest_offsets = highwaters = highwater = key_partition = refused("asking for offsets", "see the metrics")


class ProducerShell(Producer):
    """What Faust expects of a producer. Starting it is the worker's first contact with the broker."""

    async def on_start(self) -> None:
        """Check everything that can be checked before the first record; ends the process if it cannot work."""
        cycle = self.app._fetcher
        try:
            check_supported(self.app)
            await cycle.in_thread(self.app.transport.check_topics)
            if cycle.snapshots is not None:
                cycle.snapshots.start()
            await cycle.in_thread(cycle.transactions.start)
        except (RefusedError, UnsupportedError) as error:
            refuse(error)
        except KafkaException as error:
            refuse(RefusedError(f"the broker did not let this worker begin: {error.args[0].str()}"))

    async def flush(self) -> None:
        """Nothing: the transaction flushes."""

    async def create_topic(self, *_: Any, **__: Any) -> None:
        """Nothing: the driver makes changelogs, and `topics` the others."""

    send = send_soon = send_and_wait = refused("Faust's producer", "use app.outbox.put(topic, key, value)")
    key_partition = refused("asking for a key's partition", "the partitioner is murmur2_random")


class Transport(base.Transport):
    """Everything about one app that depends on its broker."""

    Consumer = ConsumerShell
    Producer = ProducerShell
    Fetcher = Cycle
    default_port = 9092
    driver_version = "millrace"

    def __init__(self, url: Any, app: Any, loop: Any = None) -> None:
        super().__init__(url, app, loop)
        self.settings = Settings()
        outbox_of(app)

    @property
    def servers(self) -> str:
        """host:port, comma-separated."""
        return ",".join(f"{each.host}:{each.port or self.default_port}" for each in self.url)

    def client(self) -> dict[str, Any]:
        """Configuration of every Kafka client of this worker."""
        name = f"{self.app.conf.id}-{self.settings.worker}"
        return self.settings.client(self.servers, client_id=name, logger=log)

    def new_transactions(self) -> Transactions:
        """The transactional producer of this worker, not yet started.

        When it reaches no broker, its commit fails, and the worker ends.
        """
        settings = self.settings
        config = self.client() | {
            "transactional.id": f"{self.app.conf.id}-{settings.worker}",
            "transaction.timeout.ms": int(settings.transaction_timeout_s * 1000),
            "socket.timeout.ms": int(settings.request_timeout_s * 1000),
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 1,
            "retry.backoff.ms": RETRY_BACKOFF_MS,
            "queue.buffering.max.messages": 200_000,
            "message.max.bytes": 4 * 1024 * 1024,  # the topic's own limit decides
            "statistics.interval.ms": STATISTICS_EVERY_MS,
        }
        return Transactions(
            config, request_timeout_s=settings.request_timeout_s, commit_timeout_s=settings.commit_timeout_s
        )

    def check_topics(self) -> None:
        """Raises RefusedError if the broker or a topic is not as it must be."""
        app = self.app
        ensure_topics(
            self.client(),
            sources=sorted({name for agent in app.agents.values() for name in agent.get_topic_names()}),
            changelogs={table.changelog_topic_name: table.partitions for table in app.tables.values()},
            replication_factor=self.settings.replication_factor,
            wait_s=self.settings.broker_wait_s,
        )


def check_supported(app: Any) -> None:
    """Raises UnsupportedError for settings of the app that would break exactly once or be ignored in silence."""
    conf = app.conf
    if app.client_only or app.producer_only:
        raise UnsupportedError("an app without consumer", "use confluent_kafka.Producer")
    if conf.processing_guarantee.value != "at_least_once":
        raise UnsupportedError("processing_guarantee", "leave it alone; this runtime is always exactly once")
    if conf.store.scheme != "memory":
        raise UnsupportedError(f"store {conf.store}", "rows live in memory and in the changelog")
    if not conf.topic_disable_leader:
        raise UnsupportedError("a leader", "pass **SEAMS to faust.App, which disables it")


def register() -> None:
    """Let `faust.App(broker="kafka+txn://...")` find this transport."""
    TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
