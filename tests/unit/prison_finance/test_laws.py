"""Laws of prison finance over any sequence of commands and ticks, with repetitions and disorder."""

from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.fields import Message, iso
from schemas.general_ledger import (
    AccountingDayClosed,
    GeneralLedgerLine,
    LedgerSide,
    LinesAreCorrected,
    TransactionProcessed,
)
from schemas.prison_advances import AdvanceActive, AdvanceRepaid, AdvanceWrittenOff
from schemas.prison_finance import PurchaseAuthorised, PurchaseRefunded
from streams.ledger.draft import Refused
from streams.prison_finance.accounting_day import days_after
from streams.runtime.rows import Rows

from .partition import PRISONER, Partition, moment

LAW = settings(deadline=None)  # a busy machine is no broken law

pytestmark = pytest.mark.requirement(
    "PRI-01", "PRI-02", "PRI-03", "PRI-04", "PRI-05", "PRI-06", "PRI-07", "PRI-10", "PRI-11", "PRI-12", "PRI-13"
)

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
    payments: dict[str, int]
    accounts: tuple[str, str]
    funding: str
    officer: str
    after: int
    late: int

    @property
    def amount(self) -> int:
        return sum(self.payments.values())


PAIRS = [(a, b) for a in ("cash", "spends", "savings") for b in ("cash", "spends", "savings") if a != b]
FUNDING = ["spends", "cash", "spends cash", "advance", "spends cash advance", "spends advance", "cash advance"]
VERBS = ["credit", "move", "submit", "authorise", "cancel", "buy", "buy", "buy", "refund", "take back", "write off"]
STEPS = st.builds(
    Step,
    st.sampled_from([*VERBS, "processed", "refused", "correct", "tick"]),
    st.sampled_from(PEOPLE),
    st.sampled_from(["P1", "P2", "P3", "P4", "P5", "P6"]),
    st.dictionaries(st.sampled_from(["canteen", "BT"]), st.integers(1, 60), min_size=1),
    st.sampled_from(PAIRS),
    st.sampled_from(FUNDING),
    st.sampled_from(["governor", "governor", "deputy"]),
    st.sampled_from([0, 0, 0, 5, 20, 40, 400, 1500, 12_000]),
    st.sampled_from([0, 0, 0, 0, 10, 400, 1500]),
)
STORIES = st.lists(STEPS, max_size=40)


class Told(NamedTuple):
    partition: Partition
    events: list[Message]
    credited: Counter[str]


def told(story: list[Step]) -> Told:
    """A partition with two prisoners who have money, one of whom has a daily limit and may not use cash freely."""
    partition = Partition()
    for who, limit in zip(PEOPLE, (None, LIMIT), strict=True):
        until = moment("2030-01-01 00:00") if limit is None else None
        changes = {"prisoner_id": who, "daily_limit_minor": limit, "cash_permission_until": until}
        partition.kept.prisoners[who] = PRISONER.model_copy(update=changes)
    events: list[Message] = []
    credited: Counter[str] = Counter()
    for who in PEOPLE:
        partition.credit(FUNDS, who=who)
        credited[who] = FUNDS
    now = START
    for number, step in enumerate(story):
        now += step.after * MINUTE_US
        for verb in ("submit", "authorise") if step.verb == "buy" else (step.verb,):
            at = iso(now - step.late * MINUTE_US).removesuffix("Z")
            answer = take(partition, step._replace(verb=verb), at, f"N{number}")
            for who in PEOPLE:
                hold_together(partition, who)
            if not isinstance(answer, Refused):
                events += answer
                credited[step.who] += step.amount * (verb == "credit")
    return Told(partition, events, credited)


def take(partition: Partition, step: Step, at: str, fresh: str) -> list[Message] | Refused:
    who, purchase_id = step.who, step.purchase_id
    match step.verb:
        case "credit":
            return partition.credit(step.amount, step.accounts[0], at, who=who, credit_id=fresh)
        case "move":
            return partition.move(step.amount, *step.accounts, who=who)
        case "submit":
            submit = partition.submit
            return submit(purchase_id, step.payments, at, funding=step.funding, approved_by=step.officer, who=who)
        case "authorise":
            return partition.authorise(purchase_id, at, who=who)
        case "cancel":
            return partition.cancel(purchase_id, at, who=who)
        case "refund" | "take back":
            payments = step.payments if step.verb == "refund" else None
            return partition.refund(fresh, purchase_id, payments, at, who=who)
        case "write off":
            return partition.write_off(purchase_id, step.officer, at, who=who)
        case "processed" | "refused" | "correct":
            return acknowledge(partition, step, at)
        case _:
            return partition.tick(at)


def acknowledge(partition: Partition, step: Step, at: str) -> list[Message] | Refused:
    """Of some transaction of the prisoner, if there is one."""
    mine = [key.partition("|")[2] for key in partition.kept.transactions if key.startswith(f"prisoner:{step.who}|")]
    transaction = mine[step.amount % len(mine)] if mine else step.purchase_id
    answers = {"processed": partition.processed, "refused": partition.lines_refused}
    if step.verb == "correct":
        return partition.correct(transaction, at, who=step.who)
    return answers[step.verb](transaction, None, at, who=step.who)


def stand(partition: Partition, who: str) -> dict[str, int]:
    """What stands on every account of a prisoner."""
    names = (*GROW_BY_DEBIT, "cash", "spends", "savings", "advance", "supplier/canteen", "supplier/BT")
    return {name: row.posted if (row := partition.balance(name, who)) else 0 for name in names}


