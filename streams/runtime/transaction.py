"""One Kafka transaction per cycle, and the doubt that forbids the next one (KIP-890)."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import orjson
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka import Producer as KafkaProducer

from streams.runtime import metrics
from streams.runtime.outbox import OutRecord

log = logging.getLogger(__name__)

ABORT_TIMEOUT_S = 5.0
INIT_TIMEOUT_S = 30.0
WATCHED_BYTES = 64 * 1024
"""Records from this size on are watched, so that a refusal for their size can name them."""

_FENCED = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}
_LOST = {KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS}
_PURGED = {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT}
"""What an abort does to the records it finds: they did not fail it."""
_CONNECTION_FAILED = "FAIL"
_NOT_YET_CONNECTED = "in state CONNECT"
_COUNTERS = ("req_timeouts", "disconnects")
"""Not `txretries`: a retry without either of these followed an answer, such as "markers are still being written"."""


class TransactionError(Exception):
    """The transaction failed for good; the message says why in one sentence."""


class TableWrite(NamedTuple):
    """Changed rows of one table partition: (key, value or None) each, and who learns the last one's offset."""

    table: str
    topic: str
    partition: int
    rows: list[tuple[bytes, bytes | None]]
    written: Callable[[int], None]


class Transaction(NamedTuple):
    """Everything one cycle makes visible together."""

    outputs: list[OutRecord]
    tables: list[TableWrite]
    offsets: list[TopicPartition]
    group: Any


class Doubt:
    """Reasons to think that a request of this producer was sent twice or may still be on its way.

    librdkafka lacks KIP-890: a late commit, abort or produce request of one transaction can reach the broker inside
    the next one of the same producer epoch, and lose or tear it (ADR 2, finding 13). A request is only repeated after a
    timeout or a broken connection. librdkafka 2.8 logs both (facility FAIL), and calls the error callback for a
    timeout only, both before the answer to the repeated request can arrive; so once log and errors are served after
    a commit, they have told of everything that commit met. It suppresses the third equal line within 30 s, but by then
    this producer is gone. Statistics, which come later, are a second witness.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self._before: dict[str, int] | None = None

    def add(self, reason: str) -> None:
        """Remember the first reason, a word for the metric."""
        self.reason = self.reason or reason

    def on_error(self, error: KafkaError) -> None:
        """librdkafka's error callback."""
        log.warning("producer: %s", error)
        self._failed(error.str())

    def log(self, level: int, form: str, *parts: Any) -> None:
        """librdkafka's log, as it calls a `logging.Logger`: parts are facility, client and text."""
        log.log(level, form, *parts)
        if parts and parts[0] == _CONNECTION_FAILED:
            self._failed(str(parts[-1]))

    def _failed(self, text: str) -> None:
        if _NOT_YET_CONNECTED not in text:  # otherwise no request can have been on its way
            self.add("connection")

    def on_statistics(self, text: str) -> None:
        """librdkafka's statistics callback: any counter above the first sample's is a reason."""
        brokers = orjson.loads(text)["brokers"].values()
        now = {name: sum(broker.get(name, 0) for broker in brokers) for name in _COUNTERS}
        before = self._before = self._before or now
        for name in _COUNTERS:
            if now[name] > before[name]:
                self.add(name)


