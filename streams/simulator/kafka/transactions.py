"""The transaction coordinator: producer ids, epochs, what a transaction has touched, its decision and its markers.

It speaks the protocol that librdkafka speaks, without KIP-890: an epoch lasts for many transactions, so that a request
that comes late can meet a later transaction of its own epoch (ADR 2, finding 13).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from itertools import count

from confluent_kafka import KafkaError

from streams.simulator.kafka.errors import Refusal
from streams.simulator.kafka.messages import Fate, Place

WriteMarker = Callable[[Place, int, Fate], None]
"""Writes a marker: place, producer id, decision. A group's place is `(OFFSETS, …)`."""


class State(Enum):
    EMPTY = "empty"
    ONGOING = "ongoing"
    DECIDED = "decided"
    """The markers are being written."""
    COMPLETE = "complete"


@dataclass
class Producer:
    """A transactional id, the producer that holds it now, and its transaction. Moments in seconds."""

    transactional_id: str
    producer_id: int
    timeout_s: float
    epoch: int = 0
    state: State = State.EMPTY
    fate: Fate = Fate.OPEN
    began_at: float = 0.0
    places: dict[Place, None] = field(default_factory=dict)
    unmarked: list[Place] = field(default_factory=list)

    def has_open(self, place: Place) -> bool:
        """Whether its transaction is open, and has this place added."""
        return self.state is State.ONGOING and place in self.places


class Transactions:
    """All transactional producers. `hold_back` names the places whose markers are written later, by `settle`."""

    def __init__(self, write_marker: WriteMarker) -> None:
        self._write_marker = write_marker
        self._producers: dict[str, Producer] = {}
        self._ids = count()
        self.hold_back: Callable[[Iterable[Place]], list[Place]] = lambda _: []

    def init(self, transactional_id: str, timeout_s: float) -> Producer:
        """A new epoch for a transactional id. What its predecessor left open is aborted, and settled."""
        producer = self._producers.get(transactional_id)
        if producer is None:
            producer = Producer(transactional_id, next(self._ids), timeout_s)
            self._producers[transactional_id] = producer
            return producer
        producer.epoch += 1
        if producer.state is State.ONGOING:
            self._decide(producer, Fate.ABORTED)
        self.settle(producer)
        producer.state, producer.timeout_s = State.EMPTY, timeout_s
        return producer

    def check(self, transactional_id: str, epoch: int) -> Producer:
        """The producer, if `epoch` is still its own. Raises Refusal."""
        producer = self._producers[transactional_id]
        if epoch != producer.epoch:
            raise Refusal(KafkaError.PRODUCER_FENCED)
        return producer

    def add(self, transactional_id: str, epoch: int, place: Place, now_s: float) -> Producer:
        """Make a partition, or a group's offsets, part of the transaction; the first one begins it."""
        producer = self.check(transactional_id, epoch)
        if producer.state is State.DECIDED:
            raise Refusal(KafkaError.CONCURRENT_TRANSACTIONS)
        if producer.state is not State.ONGOING:
            producer.state, producer.began_at, producer.fate = State.ONGOING, now_s, Fate.OPEN
            producer.places.clear()
        producer.places[place] = None
        return producer

    def end(self, transactional_id: str, epoch: int, fate: Fate) -> None:
        """Decide the transaction. The same decision once more changes nothing."""
        producer = self.check(transactional_id, epoch)
        match producer.state:
            case State.ONGOING:
                self._decide(producer, fate)
            case State.DECIDED | State.COMPLETE if producer.fate is fate:
                pass
            case _:
                raise Refusal(KafkaError.INVALID_TXN_STATE)

    def expire(self, now_s: float) -> None:
        """Abort what has been open for longer than its producer allowed, and fence that producer."""
        for producer in self._producers.values():
            if producer.state is State.ONGOING and now_s - producer.began_at > producer.timeout_s:
                producer.epoch += 1
                self._decide(producer, Fate.ABORTED)

    def settle(self, producer: Producer) -> None:
        """Write the markers that were held back."""
        unmarked, producer.unmarked = producer.unmarked, []
        self._mark(producer, unmarked)

    def settle_all(self) -> None:
        """Write all markers that were held back."""
        for producer in self._producers.values():
            self.settle(producer)

    def _decide(self, producer: Producer, fate: Fate) -> None:
        producer.state, producer.fate = State.DECIDED, fate
        later = self.hold_back(producer.places)
        now = [place for place in producer.places if place not in later]
        producer.unmarked = later
        self._mark(producer, now)

    def _mark(self, producer: Producer, places: list[Place]) -> None:
        for place in places:
            self._write_marker(place, producer.producer_id, producer.fate)
        if producer.state is State.DECIDED and not producer.unmarked:
            producer.state = State.COMPLETE
