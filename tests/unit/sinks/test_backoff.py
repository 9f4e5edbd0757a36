"""Pauses between tries, of uploads and of receipts."""

from sinks.backoff import pause_s


def test_a_pause_doubles_with_each_failure_up_to_its_bound() -> None:
    assert [pause_s(failures, 2.0, 600.0) for failures in (0, 1, 2, 3, 9, 10, 11, 10_000)] == [
        0.0, 2.0, 4.0, 8.0, 512.0, 600.0, 600.0, 600.0,
    ]  # fmt: skip
