"""When a producer must be replaced before the next transaction (KIP-890), and what a failure says."""

import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from streams.runtime.outbox import OutRecord
from streams.runtime.transaction import Transaction, TransactionError, Transactions

pytestmark = pytest.mark.requirement("PIPE-03")

NOTHING = Transaction([], [], [TopicPartition("in", 0, 1)], "group")


class Broker:
    """Producers as `Transactions` sees them; `troubles` are raised by, or done at, the next commits."""

    def __init__(self) -> None:
        self.producers: list[Producer] = []
        self.silent = False
        self.troubles: list[Callable[[Producer], None]] = []

    def new_producer(self, config: dict[str, Any]) -> "Producer":
        self.producers.append(Producer(self, config))
        return self.producers[-1]

    def transactions(self, request_timeout_s: float = 5.0) -> Transactions:
        made = Transactions({}, request_timeout_s=request_timeout_s, commit_timeout_s=5.0,
                            new_producer=self.new_producer)  # fmt: skip
        made.start()
        return made


class Producer:
    def __init__(self, broker: Broker, config: dict[str, Any]) -> None:
        self.broker, self.config = broker, config
        self.calls: list[str] = []
        self.queue: list[Callable[[KafkaError, Any], None]] = []

    def init_transactions(self, timeout: float) -> None:
        self.calls.append("init")

    def begin_transaction(self) -> None:
        self.calls.append("begin")

    def produce(self, topic: str, value: Any, key: Any, partition: int, on_delivery: Any, **__: Any) -> None:
        if value == b"too large":
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
        self.queue += [on_delivery] if on_delivery else []
        self.calls.append("produce")

    def list_topics(self, topic: str, timeout: float) -> None:
        if self.broker.silent:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        self.calls.append(f"where is {topic}")

    def send_offsets_to_transaction(self, offsets: Any, group: Any, timeout: float) -> None:
        self.calls.append("offsets")

    def commit_transaction(self, timeout: float) -> None:
        if self.broker.troubles:
            self.broker.troubles.pop(0)(self)
        self.calls.append("commit")

    def abort_transaction(self, timeout: float) -> None:
        self.calls.append("abort")
        for told in self.queue:
            told(KafkaError(KafkaError._PURGE_QUEUE), Queued())

    def poll(self, timeout: float) -> int:
        return 0


class Queued:
    """A record that its producer had not sent yet."""

    def topic(self) -> str:
        return "out"

    def key(self) -> bytes:
        return b"book-7"

    def value(self) -> bytes:
        return b"row"


def refuse(code: int, **kind: bool) -> Callable[[Producer], None]:
    def trouble(producer: Producer) -> None:
        raise KafkaException(KafkaError(code, **kind))

    return trouble


def answer_late(producer: Producer) -> None:
    time.sleep(0.02)


def break_connection(producer: Producer) -> None:
    producer.config["logger"].log(30, "%s [%s] %s", "FAIL", "p", "[thrd:b]: b: Disconnected (after 9ms in state UP)")


def report_timeouts(producer: Producer) -> None:
    for timeouts in (0, 2):
        sample = {"brokers": {"b": {"req_timeouts": timeouts, "disconnects": 0}}}
        producer.config["stats_cb"](orjson.dumps(sample).decode())


def report_an_error(producer: Producer) -> None:
    producer.config["error_cb"](KafkaError(KafkaError._TIMED_OUT, "1 request(s) timed out"))


def fail_to_connect(producer: Producer) -> None:
    text = "[thrd:c]: c: Connect to c failed: Connection refused (after 0ms in state CONNECT)"
    producer.config["logger"].log(40, "%s [%s] %s", "FAIL", "p", text)
    producer.config["error_cb"](KafkaError(KafkaError._TRANSPORT, text))


def report_answered_retries(producer: Producer) -> None:
    for retries in (0, 7):
        sample = {"brokers": {"b": {"req_timeouts": 0, "disconnects": 1, "txretries": retries}}}
        producer.config["stats_cb"](orjson.dumps(sample).decode())


def test_one_producer_serves_while_nothing_is_doubtful() -> None:
    broker = Broker()
    transactions = broker.transactions()
    transactions.commit(NOTHING)
    transactions.commit(NOTHING)
    assert [each.calls for each in broker.producers] == [["init"] + 2 * ["begin", "offsets", "commit"]]


