"""What an operator does: look at dead letters, publish a file, check topics and schemas, ask Prometheus."""

import json
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer

from dashboards import queries
from schemas.avro import schema_of
from schemas.fields import Money
from schemas.ledger import Decided
from schemas.mobility import DepositBudget, TripEnded
from schemas.prison_finance import CreditPrisoner, SubAccount
from schemas.registry import ConfluentRegistry
from schemas.settings import Settings
from schemas.topics import CREDITS, TOPICS, TRIPS
from tests.e2e.world import World, fresh


def deposit() -> DepositBudget:
    return DepositBudget(deposit_id=fresh("dep"), group_id=fresh("grp"), amount=Money(amount_minor=1, currency="EUR"))


@pytest.mark.requirement("PIPE-04")
def test_a_record_that_is_no_message_can_be_listed_shown_and_replayed(world: World) -> None:
    key = f"group:{fresh('grp')}"
    producer = Producer({"bootstrap.servers": world.settings.kafka})
    producer.produce(TRIPS.name, b"not avro", key)
    producer.flush(10)

    def listed() -> list[dict[str, str]]:
        said = world.command("streams", "deadletters", "list", "--json").stdout
        return [letter for line in said.splitlines() if (letter := json.loads(line))["key"] == key]

    (letter,) = world.wait(lambda: listed() or None)
    assert (letter["topic"], letter["reason"]) == (TRIPS.name, "not_framed")
    shown = world.command("streams", "deadletters", "show", letter["id"])
    assert "0x00" in shown.stdout
    assert "6e 6f 74 20 61 76 72 6f" in shown.stdout
    assert "replayed 1" in world.command("streams", "deadletters", "replay", letter["id"]).stdout
    first, second = world.wait(lambda: listed() if len(listed()) == 2 else None)
    assert (first["replayed_at"] is not None, second["replayed_at"]) == (True, None)
    refused = world.command("streams", "deadletters", "replay", letter["id"])
    assert (refused.returncode, f"{letter['id']} was replayed at" in refused.stderr) == (2, True)
    assert "replayed 1" in world.command("streams", "deadletters", "replay", "--again", letter["id"]).stdout
    world.wait(lambda: listed() if len(listed()) == 3 else None)


@pytest.mark.requirement("PIPE-04")
def test_an_unknown_dead_letter_is_one_clear_sentence(world: World) -> None:
    said = world.command("streams", "deadletters", "show", "0:999999999")
    assert said.returncode == 2
    assert "there is no dead letter 0:999999999" in said.stderr


@pytest.mark.requirement("PIPE-01")
def test_events_written_as_json_lines_are_published_whole_or_not_at_all(world: World, tmp_path: Path) -> None:
    good = {
        "specversion": "1.0",
        "id": fresh("e"),
        "source": "tests",
        "type": "millrace.prison_finance.CreditPrisoner",
        "time": "2026-03-02T08:00:00Z",
        "data": {
            "credit_id": fresh("crd"),
            "prisoner_id": "A0001AA",
            "sub_account": "cash",
            "amount": {"amount_minor": 100, "currency": "GBP"},
            "description": "Wage",
        },
    }
    bad = {**good, "id": fresh("e"), "data": {**good["data"], "amount": {"amount_minor": -1, "currency": "GBP"}}}
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(good) + "\n" + json.dumps(bad) + "\n")
    said = world.command("streams", "publish", str(file))
    assert said.returncode == 2
    assert "line 2, field data.amount.amount_minor" in said.stderr
    file.write_text(json.dumps(good) + "\n")
    assert "published 1 events" in world.command("streams", "publish", str(file)).stdout
    assert world.decided(str(good["id"])).cause_topic == CREDITS.name


@pytest.mark.requirement("PIPE-01", "PIPE-12")
def test_kafka_and_the_registry_are_as_declared_and_drift_is_reported(world: World) -> None:
    said = world.command("streams", "topics", "--check")
    assert (said.returncode, "as declared" in said.stdout) == (0, True)
    registry = ConfluentRegistry(world.settings.registry)
    for topic in TOPICS:
        for message in topic.messages:
            assert registry.id_of(topic.subject(message), schema_of(message)) > 0


@pytest.mark.requirement("PIPE-12")
def test_the_registry_refuses_a_version_that_readers_could_not_read(world: World) -> None:
    registry = ConfluentRegistry(world.settings.registry)
    subject = TRIPS.subject(TripEnded)
    renamed = schema_of(TripEnded)
    renamed["fields"][-1]["name"] = "ridden_minutes"
    assert not registry.is_compatible(subject, renamed)
    grown = schema_of(TripEnded)
    grown["fields"].append({"name": "distance_m", "type": ["null", "long"], "default": None})
    assert registry.is_compatible(subject, grown)


@pytest.mark.requirement("PIPE-03")
def test_a_worker_that_is_killed_loses_and_doubles_nothing(world: World) -> None:
    deposits = [deposit() for _ in range(40)]
    sent = []
    for number, each in enumerate(deposits):
        sent.append(world.send(each))
        if number == 20:
            world.worker.kill()
            world.worker.start()
    world.decided(sent[-1])
    entries = [entry.cause_id for entry in world.read(Decided) if entry.cause_id in sent]
    assert sorted(entries) == sorted(sent)


@pytest.mark.requirement("PIPE-11")
def test_prometheus_answers_every_query_of_the_dashboard(world: World) -> None:
    world.decided(world.send(deposit()))
    world.decided(
        world.send(
            CreditPrisoner(
                credit_id=fresh("crd"),
                prisoner_id=fresh("A"),
                sub_account=SubAccount.CASH,
                amount=Money(amount_minor=1, currency="GBP"),
                description="refused: nobody knows this prisoner",
            )
        )
    )
    assert world.wait(lambda: answer(world.settings, "millrace_decisions_total") or None)
    for query in queries():
        answer(world.settings, query.promql)


def answer(settings: Settings, query: str) -> list[object]:
    """The series that Prometheus has for a query; fails where it cannot be parsed."""
    response = httpx.get(f"{settings.prometheus}/api/v1/query", params={"query": query})
    assert response.status_code == 200, response.text
    series: list[object] = response.json()["data"]["result"]
    return series


def test_a_server_that_is_down_is_one_clear_sentence(world: World) -> None:
    nowhere = {**world.environment, "MILLRACE_KAFKA": "127.0.0.1:9", "MILLRACE_REGISTRY": "http://127.0.0.1:9"}
    said = World.command(_Elsewhere(world, nowhere), "streams", "topics")  # type: ignore[arg-type]
    assert said.returncode == 2
    assert "127.0.0.1:9" in said.stderr
    assert "Traceback" not in said.stderr


class _Elsewhere:
    """A world whose servers are somewhere else."""

    def __init__(self, world: World, environment: dict[str, str]) -> None:
        self.folder = world.folder
        self.environment = environment
