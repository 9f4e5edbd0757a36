"""The two rooms of prison finance beside a naive prison: told the same, they must agree after every step."""

from collections import Counter, defaultdict, deque
from datetime import date
from itertools import count
from typing import Any

import msgspec

from schemas.fields import Contract, Fact, Message
from schemas.general_ledger import AccountingDayClosed, GeneralLedgerLine
from schemas.prison_batches import BatchAnswer, BatchedAuthorise, BatchedCancel, BatchedSubmit
from streams.prison_finance.batch import Batch
from streams.prison_finance.batch_room import PrisonBatches
from streams.prison_finance.purchase import Purchase
from streams.prison_finance.room import PrisonFinance
from streams.runtime.rows import Rows
from tests.rooms import Stage, Told, moment
from tests.unit.prison_finance.partition import Partition

from .cabinet import Authorised, Cabinet, check
from .naive import DAY_US, Line, NaivePrison
from .reference import Editor
from .rules import answer

START = moment("2026-03-27T12:00Z")
"""London's clocks change two days later."""
BETWEEN = (BatchAnswer, BatchedAuthorise, BatchedCancel, BatchedSubmit)
BATCHES = ("SubmitBatch", "AuthoriseBatch", "CancelBatch", "BatchAnswer")
SUB_ACCOUNTS = ("cash", "spends", "savings")


