"""Lots: which are usable, in what order they are spent, and what is left of them (MOB-09, BEY-01)."""

import pytest

from schemas.ledger import LotPart, Side
from streams.ledger import lots
from streams.ledger.accounts import Account, Balance, Holding
from streams.ledger.lots import Lot

from .script import CHART, Book, buying, lot_part, play

pytestmark = pytest.mark.requirement("MOB-09")


def picked(book: Book, wanted_minor: int, at: int = 0, purpose: str | None = None) -> str:
    """What a purchase would take from the wallet, as `A:50 B:20`."""
    parts = book.draft(at).pick_lots(CHART["wallet"], "EUR", wanted_minor, buying(purpose))
    return " ".join(f"{part.lot_id}:{part.amount_minor}" for part in parts)


# ---- the order of spending


def test_the_lot_that_expires_first_is_spent_first_whenever_it_came() -> None:
    play("""
        bank > wallet 50 as never                | wallet never:50
        bank > wallet 50 as late until 20        | wallet late:50 never:50
        bank > wallet 50 as soon until 10        | wallet soon:50 late:50 never:50
        wallet > shop 70                         | wallet late:30 never:50
        wallet > shop 40                         | wallet never:40
        wallet > shop 40                         | wallet empty, shop 150
    """)


def test_lots_of_one_expiry_are_spent_by_id() -> None:
    play("""
        bank > wallet 5 as C until 9
        bank > wallet 5 as A until 9
        bank > wallet 5 as B until 9             | wallet A:5 B:5 C:5
        wallet > shop 6                          | wallet B:4 C:5
    """)


def test_lots_that_never_expire_are_spent_by_id_after_all_others() -> None:
    play("""
        bank > wallet 5 as B
        bank > wallet 5 as A
        bank > wallet 5 as Z until 999999999     | wallet Z:5 A:5 B:5
    """)


def test_an_expiry_of_zero_is_an_expiry_and_not_never() -> None:
    book = play("bank > wallet 5 as A until 0    | wallet A:5")
    assert picked(book, 5, at=0) == ""
    assert book.balance("wallet").next_expiry == 0


def test_a_lot_spent_to_the_last_penny_is_gone_and_its_id_is_free() -> None:
    play("""
        bank > wallet 5 as A until 9
        wallet > shop 5                          | wallet empty
        bank > wallet 7 as A until 12            | wallet A:7
    """)


def test_a_spent_part_keeps_the_expiry_and_restriction_of_its_lot() -> None:
    book = play("bank > wallet 5 as A until 9 for bike")
    assert book.draft().pick_lots(CHART["wallet"], "EUR", 3, buying("bike")) == (lot_part("A", 3, 9, "bike"),)


# ---- which lots are usable


TWO_LOTS = """
    bank > wallet 50 as A until 10
    bank > wallet 50 as B until 20
"""


@pytest.mark.parametrize(
    ("at", "wanted_minor", "expected"),
    [
        (0, 100, "A:50 B:50"),
        (9, 100, "A:50 B:50"),  # the last moment of A
        (10, 100, "B:50"),  # the moment of expiry is too late
        (11, 100, "B:50"),
        (20, 100, ""),
        (9, 50, "A:50"),
        (9, 51, "A:50 B:1"),
        (9, 49, "A:49"),
        (9, 101, "A:50 B:50"),  # no more than there is
        (9, 0, ""),
        (9, -1, ""),
    ],
)
def test_a_lot_is_usable_before_its_expiry_and_not_at_it(at: int, wanted_minor: int, expected: str) -> None:
    assert picked(play(TWO_LOTS), wanted_minor, at) == expected


@pytest.mark.parametrize(
    ("purpose", "wanted_minor", "expected"),
    [
        ("bike", 100, "bikes:10 most:7 any:10"),
        ("car", 100, "cars:10 most:7 any:10"),
        (None, 100, "most:7 any:10"),
        ("bike", 12, "bikes:10 most:2"),
        ("bike", 17, "bikes:10 most:7"),
        ("bike", 18, "bikes:10 most:7 any:1"),
    ],
)
def test_a_purchase_takes_only_lots_meant_for_it_and_no_more_than_their_cap(
    purpose: str | None, wanted_minor: int, expected: str
) -> None:
    book = play("""
        bank > wallet 10 as bikes until 10 for bike
        bank > wallet 10 as cars  until 11 for car
        bank > wallet 10 as most  until 12 for <7
        bank > wallet 10 as any
    """)
    assert picked(book, wanted_minor, purpose=purpose) == expected


