"""A producer with the surface of `confluent_kafka.Producer`, as far as `Transactions` and the tests use it."""

from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from streams.simulator.kafka import transactions
from streams.simulator.kafka.broker import NewRecord
from streams.simulator.kafka.errors import Refusal, failure
from streams.simulator.kafka.groups import GroupMetadata
from streams.simulator.kafka.host import Host, Mishap, Request
from streams.simulator.kafka.messages import Fate, Headers, Message, Place

TRANSACTION_TIMEOUT_MS = 60_000

OnDelivery = Callable[[KafkaError | None, Message], None]

_FENCING = {KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}


class State(Enum):
    """The states of a transactional producer, as librdkafka has them."""

    INIT = "init"
    READY = "ready"
    IN_TRANSACTION = "in_transaction"
    ABORTABLE = "abortable"
    FATAL = "fatal"


class Producer:
    """Records wait in it until they are flushed, by `send_offsets_to_transaction` or the commit at the latest."""

    def __init__(self, host: Host, config: dict[str, Any]) -> None:
        self._host = host
        self._broker = host.broker
        self._config = config
        self._state = State.READY if "transactional.id" not in config else State.INIT
        self._identity: transactions.Producer | None = None
        self._epoch = 0
        self._waiting: list[tuple[NewRecord, OnDelivery | None]] = []
        self._deliveries: list[tuple[OnDelivery, KafkaError | None, Message]] = []
        self._sequences: Counter[Place] = Counter()
        self._error: KafkaException | None = None
        self._begun = False
        """Whether anything of the transaction has reached the broker."""

    # ---- records

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = -1,
        on_delivery: OnDelivery | None = None,
        headers: Headers | None = None,
    ) -> None:
        """Take a record; a negative partition lets its key choose. Raises KafkaException."""
        self._demand(State.IN_TRANSACTION if self._transactional else State.READY)
        place = Place(topic, partition if partition >= 0 else self._broker.partition_of(topic, key))
        record = NewRecord(place, key, value, headers or None, self._sequences[place])
        self._sequences[place] += 1
        self._waiting.append((record, on_delivery))

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> None:
        """Nothing: there is no delay that asking could spare."""

    def flush(self, timeout: float = -1) -> int:
        """Write what waits, and tell of it."""
        self._flush()
        self.poll(0)
        return len(self._waiting)

    def poll(self, timeout: float = 0) -> int:
        """Tell of what was delivered."""
        told, self._deliveries = self._deliveries, []
        for on_delivery, failed, message in told:
            on_delivery(failed, message)
        return len(told)

    def _flush(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        records = [record for record, _ in waiting]
        if self._transactional:
            offsets = self._ask(Request.PRODUCE, lambda: self._write(records)) or []
        else:
            self._host.before(Request.PRODUCE)
            offsets = self._broker.produce(records)
            self._host.after(Request.PRODUCE)
        for (record, on_delivery), offset in zip(waiting, offsets, strict=True):
            if on_delivery is not None:
                told = Message(record.place, offset, record.key, record.value)
                self._deliveries.append((on_delivery, None, told))

    def _write(self, records: list[NewRecord]) -> list[int]:
        identity, epoch = self._known, self._epoch
        places = list(dict.fromkeys(record.place for record in records))
        self._broker.add_partitions(identity, epoch, places)
        return self._broker.produce(records, identity, epoch)

    # ---- transactions

    def init_transactions(self, timeout: float = -1) -> None:
        """Take over the transactional id: older producers of it are fenced, what they left open is aborted."""
        self._demand(State.INIT)
        timeout_s = self._config.get("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS) / 1000
        self._host.before(Request.INIT)
        self._broker.expire()
        self._identity = self._broker.transactions.init(self._config["transactional.id"], timeout_s)
        self._epoch = self._identity.epoch
        self._host.after(Request.INIT)
        self._state = State.READY

    def begin_transaction(self) -> None:
        """Nothing leaves before the first record or offset."""
        self._demand(State.READY)
        self._state = State.IN_TRANSACTION

    def send_offsets_to_transaction(
        self, positions: Sequence[TopicPartition], group_metadata: GroupMetadata, timeout: float = -1
    ) -> None:
        """Make consumed offsets part of the transaction."""
        self._demand(State.IN_TRANSACTION)
        self._flush()
        offsets = {Place(tp.topic, tp.partition): tp.offset for tp in positions}
        identity, epoch = self._known, self._epoch

        def commit() -> None:
            self._broker.commit_offsets(identity, epoch, offsets, group_metadata)

        def add_and_commit() -> None:
            self._broker.add_offsets(identity, epoch, group_metadata)
            commit()

        self._ask(Request.OFFSETS, add_and_commit, late=commit)

    def commit_transaction(self, timeout: float = -1) -> None:
        """Flush, and make all of it visible."""
        self._demand(State.IN_TRANSACTION)
        self._flush()
        self._end(Request.END, Fate.COMMITTED)

    def abort_transaction(self, timeout: float = -1) -> None:
        """Let nothing of it ever be visible."""
        self._demand(State.IN_TRANSACTION, State.ABORTABLE)
        self._waiting.clear()
        self._error, self._state = None, State.IN_TRANSACTION
        self._end(Request.ABORT, Fate.ABORTED)

    def close(self) -> None:
        """Let go; what is open stays open until it times out or its id is taken over."""

    @property
    def _transactional(self) -> bool:
        return "transactional.id" in self._config

    @property
    def _known(self) -> transactions.Producer:
        assert self._identity is not None, "init_transactions comes first"
        return self._identity

    def _end(self, request: Request, fate: Fate) -> None:
        identity, epoch = self._known, self._epoch
        if self._begun:
            self._ask(request, lambda: self._broker.transactions.end(identity.transactional_id, epoch, fate))
            self._begun = False
        self.poll(0)
        self._state = State.READY

    # ---- requests

    def _ask(self, request: Request, call: Callable[[], Any], late: Callable[[], Any] | None = None) -> Any:
        """Make a request of the transaction, with what may happen to it on its way. Raises KafkaException."""
        host = self._host
        host.before(request)
        self._broker.expire()
        match host.mishap(request):
            case Mishap.TIMED_OUT:
                raise failure(KafkaError._TIMED_OUT, retriable=True)
            case Mishap.ANSWER_LOST:
                self._try(call)
                self._break_connection()
            case Mishap.LATE_COPY:
                self._break_connection()
                host.delay(late or call)
            case Mishap.NONE:
                pass
        answer = self._try(call)
        host.after(request)
        return answer

    def _try(self, call: Callable[[], Any]) -> Any:
        """Do it, waiting for markers where the broker asks for that."""
        self._begun = True
        try:
            try:
                return call()
            except Refusal as refusal:
                if refusal.code != KafkaError.CONCURRENT_TRANSACTIONS:
                    raise
                self._broker.transactions.settle(self._known)
                return call()
        except Refusal as refusal:
            raise self._failed(refusal) from refusal

    def _failed(self, refusal: Refusal) -> KafkaException:
        if refusal.code in _FENCING:
            self._state = State.FATAL
            self._error = failure(KafkaError._FENCED, fatal=True)
        else:
            self._state = State.ABORTABLE
            self._error = failure(refusal.code, txn_requires_abort=True)
        return self._error

    def _break_connection(self) -> None:
        logger = self._config.get("logger")
        if logger is not None:
            logger.log(30, "%s [%s] %s", "FAIL", self._host.name, "Disconnected (after 9ms in state UP)")

    def _demand(self, *states: State) -> None:
        if self._state in states:
            return
        if self._error is not None:
            raise self._error
        raise failure(KafkaError._STATE, f"Operation not valid in state {self._state.value}")
