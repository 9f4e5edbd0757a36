"""On the path of every tortured process: Python's wall clock runs as many seconds off as the file TORTURE_CLOCK says.

Not libfaketime: with its 0.9.10 preloaded every timed wait of librdkafka returns at once, and no client ever connects.
Kafka's clients keep the true time here, the product's own code does not.
"""

import os
import time

_CLOCK = os.environ.get("TORTURE_CLOCK", "")
_EVERY_S = 0.5
_true, _monotonic = time.time_ns, time.monotonic
_offset_ns, _read_at = 0, -1.0


def _wrong_ns() -> int:
    global _offset_ns, _read_at
    if _monotonic() - _read_at > _EVERY_S:
        _read_at = _monotonic()
        try:
            with open(_CLOCK) as file:  # noqa: PTH123  pathlib is not wanted in every process this early
                _offset_ns = int(file.read() or "0") * 1_000_000_000
        except FileNotFoundError:
            _offset_ns = 0
    return _true() + _offset_ns


if _CLOCK:
    time.time_ns = _wrong_ns
    time.time = lambda: _wrong_ns() / 1e9
