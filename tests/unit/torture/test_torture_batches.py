"""The verifier's model and the rooms agree about batches and their people, and on what they tell each other."""

import json
import random
from collections import Counter, deque
from itertools import count, islice
from typing import Any

import msgspec
import pytest

from schemas.fields import Contract, Fact
from schemas.prison_batches import BatchAnswer, BatchedAuthorise, BatchedCancel, BatchedSubmit
from streams.prison_finance.batch import Batch
from streams.prison_finance.batch_room import PrisonBatches
from streams.runtime.rows import Rows
from tests.rooms import MINUTE, Stage, Told
from tests.torture.canteen import Canteen
from tests.torture.events import Event
from tests.torture.verifier import batches, prisoners
from tests.torture.verifier.check import RULES
from tests.torture.verifier.differences import Differences
from tests.torture.verifier.model import Input, Model, Sent, Verdict
from tests.torture.verifier.tables import _check_nothing_waits
from tests.unit.torture.comparing import MESSAGES, Tables, differing, plain, verdict
from tests.unit.torture.stories import numbered, stories
from tests.unit.torture.test_torture_prisoners import FACTS, stage

pytestmark = pytest.mark.requirement("PRI-08", "PRI-09", "PRI-10")

BETWEEN = (BatchAnswer, BatchedAuthorise, BatchedCancel, BatchedSubmit)


class Both:
    """The rooms of batches and of prisoners, the model of both, and the mail between books: late, but in order."""

    def __init__(self, seed: int) -> None:
        self.model, self.outcomes = Model(FACTS), Counter[tuple[str, str, str | None]]()
        self._dice, self._mail = random.Random(seed), dict[str, deque[Fact]]()
        self.people, self._kept = stage()
        self.rows: Rows[Batch] = Rows(Batch, due=lambda row: row.due)
        self.batches = Stage(lambda ledger: PrisonBatches(self.rows, ledger), self.rows)
        self._number = count()

    def tell(self, event: Event) -> None:
        message = MESSAGES[event.name].model_validate(event.fields)
        self._decide(event.key, event.name, message, event.fields, event.event_id, event.age_us)

    def deliver(self) -> bool:
        """The next message to some book; False if there is none."""
        waiting = sorted(book for book, queue in self._mail.items() if queue)
        if waiting:
            book = self._dice.choice(waiting)
            message = self._mail[book].popleft()
            self._decide(book, type(message).__name__, message, fields_of(message), f"mail-{next(self._number)}")
        return bool(waiting)

    def _decide(
        self, book: str, name: str, message: Contract, fields: dict[str, Any], event_id: str, age_us: int = 0
    ) -> None:
        room = self.batches if book.startswith("batch:") else self.people
        at = room.now - age_us
        told = room.send(message, id=event_id, at=at)  # type: ignore[arg-type]
        expected = self.model.answer(
            Input(told.entry.decision_id, event_id, "/upstream", at, book, name, fields), RULES
        )
        self._compare(told, expected)
        self.outcomes[name, told.entry.outcome.value, told.entry.reason] += 1

    def _compare(self, told: Told, expected: Verdict | None) -> None:
        assert expected is not None, told
        post = [event for event in told.events if isinstance(event, BETWEEN)]
        assert verdict(told.entry) == expected._replace(sent=()), told.figures
        assert Counter(map(sent, post)) == Counter(expected.sent)
        for message in post:
            book = (
                f"batch:{message.batch_id}" if isinstance(message, BatchAnswer) else f"prisoner:{message.prisoner_id}"
            )
            self._mail.setdefault(book, deque()).append(message)

    def wait(self, micros: int) -> None:
        """Let time pass in both rooms. What a tick tells is shared out among its decisions by their books."""
        for room in (self.batches, self.people):
            told = room.wait(micros)
            post = [event for event in told.events if isinstance(event, BETWEEN)]
            for entry in told.entries:
                parts = entry.decision_id.split("/")
                if parts[-1] == "timed_out":
                    expected = prisoners.time_out(self.model, entry.book, parts[1], room.now)
                    its = [each for each in post if isinstance(each, BatchAnswer) and each.purchase_id == parts[1]]
                else:
                    rule = batches.time_out if parts[-1] == "late" else batches.set_deadline
                    expected = rule(self.model, entry.book, room.now)
                    its = [each for each in post if f"batch:{each.batch_id}" == entry.book]
                self._compare(Told([entry], list(its), [], [], []), expected)  # type: ignore[arg-type]
                self.outcomes["tick", parts[-1], None] += 1

    def tables(self) -> Tables:
        """The rooms' tables as their changelogs have them."""
        return {"batches": plain(self.rows), "purchases": plain(self._kept.purchases)}