def test_a_cap_above_what_is_in_the_lot_takes_what_is_in_it() -> None:
    assert picked(play("bank > wallet 5 as A for <9"), 100) == "A:5"


@pytest.mark.parametrize("most", [0, -1])
def test_a_purpose_that_allows_nothing_or_less_takes_nothing(most: int) -> None:
    assert lots.pick((Lot("A", 5), Lot("B", 5)), 5, 0, lambda lot: most if lot.lot_id == "A" else 5) == (
        lot_part("B", 5),
    )


def test_lots_of_one_currency_do_not_pay_in_another() -> None:
    book = play("bank > wallet 5 JPY as A   | wallet A:5 JPY")
    assert picked(book, 5) == ""
    assert book.draft().pick_lots(CHART["wallet"], "JPY", 5) == (lot_part("A", 5),)


def test_what_a_lock_pinned_is_not_usable_by_others() -> None:
    book = play("""
        bank > wallet 50 as A until 10
        lock L wallet > shop 30                  | wallet A:50/30
    """)
    assert picked(book, 50) == "A:20"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", None),
        ("bank > wallet 5 as A", None),
        ("bank > wallet 5 as A until 10", 10),
        ("bank > wallet 5 as A until 10 \n bank > wallet 5 as B", 10),
        ("bank > wallet 5 as A until 20 \n bank > wallet 5 as B until 10", 10),
        ("bank > wallet 5 as A until 10 \n lock L wallet > shop 4", 10),
        ("bank > wallet 5 as A until 10 \n lock L wallet > shop 5", None),  # its lock keeps it
        ("bank > wallet 5 as A until 10 \n bank > wallet 5 as B until 20 \n lock L wallet > shop 5", 20),
        ("bank > wallet 5 as A until 10 \n lock L wallet > shop 5 \n void L", 10),
    ],
)
def test_the_next_expiry_is_that_of_the_first_lot_with_free_money(script: str, expected: int | None) -> None:
    assert play(script).balance("wallet").next_expiry == expected


# ---- parts


@pytest.mark.parametrize(
    ("amount_minor", "first", "rest"),
    [
        (0, "", "A:3 B:4"),
        (2, "A:2", "A:1 B:4"),
        (3, "A:3", "B:4"),
        (4, "A:3 B:1", "B:3"),
        (7, "A:3 B:4", ""),
        (8, "A:3 B:4", ""),
    ],
)
def test_parts_split_at_a_sum_in_their_order(amount_minor: int, first: str, rest: str) -> None:
    def written(parts: tuple[LotPart, ...]) -> str:
        return " ".join(f"{part.lot_id}:{part.amount_minor}" for part in parts)

    both = lots.split((lot_part("A", 3, 9, "bike"), lot_part("B", 4, 9, "bike")), amount_minor)

    assert (written(both[0]), written(both[1])) == (first, rest)
    assert {(part.expires_at, part.restriction) for parts in both for part in parts} == {(9, "bike")}


def test_one_lot_named_twice_gives_both_parts() -> None:
    assert lots.spent((Lot("A", 5),), (lot_part("A", 2), lot_part("A", 2))) == (Lot("A", 1),)


