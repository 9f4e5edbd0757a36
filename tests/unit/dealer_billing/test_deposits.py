"""A deposit grows, shrinks, opens price segments and closes them, and is spent by nothing (DLR-08)."""

import pytest

from schemas.dealer_billing import Refused as DealerRefused
from schemas.dealer_deposits import (
    DepositChanged,
    DepositReceived,
    DepositReturned,
    PriceSegmentGranted,
    PriceSegmentRevoked,
)
from schemas.fields import MAX_MINOR, Fact
from schemas.refusals import Reason
from streams.dealer_billing.deposit import Tiers, evolve_tiers, project
from streams.ledger.draft import Refused
from streams.rooms import DUE_PER_TICK
from tests.rooms import DAY

from .book import BOOK, DEALER, SETTLEMENT, DealerBook, paid
from .registering import Office
from .test_processing import make_stage

pytestmark = pytest.mark.requirement("DLR-08")


@pytest.fixture
def book() -> DealerBook:
    return with_three_segments()


def with_three_segments() -> DealerBook:
    """Small from 100, middle from 200, large from 300."""
    made = DealerBook()
    for segment, from_minor in (("middle", 200), ("small", 100), ("large", 300)):
        made.kept.set_tier(segment, from_minor)
    return made


def told(answer: list[Fact] | Refused) -> list[str]:
    """`+small 100/250`: it opens from 100, at a deposit of 250. `-small`: it closes."""
    assert isinstance(answer, list), answer
    return [
        f"{'+' if isinstance(event, PriceSegmentGranted) else '-'}{event.segment} {event.from_minor}/"
        f"{event.deposit_minor}"
        for event in answer
        if isinstance(event, PriceSegmentGranted | PriceSegmentRevoked)
    ]


# ---- the money


def test_a_deposit_is_money_of_the_dealer_at_the_bank() -> None:
    book = DealerBook()
    assert book.deposit("P1", 150) == [
        DepositChanged(dealer_id=DEALER, payment_id="P1", currency="EUR", change_minor=150, deposit_minor=150)
    ]
    assert book.return_deposit("P2", 50) == [
        DepositChanged(dealer_id=DEALER, payment_id="P2", currency="EUR", change_minor=-50, deposit_minor=100)
    ]
    assert book.stands() == "bank 100, current/DEPOSIT 100"


def test_no_more_is_returned_than_there_is(book: DealerBook) -> None:
    book.deposit("P1", 150)
    assert book.return_deposit("P2", 151) == Refused(
        Reason.INSUFFICIENT_FUNDS,
        {
            "account": "current/DEPOSIT",
            "currency": "EUR",
            "available": "150",
            "locked": "0",
            "wanted": "151",
            "missing": "1",
        },
    )
    assert book.stands() == "bank 150, current/DEPOSIT 150"
    assert book.segments() == ("small",)


def test_a_deposit_beyond_all_sums_is_refused(book: DealerBook) -> None:
    book.deposit("P1", MAX_MINOR)
    refused = book.deposit("P2", 1)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.AMOUNT_TOO_LARGE


def test_each_currency_has_a_deposit_of_its_own(book: DealerBook) -> None:
    book.kept.set_tier("small", 50, "USD")
    book.deposit("P1", 150)
    assert told(book.deposit("P2", 60, "USD")) == ["+small 50/60"]
    assert book.stands() == "bank 150, bank 60 USD, current/DEPOSIT 150, current/DEPOSIT 60 USD"
    refused = book.return_deposit("P3", 61, "USD")
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.figures["missing"]) == (Reason.INSUFFICIENT_FUNDS, "1")
    assert told(book.return_deposit("P4", 60, "USD")) == ["-small 50/0"]
    assert (book.segments("EUR"), book.segments("USD")) == (("small",), ())


def test_a_deposit_pays_no_bill_and_no_surplus_becomes_a_deposit(book: DealerBook) -> None:
    book.deposit("P1", 300)
    book.send_bill("B1", 100, SETTLEMENT)
    book.pay("P2", "B1", 40)
    book.correct("B1", "B2", 20)
    book.issue("B2")
    book.void("B2")
    assert book.stands() == ("B1 corrected 0/100, B2 voided 0/20, bank 340, current/DEPOSIT 300, current/SETTLEMENT 40")
    assert book.segments() == ("large", "middle", "small")


# ---- ids


