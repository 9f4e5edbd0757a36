"""What the auditor reads of a run: the topics of the broker in memory, in place of those of servers (PIPE-09)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from schemas.registry import Registry
from streams.audit.evidence import Partition, Span
from streams.audit.examine import examine
from streams.audit.report import Report
from streams.audit.servers import APP_ID, DECIDED_NAMES, READ, WHOLE, Topics
from streams.audit.wire import Wire
from streams.simulator.kafka.broker import Broker
from streams.simulator.kafka.messages import Message, Place


class MemorySnapshot:
    """Topics of a broker in memory, read committed."""

    def __init__(self, broker: Broker, topics: Iterable[str]) -> None:
        self._broker = broker
        self.spans = {
            Partition(topic, number): Span(0, broker.logs[Place(topic, number)].end)
            for topic in topics
            for number in range(broker.topics[topic])
        }

    def of(self, *topics: str) -> Mapping[Partition, Span]:
        return {partition: span for partition, span in self.spans.items() if partition.topic in topics}

    def read(self, spans: Mapping[Partition, Span]) -> Iterator[Any]:
        for partition, span in spans.items():
            yield from visible(self._broker, Place(*partition), span.low)

    def committed(self, *topics: str) -> Mapping[Partition, int]:
        places = [Place(*partition) for partition in self.of(*topics)]
        offsets = self._broker.group(APP_ID).committed(places, stable=True)
        return {Partition(*place): offset for place, offset in zip(places, offsets, strict=True) if offset >= 0}

    def grown(self, *topics: str) -> Iterable[Partition]:
        return ()


def visible(broker: Broker, place: Place, offset: int = 0) -> list[Message]:
    """Every committed record of a partition."""
    log = broker.logs[place]
    return log.read(offset, log.end, committed=True).records


def audit(broker: Broker, wire: Wire) -> Report:
    """The auditor's report on a run."""
    return examine(Topics(wire, MemorySnapshot(broker, READ)), DECIDED_NAMES, WHOLE)


def new_wire(registry: Registry) -> Wire:
    """What decodes for the auditor; it may be kept for many runs."""
    return Wire(registry)
