"""A dealer whom reference data ends bids in no price segment, whatever his deposit (DLR-08)."""

import pytest

from schemas.dealer_deposits import DepositReceived

from .book import DEALER, paid
from .registering import Office
from .test_deposits import told, with_three_segments

pytestmark = pytest.mark.requirement("DLR-08")


def test_a_dealer_who_is_ended_bids_nowhere_from_the_next_tick_on_until_he_is_known_again() -> None:
    book = with_three_segments()
    book.deposit("P1", 250)
    book.tick()
    book.kept.end(DEALER)
    assert told(book.tick()) == ["-middle None/250", "-small None/250"]
    assert book.tick() == []
    book.kept.know(DEALER)
    assert told(book.tick()) == ["+small 100/250", "+middle 200/250"]
    assert book.stands() == "bank 250, current/DEPOSIT 250"


def test_what_comes_to_a_dealer_who_is_ended_opens_nothing_and_closes_what_is_open() -> None:
    book = with_three_segments()
    book.deposit("P1", 100)
    book.kept.end(DEALER)
    assert told(book.deposit("P2", 200)) == ["-small None/300"]
    book.kept.set_tier("tiny", 1)
    assert book.tick() == []


def test_a_dealer_who_is_said_again_under_another_name_makes_no_work() -> None:
    book = with_three_segments()
    book.deposit("P1", 100)
    book.tick()
    book.kept.deposits.take_changes()
    book.kept.know(DEALER)
    book.kept.end("D9")
    assert book.tick() == []
    assert book.kept.deposits.take_changes() == []


def test_each_end_of_a_dealer_is_decided_under_an_id_of_its_own() -> None:
    office = Office()
    office.kept.set_tier("small", 100)
    office.stage.tick()
    office.register()
    office.add_fast_buyout()
    office.answer_all()
    office.send(DepositReceived(payment_id="P1", dealer_id=DEALER, amount=paid(150)))
    ids = list[str]()
    for turn in (office.kept.end, office.kept.know, office.kept.end):
        turn(DEALER)
        ids.append(office.stage.tick().entry.decision_id)
    assert ids == ["dealer:D1/tiers/1/1", "dealer:D1/tiers/1/2", "dealer:D1/tiers/1/3"]
