"""Which partition a book lies on, and what is said of rows that lie on another one."""

from typing import Any

import pytest

from schemas.partitioning import partition_of as partition_of_the_product
from tests.torture import kafka
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.places import PARTITIONS, latest, partition_of
from tests.unit.torture.topics import BOOK, HOME, Record

ELSEWHERE = (HOME + 1) % PARTITIONS


def read(monkeypatch: pytest.MonkeyPatch, *rows: tuple[int, bytes | None]) -> tuple[dict[str, Any], Differences]:
    """The table of these values of one key, each with its partition; and what is wrong with it."""
    records = [
        Record(("a-changelog", partition, offset), value, named=f"{BOOK}|t1".encode())
        for offset, (partition, value) in enumerate(rows)
    ]
    monkeypatch.setattr(kafka, "read", lambda *_: records)
    differences = Differences()
    return latest("", "a-changelog", differences), differences


def test_the_verifier_and_the_product_agree_where_a_book_lies() -> None:
    books = [f"{'group:prisoner:é'[: number % 17]}{number}" for number in range(2_000)]
    assert [partition_of(book) for book in books] == [partition_of_the_product(book.encode()) for book in books]


def test_the_last_row_counts_and_a_tombstone_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, differences = read(monkeypatch, (HOME, b"1"), (HOME, b"2"))
    assert (rows, differences.kept) == ({f"{BOOK}|t1": 2}, [])
    rows, differences = read(monkeypatch, (HOME, b"1"), (HOME, None))
    assert (rows, differences.kept) == ({}, [])


@pytest.mark.requirement("PIPE-02")
def test_a_row_in_another_partition_than_its_books_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, (HOME, b"1"), (ELSEWHERE, b"1"))[1].counts == {"partition": 1}
    assert read(monkeypatch, (ELSEWHERE, b"1"), (HOME, b"1"))[1].counts == {"partition": 1}


@pytest.mark.requirement("PIPE-02")
def test_a_tombstone_in_another_partition_ends_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, differences = read(monkeypatch, (HOME, b"1"), (ELSEWHERE, None))
    assert (rows, differences.kept) == ({f"{BOOK}|t1": 1}, [])