class Story:
    """One partition. `sent` is what upstream has sent, with its moment and its event's id."""

    def __init__(self, people: tuple[str, ...] = ("A1", "A2", "A3"), first_code: int = 1_000) -> None:
        self.people = people
        self.kept = Partition().kept
        for rows in self.kept:
            for key in list(rows):
                del rows[key]
            rows.take_changes()
        self.batches: Rows[Batch] = Rows(Batch, due=lambda row: row.due)
        self.room = Stage(lambda ledger: PrisonFinance(self.kept.tables, ledger), *self.kept)
        self.batch_room = Stage(lambda ledger: PrisonBatches(self.batches, ledger), self.batches)
        self.model = NaivePrison(date(2026, 3, 26))
        self.edit = Editor(self.kept, self.model, first_code)
        self.mail: defaultdict[str, deque[Fact]] = defaultdict(deque)
        self.sent: list[tuple[Message, int, str]] = []
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.records: list[GeneralLedgerLine | AccountingDayClosed] = []
        """Of the topic of general-ledger lines, in their order."""
        self.authorised, self.cabinet = Authorised(), Cabinet()
        self._ids = count()
        self.room.now = self.batch_room.now = START
        self.wait(0)

    @property
    def now(self) -> int:
        """In UTC micros."""
        return self.room.now

    def fresh(self, prefix: str) -> str:
        """An id that nobody has used."""
        return f"{prefix}-{next(self._ids)}"

    # ---- what happens

    def send(self, message: Message, at: int | None = None, event_id: str | None = None) -> str:
        """One message of upstream; the word that it is answered with."""
        happened, id_ = self.now if at is None else at, event_id or self.fresh("e")
        self.sent.append((message, happened, id_))
        return self._decide(message, happened, id_)

    def deliver(self, book: str) -> None:
        """The next message from another book."""
        self._decide(self.mail[book].popleft(), self.now, self.fresh("mail"))

    def settle(self) -> None:
        """All messages from other books."""
        while waiting := self.expected():
            self.deliver(waiting[0])

    def expected(self) -> list[str]:
        """Books that another one's message is on its way to."""
        return sorted(book for book, queue in self.mail.items() if queue)

    def wait(self, micros: int) -> None:
        """Let time pass in both rooms."""
        self._hear(self.batch_room.wait(micros))
        told = self.room.wait(micros)
        ended = [
            (date.fromisoformat(event.accounting_date), event.lines, event.debit_minor, event.credit_minor)
            for event in told.events
            if isinstance(event, AccountingDayClosed)
        ]
        assert ended == self.model.tick(self.now)
        self._hear(told)

    def end(self) -> None:
        """Deliver what is on its way, close every day that has lines, and look at all that there is."""
        while not self.records or self.cabinet.waiting or self.expected():
            self.settle()
            self.wait(DAY_US)
        self.batches_know_what_became_of_their_purchases()
        check(self.cabinet.files, self.model.lines, self.authorised, self.edit.account_of)

    def _decide(self, message: Contract, at: int, event_id: str) -> str:
        name = type(message).__name__
        room = self.batch_room if name in BATCHES else self.room
        told = room.send(message, id=event_id, at=at)  # type: ignore[arg-type]
        found = told.reason or told.outcome
        if room is self.room:
            expected = answer(self.model, name, plain(message), at, event_id, self.now)
            assert found == expected, (message, told.entry.figures)
        self.outcomes[name, found] += 1
        self._hear(told)
        return found

    def _hear(self, told: Told) -> None:
        for entry in told.entries:
            self.authorised.hear(entry)
        for event in told.events:
            if isinstance(event, GeneralLedgerLine | AccountingDayClosed):
                self.records.append(event)
                self.cabinet.hear(event)
            elif isinstance(event, BatchAnswer):
                self.mail[f"batch:{event.batch_id}"].append(event)
            elif isinstance(event, BETWEEN):
                self.mail[f"prisoner:{event.prisoner_id}"].append(event)
        lines = [_as_naive(event) for event in told.events if isinstance(event, GeneralLedgerLine)]
        assert lines == self.model.lines[len(self.model.lines) - len(lines) :]

    # ---- what must hold after every step

    def books_stand_as_they_should(self) -> None:
        for who in self.people:
            rows = {key.split("|")[1]: self.room.ledger.balances[key] for key in self._balances(who)}
            stands, held = self.model.stands[who], self.model.held_of(who)
            assert {account for account in stands if stands[account]} <= rows.keys()
            for account, row in rows.items():
                assert row.credits_posted - row.debits_posted == stands[account], (who, account)
                assert row.debits_pending == sum(amount for debit, _, amount in held if debit == account)
                assert row.credits_pending == sum(amount for _, credit, amount in held if credit == account)
            assert sum(row.credits_posted for row in rows.values()) == sum(row.debits_posted for row in rows.values())

    def nothing_is_overdrawn_and_pending_never_exceeds_funds(self) -> None:
        for who in self.people:
            for key in self._balances(who):
                account, row = key.split("|")[1], self.room.ledger.balances[key]
                assert row.posted >= 0, f"{account} of {who}"
                if account in SUB_ACCOUNTS:
                    assert 0 <= row.locked <= row.posted
                if account == "savings":
                    assert row.debits_pending == row.credits_pending == 0
                if account == "advance":
                    assert row.posted == 0
                if account == "owed":
                    row_of = self.kept.advances.get(f"prisoner:{who}")
                    active = [each for each in (row_of.open if row_of else ()) if each.state == "active"]
                    assert all(each.outstanding_minor > 0 for each in active)
                    assert row.posted == sum(each.outstanding_minor for each in active)

    def processes_stand_as_they_should(self) -> None:
        """Purchases, advances, transactions of the general ledger, and what is used of daily limits."""
        model, kept = self.model, self.kept
        purchases = {_split(key): _ended(kept.purchases[key]) for key in kept.purchases}
        assert purchases == {
            key: (row["state"], row["until"], row["refunds"], row["given_up"]) for key, row in model.purchases.items()
        }
        transactions = {
            _split(key): (row.state.value, [line.line_id for line in row.open])
            for key in kept.transactions
            if (row := kept.transactions[key])
        }
        assert transactions == {
            key: (row["state"], [line.id for line in row["open"]]) for key, row in model.transactions.items()
        }
        for who in self.people:
            row = kept.advances.get(f"prisoner:{who}")
            lent = [(each.advance_id, each.outstanding_minor, each.since) for each in (row.open if row else ())]
            assert lent == [
                (each["id"], each["left"], each["since"] and f"{each['since']}") for each in model.advances[who]
            ]
            used = self.room.ledger.limits.get(f"prisoner:{who}|daily-purchases")
            day, amount = model.used.get(who, (None, 0))
            assert (used and (used.window, used.used_minor)) == (day and (f"{day}", amount))

    def every_line_was_written_once(self) -> None:
        lines = [record.line_id for record in self.records if isinstance(record, GeneralLedgerLine)]
        assert lines == [line.id for line in self.model.lines]
        assert len(set(lines)) == len(lines)

    def batches_know_what_became_of_their_purchases(self) -> None:
        for (batch_id, purchase_id), state in self.model.answers.items():
            batch = self.batches.get(f"batch:{batch_id}")
            member = batch and batch.member(purchase_id)
            assert member is None or member.state == state, (batch_id, purchase_id)

    def _balances(self, who: str) -> list[str]:
        balances: Any = self.room.ledger.balances
        return [key for key in balances if key.startswith(f"prisoner:{who}|")]


def _split(key: str) -> tuple[str, str]:
    """Prisoner and id of a row's key."""
    who, _, id_ = key.removeprefix("prisoner:").partition("|")
    return who, id_


def _ended(row: Purchase) -> tuple[str, int, list[str], int]:
    """State, until when, refunds, and what was given up of its advance and has not come back."""
    back = sum(part.amount_minor for part in row.refunded if part.account == "written_off")
    return row.state.value, row.until, list(row.refund_ids), row.written_off_minor - back


def plain(message: Contract) -> dict[str, Any]:
    """A message as a dict."""
    if isinstance(message, Message):
        return message.model_dump(mode="json")
    fields = msgspec.structs.asdict(message)
    return {name: plain(value) if isinstance(value, Message) else value for name, value in fields.items()}


def _as_naive(line: GeneralLedgerLine) -> Line:
    assert line.amount.currency == "GBP"
    return Line(
        line.line_id, line.prisoner_id, line.transaction_id, line.side.value, str(line.account),
        line.amount.amount_minor, line.gl_account, line.cost_centre, line.prison_id,
        date.fromisoformat(line.accounting_date), line.description, line.reverses, line.corrects,
    )  # fmt: skip
