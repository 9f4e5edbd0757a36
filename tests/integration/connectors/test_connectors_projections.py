"""Projection messages that our codec wrote land in Postgres (PIPE-07)."""

import threading
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import httpx
import psycopg
import pytest
from confluent_kafka import Producer
from connectors_place import Place, eventually

from connectors import connect, rest
from connectors.configuration import Deployment, Unreadable, configurations
from connectors.watch import Watch
from schemas.dealer_deposits import ProjectedDeposit
from schemas.fields import to_micros
from schemas.ledger import AccountBalance, OpenLock, Side, StatementLine
from schemas.topics import BALANCES, OPEN_LOCKS, PROJECTED_DEPOSITS, STATEMENT_LINES

MOMENT = datetime(2030, 3, 31, 1, 59, 59, 123457, tzinfo=UTC)


def balance(identifier: str, balance_minor: int) -> AccountBalance:
    return AccountBalance(
        id=identifier,
        book="group:g1",
        account="wallet",
        currency="EUR",
        side=Side.CREDIT,
        debits_posted=0,
        credits_posted=balance_minor,
        debits_pending=0,
        credits_pending=0,
        balance_minor=balance_minor,
        available_minor=balance_minor,
        entries=1,
        lots=1,
    )


def line(identifier: str, text: str) -> StatementLine:
    return StatementLine(
        id=identifier,
        book="group:g1",
        account="wallet",
        currency="EUR",
        number=1,
        amount_minor=-250,
        balance_minor=750,
        counter_account="revenue",
        text=text,
        decision_id="d1",
        correlation_id="c1",
        actor="rider:r1",
        effective_at=to_micros(MOMENT),
        recorded_at=to_micros(MOMENT) + 1,
    )


@pytest.mark.requirement("PIPE-07")
def test_a_balance_lands_is_updated_and_is_deleted_by_a_tombstone(place: Place) -> None:
    find = "SELECT side, balance_minor FROM projection.balances WHERE id = 'life'"
    place.put(BALANCES, "life", place.codec.encode(balance("life", 1000)))
    assert place.until(find) == [("credit", 1000)]
    place.put(BALANCES, "life", place.codec.encode(balance("life", 900)))
    assert place.until(find + " AND balance_minor <> 1000") == [("credit", 900)]
    place.put(BALANCES, "life", None)
    place.until("SELECT 1 WHERE NOT EXISTS (SELECT FROM projection.balances WHERE id = 'life')")


@pytest.mark.requirement("PIPE-07")
def test_the_last_of_many_updates_of_one_balance_counts(place: Place) -> None:
    place.put(BALANCES, "hot", *(place.codec.encode(balance("hot", number)) for number in range(1, 1001)))
    assert place.until("SELECT balance_minor FROM projection.balances WHERE id = 'hot' AND balance_minor = 1000")


@pytest.mark.requirement("PIPE-07", "DLR-08")
def test_open_price_segments_land_and_are_rows_for_people(place: Place) -> None:
    for segments, expected in (("EUR a, USD b", [("D1", "EUR", "a"), ("D1", "USD", "b")]), ("", [])):
        shown = ProjectedDeposit(id="dealer:D1", dealer_id="D1", segments=segments)
        place.put(PROJECTED_DEPOSITS, shown.id, place.codec.encode(shown))
        place.until("SELECT 1 FROM projection.deposits WHERE id = 'dealer:D1' AND segments = %s", segments)
        rows = "SELECT dealer_id, currency, segment FROM analysis.price_segments WHERE book = 'dealer:D1' ORDER BY 3"
        assert place.sql(rows) == expected


@pytest.mark.requirement("PIPE-07")
@pytest.mark.parametrize(("identifier", "deadline"), [("bounded", to_micros(MOMENT)), ("endless", None)])
def test_an_open_lock_lands_with_its_deadline(place: Place, identifier: str, deadline: int | None) -> None:
    lock = OpenLock(
        id=identifier,
        book="prisoner:A1",
        lock_id="l1",
        debit="spends",
        credit="supplier",
        amount_minor=250,
        currency="GBP",
        deadline=deadline,
    )
    place.put(OPEN_LOCKS, identifier, place.codec.encode(lock))
    place.until("SELECT 1 FROM projection.open_locks WHERE id = %s", identifier)
    found = place.sql(
        "SELECT room, v.amount_minor, v.deadline FROM analysis.open_locks v JOIN projection.open_locks p "
        "USING (book, lock_id) WHERE p.id = %s AND p.deadline IS NOT DISTINCT FROM %s",
        identifier,
        deadline,
    )
    assert ("prisoner", 250, MOMENT if deadline else None) in found


@pytest.mark.requirement("PIPE-07", "PIPE-10")
def test_a_statement_line_reads_as_people_read_time_and_to_the_microsecond(place: Place) -> None:
    text = "Тrip to Grünerløkka: 2,50 €"
    place.put(STATEMENT_LINES, "line", place.codec.encode(line("line", text)))
    place.until("SELECT 1 FROM projection.statement_lines WHERE id = 'line'")
    found = place.sql(
        "SELECT room, effective_at, recorded_at - effective_at = interval '1 microsecond', amount_minor, text "
        "FROM analysis.statement WHERE book = 'group:g1' AND effective_at >= %s ORDER BY effective_at",
        MOMENT,
    )
    assert found == [("group", MOMENT, True, -250, text)]


