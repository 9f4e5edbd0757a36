"""Where records go that cannot be decoded, or that their schema refuses (PIPE-04)."""

import traceback
from typing import Any

from streams.runtime import metrics
from streams.runtime.outbox import Outbox

TOPIC = "runtime.dead-letter.v1"

STACK_CHARS = 4_000
ERROR_CHARS = 1_000
KEY_BYTES, VALUE_BYTES, HEADER_BYTES = 32_000, 900_000, 64_000
"""Most that is kept: a letter that does not fit its topic would end the worker, and again after every restart."""


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
        longer than `VALUE_BYTES` is cut, with its full size in dl-value-bytes, and so are keys (dl-key-bytes); headers
        longer than `HEADER_BYTES` are left out (dl-header-bytes). The original stays at its offset.
        """
        key, value, headers = record.key(), record.value(), list(record.headers() or ())
        added: dict[str, object] = {
            "dl-topic": record.topic(),
            "dl-partition": record.partition(),
            "dl-offset": record.offset(),
            "dl-timestamp": record.timestamp()[1],
            "dl-reason": reason,
            "dl-error": _said(error)[:ERROR_CHARS],
            "dl-field": field,
            "dl-schema": schema,
            "dl-stack": _stack(error),
        }
        sizes = {
            "dl-key-bytes": (len(key or b""), KEY_BYTES),
            "dl-value-bytes": (len(value or b""), VALUE_BYTES),
            "dl-header-bytes": (sum(len(name) + len(each or b"") for name, each in headers), HEADER_BYTES),
        }
        added |= {name: size for name, (size, most) in sizes.items() if size > most}
        kept = [] if "dl-header-bytes" in added else headers
        kept += [(name, _text(each).encode()) for name, each in added.items()]
        self._outbox.put(self._topic, key and key[:KEY_BYTES], value and value[:VALUE_BYTES], kept)
        metrics.DEAD_LETTERS.labels(record.topic(), reason).inc()


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _said(error: BaseException | str) -> str:
    return error if isinstance(error, str) else f"{type(error).__name__}: {error}"


def _stack(error: BaseException | str) -> str:
    if isinstance(error, str):
        return ""
    return "".join(traceback.format_exception(error))[-STACK_CHARS:]  # the end names the place
