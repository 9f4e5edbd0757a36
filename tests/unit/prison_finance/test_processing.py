"""Prison finance through the processor: repetitions, the journal, and what is said of a whole partition."""

import pytest

from schemas.envelope import read_envelope
from schemas.fields import Message, Money
from schemas.general_ledger import (
    AccountingDayClosed,
    CorrectLines,
    LedgerSide,
    LineRefusal,
    LinesProcessed,
    LinesRefused,
)
from schemas.ledger import Step
from schemas.prison_advances import WriteOffAdvance
from schemas.prison_finance import (
    AdvanceApproval,
    AuthorisePurchase,
    CreditPrisoner,
    FundingSource,
    PurchaseAuthorised,
    PurchasePending,
    PurchaseVoided,
    RefundPurchase,
    SubAccount,
    SubmitPurchase,
)
from schemas.topics import GL_LINES
from streams.prison_finance.room import PrisonFinance
from tests.rooms import DAY, MINUTE, PARTITION, Stage

from .partition import WHO, Partition, pounds, to_suppliers

BOOK = f"prisoner:{WHO}"
CREDIT = CreditPrisoner(
    credit_id="C1", prisoner_id=WHO, sub_account=SubAccount.SPENDS, amount=pounds(100), description="Postal order"
)
SUBMIT = SubmitPurchase(
    purchase_id="P1",
    prisoner_id=WHO,
    payments=to_suppliers({"canteen": 30}),
    total=pounds(30),
    funding=(FundingSource.SPENDS,),
    description="Canteen Spends",
)
AUTHORISE = AuthorisePurchase(purchase_id="P1", prisoner_id=WHO)


def make_stage() -> Stage:
    """The prisoner has 100 in spends, the partition's first day is open."""
    kept = Partition(limit=50).kept
    stage = Stage(lambda ledger: PrisonFinance(kept.tables, ledger), *kept)
    stage.tick()
    stage.send(CREDIT)
    return stage


@pytest.mark.requirement("PRI-01", "PIPE-05")
def test_a_credit_is_made_once_whatever_carries_it() -> None:
    stage = make_stage()
    assert stage.send(CREDIT, id="again").outcome == "duplicate"
    assert stage.send(CREDIT.model_copy(update={"amount": pounds(7)})).reason == "other_content_under_this_id"
    balance = stage.balance(BOOK, "spends", "GBP")
    assert balance is not None
    assert balance.posted == 100


@pytest.mark.requirement("PRI-01", "PIPE-05")
def test_a_credit_that_was_refused_may_be_sent_again_under_another_event_id_and_counts_once() -> None:
    kept = Partition(limit=50).kept
    stage = Stage(lambda ledger: PrisonFinance(kept.tables, ledger), *kept)
    prisoner = kept.prisoners[WHO]
    del kept.prisoners[WHO]  # reference data comes later
    for rows in kept:
        rows.take_changes()
    assert stage.send(CREDIT, id="e-early").reason == "unknown_prisoner"
    kept.prisoners[WHO] = prisoner
    kept.prisoners.take_changes()
    assert stage.send(CREDIT, id="e-early").outcome == "duplicate"
    assert stage.send(CREDIT, id="e-later").outcome == "accepted"
    assert stage.send(CREDIT, id="e-again").outcome == "duplicate"
    balance = stage.balance(BOOK, "spends", "GBP")
    assert balance is not None
    assert balance.posted == 100


@pytest.mark.requirement("PRI-10", "PIPE-09")
def test_a_purchase_is_journalled_from_lock_to_lines() -> None:
    stage = make_stage()
    submitted = stage.send(SUBMIT)
    assert submitted.says == ["PurchasePending"]
    assert [line.step for line in submitted.entry.lines] == [Step.LOCKED]
    assert submitted.event(PurchasePending).limit_day == "2026-03-01"
    authorised = stage.send(AUTHORISE)
    assert authorised.says == ["PurchaseAuthorised", "GeneralLedgerLine", "GeneralLedgerLine"]
    assert [line.step for line in authorised.entry.lines] == [Step.SETTLED]
    assert authorised.event(PurchaseAuthorised).total == pounds(30)
    (line,) = authorised.statement
    assert (line.account, line.amount_minor, line.text) == ("spends", -30, "Canteen Spends - 01.03.2026 - P1")
    assert stage.send(AUTHORISE).reason == "wrong_state"


@pytest.mark.requirement("PRI-10", "PIPE-13")
def test_a_time_out_is_journalled_as_expired() -> None:
    stage = make_stage()
    stage.send(SUBMIT)
    told = stage.wait(30 * MINUTE)
    assert told.event(PurchaseVoided).total == pounds(30)
    assert [line.step for line in told.entry.lines] == [Step.EXPIRED]


