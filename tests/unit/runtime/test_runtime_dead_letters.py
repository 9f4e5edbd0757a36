"""A dead letter says where it comes from and why, and always fits its topic."""

from typing import Any

import pytest

from streams.runtime import DeadLetters
from streams.runtime.dead_letters import KEY_BYTES, STACK_CHARS, TOPIC, VALUE_BYTES

pytestmark = pytest.mark.requirement("PIPE-04")


class Record:
    """A consumed record."""

    def __init__(self, value: bytes | None, headers: list[tuple[str, bytes]] | None = None, key: bytes = b"k") -> None:
        self._value, self._headers, self._key = value, headers, key

    def topic(self) -> str:
        return "in"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 42

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_700_000_000_000

    def key(self) -> bytes:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> list[tuple[str, bytes]] | None:
        return self._headers


class Puts:
    """An outbox that any code may write to."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    def put(self, topic: str, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        self.records.append((topic, key, value, dict(headers)))


def bury(record: Record, **why: Any) -> Any:
    outbox = Puts()
    DeadLetters(outbox).bury(record, **why)  # type: ignore[arg-type]
    [letter] = outbox.records
    return letter


def deep(levels: int) -> None:
    if levels:
        deep(levels - 1)
    raise ValueError("at the bottom")


def test_a_letter_keeps_the_record_and_tells_its_story() -> None:
    record = Record(b"\xff", [("ce_id", b"7")])
    topic, key, value, headers = bury(record, reason="schema", error="no amount", field="amount", schema="Paid.v1")
    assert (topic, key, value) == (TOPIC, b"k", b"\xff")
    assert headers == {
        "ce_id": b"7", "dl-topic": b"in", "dl-partition": b"0", "dl-offset": b"42", "dl-timestamp": b"1700000000000",
        "dl-reason": b"schema", "dl-error": b"no amount", "dl-field": b"amount", "dl-schema": b"Paid.v1",
        "dl-stack": b""}  # fmt: skip


def test_the_stack_is_bounded_and_ends_where_it_failed() -> None:
    try:
        deep(200)
    except ValueError as error:
        headers = bury(Record(b""), reason="schema", error=error)[3]
    assert len(headers["dl-stack"]) <= STACK_CHARS
    assert headers["dl-stack"].endswith(b"ValueError: at the bottom\n")
    assert headers["dl-error"] == b"ValueError: at the bottom"


def test_a_tombstone_stays_a_tombstone() -> None:
    assert bury(Record(None), reason="schema", error="x")[2] is None


def test_a_value_that_would_not_fit_is_cut_and_its_size_kept() -> None:
    _, _, value, headers = bury(Record(b"x" * 2_000_000), reason="too-large", error="x")
    assert len(value) == VALUE_BYTES
    assert headers["dl-value-bytes"] == b"2000000"


def test_an_enormous_key_or_header_is_cut_too() -> None:
    record = Record(b"x", [("note", b"y" * 900_000)], key=b"z" * 900_000)
    _, key, _, headers = bury(record, reason="too-large", error="x")
    assert len(key) == KEY_BYTES
    assert headers["dl-key-bytes"] == b"900000"
    assert headers["dl-header-bytes"] == b"900004"
    assert "note" not in headers
