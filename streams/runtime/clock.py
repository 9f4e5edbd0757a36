"""Time as messages: a tick per interval on every partition of the tick topic (PIPE-13).

The only place of the pipeline that reads a clock to decide anything.
"""

# mypy: allow-subclassing-any, allow-untyped-decorators

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaException, Producer
from mode import Service

from streams.runtime import metrics
from streams.runtime.assignment import Phase

log = logging.getLogger(__name__)


class Clock(Service):
    """Writes the ticks of the partitions of `topic` that this worker owns, by a producer of its own.

    It is outside the transactions: a tick may come twice while partitions change hands, or late, and consumers take
    the greatest time they have seen. Equal moments get equal values, rounded down to the interval. Missed ticks are
    not made up for. `encode` turns UTC microseconds into the value; keys are null. Agents must read `topic`, or no
    partition of it is ever owned. With MILLRACE_CLOCK=outside it stays silent.

    `Clock(app, ...)` registers itself with the app.
    """

    def __init__(self, app: Any, *, topic: str, encode: Callable[[int], bytes], interval_s: float = 1.0) -> None:
        super().__init__()
        self._app, self._topic, self._encode = app, topic, encode
        self._interval_us = int(interval_s * 1_000_000)
        self._kafka: Producer | None = None
        app.service(self)

    async def on_start(self) -> None:
        """Make the producer, unless time comes from outside."""
        transport = self._app.transport
        if transport.settings.clock == "own":
            self._kafka = Producer(transport.client() | {"enable.idempotence": True, "linger.ms": 0})

    @Service.task
    async def _tick(self) -> None:
        while self._kafka is not None and not self.should_stop:
            now_us = time.time_ns() // 1_000
            moment = now_us - now_us % self._interval_us
            self._write(self._kafka, moment)
            await self.sleep((moment + self._interval_us - now_us) / 1_000_000)

    def _write(self, kafka: Producer, moment_us: int) -> None:
        assignment = self._app._fetcher.assignment
        if assignment.phase is not Phase.FLOWING:
            return
        value = self._encode(moment_us)
        for tp in assignment.partitions:
            if tp.topic == self._topic:
                self._put(kafka, tp.partition, value)
        kafka.poll(0)

    def _put(self, kafka: Producer, partition: int, value: bytes) -> None:
        try:
            kafka.produce(self._topic, value, partition=partition)
            metrics.TICKS.labels(self._topic).inc()
        except (BufferError, KafkaException) as error:  # a tick is replaced by the next one
            log.warning("tick lost on %s/%d: %s", self._topic, partition, error)

    async def on_stop(self) -> None:
        """Let the last ticks out, for a second at most."""
        if self._kafka is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._kafka.flush, 1.0)