@pytest.mark.requirement("PRI-10", "PIPE-13")
def test_a_closed_day_is_told_to_its_partition_without_a_key_and_without_a_journal_entry() -> None:
    stage = make_stage()
    stage.send(SUBMIT)
    stage.send(AUTHORISE)
    told = stage.wait(DAY)
    assert told.events == [AccountingDayClosed(accounting_date="2026-03-01", lines=2, debit_minor=30, credit_minor=30)]
    assert told.entries == []
    (sent,) = told.sent
    assert (sent.topic, sent.key, sent.partition) == (GL_LINES, None, PARTITION)
    envelope = read_envelope(sent.headers)
    assert envelope.id == f"prison_finance:{PARTITION}/accounting-day/2026-03-01/0"
    assert envelope.subject == f"prison_finance:{PARTITION}"


@pytest.mark.requirement("PRI-10")
def test_days_that_are_caught_up_each_have_an_id_of_their_own() -> None:
    assert make_stage().wait(40 * DAY).says == ["AccountingDayClosed"] * 31  # the stage checks the ids


# ---- ids, whatever carries them

REFUND = RefundPurchase(
    refund_id="R1", purchase_id="P1", prisoner_id=WHO, payments=to_suppliers({"canteen": 5}), reason="spoilt"
)
TAKEN = LinesProcessed(
    prisoner_id=WHO,
    transaction_id="P1",
    file="1.xlsx",
    line_ids=tuple(f"{WHO}/P1/2026-03-01/1/{side}" for side in LedgerSide),
)
NO = LinesRefused(
    prisoner_id=WHO,
    transaction_id="P1",
    file="1.xlsx",
    reasons=(LineRefusal(line_id=TAKEN.line_ids[0], reason="no account"),),
)
AGAIN = CorrectLines(correction_id="K1", prisoner_id=WHO, transaction_id="P1")


@pytest.mark.requirement("PRI-11", "PRI-13", "PIPE-05")
@pytest.mark.parametrize(
    ("message", "other"),
    [
        (REFUND, REFUND.model_copy(update={"reason": "out of stock"})),
        (TAKEN, TAKEN.model_copy(update={"line_ids": TAKEN.line_ids[:1]})),
        (NO, NO.model_copy(update={"reasons": (LineRefusal(line_id=TAKEN.line_ids[1], reason="no account"),)})),
    ],
    ids=["refund", "lines processed", "lines refused"],
)
def test_what_is_done_once_is_not_done_again_under_another_event_id(message: Message, other: Message) -> None:
    stage = make_stage()
    stage.send(SUBMIT)
    stage.send(AUTHORISE)
    assert stage.send(message).outcome == "accepted"
    assert stage.send(message).outcome == "duplicate"
    assert stage.send(other).reason == "other_content_under_this_id"


@pytest.mark.requirement("PRI-11", "PIPE-05")
def test_a_correction_is_made_once() -> None:
    stage = make_stage()
    for message in (SUBMIT, AUTHORISE, NO):
        stage.send(message)
    assert stage.send(AGAIN).says == ["LinesAreCorrected", "GeneralLedgerLine", "GeneralLedgerLine"]
    assert stage.send(AGAIN).outcome == "duplicate"


@pytest.mark.requirement("PRI-12", "PIPE-05")
def test_an_advance_is_lent_repaid_and_written_off_once() -> None:
    stage = make_stage()
    lent = {"funding": (FundingSource.ADVANCE,), "approval": AdvanceApproval(approved_by="governor")}
    submitted = stage.send(SUBMIT.model_copy(update=lent))
    assert submitted.says == ["PurchasePending", "AdvancePending"]
    assert [line.step for line in submitted.entry.lines] == [Step.LOCKED, Step.LOCKED]
    authorised = stage.send(AUTHORISE)
    assert authorised.says == ["AdvanceActive", "PurchaseAuthorised", *["GeneralLedgerLine"] * 6]
    assert [line.step for line in authorised.entry.lines] == [Step.SETTLED, Step.SETTLED, Step.POSTED]
    stage.now += 7 * DAY
    credited = stage.send(CREDIT.model_copy(update={"credit_id": "C2", "amount": pounds(10)}))
    assert credited.says == ["PrisonerCredited", "AdvanceRepaid", "GeneralLedgerLine", "GeneralLedgerLine"]
    given_up = WriteOffAdvance(advance_id="P1", prisoner_id=WHO, written_off_by="governor", reason="released")
    assert stage.send(given_up).says == ["AdvanceWrittenOff", "GeneralLedgerLine", "GeneralLedgerLine"]
    assert stage.send(given_up).outcome == "duplicate"


# ---- what is no message


@pytest.mark.requirement("PIPE-04", "PRI-07")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total": pounds(31)}, "total"),
        ({"payments": ()}, "payments"),
        ({"total": Money.model_construct(amount_minor=0, currency="GBP")}, "total.amount_minor"),
        ({"total": Money.model_construct(amount_minor=-30, currency="GBP")}, "total.amount_minor"),
        ({"funding": (FundingSource.CASH, FundingSource.SPENDS)}, "funding"),
        ({"funding": (FundingSource.ADVANCE,)}, "approval"),
    ],
)
def test_a_purchase_that_does_not_hold_together_becomes_a_dead_letter_that_names_the_field(
    changes: dict[str, object], field: str
) -> None:
    told = make_stage().send(SUBMIT.model_copy(update=changes))
    assert (told.outcome, told.letter.reason, told.letter.field) == ("dead letter", "refused_by_schema", field)
