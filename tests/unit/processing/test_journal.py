"""What every decision writes: its journal entry, its events, its statement lines (PIPE-09, PIPE-10)."""

import pytest

from schemas.envelope import read_envelope
from schemas.ledger import Decided
from schemas.mobility import BudgetDeposited
from schemas.topics import JOURNAL, TRIP_PAYMENTS
from tests.rooms import HOUR, MINUTE, PARTITION
from tests.unit.mobility.city import BOOK, City


@pytest.mark.requirement("PIPE-10")
def test_an_entry_names_the_record_that_caused_it_who_asked_and_both_times() -> None:
    city = City()
    city.deposit("d0", 1)
    happened, arrived = city.stage.now - HOUR, city.stage.now
    entry = city.deposit("d1", 500, id="e-7", at=happened, arrived=arrived).entry
    assert (entry.cause_topic, entry.cause_partition, entry.cause_offset) == (
        "mobility.deposit.command.v1",
        PARTITION,
        1,
    )
    assert (entry.cause_type, entry.cause_id) == ("millrace.mobility.DepositBudget", "e-7")
    assert (entry.correlation_id, entry.actor) == ("story-e-7", "ann")
    assert (entry.effective_at, entry.recorded_at) == (happened, arrived)
    assert (entry.book, entry.room) == (BOOK, "mobility")


@pytest.mark.requirement("PIPE-10")
def test_an_event_keeps_the_story_and_names_its_cause() -> None:
    told = City().deposit("d1", 500, id="e-7")
    (sent,) = (each for each in told.sent if isinstance(each.message, BudgetDeposited))
    envelope = read_envelope(sent.headers)
    assert (sent.topic, sent.key, sent.partition) == (TRIP_PAYMENTS, b"group:g1", PARTITION)
    assert (envelope.correlation_id, envelope.causation_id, envelope.actor) == ("story-e-7", "e-7", "ann")
    assert (envelope.source, envelope.subject) == ("millrace/mobility", BOOK)


@pytest.mark.requirement("PIPE-10")
def test_ids_do_not_grow_with_what_caused_them_so_that_an_event_can_cause_another() -> None:
    told = City().deposit("d1", 500, id="e" * 160)
    (sent,) = (each for each in told.sent if isinstance(each.message, BudgetDeposited))
    assert len(read_envelope(sent.headers).id) < 100


@pytest.mark.requirement("PIPE-09")
def test_every_accepted_movement_is_in_the_journal_once_under_its_book() -> None:
    told = City().deposit("d1", 500)
    (sent,) = (each for each in told.sent if each.topic is JOURNAL)
    assert (sent.key, sent.partition) == (BOOK.encode(), PARTITION)
    assert isinstance(sent.message, Decided)
    (line,) = sent.message.lines
    assert (line.debit, line.credit, line.amount_minor, line.currency) == ("funding", "wallet", 500, "EUR")


@pytest.mark.requirement("PIPE-10")
def test_statement_lines_are_numbered_and_carry_the_balance_after_them() -> None:
    city = City()
    city.deposit("d1", 500)
    city.deposit("d2", 250)
    city.start(minutes=10)
    city.end(minutes=20)
    city.deposit("d2", 999)
    lines = city.stage.statement(BOOK, "wallet")
    assert [(line.number, line.amount_minor, line.balance_minor, line.text) for line in lines] == [
        (1, 500, 500, "Deposit d1"),
        (2, 250, 750, "Deposit d2"),
        (3, -300, 450, "Trip t1"),
        (4, -200, 250, "Trip t1, above estimate"),
    ]


@pytest.mark.requirement("PIPE-10")
def test_the_owner_sees_wallet_debt_and_expiry_but_not_the_citys_and_operators_accounts() -> None:
    city = City()
    city.deposit("d1", 50, until=HOUR)
    city.deposit("d2", 50)
    city.start(minutes=10)
    city.end(minutes=10)
    city.deposit("d3", 70, until=MINUTE)
    city.wait(HOUR)
    shown = {line.account for told in city.stage.history for line in told.statement}
    assert shown == {"wallet", "rider/ann", "expired"}
    assert city.stands("expired") == 70


@pytest.mark.requirement("PIPE-13")
def test_the_same_records_give_the_same_output_to_the_byte() -> None:
    def story() -> list[object]:
        city = City()
        city.deposit("d1", 500, until=2 * HOUR)
        city.start(minutes=10)
        city.deposit("d1", 500)
        city.wait(3 * HOUR)
        city.end(minutes=3)
        city.wait(24 * HOUR)
        return [told.sent for told in city.stage.history]

    assert story() == story()
