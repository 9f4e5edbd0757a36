"""Where a bounded read ends: at the offset of the beginning, whatever records, markers or newcomers stand there."""

from collections.abc import Iterable

import pytest
from confluent_kafka import KafkaError

from streams.audit.errors import CannotAudit
from streams.audit.evidence import Partition
from streams.audit.kafka import _within

JOURNAL = Partition("journal", 0)


class Record:
    """As `confluent_kafka.Message` answers."""

    def __init__(self, offset: int, error: int | None = None) -> None:
        self._offset = offset
        self._error = None if error is None else KafkaError(error)

    def topic(self) -> str:
        return JOURNAL.topic

    def partition(self) -> int:
        return JOURNAL.number

    def offset(self) -> int:
        return self._offset

    def error(self) -> KafkaError | None:
        return self._error


def read(end: int, records: Iterable[Record]) -> tuple[list[int], dict[Partition, int]]:
    left = {JOURNAL: end}
    return [found.offset() for record in records for found in _within(left, record)], left


def test_records_are_read_up_to_the_end() -> None:
    assert read(2, [Record(0), Record(1), Record(2)]) == ([0, 1], {})


def test_a_read_goes_on_before_the_end() -> None:
    assert read(3, [Record(0), Record(1)]) == ([0, 1], {JOURNAL: 3})


def test_transaction_markers_at_the_end_are_passed_by() -> None:
    assert read(3, [Record(0), Record(1), Record(3, KafkaError._PARTITION_EOF)]) == ([0, 1], {})


def test_a_newer_record_beyond_compacted_ones_ends_the_read() -> None:
    assert read(5, [Record(0), Record(7)]) == ([0], {})


def test_an_undecided_transaction_before_the_end_is_waited_for() -> None:
    assert read(3, [Record(0), Record(1, KafkaError._PARTITION_EOF)]) == ([0], {JOURNAL: 3})


def test_an_error_that_does_not_pass_ends_the_audit() -> None:
    with pytest.raises(CannotAudit, match="cannot read journal/0"):
        read(3, [Record(0, KafkaError.TOPIC_AUTHORIZATION_FAILED)])
