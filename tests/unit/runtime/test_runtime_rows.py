"""Rows: a dictionary that knows what changed and what falls due."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from streams.runtime import Rows

pytestmark = pytest.mark.requirement("PIPE-02")


class Lock(msgspec.Struct, frozen=True):
    amount: int
    deadline_us: int | None = None


def locks() -> Rows[Lock]:
    return Rows(Lock, due=lambda lock: lock.deadline_us)


keys = st.sampled_from(["a", "b", "c", "d", "e"])
moments = st.none() | st.integers(0, 9)
rows_of_locks = st.builds(Lock, amount=st.integers(0, 2), deadline_us=moments)


class RowsEqualTheirModel(RuleBasedStateMachine):
    """Any history of Rows against a plain dict, with changes and due rows worked out by brute force."""

    @initialize()
    def begin(self) -> None:
        self.rows, self.model, self.touched = locks(), dict[str, Lock](), dict[str, None]()

    @rule(key=keys, row=rows_of_locks)
    def put(self, key: str, row: Lock) -> None:
        self.rows[key] = self.model[key] = row
        self.touched[key] = None

    @rule(key=keys)
    def delete(self, key: str) -> None:
        if key in self.model:
            del self.rows[key], self.model[key]
            self.touched[key] = None
        else:
            with pytest.raises(KeyError):
                del self.rows[key]

    @rule()
    def commit(self) -> None:
        assert self.rows.take_changes() == [(key, self.model.get(key)) for key in self.touched]
        self.touched.clear()

    @rule(now_us=st.integers(0, 9), limit=st.integers(0, 6))
    def ask_for_due_rows(self, now_us: int, limit: int) -> None:
        moments = sorted((row.deadline_us, key) for key, row in self.model.items() if row.deadline_us is not None)
        expected = [key for at, key in moments if at <= now_us][:limit]
        assert self.rows.due(now_us, limit) == expected

    @rule()
    def move_to_another_worker(self) -> None:
        self.commit()
        changelog = [(key.encode(), self.rows.encode(row)) for key, row in self.model.items()]
        self.rows = locks()
        self.rows.restore(changelog)
        assert self.rows.take_changes() == []

    @invariant()
    def equals_the_dict(self) -> None:
        assert list(self.rows) == list(self.model)
        assert len(self.rows) == len(self.model)
        for key in "abcdef":
            assert (key in self.rows) == (key in self.model)
            assert self.rows.get(key) == self.model.get(key)


TestRowsEqualTheirModel = RowsEqualTheirModel.TestCase


@given(st.lists(st.tuples(keys, st.none() | rows_of_locks)))
def test_a_changelog_read_from_its_beginning_gives_the_last_value_of_every_key(history: list[tuple[str, Any]]) -> None:
    expected = {key: row for key, row in dict(history).items() if row is not None}
    rows = locks()
    rows.restore((key.encode(), None if row is None else rows.encode(row)) for key, row in history)
    assert {key: rows[key] for key in rows} == expected


def test_a_row_assigned_unchanged_is_not_a_change() -> None:
    rows = locks()
    rows["a"] = row = Lock(1)
    rows.take_changes()
    rows["a"] = row
    assert rows.take_changes() == []


def test_a_row_set_and_deleted_in_one_cycle_leaves_a_tombstone() -> None:
    rows = locks()
    rows["a"] = Lock(1)
    del rows["a"]
    assert rows.take_changes() == [("a", None)]


def test_the_heap_stays_small_however_often_a_deadline_moves() -> None:
    rows = locks()
    for moment in range(10_000):
        rows["a"] = Lock(1, moment)
    assert len(rows._heap) < 100
    assert rows.due(10_000, 10) == ["a"]


def test_asking_for_due_rows_does_not_take_them_away() -> None:
    rows = locks()
    rows["a"] = Lock(1, 5)
    assert rows.due(5, 1) == rows.due(5, 1) == ["a"]
    assert rows.due(4, 1) == []


def test_closed_rows_refuse_every_use_until_opened_again() -> None:
    rows = locks()
    rows["a"] = Lock(1)
    rows.close()
    uses = (lambda: rows.get("a"), lambda: rows["a"], lambda: "a" in rows, lambda: iter(rows), lambda: rows.due(1, 1),
            lambda: rows.__setitem__("a", Lock(2)), lambda: rows.__delitem__("a"))  # fmt: skip
    for use in uses:
        with pytest.raises(RuntimeError, match="closed"):
            use()
    rows.open()
    assert rows["a"] == Lock(1)


class Mutable(msgspec.Struct):
    amount: int


class HoldsAList(msgspec.Struct, frozen=True):
    lots: list[int]


class HoldsAMutable(msgspec.Struct, frozen=True):
    inner: tuple[Mutable, ...]


class HoldsADict(msgspec.Struct, frozen=True):
    counters: dict[str, int]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Mutable, "Mutable must be a frozen struct"),
        (HoldsAList, "HoldsAList.lots may not be a list"),
        (HoldsAMutable, r"HoldsAMutable.inner\[\] must be a frozen struct"),
        (HoldsADict, "HoldsADict.counters may not be a dict"),
        (int, "must be a frozen msgspec.Struct"),
    ],
)
def test_a_row_type_that_can_change_in_place_is_refused(row: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Rows(row)


class Opened(msgspec.Struct, frozen=True, tag=True):
    amount: int


class Settled(msgspec.Struct, frozen=True, tag=True):
    by: str


def test_rows_may_be_a_tagged_union() -> None:
    rows = Rows[Any](Opened | Settled)
    rows["a"], rows["b"] = Opened(1), Settled("x")
    again = Rows[Any](Opened | Settled)
    again.restore((key.encode(), rows.encode(row)) for key, row in rows.take_changes())
    assert (again["a"], again["b"]) == (Opened(1), Settled("x"))


def test_a_row_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="a: a row must be Lock, not Opened"):
        locks()["a"] = Opened(1)  # type: ignore[assignment]


def test_due_needs_a_declaration() -> None:
    with pytest.raises(TypeError, match="due="):
        Rows(Lock).due(1, 1)
