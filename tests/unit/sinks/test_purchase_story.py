"""A purchase's story as its prisoner's book has it: every decision, in order, and nobody else's."""

import pytest

from schemas.ledger import Decided
from schemas.prison_advances import WriteOffAdvance
from schemas.prison_batches import BatchedSubmit
from schemas.prison_finance import RefundPurchase
from sinks.story.telling import Kind
from tests.rooms import DAY, MINUTE
from tests.unit.prison_finance.partition import WHO, to_suppliers
from tests.unit.sinks.stories import Shelf, authorise, bought, credit, order, told

pytestmark = pytest.mark.requirement("PRI-10", "BEY-03")


def test_every_source_says_what_it_pays_of_what_was_left_and_who_gets_it() -> None:
    shelf = Shelf()
    shelf.send(credit(25))
    shelf.send(order("P1", {"canteen": 30, "BT": 20}, "spends cash advance"))

    (submitted,) = told(shelf, "P1")

    assert submitted.title == (
        "Submit 0.50 GBP: canteen 0.30 GBP, BT 0.20 GBP; paid from spends, then cash, then advance"
    )
    assert submitted.notes[:4] == (
        "accepted",
        "spends pays 0.25 GBP of 0.50 GBP: canteen 0.25 GBP",
        "cash has nothing",
        "advance pays 0.25 GBP of 0.25 GBP: canteen 0.05 GBP, BT 0.20 GBP",
    )
    assert submitted.notes[5:] == (
        "an advance of 0.25 GBP is pending: approved by governor, to be repaid by 0.10 GBP every 7 days",
        "locked owed → advance 0.25 GBP",
        "locked advance → spends 0.25 GBP",
        "locked spends → supplier/canteen 0.25 GBP",
    )


def test_a_source_that_was_not_needed_is_said_to_be_so() -> None:
    shelf = Shelf()
    shelf.send(credit(30))
    shelf.send(order("P1", {"canteen": 30}, "spends cash"))
    assert told(shelf, "P1")[0].notes[1:3] == (
        "spends pays 0.30 GBP of 0.30 GBP: canteen 0.30 GBP",
        "cash is not needed",
    )


def test_a_refused_submission_explains_itself() -> None:
    shelf = Shelf()
    shelf.send(order("P1", {"canteen": 30}))
    (refused,) = told(shelf, "P1")
    (note,) = refused.notes
    assert note.startswith(
        "refused: insufficient_funds (spends_available 0, total 30, missing 30, advance_recommended 30"
    )
    assert refused.details["figures"]["advance_allowed"] == "100"


def test_an_authorisation_has_its_lines_and_its_money_and_comes_once() -> None:
    shelf = Shelf()
    shelf.send(credit(100))
    shelf.send(order("P1", {"canteen": 30}))
    shelf.send(authorise("P1"), "once")
    shelf.send(authorise("P1"), "once")
    shelf.send(authorise("P1"))

    _, once, repeated, again = told(shelf, "P1")

    assert once.title == "Confirm the order"
    assert once.notes == (
        "accepted",
        "authorised: 0.30 GBP is paid",
        "line A1234BC/P1/2026-03-01/1/debit: debit 2102 0.30 GBP; LEI, cost centre 10572801, 2026-03-01",
        "line A1234BC/P1/2026-03-01/1/credit: credit 2501 0.30 GBP; LEI, cost centre 10572801, 2026-03-01",
        "settled spends → supplier/canteen 0.30 GBP",
    )
    assert repeated.notes[0].startswith("a repetition of prison_finance.purchase.command.v1/")
    assert again.notes == ("refused: wrong_state (purchase P1, state authorised)",)


def test_a_purchase_whose_time_is_over_says_so() -> None:
    shelf = Shelf()
    shelf.send(credit(100))
    shelf.send(order("P1", {"canteen": 30}))
    shelf.wait(31 * MINUTE)
    _, over = told(shelf, "P1")
    assert over.title == "Its time is over"
    assert over.notes == (
        "accepted", "timed_out: 0.30 GBP is free again", "expired spends → supplier/canteen 0.30 GBP",
    )  # fmt: skip