GROW_BY_DEBIT = ("prison", "owed", "written_off")


def hold_together(partition: Partition, who: str) -> None:
    """After every decision: nothing is overdrawn, savings are never locked, nothing stays on the advance account."""
    stands = stand(partition, who)
    assert all(amount >= 0 for amount in stands.values()), stands
    assert stands["advance"] == 0
    debits = sum(stands[name] for name in GROW_BY_DEBIT)
    assert 2 * debits == sum(stands.values())
    for account in ("cash", "spends", "savings", "owed"):
        row = partition.balance(account, who)
        if row is not None:
            assert 0 <= row.locked <= row.posted
            assert account in ("cash", "spends") or not row.locked
    advances = partition.kept.advances.get(f"prisoner:{who}")
    active = [each for each in (advances.open if advances else ()) if each.state == "active"]
    assert stands["owed"] == sum(each.outstanding_minor for each in active)
    assert advances is None or sum(each.outstanding_minor for each in advances.open) <= 100


@LAW
@given(STORIES)
def test_all_money_credited_or_lent_is_on_a_sub_account_or_with_a_supplier(story: list[Step]) -> None:
    partition, events, credited = told(story)
    for who in PEOPLE:
        stands = stand(partition, who)
        assert stands["prison"] == credited[who]
        mine = [event for event in events if getattr(event, "prisoner_id", "") == who]
        paid = sum(each.total.amount_minor for each in mine if isinstance(each, PurchaseAuthorised))
        back = sum(each.total.amount_minor for each in mine if isinstance(each, PurchaseRefunded))
        assert stands["supplier/canteen"] + stands["supplier/BT"] == paid - back
        lent = sum(each.amount.amount_minor for each in mine if isinstance(each, AdvanceActive))
        repaid = sum(each.amount.amount_minor for each in mine if isinstance(each, AdvanceRepaid))
        given_up = sum(each.amount.amount_minor for each in mine if isinstance(each, AdvanceWrittenOff))
        assert stands["owed"] == lent - repaid - given_up
        assert 0 <= stands["written_off"] <= given_up


@LAW
@given(STORIES)
def test_what_is_locked_is_what_pending_purchases_cost(story: list[Step]) -> None:
    partition = told(story).partition
    for who in PEOPLE:
        mine = [key for key in partition.kept.purchases if key.startswith(f"prisoner:{who}|")]
        pending = [row for key in mine if (row := partition.kept.purchases[key]).state == "pending"]
        for account in ("spends", "cash"):
            row = partition.balance(account, who)
            costs = sum(part.amount_minor for each in pending for part in each.parts if part.source == account)
            assert (row.locked if row else 0) == costs
        advance = partition.balance("advance", who)
        lent = sum(part.amount_minor for each in pending for part in each.parts if part.source == "advance")
        assert (advance.locked if advance else 0) == lent


@LAW
@given(STORIES)
def test_no_source_gives_or_gets_back_more_than_its_part(story: list[Step]) -> None:
    partition = told(story).partition
    for key in partition.kept.purchases:
        row = partition.kept.purchases[key]
        paid = {(part.source, part.supplier_id): part.amount_minor for part in row.parts}
        assert len(paid) == len(row.parts)
        back: Counter[object] = Counter()
        for part in row.refunded:
            back[part.source, part.supplier_id] += part.amount_minor
        assert all(back[place] <= paid[place] for place in back)  # type: ignore[index]
        made_good = sum(part.amount_minor for part in row.refunded if part.account == "written_off")
        assert made_good <= row.written_off_minor


@LAW
@given(STORIES)
def test_the_general_ledger_has_a_pair_of_lines_for_every_movement_of_an_accepted_decision(story: list[Step]) -> None:
    partition, events, _ = told(story)
    lines = [event for event in events if isinstance(event, GeneralLedgerLine)]
    assert len({line.line_id for line in lines}) == len(lines)
    counted = [line for line in lines if line.corrects is None]
    for who in PEOPLE:
        sums: Counter[str] = Counter()
        for line in counted:
            if line.prisoner_id == who:
                assert line.account is not None
                sums[line.account] += line.amount.amount_minor * (1 if line.side is LedgerSide.DEBIT else -1)
        stands = stand(partition, who)
        for account in ("owed", "written_off"):
            assert sums[account] == stands[account]
        for account in ("advance", "supplier/canteen", "supplier/BT"):
            assert sums[account] == -stands[account]
        assert sums.total() == 0


@LAW
@given(STORIES)
def test_every_line_is_open_processed_or_replaced_and_each_only_once(story: list[Step]) -> None:
    partition, events, _ = told(story)
    written = {event.line_id for event in events if isinstance(event, GeneralLedgerLine)}
    processed = [each for event in events if isinstance(event, TransactionProcessed) for each in event.line_ids]
    replaced = [each for event in events if isinstance(event, LinesAreCorrected) for each in event.line_ids]
    rows = partition.kept.transactions
    still_open = [line.line_id for key in rows for line in rows[key].open]
    assert Counter([*processed, *replaced, *still_open]) <= Counter(dict.fromkeys(written, 1))
    if not any(step.after > 1_500 for step in story):  # no row was forgotten
        assert len(processed) + len(replaced) + len(still_open) == len(written)


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
        if row.limit_day is not None and row.state in ("pending", "authorised", "processed"):
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
