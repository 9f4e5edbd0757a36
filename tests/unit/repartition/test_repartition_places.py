"""Every table of the pipeline has a place for its rows when partitions are added."""

from typing import Any

import msgspec
import pytest

from schemas.dealer_deposits import DepositTier
from streams.app import wire
from streams.dealer_billing.deposit import Tiers
from streams.dealer_billing.deposit_rows import TIERS
from streams.prison_finance.accounting_day import Day, OpenDays
from streams.prison_finance.room import OPEN_DAYS
from streams.repartition.command import TABLES
from streams.repartition.move import Place, Placing, Rows, placed
from tests.unit.dealer_billing.book import DealerBook
from tests.unit.prison_finance.partition import Partition

pytestmark = pytest.mark.requirement("PIPE-02")


class Wiring:
    """Takes the place of a Faust app, and keeps the names of tables."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def Table(self, name: str, **_: Any) -> None:  # noqa: N802  as Faust has it
        self.names.append(name)

    def topic(self, *_: Any) -> None: ...

    def agent(self, *_: Any, **__: Any) -> Any:
        return lambda function: function


def test_it_is_said_of_each_table_where_its_rows_belong() -> None:
    app: Any = Wiring()
    none: Any = None
    wire(app, codec=none, registry=none)
    assert sorted(app.names) == sorted(TABLES)


def to_five(rows: Rows, place: Place) -> Rows:
    """From three partitions."""
    return placed(rows, place, range(3, 5), lambda key: len(key))


ROWS: Rows = {(0, b"a|1"): b"first", (1, b"bb|1"): b"second"}


@pytest.mark.parametrize(
    ("place", "there"),
    [
        (Place(Placing.STAYS), ROWS),
        (Place(Placing.EVERYWHERE), {(n, key): value for n in range(5) for (_, key), value in ROWS.items()}),
        (Place(Placing.BY_BOOK), {(1, b"a|1"): b"first", (2, b"bb|1"): b"second"}),
        (Place(Placing.BY_BOOK, "x:"), {(3, b"a|1"): b"first", (4, b"bb|1"): b"second"}),
    ],
)
def test_rows_go_where_their_place_says(place: Place, there: Rows) -> None:
    assert to_five(ROWS, place) == there


def test_what_a_new_partition_begins_with_is_made_of_the_rows_of_the_old_ones_under_the_same_key() -> None:
    rows: Rows = {(0, b"k"): b"1", (2, b"k"): b"3", (1, b"other"): b"2"}
    found = to_five(rows, Place(Placing.STAYS, begin=b"+".join))
    made = {(n, key): value for n in (3, 4) for key, value in ((b"k", b"1+3"), (b"other", b"2"))}
    assert found == rows | made


def test_a_new_partition_of_a_table_without_rows_begins_without() -> None:
    assert to_five({}, Place(Placing.STAYS, begin=b"+".join)) == {}


@pytest.mark.requirement("PRI-11")
def test_a_late_line_that_comes_first_to_a_new_partition_is_of_a_day_that_no_file_has() -> None:
    """One partition has closed the 3rd, another the 4th; the purchase is of the 3rd, and no tick came before it."""
    fourth, fifth = Day("2026-07-04", 2, 30, 30), Day("2026-07-05")
    rows = {
        (n, OPEN_DAYS.encode()): msgspec.json.encode(OpenDays(days))
        for n, days in enumerate([(fourth, fifth), (fifth,), (fourth,)])
    }
    added = to_five(rows, TABLES["accounting_days"])[4, OPEN_DAYS.encode()]

    room = Partition()
    room.kept.open_days[OPEN_DAYS] = msgspec.json.decode(added, type=OpenDays)
    assert room.days() == "2026-07-05 lines 0 debit 0 credit 0"
    room.credit(1_234, at="2026-07-03 22:00")
    room.buy("P1", 1_234, "2026-07-03 22:41")

    assert {line.accounting_date for line in room.lines} == {"2026-07-05"}


@pytest.mark.requirement("DLR-08")
def test_a_deposit_is_judged_by_the_next_change_of_tiers_wherever_its_book_has_gone() -> None:
    """A partition that was behind has heard of fewer changes: of those that a compacted topic had kept."""
    book = DealerBook()
    for from_minor in (200, 150, 100):
        book.kept.set_tier("small", from_minor)
    book.deposit("P1", 120)
    book.tick()
    tier = DepositTier(tier_id="small-EUR", segment="small", currency="EUR", from_minor=100)
    counts = [book.kept.tiers[TIERS], Tiers((tier,), changes=1)]
    rows = {(n, TIERS.encode()): book.kept.tiers.encode(row) for n, row in enumerate(counts)}

    moved = to_five(rows, TABLES["deposit_tiers"])
    assert {partition for partition, _ in moved} == set(range(5))
    (everywhere,) = set(moved.values())
    book.kept.tiers.restore([(TIERS.encode(), everywhere)])

    book.kept.set_tier("small", 121)
    book.tick()
    assert book.segments() == ()
