"""Prison finance through the processor: repetitions, the journal, and what is said of a whole partition."""

import pytest

from schemas.envelope import read_envelope
from schemas.general_ledger import AccountingDayClosed
from schemas.ledger import Step
from schemas.prison_finance import (
    AuthorisePurchase,
    CreditPrisoner,
    FundingSource,
    PurchaseAuthorised,
    PurchasePending,
    PurchaseVoided,
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