@pytest.mark.requirement("PIPE-07", "PIPE-04")
def test_what_was_aborted_does_not_land(place: Place) -> None:
    topic = place.deployment.topic_prefix + BALANCES.name
    producer = Producer({"bootstrap.servers": place.settings.kafka, "transactional.id": topic})
    producer.init_transactions()
    for number, finish in ((1, producer.abort_transaction), (2, producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, key=f"tx-{number}", value=place.codec.encode(balance(f"tx-{number}", number)))
        producer.flush()
        finish()
    place.until("SELECT 1 FROM projection.balances WHERE id = 'tx-2'")
    assert place.sql("SELECT id FROM projection.balances WHERE id LIKE 'tx-%'") == [("tx-2",)]


@pytest.mark.requirement("PIPE-07", "PIPE-04")
def test_a_record_that_nobody_can_read_stops_its_sink_until_a_person_lets_it_be_buried(place: Place) -> None:
    for garbage in (b"not framed at all", b"\x00\x7f\xff\xff\xff\x00", b"\x00\x00"):
        place.put(STATEMENT_LINES, "bad", garbage)
    place.put(STATEMENT_LINES, "good", place.codec.encode(line("good", "after the bad ones")))
    failed = eventually(
        lambda: [row.state for row in connect.status(place.settings, place.deployment) if row.state.failed],
        "failed sink",
    )
    assert [state.connector for state in failed] == [f"{place.deployment.name}-statement-lines"]
    assert not place.sql("SELECT 1 FROM projection.statement_lines WHERE id = 'good'")

    connect.apply(place.settings, place.deployment, Unreadable.BURY)
    place.until("SELECT 1 FROM projection.statement_lines WHERE id = 'good'")
    letters = place.records("projection.record.dead-letter.v1", lambda found: len(found) >= 3)
    headers = dict(letters[0].headers() or [])
    assert headers["__connect.errors.topic"].decode() == place.deployment.topic_prefix + STATEMENT_LINES.name
    assert b"not framed at all" in {letter.value() for letter in letters}

    connect.apply(place.settings, place.deployment)
    assert not any(row.differing or row.state.failed for row in connect.status(place.settings, place.deployment))


class Away(BaseHTTPRequestHandler):
    """The registry at another address, at which it can be away."""

    registry: ClassVar[str]

    def do_GET(self) -> None:
        answer = httpx.get(self.registry + self.path)
        self.send_response(answer.status_code)
        self.send_header("content-type", answer.headers["content-type"])
        self.end_headers()
        self.wfile.write(answer.content)


@pytest.mark.requirement("PIPE-07")
def test_rows_wait_for_a_registry_that_is_away_and_the_watch_goes_on_when_it_is_there(place: Place) -> None:
    place.put(BALANCES, "waits", place.codec.encode(balance("waits", 7)))
    place.until("SELECT 1 FROM projection.balances WHERE id = 'waits'")
    place.sql("DELETE FROM projection.balances WHERE id = 'waits'")
    Away.registry = place.settings.converter_registry.partition("/apis/")[0]
    with HTTPServer(("127.0.0.1", 0), Away, bind_and_activate=False) as registry:
        registry.server_bind()  # the port is ours, and nobody answers at it
        elsewhere = f"http://127.0.0.1:{registry.server_port}/apis/registry/v2"
        settings = place.settings.model_copy(update={"converter_registry": elsewhere})
        second = Deployment(f"away_{uuid.uuid4().hex[:8]}", place.deployment.topic_prefix)
        sink, said = f"{second.name}-balances", list[str]()
        with rest.Connect(settings.connect) as asked:
            try:
                asked.put(sink, configurations(settings, second)[sink])
                eventually(lambda: [1] if asked.state(sink).failed else [], "failed sink")
                assert not place.sql("SELECT 1 FROM projection.balances WHERE id = 'waits'")

                registry.server_activate()
                threading.Thread(target=registry.serve_forever, daemon=True).start()
                watch = Watch(settings, said.append, second)
                eventually(lambda: [1] if watch.look() else [], "restart")
                place.until("SELECT 1 FROM projection.balances WHERE id = 'waits'")
                assert not asked.state(sink).failed
            finally:
                asked.delete(sink)
                registry.shutdown()
    assert f"{sink} had failed and is started again: " in said[0]


@pytest.mark.requirement("PIPE-10")
def test_statements_are_found_by_their_indexes(place: Place) -> None:
    with psycopg.connect(place.settings.postgres) as connection:
        connection.execute("SET enable_seqscan = off")  # the table is small
        for column, index in (("book", "statement_of_a_book"), ("account", "statement_of_an_account")):
            query = f"SELECT * FROM analysis.statement WHERE {column} = 'a' AND effective_at >= now()"
            plan = str(connection.execute(f"EXPLAIN {query}").fetchall())
            assert index in plan
            assert "Filter" not in plan
