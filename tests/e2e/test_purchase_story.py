"""What can be asked about a purchase and its prisoner, on real servers: the whole story, balances, the statement."""

import json
from typing import Any

import pytest

from schemas.general_ledger import (
    CorrectLines,
    LineRefusal,
    LinesAreCorrected,
    LinesAreRefused,
    LinesProcessed,
    LinesRefused,
)
from schemas.prison_finance import PurchaseProcessed, PurchaseRefunded, RefundPurchase
from streams.demo.processes import Process
from tests.e2e.prison import Prison
from tests.e2e.world import World, fresh
from tests.integration.sinks import mail


@pytest.fixture(scope="module")
def prison(world: World) -> Prison:
    return Prison(world)


def asked(world: World, *command: str) -> Any:
    """What a command answers to programs."""
    done = world.command(*command, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.requirement("PRI-10", "PRI-11", "PRI-13", "BEY-03")
def test_the_whole_story_of_a_purchase_is_told_in_order(world: World, prison: Prison) -> None:
    """Refused, submitted, paid, refused by the general ledger, corrected, written, taken back; a receipt in between."""
    prisoner = prison.prisoner(spends=100, cash=40)
    order = prison.order(prisoner, {"CANTEEN": 100, "BT": 30}, "spends cash")
    world.decided(world.send(order.model_copy(update={"funding": order.funding[:1]})))
    world.decided(world.send(order))
    purchase = order.purchase_id
    prison.authorise(prisoner, purchase)
    transaction = {"prisoner_id": prisoner, "transaction_id": purchase}
    reasons = (LineRefusal(line_id=prison.lines(purchase)[0].line_id, reason="account 2102 is closed"),)
    world.send(LinesRefused(**transaction, file="adi/1.csv", reasons=reasons))
    world.told(LinesAreRefused, transaction_id=purchase)
    world.send(CorrectLines(**transaction, correction_id=fresh("cor")))
    world.told(LinesAreCorrected, transaction_id=purchase)
    again = tuple(line.line_id for line in prison.lines(purchase) if line.corrects)
    world.send(LinesProcessed(**transaction, file="adi/2.csv", line_ids=again))
    world.told(PurchaseProcessed, purchase_id=purchase)
    refund = RefundPurchase(
        refund_id=fresh("ref"), purchase_id=purchase, prisoner_id=prisoner, payments=(), reason="Spoilt"
    )
    world.send(refund)
    world.told(PurchaseRefunded, purchase_id=purchase)
    with mail.serving() as mailbox:
        there = {**world.environment, "MILLRACE_SMTP": mailbox.address}
        postman = Process("receipts", ["sinks", "receipts"], world.folder / "receipts.log", there)
        postman.start()
        sent = "SELECT sent_at FROM sink.receipt WHERE purchase_id = %s AND sent_at IS NOT NULL"
        world.wait(lambda: world.sql(sent, purchase) or None)
        postman.stop()

    story = asked(world, "sinks", "purchase", prisoner, purchase)

    steps = story["steps"]
    assert [step["title"].partition(" ")[0] for step in steps if step["step"] == "decision"] == [
        "Submit", "Submit", "Confirm", "The", "Write", "The", "Refund",
    ]  # fmt: skip
    assert [step["outcome"] for step in steps if step["step"] == "decision"] == ["refused", *["accepted"] * 6]
    assert (steps[0]["reason"], steps[0]["figures"]["missing"]) == ("insufficient_funds", "30")
    assert steps[1]["notes"][1:3] == [
        "spends pays 1.00 GBP of 1.30 GBP: CANTEEN 1.00 GBP",
        "cash pays 0.30 GBP of 0.30 GBP: BT 0.30 GBP",
    ]
    assert [(line["step"], line["debit"], line["amount_minor"]) for line in steps[2]["entries"]] == [
        ("settled", "spends", 100), ("settled", "cash", 30),
    ]  # fmt: skip
    assert [step["title"] for step in steps if step["step"] == "receipt"] == ["Receipt sent"]
    people = world.command("sinks", "purchase", prisoner, purchase)
    assert "account 2102 is closed" in " ".join(people.stdout.split())
    assert "prisoner@prison.example" not in people.stdout + json.dumps(story)


def test_a_purchase_that_nobody_ever_spoke_of_is_one_clear_sentence(world: World, prison: Prison) -> None:
    prisoner = prison.prisoner(spends=1)
    said = world.command("sinks", "purchase", prisoner, "CANTEEN-0")
    assert said.returncode == 2
    assert f"prisoner {prisoner} has no purchase CANTEEN-0" in said.stderr


@pytest.mark.requirement("PRI-01", "PIPE-07", "PIPE-10")
def test_a_prisoners_book_shows_what_is_pending_apart_and_his_statement_what_was_paid(
    world: World, prison: Prison
) -> None:
    prisoner = prison.prisoner(spends=250, cash=40, savings=9)
    paid, pending = (prison.submit(prisoner, {"CANTEEN": amount}, "spends") for amount in (100, 30))
    prison.parts(pending)
    prison.authorise(prisoner, paid)
    book = f"prisoner:{prisoner}"

    def accounts() -> dict[str, tuple[int, int]] | None:
        done = world.command("streams", "book", book, "--json")
        rows = json.loads(done.stdout)["accounts"] if done.returncode == 0 else []
        found = {row["account"]: (row["posted_minor"], row["locked_minor"]) for row in rows}
        return found if found.get("supplier/CANTEEN", (0, 0))[0] == 100 else None

    standing = world.wait(accounts)
    assert {name: standing[name] for name in ("spends", "cash", "savings")} == {
        "spends": (150, 30), "cash": (40, 0), "savings": (9, 0),
    }  # fmt: skip

    def lines() -> list[int] | None:
        done = world.command("streams", "statement", book, "--account", "spends", "--json")
        found = [line["amount_minor"] for line in json.loads(done.stdout)[0]["lines"]] if done.returncode == 0 else []
        return found if len(found) == 2 else None

    assert world.wait(lines) == [250, -100]
    backwards = world.command("streams", "statement", book, "--from", "2026-03-02", "--to", "2026-03-01")
    assert (backwards.returncode, "--from must be before --to" in backwards.stderr) == (2, True)