def fields_of(message: Fact) -> dict[str, Any]:
    """As Avro decodes them."""
    fields: dict[str, Any] = json.loads(msgspec.json.encode(message, enc_hook=lambda each: each.model_dump()))
    return fields


def sent(message: Fact) -> Sent:
    return batches.sent(type(message).__name__, fields_of(message))


def told(seed: int, events: int) -> Both:
    both, dice, telling = Both(seed), random.Random(seed), random.Random(seed)
    canteen = Canteen(telling, FACTS, numbered())
    tellers = [(2, canteen.credit), (2, canteen.batch), (2, canteen.decide_batch), (1, canteen.decide)]
    for number, event in enumerate(islice(stories(telling, tellers, repeated=0.15), events)):
        both.tell(event)
        for _ in range(dice.choice((0, 0, 0, 4, 12)) if number % 100 < 60 else 0):  # at times nothing arrives
            both.deliver()
        if number % 10 == 9:
            both.wait(dice.choice((1, MINUTE, 6 * MINUTE)))
    return both


def settle(both: Both) -> None:
    """As a run comes to rest: all mail, one tick long after, all mail."""
    for _ in range(2):
        while both.deliver():
            pass
        both.wait(60 * MINUTE)
    while both.deliver():
        pass


@pytest.mark.parametrize("seed", [2, 6])
def test_every_decision_and_row_of_the_rooms_and_what_they_tell_each_other_is_the_models(seed: int) -> None:
    both = told(seed, 300)
    assert not differing(both.model, both.tables())
    settle(both)
    assert not differing(both.model, both.tables())
    accepted = {name for name, outcome, _ in both.outcomes if outcome == "accepted"}
    assert accepted >= {*batches.RULES, "BatchedSubmit", "BatchedAuthorise", "BatchedCancel"}
    reasons = {(name, reason) for name, _, reason in both.outcomes}
    assert reasons >= {("SubmitBatch", "already_exists"), ("AuthoriseBatch", "wrong_state"),
                       ("BatchedSubmit", "unknown_prisoner"), ("BatchedSubmit", "insufficient_funds")}  # fmt: skip
    assert both.outcomes["tick", "asked", None]
    assert both.outcomes["tick", "late", None]


def test_at_rest_no_batch_waits_for_anybody_and_one_that_does_is_overdue() -> None:
    both = told(1, 200)
    settle(both)
    differences = Differences()
    _check_nothing_waits(both.model, differences, both.people.now)
    assert not differences.kept

    batch = next(iter(both.model.batches.values()))
    next(iter(batch["members"].values())).state = "authorising"
    _check_nothing_waits(both.model, differences, both.people.now)
    assert differences.counts == {"overdue": 1}


@pytest.mark.requirement("PIPE-02")
@pytest.mark.parametrize(
    ("field", "wrong"),
    [("step", "none"), ("waiting", 77), ("unended", 77), ("forget_at", 1), ("deadline", 1), ("members", [])],
)
def test_a_batchs_row_that_tells_something_else_is_a_difference(field: str, wrong: object) -> None:
    both = told(1, 40)
    tables = both.tables()
    book = next(iter(tables["batches"]))
    tables["batches"][book][field] = wrong
    (difference,) = differing(both.model, tables)
    assert book in difference