@pytest.mark.requirement("PIPE-05")
def test_a_deposit_counts_once_now_and_after_its_id_was_forgotten() -> None:
    stage, deposit = make_stage(), DepositReceived(payment_id="P1", dealer_id=DEALER, amount=paid(150))
    assert stage.send(deposit, id="E1").outcome == "accepted"
    assert stage.send(deposit, id="E1").outcome == "duplicate"
    assert stage.send(deposit, id="E2").outcome == "duplicate"
    assert stage.send(deposit.model_copy(update={"amount": paid(1)})).reason == "other_content_under_this_id"
    stage.wait(8 * DAY)
    again = stage.send(deposit, id="E1")
    assert (again.reason, again.figures) == ("already_exists", {"payment": "P1", "deposit": "1.50 EUR"})


@pytest.mark.requirement("PIPE-05")
def test_an_id_is_used_once_for_a_deposit_or_a_return_or_a_payment_of_a_bill(book: DealerBook) -> None:
    book.deposit("P1", 100)
    book.return_deposit("P2", 10)
    book.pay("P3", "B1", 40)
    before = book.stands()
    for again in (
        book.return_deposit("P1", 10), book.deposit("P2", 10), book.deposit("P3", 40), book.return_deposit("P3", 40),
        book.pay("P1", "B1", 100), book.pay("P2", "B1", 10),
    ):  # fmt: skip
        assert isinstance(again, Refused)
        assert again.reason is Reason.ALREADY_EXISTS
    assert book.stands() == before


@pytest.mark.requirement("BEY-03")
def test_a_refused_return_is_told_with_its_figures_and_may_come_again_in_another_event() -> None:
    stage, returned = make_stage(), DepositReturned(payment_id="P2", dealer_id=DEALER, amount=paid(100))
    refused = stage.send(returned, id="E1")
    assert refused.event(DealerRefused).figures["missing"] == "100"
    assert (refused.event(DealerRefused).refused_id, refused.reason) == ("P2", "insufficient_funds")
    stage.send(DepositReceived(payment_id="P1", dealer_id=DEALER, amount=paid(100)))
    assert stage.send(returned, id="E1").outcome == "duplicate"
    assert stage.send(returned, id="E2").outcome == "accepted"


def test_the_dealers_statement_is_that_of_his_deposit() -> None:
    stage = make_stage()
    stage.send(DepositReceived(payment_id="P1", dealer_id=DEALER, amount=paid(150)))
    assert [(line.amount_minor, line.text) for line in stage.statement(BOOK, "current/DEPOSIT")] == [
        (150, "Deposit P1")
    ]


# ---- segments


def test_a_deposit_opens_what_it_reaches_the_cheapest_first_and_closes_the_dearest_first(book: DealerBook) -> None:
    assert told(book.deposit("P1", 99)) == []
    assert told(book.deposit("P2", 1)) == ["+small 100/100"]
    assert told(book.deposit("P3", 250)) == ["+middle 200/350", "+large 300/350"]
    assert told(book.return_deposit("P4", 10)) == []
    assert told(book.return_deposit("P5", 240)) == ["-large 300/100", "-middle 200/100"]
    assert told(book.return_deposit("P6", 1)) == ["-small 100/99"]
    assert told(book.deposit("P7", 1)) == ["+small 100/100"]


def test_a_segment_of_two_tiers_opens_with_the_lower(book: DealerBook) -> None:
    """Changes of two rows come in either order: for a moment both are there."""
    book.kept.set_tier("small", 40, tier_id="another")
    assert told(book.deposit("P1", 50)) == ["+small 40/50"]
    assert told(book.deposit("P2", 50)) == []
    book.kept.set_tier("small", None, tier_id="another")
    assert told(book.return_deposit("P3", 1)) == ["-small 100/99"]


def test_what_is_open_is_projected_in_one_line(book: DealerBook) -> None:
    book.kept.set_tier("small", 1, "USD")
    book.deposit("P1", 1, "USD")
    book.deposit("P2", 200)
    shown = project(BOOK, book.kept.deposits[BOOK])
    assert (shown.id, shown.dealer_id, shown.segments) == (BOOK, DEALER, "EUR middle, EUR small, USD small")
    book.return_deposit("P3", 1, "USD")
    book.return_deposit("P4", 200)
    assert project(BOOK, book.kept.deposits[BOOK]).segments == ""


# ---- an account that is not open


def test_a_deposit_of_an_unknown_dealer_is_kept_and_opens_nothing(book: DealerBook) -> None:
    book.forget_dealer()
    del book.kept.accounts[f"{BOOK}|DEPOSIT"]
    assert told(book.deposit("P1", 150)) == []
    assert told(book.return_deposit("P2", 20)) == []
    assert book.stands() == "bank 130, current/DEPOSIT 130"
    assert book.tick() == []


