"""From lines to balanced files."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.general_ledger import LedgerSide
from sinks.adi import journal
from sinks.adi.journal import Unbalanced, journals, ranges
from tests.unit.sinks.canteen import DAY, lines, purchase

LAW = settings(deadline=None)  # a busy machine is no broken law
pytestmark = pytest.mark.requirement("PRI-11")


def test_a_file_has_the_names_of_the_finance_office() -> None:
    (only,) = journals(DAY, "LEI", "MR", lines(range(3)))

    assert only.name == "578/MTP/030726/MR"
    assert only.path == "adi/2026-07-03/0210_SSCL_MR_03072026_LEI_MTP01"


def test_lines_stand_in_an_order_that_arrival_does_not_change() -> None:
    arrived = lines(range(20))
    (one,) = journals(DAY, "LEI", "MR", arrived)
    random.Random(7).shuffle(arrived)
    (other,) = journals(DAY, "LEI", "MR", arrived)

    assert one == other
    assert [line.gl_account for line in one.lines] == ["1816902028"] * 20 + ["2617902085"] * 20


def test_a_long_day_becomes_several_files_that_each_balance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FILE_LINES", 5)
    parts = journals(DAY, "LEI", "MR", lines(range(5)))

    assert [len(part.lines) for part in parts] == [4, 4, 2]
    assert [part.debit_minor - part.credit_minor for part in parts] == [0, 0, 0]
    assert [part.name for part in parts] == ["578/MTP/030726/MR", "578/MTP/030726/MR-2", "578/MTP/030726/MR-3"]
    assert len({part.path for part in parts}) == 3


def test_a_transaction_longer_than_a_file_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FILE_LINES", 1)

    assert [len(part.lines) for part in journals(DAY, "LEI", "MR", lines(range(3)))] == [2, 2, 2]


def test_a_transaction_that_does_not_balance_is_named() -> None:
    debit, credit = purchase(7)

    with pytest.raises(Unbalanced, match=r"0\.01 GBP more debit.*A1/transaction-00007"):
        journals(DAY, "LEI", "MR", [*lines(range(3)), debit._replace(amount_minor=1_235), credit])


def test_two_mistakes_that_cancel_out_are_still_mistakes() -> None:
    one, other = purchase(1), purchase(2)
    crossed = [one[0]._replace(amount_minor=1_235), one[1], other[0], other[1]._replace(amount_minor=1_235)]

    assert sum(line.debit_minor - line.credit_minor for line in crossed) == 0
    with pytest.raises(Unbalanced, match="A1/transaction-00001, A1/transaction-00002"):
        journals(DAY, "LEI", "MR", crossed)


def test_two_peoples_purchases_of_the_same_id_do_not_balance_each_other() -> None:
    one, other = purchase(1), [line._replace(prisoner_id="A2", line_id=f"{line.line_id}-A2") for line in purchase(1)]
    crossed = [one[0]._replace(amount_minor=1_235), one[1], other[0], other[1]._replace(amount_minor=1_235)]

    with pytest.raises(Unbalanced, match="A1/transaction-00001, A2/transaction-00001"):
        journals(DAY, "LEI", "MR", crossed)


def test_two_peoples_purchases_of_the_same_id_may_be_in_two_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FILE_LINES", 2)
    other = [line._replace(prisoner_id="A2", line_id=f"{line.line_id}-A2") for line in purchase(1)]

    parts = journals(DAY, "LEI", "MR", purchase(1) + other)

    assert [{line.prisoner_id for line in part.lines} for part in parts] == [{"A1"}, {"A2"}]


def test_a_day_without_lines_has_no_file() -> None:
    assert journals(DAY, "LEI", "MR", []) == []


def test_the_day_ends_at_midnight_in_london() -> None:
    (only,) = journals(DAY, "LEI", "MR", lines([1]))

    assert only.made_at.isoformat() == "2026-07-04T00:00:00+01:00"


def test_the_offsets_of_a_file_are_given_for_each_partition() -> None:
    line = purchase(1)[0]
    found = ranges([line._replace(partition=partition, record_offset=at) for partition, at in ((2, 5), (0, 9), (2, 3))])

    assert found == [(0, 9, 9), (2, 3, 5)]
    assert line.side is LedgerSide.DEBIT


@LAW
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=30),
    st.integers(1, 9),
    st.randoms(use_true_random=False),
)
def test_every_line_is_in_exactly_one_file_and_no_transaction_is_divided(
    pairs_of: list[int], file_lines: int, random_order: random.Random
) -> None:
    """Transactions of any length, files of any length, lines in any order."""
    arrived = [
        line._replace(line_id=f"{line.line_id}-{pair}")
        for number, pairs in enumerate(pairs_of)
        for pair in range(pairs)
        for line in purchase(number)
    ]
    random_order.shuffle(arrived)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "FILE_LINES", file_lines)
        parts = journals(DAY, "LEI", "MR", arrived)

    assert sorted(line.line_id for part in parts for line in part.lines) == sorted(line.line_id for line in arrived)
    homes = {(line.transaction_id, part.part) for part in parts for line in part.lines}
    assert len(homes) == len(pairs_of)
    assert all(part.debit_minor == part.credit_minor for part in parts)