@pytest.mark.parametrize(
    ("change", "before", "part", "after"),
    [
        (lots.spent, Lot("A", 5, 2), 3, Lot("A", 2, 2)),
        (lots.locked, Lot("A", 5, 2), 3, Lot("A", 5, 5)),
        (lots.settled, Lot("A", 5, 2), 2, Lot("A", 3, 0)),
        (lots.unlocked, Lot("A", 5, 2), 2, Lot("A", 5, 0)),
        (lots.spent, Lot("A", 5, 2), 4, None),  # would take what a lock pinned
        (lots.locked, Lot("A", 5, 2), 4, None),
        (lots.settled, Lot("A", 5, 2), 3, None),  # was never locked
        (lots.unlocked, Lot("A", 5, 2), 3, None),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_lot_never_gives_what_it_has_not(change: object, before: Lot, part: int, after: Lot | None) -> None:
    assert callable(change)
    if after is None:
        with pytest.raises(AssertionError):
            change((before,), (lot_part("A", part),))
    else:
        assert change((before,), (lot_part("A", part),)) == (after,)


def test_a_part_of_a_lot_that_is_not_there_stops_the_worker() -> None:
    with pytest.raises(KeyError):
        lots.spent((Lot("A", 5),), (lot_part("B", 1),))


# ---- opening a lot


def test_a_second_lot_of_the_same_id_is_refused_while_the_first_is_open() -> None:
    """Two lots of one id would become one at the next change, and the money of the other would be lost."""
    play("""
        bank > wallet 50 as A until 10
        bank > wallet 30 as A until 10           | already_exists account=wallet lot=A
        bank > wallet 30 as A until 20           | already_exists account=wallet lot=A
        bank > wallet 30 JPY as A until 10       | wallet A:30 JPY     # another currency is another account
        bank > gifts 30 as A                     | gifts A:30
        wallet > shop 50                         | wallet empty
    """)


def test_a_lot_that_is_not_worth_the_amount_that_moves_stops_the_worker() -> None:
    draft = play("").draft()
    with pytest.raises(AssertionError):
        draft.post(CHART["bank"], CHART["wallet"], 50, "EUR", "deposit", opened=lot_part("A", 49))


@pytest.mark.parametrize(
    ("credit", "opened"), [("wallet", None), ("spends", lot_part("A", 5))], ids=["lots without a lot", "a sum with one"]
)
def test_a_lot_opens_where_lots_are_held_and_only_there(credit: str, opened: LotPart | None) -> None:
    draft = play("").draft()
    with pytest.raises(AssertionError):
        draft.post(CHART["bank"], CHART[credit], 5, "EUR", "deposit", opened=opened)


@pytest.mark.parametrize("deposits", [1, lots.MAX_LOTS])
def test_a_fault_of_ours_is_not_refused_as_if_it_were_the_sender_s(deposits: int) -> None:
    book = play("\n".join(f"bank > wallet 1 as lot{n}" for n in range(deposits)))
    with pytest.raises(AssertionError):
        book.draft().post(CHART["bank"], CHART["wallet"], 5, "EUR", "a deposit that opens no lot")


@pytest.mark.parametrize(
    ("debit", "amount_minor", "spent"),
    [
        ("wallet", 5, ()),  # does not say which lots
        ("wallet", 5, (lot_part("A", 4),)),  # a penny short
        ("wallet", 5, (lot_part("A", 6),)),  # a penny over
        ("spends", 5, (lot_part("A", 5),)),  # holds no lots
    ],
)
def test_a_debit_names_the_lots_for_exactly_its_amount(debit: str, amount_minor: int, spent: tuple[LotPart]) -> None:
    book = play("""
        bank > wallet 50 as A
        bank > spends 50
    """)
    with pytest.raises(AssertionError):
        book.draft().post(CHART[debit], CHART["shop"], amount_minor, "EUR", "purchase", spent)
    with pytest.raises(AssertionError):
        book.draft().reserve("L", CHART[debit], CHART["shop"], amount_minor, "EUR", None, spent)


def test_lots_are_held_only_by_an_account_that_grows_by_credits() -> None:
    """A debit takes from lots and a credit opens one: on the debit side both would be the wrong way round."""
    with pytest.raises(AssertionError):
        Account("vault", Side.DEBIT, holding=Holding.LOTS)
    assert CHART["wallet"].of("msp-7").name == "wallet/msp-7"


def test_lots_move_from_one_wallet_to_another_as_one_new_lot() -> None:
    play("""
        bank > wallet 5 as A until 9
        bank > wallet 5 as B until 10
        wallet > gifts 8 as G until 9            | wallet B:2, gifts G:8
        gifts > shop 8                           | gifts empty
    """)


def test_an_empty_account_has_no_lots_and_nothing_usable() -> None:
    assert play("").balance("wallet") == Balance(Side.CREDIT)