def test_a_topic_is_asked_for_once_by_each_producer_before_its_first_commit() -> None:
    broker = Broker()
    transactions = broker.transactions()
    row = NOTHING._replace(outputs=[OutRecord("out", b"book-7", b"row")])
    transactions.commit(row)
    broker.troubles = [break_connection]
    transactions.commit(row)
    transactions.commit(row)
    asked = ["begin", "produce", "where is out", "offsets", "commit"]
    again = ["begin", "produce", "offsets", "commit"]
    assert [each.calls for each in broker.producers] == [["init", *asked, *again], ["init", *asked]]


def test_a_topic_of_which_nobody_tells_is_committed_to_and_asked_for_again() -> None:
    broker = Broker()
    transactions = broker.transactions()
    row = NOTHING._replace(outputs=[OutRecord("out", b"book-7", b"row")])
    broker.silent = True
    transactions.commit(row)
    broker.silent = False
    transactions.commit(row)
    assert broker.producers[0].calls[1:] == [
        "begin", "produce", "offsets", "commit", "begin", "produce", "where is out", "offsets", "commit",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "trouble",
    [refuse(KafkaError._TIMED_OUT, retriable=True), answer_late, break_connection, report_timeouts, report_an_error],
)
def test_a_doubtful_transaction_is_the_last_of_its_producer(trouble: Callable[[Producer], None]) -> None:
    broker = Broker()
    transactions = broker.transactions(request_timeout_s=0.01)
    broker.troubles = [trouble]
    transactions.commit(NOTHING)
    transactions.commit(NOTHING)
    transactions.commit(NOTHING)
    first, second = broker.producers
    assert first.calls == ["init", "begin", "offsets", "commit"]
    assert second.calls == ["init"] + 2 * ["begin", "offsets", "commit"]


@pytest.mark.parametrize("news", [fail_to_connect, report_answered_retries])
def test_news_without_a_request_on_its_way_is_no_reason_for_doubt(news: Callable[[Producer], None]) -> None:
    broker = Broker()
    transactions = broker.transactions()
    broker.troubles = [news]
    transactions.commit(NOTHING)
    transactions.commit(NOTHING)
    assert len(broker.producers) == 1


def test_what_a_replaced_producer_still_says_does_not_count_against_its_successor() -> None:
    broker = Broker()
    transactions = broker.transactions()
    broker.troubles = [break_connection]
    transactions.commit(NOTHING)
    transactions.commit(NOTHING)
    break_connection(broker.producers[0])
    transactions.commit(NOTHING)
    assert len(broker.producers) == 2


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (KafkaError._FENCED, "MILLRACE_WORKER"),
        (KafkaError.ILLEGAL_GENERATION, "belong to another worker by now"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "the transaction failed"),
    ],
)
def test_a_refused_commit_is_aborted_and_explained(code: int, text: str) -> None:
    broker = Broker()
    transactions = broker.transactions()
    broker.troubles = [refuse(code)]
    with pytest.raises(TransactionError, match=text):
        transactions.commit(NOTHING)
    assert broker.producers[0].calls[-1] == "abort"


def test_records_that_an_abort_throws_away_are_not_taken_for_its_cause() -> None:
    broker = Broker()
    transactions = broker.transactions()
    broker.troubles = [refuse(KafkaError.TOPIC_AUTHORIZATION_FAILED)]
    with pytest.raises(TransactionError, match=r"the transaction failed: .*TOPIC_AUTHORIZATION_FAILED"):
        transactions.commit(NOTHING._replace(outputs=[OutRecord("out", b"book-7", b"row")]))


def test_a_fatal_error_leaves_nothing_to_abort() -> None:
    broker = Broker()
    transactions = broker.transactions()
    broker.troubles = [refuse(KafkaError._FENCED, fatal=True)]
    with pytest.raises(TransactionError):
        transactions.commit(NOTHING)
    assert broker.producers[0].calls[-1] == "offsets"


def test_a_record_that_is_too_large_is_named() -> None:
    transactions = Broker().transactions()
    large = OutRecord("out", b"book-7", b"too large")
    with pytest.raises(TransactionError, match=r"cannot write to out: .*; key b'book-7', 9 bytes"):
        transactions.commit(NOTHING._replace(outputs=[large]))
