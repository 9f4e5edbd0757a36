"""Laws of prison finance over any sequence of commands and ticks, with repetitions and disorder."""

from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.fields import Message, iso
from schemas.general_ledger import AccountingDayClosed, GeneralLedgerLine, LedgerSide
from schemas.prison_finance import PurchaseAuthorised
from streams.ledger.draft import Refused
from streams.prison_finance.accounting_day import days_after
from streams.runtime.rows import Rows

from .partition import PRISONER, Partition, moment

LAW = settings(deadline=None)  # a busy machine is no broken law

pytestmark = pytest.mark.requirement("PRI-01", "PRI-02", "PRI-10")

START = moment("2024-03-29 12:00")  # with a change of clocks in the days that follow
MINUTE_US = 60_000_000
PEOPLE = ("A1", "A2")
LIMIT = 90
FUNDS = 150


class Step(NamedTuple):
    """One command or tick, so many minutes after the step before; a late one tells of so many minutes ago."""

    verb: str
    who: str
    purchase_id: str
    amount: int
    accounts: tuple[str, str]
    after: int
    late: int


PAIRS = [(a, b) for a in ("cash", "spends", "savings") for b in ("cash", "spends", "savings") if a != b]
STEPS = st.builds(
    Step,
    st.sampled_from(["credit", "move", "submit", "authorise", "cancel", "buy", "buy", "tick"]),
    st.sampled_from(PEOPLE),
    st.sampled_from(["P1", "P2", "P3", "P4", "P5", "P6"]),
    st.integers(1, 60),
    st.sampled_from(PAIRS),
    st.sampled_from([0, 0, 0, 5, 20, 40, 400, 1500]),
    st.sampled_from([0, 0, 0, 0, 10, 400, 1500]),
)
STORIES = st.lists(STEPS, max_size=40)


class Told(NamedTuple):
    partition: Partition
    events: list[Message]
    credited: Counter[str]


def told(story: list[Step]) -> Told:
    """A partition with two prisoners who have money, one of whom has a daily limit, after a story."""
    partition = Partition()
    for who, limit in zip(PEOPLE, (None, LIMIT), strict=True):
        changes = {"prisoner_id": who, "daily_limit_minor": limit}
        partition.kept.prisoners[who] = PRISONER.model_copy(update=changes)
    events: list[Message] = []
    credited: Counter[str] = Counter()
    for who in PEOPLE:
        partition.credit(FUNDS, who=who)
        credited[who] = FUNDS
    now = START
    for step in story:
        now += step.after * MINUTE_US
        for verb in ("submit", "authorise") if step.verb == "buy" else (step.verb,):
            answer = take(partition, step._replace(verb=verb), iso(now - step.late * MINUTE_US).removesuffix("Z"))
            for who in PEOPLE:
                never_overdrawn(partition, who)
            if not isinstance(answer, Refused):
                events += answer
                credited[step.who] += step.amount * (verb == "credit")
    return Told(partition, events, credited)


def take(partition: Partition, step: Step, at: str) -> list[Message] | Refused:
    match step.verb:
        case "credit":
            return partition.credit(step.amount, step.accounts[0], at, who=step.who)
        case "move":
            return partition.move(step.amount, *step.accounts, who=step.who)
        case "submit":
            return partition.submit(step.purchase_id, step.amount, at, who=step.who)
        case "authorise":
            return partition.authorise(step.purchase_id, at, who=step.who)
        case "cancel":
            return partition.cancel(step.purchase_id, at, who=step.who)
        case _:
            return partition.tick(at)


def never_overdrawn(partition: Partition, who: str) -> None:
    """What is pending never exceeds the funds, and only spends are ever locked."""
    for account in ("cash", "spends", "savings"):
        row = partition.balance(account, who)
        if row is not None:
            assert 0 <= row.locked <= row.posted
            assert account == "spends" or not row.locked


@LAW
@given(STORIES)
def test_all_money_credited_is_on_a_sub_account_or_with_a_supplier(story: list[Step]) -> None:
    partition, events, credited = told(story)
    for who in PEOPLE:
        balances = {
            account: row.posted if (row := partition.balance(account, who)) else 0
            for account in ("prison", "cash", "spends", "savings", "supplier/canteen")
        }
        assert balances["prison"] == credited[who]
        assert sum(balances.values()) == 2 * credited[who]
        authorised = [
            each.total.amount_minor
            for each in events
            if isinstance(each, PurchaseAuthorised) and each.prisoner_id == who
        ]
        assert balances["supplier/canteen"] == sum(authorised)


@LAW
@given(STORIES)
def test_what_is_locked_is_what_pending_purchases_cost(story: list[Step]) -> None:
    partition = told(story).partition
    for who in PEOPLE:
        rows = [
            (key, partition.kept.purchases[key])
            for key in partition.kept.purchases
            if key.startswith(f"prisoner:{who}|")
        ]
        pending = sum(row.total_minor for _, row in rows if row.state == "pending")
        spends = partition.balance("spends", who)
        assert (spends.locked if spends else 0) == pending


@LAW
@given(STORIES)
def test_general_ledger_debits_and_credits_are_what_was_authorised(story: list[Step]) -> None:
    events = told(story).events
    lines = [event for event in events if isinstance(event, GeneralLedgerLine)]
    authorised = [event for event in events if isinstance(event, PurchaseAuthorised)]
    for side in LedgerSide:
        assert Counter(
            (line.prisoner_id, line.transaction_id, line.amount) for line in lines if line.side is side
        ) == Counter((each.prisoner_id, each.purchase_id, each.total) for each in authorised)
    assert len({line.line_id for line in lines}) == len(lines)


@LAW
@given(STORIES)
def test_days_close_in_order_once_with_their_totals_and_nothing_follows(story: list[Step]) -> None:
    events = told(story).events
    closes = [event for event in events if isinstance(event, AccountingDayClosed)]
    assert all(days_after(before.accounting_date, 1) == after.accounting_date for before, after in pairwise(closes))
    for close in closes:
        at = events.index(close)
        assert all(
            event.accounting_date > close.accounting_date
            for event in events[at:]
            if isinstance(event, GeneralLedgerLine)
        )
        lines = [
            event
            for event in events[:at]
            if isinstance(event, GeneralLedgerLine) and event.accounting_date == close.accounting_date
        ]
        assert close.lines == len(lines)
        assert close.debit_minor == close.credit_minor == sum(line.amount.amount_minor for line in lines) // 2


@LAW
@given(STORIES)
def test_a_days_purchases_stay_within_the_daily_limit(story: list[Step]) -> None:
    partition = told(story).partition
    used: Counter[str] = Counter()
    for key in partition.kept.purchases:
        row = partition.kept.purchases[key]
        if row.limit_day is not None and row.state in ("pending", "authorised"):
            used[row.limit_day] += row.total_minor
    assert all(amount <= LIMIT for amount in used.values())


@LAW
@given(STORIES)
def test_rows_come_back_from_their_changelog_as_they_were(story: list[Step]) -> None:
    partition = told(story).partition
    tables: list[tuple[Rows[Any], Rows[Any]]] = list(zip(partition.kept, Partition().kept, strict=True))
    for rows, restored in tables:
        changes = rows.take_changes()
        restored.restore((key.encode(), None if row is None else rows.encode(row)) for key, row in changes)
        assert {key: restored[key] for key in restored} == {key: rows[key] for key in rows}