def test_a_batch_is_named() -> None:
    shelf = Shelf()
    shelf.send(credit(100))
    shelf.send(BatchedSubmit(batch_id="W1", prisoner_id=WHO, purchase=order("P1", {"canteen": 30})))
    (submitted,) = told(shelf, "P1")
    assert submitted.title == "Submit 0.30 GBP: canteen 0.30 GBP; paid from spends; in batch W1"


def test_an_advance_is_followed_through_repayment_by_others_credits_refund_and_write_off() -> None:
    shelf = Shelf()
    for purchase_id in ("P1", "P2"):
        shelf.send(order(purchase_id, {"canteen": 40}, "advance"))
        shelf.send(authorise(purchase_id))
    shelf.wait(8 * DAY)
    shelf.send(credit(20, credit_id="C2"))
    refunded = RefundPurchase(
        refund_id="R1", purchase_id="P1", prisoner_id=WHO, payments=to_suppliers({"canteen": 5}), reason="Spoilt"
    )
    shelf.send(refunded)
    given_up = WriteOffAdvance(advance_id="P1", prisoner_id=WHO, written_off_by="governor", reason="released")
    shelf.send(given_up)

    _, _, repaid, refund, written_off = told(shelf, "P1")

    assert repaid.title.startswith("millrace.prison_finance.CreditPrisoner")
    assert repaid.notes[1] == "0.10 GBP of the advance is repaid, 0.30 GBP outstanding"
    assert repaid.notes[-1] == "posted spends → owed 0.10 GBP"
    assert sum("owed" in note for note in repaid.notes) == 1, "P2's repayment is another story"
    assert refund.title == "Refund R1: canteen 0.05 GBP; Spoilt"
    assert refund.notes[1:3] == (
        "canteen gives 0.05 GBP back, which advance had paid: to owed",
        "0.05 GBP of the advance is repaid, 0.25 GBP outstanding",
    )
    assert "reverses P1" in refund.notes[3]
    assert written_off.notes[1] == "0.25 GBP of the advance is written off"
    assert len(told(shelf, "P2")) == 3


def test_another_persons_purchase_of_the_same_id_is_another_story() -> None:
    shelf = Shelf()
    for who in (WHO, "B1"):
        shelf.send(credit(100, who=who))
        shelf.send(order("P1", {"canteen": 30 if who == WHO else 40}, who=who))
    shelf.send(authorise("P1"))
    assert len(told(shelf, "P1")) == 2
    (theirs,) = told(shelf, "P1", who="B1")
    assert theirs.title.startswith("Submit 0.40 GBP")


def test_a_refund_that_took_anothers_id_does_not_bring_that_ones_story() -> None:
    shelf = bought()
    shelf.send(order("P2", {"canteen": 30}))
    shelf.send(authorise("P2"))
    for purchase_id in ("P1", "P2"):
        shelf.send(
            RefundPurchase(refund_id="R1", purchase_id=purchase_id, prisoner_id=WHO, payments=(), reason="Spoilt")
        )
    story = told(shelf, "P2")
    assert len(story) == 3
    assert story[-1].notes[0].startswith("refused: other_content_under_this_id")
    assert not any("refund/R1" in note for step in story for note in step.notes)


def test_after_a_repartition_the_story_goes_on_where_the_book_is_now() -> None:
    """Old records stay where they are; offsets of the new partition begin with 0."""
    shelf = bought()
    there = len(shelf.pieces)
    shelf.wait(DAY)
    shelf.send(RefundPurchase(refund_id="R1", purchase_id="P1", prisoner_id=WHO, payments=(), reason="Spoilt"))
    moved = [
        (key, piece._replace(place=piece.place._replace(partition=1, offset=number)))
        if isinstance(piece.message, Decided)
        else (key, piece)
        for number, (key, piece) in enumerate(shelf.pieces[there:])
    ]
    shelf.pieces = moved + shelf.pieces[:there]
    assert [step.title.split()[0] for step in told(shelf, "P1")] == ["Submit", "Confirm", "Refund"]


def test_what_nobody_has_decided_is_not_passed_over() -> None:
    shelf = bought()
    key, piece = shelf.pieces[-1]
    waiting = piece._replace(place=piece.place._replace(topic="prison_finance.purchase.command.v1", offset=9_999))
    shelf.pieces.append((key, waiting._replace(message=authorise("P1"), headers=())))
    assert told(shelf, "P1")[-1].kind is Kind.UNDECIDED
