"""Where records go that cannot be decoded, or that their schema refuses (PIPE-04)."""

import traceback
from typing import Any

from streams.runtime import metrics
from streams.runtime.outbox import Outbox

TOPIC = "runtime.dead-letter.v1"

STACK_CHARS = 4_000
ERROR_CHARS = 1_000
VALUE_BYTES = 900_000
"""Longest value kept: a letter that does not fit its topic would end the worker, and again after every restart."""


class DeadLetters:
    """Buries records in the transaction of the running cycle: their offsets are committed with the letters."""

    def __init__(self, outbox: Outbox, topic: str = TOPIC) -> None:
        self._outbox = outbox
        self._topic = topic

    def bury(
        self,
        record: Any,
        *,
        reason: str,
        error: BaseException | str,
        field: str | None = None,
        schema: str | None = None,
    ) -> None:
        """Put `record` (a `confluent_kafka.Message`) on the dead-letter topic; nothing else stops.

        Key, value and headers stay as they are. Headers added, all UTF-8: dl-topic, dl-partition, dl-offset,
        dl-timestamp (ms), dl-reason (a word; it labels the metric), dl-error, dl-field, dl-schema, dl-stack. A value
        longer than `VALUE_BYTES` is cut, with its full size in dl-value-bytes; the original stays at its offset.
        """
        value = record.value()
        added = {
            "dl-topic": record.topic(),
            "dl-partition": record.partition(),
            "dl-offset": record.offset(),
            "dl-timestamp": record.timestamp()[1],
            "dl-reason": reason,
            "dl-error": _text(error)[:ERROR_CHARS],
            "dl-field": field,
            "dl-schema": schema,
            "dl-stack": _stack(error),
        }
        if value is not None and len(value) > VALUE_BYTES:
            added["dl-value-bytes"] = len(value)
            value = value[:VALUE_BYTES]
        headers = [*(record.headers() or ()), *((name, str(each or "").encode()) for name, each in added.items())]
        self._outbox.put(self._topic, record.key(), value, headers)
        metrics.DEAD_LETTERS.labels(record.topic(), reason).inc()


def _text(error: BaseException | str) -> str:
    return error if isinstance(error, str) else f"{type(error).__name__}: {error}"


def _stack(error: BaseException | str) -> str:
    if isinstance(error, str):
        return ""
    return "".join(traceback.format_exception(error))[-STACK_CHARS:]  # the end names the place
