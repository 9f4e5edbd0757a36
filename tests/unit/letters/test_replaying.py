"""Which letters are replayed: none twice unless told, none that does not hold its whole record (PIPE-04, PIPE-05)."""

from collections import defaultdict
from typing import Any

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import KafkaError

from schemas.fields import Money
from schemas.prison_finance import CreditPrisoner, SubAccount
from schemas.settings import Settings
from schemas.topics import CREDITS, DEAD_LETTERS
from streams.letters import letters
from streams.letters.command import deadletters
from streams.prison_finance.room import PrisonFinance
from streams.runtime import DeadLetters
from streams.runtime.dead_letters import VALUE_BYTES
from tests.rooms import DAY, PARTITION, FakeRegistry, Record, Stage, Told
from tests.unit.prison_finance.partition import WHO, Partition


class Kafka:
    """Topics as lists of records, with as much of a consumer and a producer as `letters` uses."""

    def __init__(self) -> None:
        self.logs: dict[tuple[str, int], list[Record]] = defaultdict(list)

    def put(self, topic: str, key: Any, value: Any, headers: Any = None, partition: int = -1) -> None:
        """For the outbox that dead letters are written to."""
        number = PARTITION if partition < 0 else partition
        log = self.logs[topic, number]
        log.append(Record(topic, len(log), key, value, list(headers or ()), 0, number))

    def take(self, topic: str) -> list[Record]:
        """What has come on a topic since it was last taken."""
        return [record for (name, _), log in self.logs.items() if name == topic for record in _emptied(log)]

    def consumer(self, _: Any) -> Any:
        return _Consumer(self)

    def producer(self, _: Any) -> Any:
        return _Producer(self)


def _emptied(log: list[Record]) -> list[Record]:
    taken = list(log)
    log.clear()
    return taken


class _Message:
    def __init__(self, record: Record | None) -> None:
        self._record = record

    def __getattr__(self, name: str) -> Any:
        return getattr(self._record, name)

    def error(self) -> Any:
        return KafkaError(KafkaError._PARTITION_EOF) if self._record is None else None


class _Consumer:
    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._left: list[_Message] = []

    def assign(self, places: list[Any]) -> None:
        for place in places:
            self._left += map(_Message, self._kafka.logs[place.topic, place.partition])
            self._left.append(_Message(None))

    def consume(self, _count: int, _timeout: float) -> list[_Message]:
        found, self._left = self._left, []
        return found

    def close(self) -> None: ...


class _Producer:
    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka

    def produce(self, topic: str, value: Any = None, key: Any = None, headers: Any = None, **_: Any) -> None:
        self._kafka.put(topic, key, value, headers)

    def init_transactions(self, _timeout: float) -> None: ...

    def begin_transaction(self) -> None: ...

    def commit_transaction(self, _timeout: float) -> None: ...


class Operator:
    """The room, a Kafka that both read and write, and the person at the command line."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = Partition().kept
        self.kafka = Kafka()
        self.stage = Stage(lambda ledger: PrisonFinance(kept.tables, ledger), *kept)
        for rows in kept:
            rows.take_changes()
        monkeypatch.setattr(letters, "Consumer", self.kafka.consumer)
        monkeypatch.setattr(letters, "Producer", self.kafka.producer)
        monkeypatch.setattr(letters, "ConfluentRegistry", lambda _: FakeRegistry())

    def send_astray(self, credit_id: str, amount: int) -> None:
        """A credit comes on another partition than its key's, and is buried."""
        credit = CreditPrisoner(
            credit_id=credit_id,
            prisoner_id=WHO,
            sub_account=SubAccount.CASH,
            amount=Money(amount_minor=amount, currency="GBP"),
            description="Postal order",
        )
        self.stage.rightful = PARTITION + 1
        letter = self.stage.send(credit, id=credit_id).letter
        self.stage.rightful = PARTITION
        buried = DeadLetters(self.kafka, DEAD_LETTERS.name)  # type: ignore[arg-type]
        buried.bury(letter.record, reason=letter.reason, error=letter.error, field=letter.field, schema=letter.schema)

    def command(self, *words: str) -> Result:
        """`deadletters replay …`."""
        return CliRunner().invoke(deadletters, ["replay", *words])

    def replay(self) -> list[Told]:
        """`deadletters replay --reason wrong_partition`, and what the room makes of what it publishes."""
        done = self.command("--reason", "wrong_partition")
        assert done.exit_code == 0, done.output
        return [
            self.stage.send_raw(CREDITS, key=each.key(), value=each.value(), headers=each.headers() or ())
            for each in self.kafka.take(CREDITS.name)
        ]

    @property
    def cash(self) -> int:
        balance = self.stage.balance(f"prisoner:{WHO}", "cash", "GBP")
        return 0 if balance is None else balance.posted


@pytest.mark.requirement("PIPE-04", "PIPE-05")
def test_a_letter_that_was_replayed_and_accepted_counts_once_when_its_reason_is_replayed_months_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    operator = Operator(monkeypatch)
    operator.send_astray("January", 10_000)
    assert [told.outcome for told in operator.replay()] == ["accepted"]
    assert operator.cash == 10_000

    operator.stage.wait(60 * DAY)
    operator.stage.seen.take_changes()
    operator.send_astray("March", 500)
    operator.replay()

    assert operator.cash == 10_500


@pytest.mark.requirement("PIPE-04")
def test_a_letter_is_replayed_twice_only_when_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(monkeypatch)
    operator.send_astray("January", 10_000)
    (letter,) = letters.read(Settings())
    assert operator.command(letter.id).output == "replayed 1\n"
    assert "was replayed at" in operator.command(letter.id).output
    assert "--again sends 1 once more" in operator.command("--reason", "wrong_partition").output
    assert len(operator.kafka.take(CREDITS.name)) == 1
    assert operator.command(letter.id, "--again").output == "replayed 1\n"
    assert len(operator.kafka.take(CREDITS.name)) == 1


@pytest.mark.requirement("PIPE-04")
def test_what_a_letter_does_not_hold_whole_is_not_replayed_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(monkeypatch)
    operator.send_astray("January", 10_000)
    long = Record(CREDITS.name, 7, b"k", bytes(VALUE_BYTES + 1), [], 0)
    DeadLetters(operator.kafka, DEAD_LETTERS.name).bury(long, reason="wrong_partition", error="")  # type: ignore[arg-type]
    cut = next(letter for letter in letters.read(Settings()) if letter.is_cut)

    by_id = operator.command(cut.id)
    assert by_id.exit_code == 2
    assert f"lies at {CREDITS.name}/{PARTITION}@7" in by_id.output
    by_reason = operator.command("--reason", "wrong_partition")
    assert by_reason.output == f"left out: dead letter {cut.id} does not hold all of its record\nreplayed 1\n"
