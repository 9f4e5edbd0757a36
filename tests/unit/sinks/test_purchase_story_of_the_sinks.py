"""A purchase's story beyond its book: files, uploads, answers and receipts stand where they belong."""

import io
import json

import orjson
import pytest
from rich.console import Console

from schemas.general_ledger import CorrectLines, LineRefusal, LinesProcessed, LinesRefused
from schemas.prison_batches import BatchedSubmit
from schemas.prison_finance import RefundPurchase
from sinks.story.evidence import Mailed, Sunk
from sinks.story.show import as_json, render
from sinks.story.telling import Kind
from tests.rooms import DAY, HOUR, MINUTE, MORNING
from tests.unit.prison_finance.partition import WHO
from tests.unit.sinks.stories import ADDRESS, CSV, Shelf, bought, filed, order, titles, told

pytestmark = pytest.mark.requirement("PRI-10", "PRI-11", "PRI-13")


def processed(shelf: Shelf, transaction_id: str, lines: tuple[str, ...]) -> None:
    shelf.send(LinesProcessed(prisoner_id=WHO, transaction_id=transaction_id, file=CSV, line_ids=lines))


def test_file_upload_and_answer_stand_before_the_acknowledgement_whatever_clocks_say() -> None:
    shelf = bought()
    file = filed(shelf.book("P1"), "P1", state="accepted", attempts=1, reference="JE-1")
    processed(shelf, "P1", file.line_ids)
    long_before, long_after = MORNING - DAY, MORNING + DAY

    for moment in (long_before, long_after):
        sunk = Sunk((file._replace(sent_at=moment, answered_at=moment),), (Mailed("<m@x>", MORNING + 1, 0, None),))
        assert titles(told(shelf, "P1", sunk))[1:] == [
            "Confirm the order",
            f"Journal file {CSV}",
            f"Upload of {CSV}: sent once",
            "The general ledger's answer: accepted, JE-1",
            "The general ledger has written 2 lines of P1",
            "Receipt sent",
        ]


def test_a_file_without_an_answer_stands_last_with_its_problem() -> None:
    shelf = bought()
    file = filed(
        shelf.book("P1"), "P1", state="in doubt", attempts=2, sent_at=MORNING + HOUR, problem="does not answer"
    )
    waits = Mailed("<m@x>", None, 3, "the mail server is away")
    *_, _, upload, receipt = told(shelf, "P1", Sunk((file,), (waits,)))
    assert (upload.title, upload.notes) == (f"Upload of {CSV}: sent 2 times", ("does not answer",))
    assert (receipt.title, receipt.notes) == (
        "Receipt waits for the mail server", ("<m@x>", "the mail server is away"),
    )  # fmt: skip


def test_a_receipt_stands_where_it_was_sent() -> None:
    shelf = bought()
    shelf.wait(HOUR)
    shelf.send(RefundPurchase(refund_id="R1", purchase_id="P1", prisoner_id=WHO, payments=(), reason="Spoilt"))
    story = told(shelf, "P1", Sunk(receipts=(Mailed("<m@x>", MORNING + MINUTE, 0, None),)))
    assert [step.kind for step in story] == [Kind.DECISION, Kind.DECISION, Kind.RECEIPT, Kind.DECISION]


def test_a_refusal_of_the_general_ledger_its_correction_and_the_second_file() -> None:
    shelf = bought()
    first = filed(shelf.book("P1"), "P1", state="accepted in part", attempts=1, sent_at=MORNING, answered_at=MORNING)
    reasons = (LineRefusal(line_id=first.line_ids[1], reason="account unknown"),)
    shelf.send(LinesRefused(prisoner_id=WHO, transaction_id="P1", file=CSV, reasons=reasons))
    shelf.wait(DAY)
    shelf.send(CorrectLines(correction_id="K1", prisoner_id=WHO, transaction_id="P1"))
    again = tuple(f"{WHO}/P1/2026-03-02/2/{side}" for side in ("debit", "credit"))
    second = first._replace(
        name="adi/2.csv", line_ids=again, state="waiting", attempts=0, sent_at=None, answered_at=None
    )

    story = told(shelf, "P1", Sunk((first, second)))

    assert titles(story)[4:] == [
        "The general ledger's answer: accepted in part",
        "The general ledger has refused P1",
        "Write the lines of P1 again: correction K1",
        "Journal file adi/2.csv",
        "Upload of adi/2.csv: waits",
    ]
    assert story[5].notes[1:] == (f"refused {first.line_ids[1]}: account unknown", "P1 waits for a correction")
    assert story[6].notes[1] == "2 lines of P1 are reversed, and written again"
    assert f"in place of {first.line_ids[0]}" in story[6].notes[2]


def test_what_is_parked_is_said_at_the_end() -> None:
    story = told(bought(), "P1", Sunk(parked=("adi: 2026-03-01: control_totals_differ: partition 3",)))
    assert (story[-1].kind, story[-1].notes) == (Kind.PARKED, ("adi: 2026-03-01: control_totals_differ: partition 3",))


# ---- for people, for programs


def test_it_is_read_on_a_narrow_terminal_and_by_programs_without_anybodys_address() -> None:
    shelf = bought()
    shelf.send(BatchedSubmit(batch_id="W1", prisoner_id=WHO, purchase=order("P1", {"canteen": 30})))
    story = told(
        shelf, "P1", Sunk((filed(shelf.book("P1"), "P1", sent_at=MORNING),), (Mailed("<m@x>", None, 0, None),))
    )

    out = io.StringIO()
    Console(file=out, width=80).print(render(WHO, "P1", story))
    said = orjson.dumps(as_json(WHO, "P1", story)).decode()

    assert max(map(len, out.getvalue().splitlines())) <= 80
    assert "P1 of prisoner A1234BC" in out.getvalue()
    assert "2026-03-01 08:00:00  Confirm the order" in out.getvalue()
    program = json.loads(said)
    assert [step["step"] for step in program["steps"]] == ["decision", "decision", "decision", "file", "receipt"]
    assert program["steps"][0]["events"][0]["parts"] == [
        {"source": "spends", "supplier_id": "canteen", "amount_minor": 30}
    ]
    assert ADDRESS not in said + out.getvalue()
    assert said.count("<address>") == 4