def test_a_deposit_opens_what_it_reaches_when_its_account_opens() -> None:
    office = Office()
    office.kept.set_tier("small", 100)
    office.kept.set_tier("small", 20, "USD")
    office.stage.tick()
    office.register()
    office.add_fast_buyout()
    for payment_id, currency in (("P1", "USD"), ("P2", "EUR")):
        office.send(DepositReceived(payment_id=payment_id, dealer_id=DEALER, amount=paid(150, currency)))
    says = list[str]()
    while office.calls:
        answered = office.answer(office.calls[0])
        says += answered.says
        if "PriceSegmentGranted" in answered.says:
            assert answered.says == ["AccountOpened", "PriceSegmentGranted", "PriceSegmentGranted"]
    assert says.count("PriceSegmentGranted") == 2


def test_another_account_that_opens_opens_no_segment() -> None:
    office = Office()
    office.kept.set_tier("small", 100)
    office.stage.tick()
    office.register()
    office.send(DepositReceived(payment_id="P1", dealer_id=DEALER, amount=paid(150)))
    office.answer_all()
    assert office.account("COMMISSION").contract_id is not None
    assert office.kept.deposits[BOOK].held[0].segments == ()


# ---- tiers that change


def test_a_tier_that_is_new_lowered_raised_or_ended_reaches_a_deposit_at_the_next_tick(book: DealerBook) -> None:
    book.deposit("P1", 150)
    for segment, from_minor, expected in (
        ("tiny", 50, ["+tiny 50/150"]),
        ("middle", 150, ["+middle 150/150"]),
        ("small", 151, ["-small 151/150"]),
        ("middle", 140, []),
        ("tiny", None, ["-tiny None/150"]),
    ):
        book.kept.set_tier(segment, from_minor)
        assert told(book.tick()) == expected
        assert book.tick() == []
    assert book.segments() == ("middle",)


def test_what_a_payment_has_done_already_a_tick_does_not_do_again(book: DealerBook) -> None:
    book.deposit("P1", 150)
    book.kept.set_tier("small", 200)
    assert told(book.deposit("P2", 40)) == ["-small 200/190"]
    assert book.tick() == []


def test_tiers_that_come_after_the_deposit_open_segments() -> None:
    book = DealerBook()
    book.deposit("P1", 150)
    assert book.tick() == []
    book.kept.set_tier("small", 100)
    assert told(book.tick()) == ["+small 100/150"]


def test_many_changes_in_one_tick_close_first_and_then_open(book: DealerBook) -> None:
    book.deposit("P1", 300)
    for segment, from_minor in (("tiny", 10), ("small", None), ("middle", 310), ("large", 320), ("new", 250)):
        book.kept.set_tier(segment, from_minor)
    assert told(book.tick()) == ["-small None/300", "-large 320/300", "-middle 310/300", "+tiny 10/300", "+new 250/300"]


def test_a_tier_that_is_said_again_makes_no_work(book: DealerBook) -> None:
    book.deposit("P1", 150)
    book.tick()
    book.kept.deposits.take_changes()
    book.kept.set_tier("small", 100)
    book.kept.set_tier("unknown", None)
    assert book.tick() == []
    assert book.kept.deposits.take_changes() == []


def test_tiers_are_the_same_whatever_their_order() -> None:
    book, other = DealerBook(), DealerBook()
    book.kept.set_tier("a", 1)
    book.kept.set_tier("b", 2)
    other.kept.set_tier("b", 2)
    other.kept.set_tier("a", 1)
    assert book.kept.tiers["tiers"] == other.kept.tiers["tiers"]
    assert evolve_tiers(None, "a", None) == Tiers()


def test_a_tick_judges_a_bounded_number_of_deposits_and_the_next_goes_on(book: DealerBook) -> None:
    for number in range(DUE_PER_TICK + 1):
        other = f"D{number}"
        book.kept.know(other)
        book.kept.accounts[f"dealer:{other}|DEPOSIT"] = book.kept.accounts[f"{BOOK}|DEPOSIT"]
        book.dealer_id, book.book = other, f"dealer:{other}"
        book.deposit("P1", 150)
    book.tick()
    book.tick()
    book.kept.set_tier("small", 90)
    book.kept.set_tier("middle", 110)
    assert [len(book.tick()) for _ in range(3)] == [DUE_PER_TICK, 1, 0]


def test_a_change_of_tiers_is_decided_under_an_id_of_its_own() -> None:
    office = Office()
    office.register()
    office.add_fast_buyout()
    office.answer_all()
    office.send(DepositReceived(payment_id="P1", dealer_id=DEALER, amount=paid(150)))
    office.kept.set_tier("small", 100)
    granted = office.stage.tick()
    assert (granted.entry.decision_id, granted.says) == ("dealer:D1/tiers/1/0", ["PriceSegmentGranted"])
    assert granted.entry.lines == ()
    assert office.stage.tick().entries == []
    office.kept.set_tier("small", None)
    assert office.stage.tick().entry.decision_id == "dealer:D1/tiers/2/0"