class Transactions:
    """The one transactional producer of this process, replaced whenever its last transaction was doubtful.

    A replacement has the same transactional id: initialising it bumps the epoch at the coordinator, which fences
    whatever of the old one is still on its way.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        request_timeout_s: float,
        commit_timeout_s: float,
        new_producer: Callable[[dict[str, Any]], Any] = KafkaProducer,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = dict(config)
        self._request_timeout_s = request_timeout_s
        self._commit_timeout_s = commit_timeout_s
        self._new_producer = new_producer
        self._monotonic_s = monotonic_s
        self._kafka: Any = None
        self._undelivered: list[tuple[int, str]] = []
        self._known: set[str] = set()
        self.doubt = Doubt()

    def start(self) -> None:
        """Make and initialise a producer; waits while the broker finishes what a predecessor left open.

        Raises KafkaException if the broker does not allow it within half a minute.
        """
        self.doubt = Doubt()
        callbacks = {"error_cb": self.doubt.on_error, "stats_cb": self.doubt.on_statistics, "logger": self.doubt}
        self._kafka = self._new_producer({**self._config, **callbacks})
        self._undelivered.clear()
        self._known.clear()
        self._again(self._kafka.init_transactions, INIT_TIMEOUT_S, deadline=self._monotonic_s() + INIT_TIMEOUT_S)
        self.doubt.reason = None  # there was no transaction yet that a repeated request could belong to

    def commit(self, transaction: Transaction) -> None:
        """Make `transaction` visible, whole. Raises TransactionError; then nothing of it ever will be."""
        self._kafka.poll(0)
        if self.doubt.reason:
            self._replace()
        started = self._monotonic_s()
        try:
            self._write(transaction)
            self._commit(transaction, deadline=started + self._commit_timeout_s)
        except (KafkaException, TransactionError) as error:
            self._abort(error)
            raise TransactionError(self._explain(error)) from error
        seconds = self._monotonic_s() - started
        metrics.COMMIT_SECONDS.observe(seconds)
        if seconds > self._request_timeout_s:
            self.doubt.add("slow")
        self._kafka.poll(0)

    def close(self) -> None:
        """Let the producer go: it ends with the last reference to it."""
        self._kafka = None

    def _replace(self) -> None:
        reason = self.doubt.reason
        log.warning("the last transaction is doubtful (%s): replacing the producer", reason)
        metrics.PRODUCER_REPLACEMENTS.labels(reason).inc()
        self.close()
        self.start()

    def _write(self, transaction: Transaction) -> None:
        self._undelivered.clear()
        self._kafka.begin_transaction()
        topics: set[str] = set()
        for topic, key, value, headers, partition in transaction.outputs:
            watched = topic not in topics or len(value or b"") > WATCHED_BYTES
            topics.add(topic)
            self._produce(topic, value, key, partition, self._on_delivery if watched else None, headers=headers or [])
        for table in transaction.tables:
            last = len(table.rows) - 1
            for n, (key, value) in enumerate(table.rows):
                watched = len(value or b"") > WATCHED_BYTES
                watch = self._reporting_to(table.written) if n == last else self._on_delivery if watched else None
                self._produce(table.topic, value, key, table.partition, watch)
        self._introduce(topics.union(table.topic for table in transaction.tables))

    def _introduce(self, topics: set[str]) -> None:
        """Ask where the partitions are of topics that this producer has records for, for the first time.

        By itself librdkafka 2.8 asks when its timer is next due: the first commit, and that of each topic which comes
        later, would take up to a second (ADR 2, finding 15). Without an answer it still does.
        """
        for topic in sorted(topics - self._known):
            try:
                self._kafka.list_topics(topic, self._request_timeout_s)
            except KafkaException as error:
                log.info("no answer about %s yet: %s", topic, error)
                return
            self._known.add(topic)

    def _produce(self, *record: Any, **headers: Any) -> None:
        # One by one: `produce_batch` was measured no faster (0.7 against 0.5 µs a record) and takes no headers.
        while True:
            try:
                self._kafka.produce(*record, **headers)
                return
            except BufferError:
                self._kafka.poll(0.01)
            except KafkaException as error:
                topic, value, key = record[:3]
                raise TransactionError(_undeliverable(topic, key, value, error.args[0])) from error

    def _on_delivery(self, error: KafkaError | None, message: Any) -> None:
        if error is not None and error.code() not in _PURGED:
            text = _undeliverable(message.topic(), message.key(), message.value(), error)
            self._undelivered.append((len(message.value() or b""), text))

    def _reporting_to(self, written: Callable[[int], None]) -> Callable[[KafkaError | None, Any], None]:
        def on_delivery(error: KafkaError | None, message: Any) -> None:
            if error is None:
                written(message.offset())
            else:
                self._on_delivery(error, message)

        return on_delivery

    def _commit(self, transaction: Transaction, deadline: float) -> None:
        timeout = self._commit_timeout_s
        kafka = self._kafka
        self._again(kafka.send_offsets_to_transaction, transaction.offsets, transaction.group, timeout,
                    deadline=deadline)  # fmt: skip
        self._again(kafka.commit_transaction, timeout, deadline=deadline)

    def _again(self, call: Callable[..., Any], *args: Any, deadline: float) -> None:
        while True:
            try:
                call(*args)
                return
            except KafkaException as error:
                self._kafka.poll(0)
                hopeless = bool(self._undelivered) or self._monotonic_s() > deadline
                if hopeless or not error.args[0].retriable():
                    raise
                log.warning("%s: %s; trying again", call.__name__, error.args[0])
                self.doubt.add("retried")

    def _abort(self, error: Exception) -> None:
        fatal = isinstance(error, KafkaException) and error.args[0].fatal()
        if not fatal:  # the broker need not wait for the timeout, nor the next owner with it
            with suppress(KafkaException):
                self._kafka.abort_transaction(ABORT_TIMEOUT_S)

    def _explain(self, error: Exception) -> str:
        if self._undelivered:
            return max(self._undelivered)[1]
        return str(error) if isinstance(error, TransactionError) else explain(error.args[0])


def explain(cause: KafkaError) -> str:
    """One sentence on what a failed transaction means."""
    if cause.code() in _FENCED:
        return f"the broker fenced this producer ({cause}): does another worker run with the same MILLRACE_WORKER?"
    if cause.code() in _LOST:
        return f"the broker refused the commit ({cause}): these partitions belong to another worker by now"
    return f"the transaction failed: {cause}"


def _undeliverable(topic: str, key: bytes | None, value: bytes | None, cause: KafkaError) -> str:
    return f"cannot write to {topic}: {cause.str()}; key {key!r}, {len(value or b''):,} bytes"
