"""What a worker uses of the world outside: Kafka's clients, and clocks. The simulator puts others in their place."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from confluent_kafka import Consumer, Producer


class Outside(NamedTuple):
    """Clients are made from librdkafka's configuration; all times are in seconds."""

    new_consumer: Callable[[dict[str, Any]], Any] = Consumer
    new_producer: Callable[[dict[str, Any]], Any] = Producer
    wall_s: Callable[[], float] = time.time
    monotonic_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


REAL = Outside()
