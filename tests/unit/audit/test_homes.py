"""On which partition a book is, worked out apart from the product."""

import pytest
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka
from hypothesis import given
from hypothesis import strategies as st

from streams.audit.homes import Homes, home_of, murmur2

pytestmark = pytest.mark.requirement("PIPE-02", "PIPE-09")

OF_KAFKA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
"""What `org.apache.kafka.common.utils.UtilsTest.testMurmur2` expects, with a sign."""


@pytest.mark.parametrize("key", OF_KAFKA)
def test_a_keys_hash_is_that_of_kafkas_own_clients(key: bytes) -> None:
    assert murmur2(key) == OF_KAFKA[key] & 0xFFFFFFFF


@given(st.binary(max_size=64))
def test_any_keys_hash_is_that_of_another_implementation(key: bytes) -> None:
    assert murmur2(key) == int(murmur2_of_aiokafka(key)) & 0xFFFFFFFF


def test_a_book_is_where_its_key_belongs() -> None:
    assert [home_of("group:riverside", partitions) for partitions in (1, 4, 8)] == [0, 3, 3]


def test_a_pipeline_of_eight_partitions_never_had_another_number() -> None:
    homes = Homes(8)
    assert [number for number in range(8) if homes.admit("group:riverside", number)] == [3]


def test_a_book_may_move_when_there_are_more_partitions_and_never_back() -> None:
    before, now = home_of("group:riverside", 8), home_of("group:riverside", 12)
    assert before != now
    homes = Homes(12)
    assert homes.admit("group:riverside", before)
    assert homes.admit("group:riverside", now)
    assert not homes.admit("group:riverside", before)


def test_what_one_book_shows_holds_for_all() -> None:
    homes = Homes(12)
    assert homes.admit("group:riverside", home_of("group:riverside", 12))
    books = [f"prisoner:A{number:04}BC" for number in range(100)]
    moved = [book for book in books if home_of(book, 8) not in {home_of(book, then) for then in range(9, 13)}]
    for book in books:
        assert homes.admit(book, home_of(book, 12))
    assert moved
    assert not any(homes.admit(book, home_of(book, 8)) for book in moved)
